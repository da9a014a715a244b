//! Commits that meet a broker in trouble.

use kafka::embedded::{Failure, Request};
use pipeline::offsets::Commit;
use pipeline::{FaultClass, OffsetCommitter as _};

use crate::lab::{BOUND, Consumer, Lab, within};

#[tokio::test(flavor = "multi_thread")]
async fn a_commit_outlasts_a_coordinator_that_moves_or_is_slow() {
    for failures in [
        // More of them than librdkafka answers itself.
        &[Failure::NotCoordinator; 4][..],
        &[Failure::CoordinatorLoadInProgress; 6],
        &[Failure::RequestTimedOut],
        &[Failure::Disconnect],
    ] {
        let lab = Lab::embedded(1);
        lab.publish_numbers(0, 10).await;
        let mut consumer = lab.consumer();
        let records = consumer.take_exactly(10).await;
        lab.broker().fail_next(Request::OffsetCommit, failures).unwrap();
        let committed = within(consumer.committer.commit(&Commit::covering(&records))).await;
        assert_eq!(committed, Ok(1), "{failures:?}");
        assert_eq!(lab.committed().await, [(0, 10)].into(), "{failures:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_commit_that_the_group_refuses_is_not_sent_again_and_the_next_one_covers_it() {
    let lab = Lab::embedded(1);
    lab.publish_numbers(0, 10).await;
    let mut consumer = lab.consumer();
    let records = consumer.take_exactly(10).await;
    lab.broker().fail_next(Request::OffsetCommit, &[Failure::StaleMemberEpoch]).unwrap();
    let fault = within(consumer.committer.commit(&Commit::covering(&records[..5]))).await.unwrap_err();
    assert_eq!((fault.class, fault.code), (FaultClass::Unavailable { timed_out: false }, Some(113)));
    assert_eq!(lab.committed().await, [(0, 0)].into());
    consumer.commit(&records[..8]).await;
    assert_eq!(lab.committed().await, [(0, 8)].into());
    // Nothing goes back.
    consumer.commit(&records[..3]).await;
    assert_eq!(lab.committed().await, [(0, 8)].into());
}

#[tokio::test(flavor = "multi_thread")]
async fn after_the_source_is_closed_nothing_is_committed() {
    let lab = Lab::embedded(1);
    lab.publish_numbers(0, 1).await;
    let mut consumer = lab.consumer();
    let records = consumer.take_exactly(1).await;
    let Consumer { source, committer, .. } = consumer;
    source.close(BOUND).await.unwrap();
    // Leaving took the partition away: there is nothing left that may be committed.
    assert_eq!(within(committer.commit(&Commit::covering(&records))).await, Ok(0));
    assert_eq!(lab.committed().await, [(0, 0)].into());
}
