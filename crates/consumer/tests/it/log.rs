//! A log that changes under the consumer: recreated, cut, overtaken by retention, with offsets that hold no record.

use std::sync::Arc;
use std::time::Duration;

use pipeline::ports::{GroupProgress as _, LogPositions as _, Lost, Skipped};
use telemetry::{LogReport, PositionReport};
use testkit::builders::{id, user};

use crate::rig::Rig;

const GAP: &str = "pipeline_log_gap_records_total";

/// A consumer whose partition has begun.
async fn started() -> Rig {
    let mut rig = Rig::new();
    rig.log.recreate();
    rig.log.append(0, None);
    rig.log.assign(0, 1);
    rig.process_batch().await.unwrap();
    assert_eq!(rig.log.starts(), [(0, 0)]);
    rig
}

/// Shows the consumer the log as it is now.
async fn show(rig: &Rig) {
    rig.log_seen.send_replace(Some(Arc::new(rig.log.log().await.unwrap())));
}

/// The next offset of partition 0 in the tables, for the log as it is now.
async fn position(rig: &Rig) -> Option<i64> {
    let log = rig.log.log().await.unwrap().id;
    let positions = rig.store.positions("events").await.unwrap();
    positions.iter().find(|position| position.log == log).map(|position| position.next_offset)
}

#[tokio::test(start_paused = true)]
async fn a_topic_that_was_created_anew_is_read_from_its_beginning_and_its_offsets_are_committed() {
    let mut rig = started().await;
    for _ in 0..5 {
        rig.append(&user(id()));
    }
    rig.process_batch().await.unwrap();
    assert_eq!((position(&rig).await, rig.log.committed_offset(0)), (Some(6), Some(6)));
    rig.log.recreate();
    let (first, second) = (id(), id());
    rig.append(&user(first));
    rig.append(&user(second));
    show(&rig).await;
    rig.process_batch().await.unwrap();
    assert_eq!((rig.log.reopened(), rig.log.starts()), (1, vec![(0, 0), (0, 0)]));
    assert!(rig.has_user(first).await && rig.has_user(second).await);
    assert_eq!((position(&rig).await, rig.log.committed_offset(0)), (Some(2), Some(2)), "lower than before");
    show(&rig).await;
    rig.process_batch().await.unwrap();
    assert_eq!(rig.log.reopened(), 1, "once");
}

#[tokio::test(start_paused = true)]
async fn a_restart_after_the_topic_was_created_anew_does_not_trust_the_groups_offset() {
    let mut rig = started().await;
    rig.append(&user(id()));
    rig.process_batch().await.unwrap();
    rig.log.recreate();
    let first = id();
    rig.append(&user(first));
    rig.log.reset_offset(0, 1);
    let mut restarted = rig.restarted();
    restarted.log.assign(0, 1);
    restarted.process_batch().await.unwrap();
    assert_eq!(restarted.log.starts().last(), Some(&(0, 0)));
    assert!(restarted.has_user(first).await);
}

#[tokio::test(start_paused = true)]
async fn a_client_that_is_lost_and_offsets_that_go_back_are_answered_by_joining_anew() {
    for lost in [Lost::Client, Lost::Log] {
        let mut rig = started().await;
        rig.log.lose(lost);
        rig.process_batch().await.unwrap();
        rig.process_batch().await.unwrap();
        assert_eq!((rig.log.reopened(), rig.log.starts().len()), (1, 2), "{lost:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_client_that_cannot_begin_with_what_it_owns_is_asked_again_and_then_replaced() {
    let mut rig = Rig::new();
    rig.log.refuse_to_start();
    rig.log.assign(0, 1);
    rig.log.append(0, None);
    let began = tokio::time::Instant::now();
    while rig.log.reopened() == 0 {
        assert!(began.elapsed() < Duration::from_secs(60), "nobody reads what it owns");
        rig.process_batch().await.unwrap();
    }
    assert!(began.elapsed() > Duration::from_secs(20), "one that was just assigned may not be ready for it");
    rig.process_batch().await.unwrap();
    assert_eq!((rig.log.reopened(), rig.log.starts()), (1, vec![(0, 0)]));
}

#[tokio::test(start_paused = true)]
async fn a_log_that_ends_before_what_was_consumed_is_read_from_its_beginning() {
    let mut rig = started().await;
    rig.append(&user(id()));
    rig.append(&user(id()));
    rig.process_batch().await.unwrap();
    show(&rig).await;
    rig.process_batch().await.unwrap();
    assert_eq!(rig.log.reopened(), 0);
    rig.log.cut(0, 1);
    show(&rig).await;
    rig.process_batch().await.unwrap();
    assert_eq!((rig.log.reopened(), rig.log.starts().last()), (1, Some(&(0, 0))));
}

#[tokio::test(start_paused = true)]
async fn what_retention_took_is_counted_at_the_start_and_while_consuming() {
    let mut rig = started().await;
    rig.log.delete_before(12);
    for _ in 0..20 {
        rig.log.append(0, None);
    }
    rig.log.reset_offset(0, 1);
    rig.log.assign(0, 1);
    rig.process_batch().await.unwrap();
    assert_eq!((rig.log.starts().last(), rig.metric(GAP)), (Some(&(0, 12)), 11.0), "offset 0 was consumed, 1 to 11 were not");
    rig.log.skip(Skipped { partition: 0, from: 14, to: 18 });
    rig.log.delete_before(16);
    show(&rig).await;
    rig.process_batch().await.unwrap();
    assert_eq!(rig.metric(GAP), 13.0, "two of the four are gone, the others held no record");
}

#[tokio::test(start_paused = true)]
async fn what_the_client_has_passed_without_a_record_is_finished() {
    let mut rig = started().await;
    rig.process_batch().await.unwrap();
    let commits = rig.log.commits();
    rig.log.pass(7);
    rig.process_batch().await.unwrap();
    assert_eq!((position(&rig).await, rig.log.committed_offset(0)), (Some(7), Some(7)));
    rig.process_batch().await.unwrap();
    assert_eq!(rig.log.commits(), commits + 1, "nothing new is not committed again");
}

#[tokio::test(start_paused = true)]
async fn a_batch_that_lands_moves_the_position_and_one_that_does_not_leaves_it_to_the_end_of_the_take() {
    let mut rig = started().await;
    let advanced = rig.store.advances();
    rig.append(&user(id()));
    rig.process_batch().await.unwrap();
    assert_eq!((position(&rig).await, rig.store.advances()), (Some(2), advanced), "in the batch's own transaction");
    rig.append(&user(id()));
    rig.log.append(0, Some(b"no event".to_vec()));
    rig.dead_letters.go_away(1);
    rig.process_batch().await.unwrap();
    assert_eq!((position(&rig).await, rig.store.advances()), (Some(4), advanced + 1), "after the dead letter is durable");
}

#[tokio::test(start_paused = true)]
async fn the_health_report_shows_how_far_the_tables_hold_the_log_and_what_was_lost() {
    let mut rig = started().await;
    assert_eq!(rig.health.ready_report().log, None, "nobody has looked at the log yet");
    for _ in 0..3 {
        rig.log.append(0, None);
    }
    rig.process_batch().await.unwrap();
    rig.log.append(0, None);
    rig.log.delete_before(2);
    rig.log.skip(Skipped { partition: 0, from: 0, to: 2 });
    show(&rig).await;
    rig.process_batch().await.unwrap();
    let id = rig.log.log().await.unwrap().id.to_string();
    let report = LogReport { id, lost: 2, partitions: vec![PositionReport { partition: 0, position: 4, end: 5 }] };
    assert_eq!(rig.health.ready_report().log, Some(report));
}
