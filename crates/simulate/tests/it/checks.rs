//! What the checks see that no planted defect of the adapters shows: defects of the consumer are patches, which no test can apply.

use std::time::Duration;

use pipeline::offsets::{Commit, NextOffset};
use pipeline::ports::{LogPositions as _, PollLimits};
use pipeline::{LogId, LogPosition, OffsetCommitter as _, RecordSource as _};
use simulate::Terms;
use simulate::log::{SimCommitter, SimSource};
use simulate::store::SimStore;
use simulate::world::{TOPIC, World};
use testkit::builders::{id, user};
use testkit::delivery::apply;

fn calm() -> World {
    World::calm(&Terms::default())
}

/// The promise that was broken.
fn broken(world: &World) -> Option<String> {
    world.step(|state| state.watcher.violation().map(|violation| violation.what.clone()))
}

#[tokio::test(start_paused = true)]
async fn rows_are_of_a_log_that_the_tables_know() {
    let world = calm();
    let store = SimStore::new(&world, "c1");
    apply(&store, &[user(id())]).await;
    assert_eq!(broken(&world).unwrap(), "c1 has written rows, and the tables know no log");

    let world = calm();
    let store = SimStore::new(&world, "c1");
    let begun = LogPosition { log: LogId(id()), topic: TOPIC.into(), partition: 0, next_offset: 0 };
    store.advance(&[begun]).await.unwrap();
    apply(&store, &[user(id())]).await;
    assert_eq!(broken(&world), None);
}

#[tokio::test(start_paused = true)]
async fn nobody_joins_the_group_again_and_again_for_nothing() {
    let world = calm();
    let mut source = SimSource::join(&world, "c1");
    for _ in 0..4 {
        // Each time for a log that has come anew, and once more by a look from before it.
        world.step(|state| state.topic.recreate(&mut state.dice, false));
        source.reopen().await.unwrap();
        source.reopen().await.unwrap();
    }
    assert_eq!(broken(&world), None);
    source.reopen().await.unwrap();
    source.reopen().await.unwrap();
    assert_eq!(broken(&world).unwrap(), "c1 joins the group again and again, and its log is the same");
}

#[tokio::test(start_paused = true)]
async fn offsets_that_can_only_be_read_refuse_a_commit_until_they_can_be_written() {
    let world = calm();
    let mut source = SimSource::join(&world, "c1");
    let committer = SimCommitter::new(&world, &source);
    source.poll_batch(PollLimits { records: 1, bytes: 1 }, Duration::ZERO).await.unwrap();
    let assignment = source.unstarted()[0].assignment;
    source.start(source.unstarted()[0], 0).await.unwrap();
    let mut commit = Commit::default();
    commit.add(TOPIC.into(), 0, NextOffset { offset: 0, assignment });
    let committed = || world.step(|state| state.topic.partitions[0].committed);
    world.step(|state| state.group.read_only_until = state.elapsed() + Duration::from_secs(5));
    assert!(committer.commit(&commit).await.is_err());
    assert_eq!(committed(), None);
    tokio::time::sleep(Duration::from_secs(5)).await;
    assert_eq!(committer.commit(&commit).await.unwrap(), 1);
    assert_eq!(committed(), Some(0));
}
