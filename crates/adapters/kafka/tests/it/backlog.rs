//! The embedded broker drops what is too much for it: nothing of ours makes it do so, and what others make it drop is noticed.

use std::time::Duration;

use kafka::{Flavor, KafkaConfig, KafkaPublisher};
use pipeline::{FaultClass, Publisher as _, Record};

use crate::lab::{Lab, Log, message, noise, within};

const RECORD: usize = 16 << 10;
/// Of such records, more than the broker keeps (5 MiB).
const TOO_MANY: u64 = 500;

#[tokio::test(flavor = "multi_thread")]
async fn records_that_the_broker_dropped_are_counted_and_reported() {
    let log = Log::start();
    let lab = Lab::embedded(1);
    lab.publish_numbers(0, 10).await;
    let mut consumer = lab.consumer();
    let records = consumer.take_exactly(10).await;
    consumer.commit(&records).await;
    consumer.close().await;

    // As another process would: without the ledger.
    flood(&KafkaConfig { flavor: Flavor::Real, ..lab.config.clone() }).await;
    let mut consumer = lab.consumer();
    let first = loop {
        if let Some(record) = consumer.turn().await.into_iter().next() {
            break record;
        }
    };
    let missing = consumer.source.monitor().missing();
    assert!(missing > 0);
    assert_eq!(i64::try_from(missing).unwrap(), first.position.offset - 10, "counted from the committed offset on");
    let log = log.text();
    let line = log.lines().find(|line| line.contains("dropped")).unwrap_or_else(|| panic!("not reported:\n{log}"));
    assert!(line.contains("ERROR") && line.contains(&format!("missing={missing}")) && line.contains("partition=0"), "{line}");
}

#[tokio::test(flavor = "multi_thread")]
async fn publishers_of_this_process_wait_for_the_consumer_and_nothing_is_dropped() {
    let lab = Lab::embedded(1);
    let mut consumer = lab.consumer();
    let config = lab.config.clone();
    let flooding = tokio::spawn(async move { flood(&config).await });
    let mut count = 0;
    while count < TOO_MANY {
        let records: Vec<Record> = consumer.turn().await;
        count += records.len() as u64;
        consumer.commit(&records).await;
    }
    within(flooding).await.unwrap();
    assert_eq!((consumer.source.monitor().missing(), count), (0, TOO_MANY));
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_consumer_publishing_ends_in_a_clear_fault_before_anything_is_dropped() {
    let lab = Lab::embedded(1);
    let config = KafkaConfig { delivery_timeout: Duration::from_secs(3), ..lab.config.clone() };
    let publisher = KafkaPublisher::open(&config).unwrap();
    let mut sent = 0;
    let fault = loop {
        match within(publisher.publish("events", message("k", &noise(RECORD, sent + 1)))).await {
            Ok(_) if sent < TOO_MANY => sent += 1,
            Ok(_) => panic!("more went in than the broker keeps"),
            Err(fault) => break fault,
        }
    };
    assert_eq!(fault.class, FaultClass::Unavailable { timed_out: true });
    assert!(fault.subject.contains("nothing consumes"), "{fault}");
    assert!(sent * RECORD as u64 > 2 << 20, "only {sent} records were let in");
    let mut consumer = lab.consumer();
    let records = consumer.take_exactly(usize::try_from(sent).unwrap()).await;
    assert_eq!(consumer.source.monitor().missing(), 0);
    consumer.commit(&records).await;
    assert!(publisher.publish("events", message("k", &noise(RECORD, 9))).await.is_ok());
}

/// Many at once, through a publisher of its own.
async fn flood(config: &KafkaConfig) {
    let publisher = KafkaPublisher::open(config).unwrap();
    let mut under_way = tokio::task::JoinSet::new();
    for seed in 1..=TOO_MANY {
        let publisher = publisher.clone();
        under_way.spawn(async move { publisher.publish("events", message("k", &noise(RECORD, seed))).await });
    }
    assert!(within(under_way.join_all()).await.iter().all(Result::is_ok));
}
