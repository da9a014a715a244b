//! Where a partition begins that has just come.

use std::time::Duration;

use pipeline::RecordSource as _;
use tokio::time::Instant;

use crate::lab::{BOUND, Consumer, Lab, PLENTY};
use crate::proxy::Proxy;

/// How late the broker answers: whatever the client asks when it gets its partition is not answered yet when it is told where to begin.
const LATE: Duration = Duration::from_millis(200);

/// librdkafka forgets where it was told to begin, half a second later, if it was still asking where the log begins.
#[tokio::test(flavor = "multi_thread")]
async fn a_partition_begins_where_it_was_told_and_stays_there_however_late_the_broker_answers() {
    let lab = Lab::embedded(1);
    lab.publish_numbers(0, 10).await;
    let proxy = Proxy::before(&lab.config).await;
    let (source, committer) = kafka::open(&proxy.instead(&lab.config)).unwrap();
    let mut consumer = Consumer { source, committer, progress: lab.progress.clone(), deadline: Instant::now() + BOUND, early: Vec::new() };
    while consumer.source.unstarted().is_empty() {
        assert!(consumer.source.poll_batch(PLENTY, Duration::ZERO).await.unwrap().is_empty());
        proxy.delay_answers(LATE);
    }
    // Each record takes a late answer to a fetch: together far more than half a second.
    let mut offsets = Vec::new();
    for next in 10..20 {
        lab.publish("ada", "1").await;
        while offsets.last() != Some(&next) {
            offsets.extend(consumer.turn_from(5).await.iter().map(|record| record.position.offset));
        }
    }
    assert_eq!(offsets, (5..20).collect::<Vec<_>>());
    assert_eq!(consumer.source.lost(), None);
}
