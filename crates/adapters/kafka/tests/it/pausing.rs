//! Waiting for a dependency without losing the group or a record.

use std::time::{Duration, Instant};

use pipeline::ports::PollLimits;
use pipeline::{Record, RecordSource as _};

use crate::lab::{Lab, PLENTY, TURN, assert_in_order, numbers};

const A_WHILE: Duration = Duration::from_millis(400);

#[tokio::test(flavor = "multi_thread")]
async fn what_is_sent_before_and_during_a_wait_comes_once_and_in_order() {
    let lab = Lab::embedded(4);
    lab.publish_numbers(0, 300).await;
    let mut consumer = lab.consumer();
    let few = PollLimits { records: 10, bytes: 10_000 };
    let mut records = consumer.take(few).await;
    for wait in 1..4 {
        consumer.source.pause(A_WHILE).await;
        assert_eq!(consumer.source.assigned().len(), 4);
        lab.publish_numbers(wait * 300, wait * 300 + 300).await;
        consumer.source.pause(TURN).await;
        records.extend(consumer.take(few).await);
    }
    records.extend(consumer.take_exactly(1_200 - records.len()).await);
    assert_eq!(numbers(&records), (0..1_200).collect());
    assert_in_order(&records);
}

#[tokio::test(flavor = "multi_thread")]
async fn standing_by_keeps_polling_and_takes_nothing_new() {
    let lab = Lab::embedded(2);
    let mut consumer = lab.consumer();
    consumer.join(2).await;
    let monitor = consumer.source.monitor();
    consumer.source.pause(TURN).await;
    lab.publish_numbers(0, 50).await;
    let before = Instant::now();
    consumer.source.pause(Duration::from_secs(2)).await;
    assert!(monitor.last_poll() > before + Duration::from_millis(900));
    assert_eq!(monitor.assigned(), [0, 1].into());
    // Paused: nothing was fetched meanwhile, so nothing is there without waiting.
    assert!(consumer.source.poll_batch(PLENTY, Duration::ZERO).await.unwrap().is_empty());
    assert_eq!(numbers(&consumer.take_exactly(50).await), (0..50).collect());
}

#[tokio::test(flavor = "multi_thread")]
async fn partitions_that_come_during_a_wait_are_paused_too_and_their_records_kept() {
    let lab = Lab::embedded(3);
    lab.publish_numbers(0, 60).await;
    let mut consumer = lab.consumer();
    // One wait, in which the group gives out its partitions.
    consumer.source.pause(Duration::from_secs(3)).await;
    assert_eq!(consumer.source.assigned().len(), 3);
    let early = consumer.source.poll_batch(PLENTY, Duration::ZERO).await.unwrap();
    assert!(early.is_empty(), "{} records were fetched during the wait", early.len());
    let records = consumer.take_exactly(60).await;
    assert_eq!(numbers(&records), (0..60).collect());
    assert_in_order(&records);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_partition_that_leaves_during_a_wait_and_comes_back_later_is_not_paused_any_more() {
    let lab = Lab::embedded(4);
    let mut first = lab.consumer();
    first.join(4).await;
    let mut second = lab.consumer();
    while (first.source.assigned().len(), second.source.assigned().len()) != (2, 2) {
        first.source.pause(TURN).await;
        second.turn().await;
    }
    assert!(first.turn().await.is_empty(), "ends the wait");
    second.close().await;
    first.join(4).await;
    lab.publish_numbers(0, 80).await;
    let records: Vec<Record> = first.take_exactly(80).await;
    assert_eq!(numbers(&records), (0..80).collect());
}
