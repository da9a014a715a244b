//! A log that changes under the client: markers, open transactions, a topic that is created anew, retention.

use std::time::Duration;

use pipeline::ports::GroupProgress as _;
use pipeline::{Record, RecordSource as _};
use rdkafka::ClientConfig;
use rdkafka::admin::{AdminClient, AdminOptions, NewPartitions};
use rdkafka::client::DefaultClientContext;
use rdkafka::producer::{BaseProducer, BaseRecord, Producer as _};

use crate::lab::{BOUND, Consumer, Lab, numbers, within};

pub const TIMEOUT: Duration = Duration::from_secs(30);
/// How soon partitions are found that were added to the topic.
const FOUND: Duration = Duration::from_secs(30);

fn client(lab: &Lab) -> ClientConfig {
    let mut client = ClientConfig::new();
    client.set("bootstrap.servers", &lab.config.brokers);
    client
}

pub fn transactional(lab: &Lab) -> BaseProducer {
    let producer: BaseProducer = client(lab).set("transactional.id", &lab.config.topic).create().unwrap();
    producer.init_transactions(TIMEOUT).unwrap();
    producer
}

/// Sends numbers in one transaction, which stays open.
pub fn begin(producer: &BaseProducer, lab: &Lab, values: std::ops::Range<u32>) {
    producer.begin_transaction().unwrap();
    for number in values {
        let text = number.to_string();
        producer.send(BaseRecord::to(&lab.config.topic).key(&text).payload(&text)).unwrap();
    }
    producer.flush(TIMEOUT).unwrap();
}

/// Takes until the client has passed everything that the log holds, committing what it has passed.
async fn consume_all(consumer: &mut Consumer, lab: &Lab) -> Vec<Record> {
    let mut records = Vec::new();
    loop {
        let taken = consumer.turn().await;
        consumer.commit(&taken).await;
        records.extend(taken);
        let passed = consumer.source.passed();
        within(pipeline::OffsetCommitter::commit(&consumer.committer, &passed)).await.unwrap();
        if within(lab.progress.log()).await.unwrap().partitions.values().all(|partition| partition.lag() == 0) {
            return records;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn markers_and_aborted_records_are_consumed_when_the_client_has_passed_them() {
    let Some(lab) = Lab::real(1).await else { return };
    let producer = transactional(&lab);
    let mut consumer = lab.consumer();
    begin(&producer, &lab, 0..5);
    producer.commit_transaction(TIMEOUT).unwrap();
    assert_eq!(numbers(&consume_all(&mut consumer, &lab).await), (0..5).collect());
    begin(&producer, &lab, 5..9);
    producer.abort_transaction(TIMEOUT).unwrap();
    assert!(consume_all(&mut consumer, &lab).await.is_empty(), "nothing of it is an event, and nothing of it lags");
    consumer.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_stands_behind_an_open_transaction_is_not_consumed_and_is_told() {
    let Some(lab) = Lab::real(1).await else { return };
    let producer = transactional(&lab);
    let mut consumer = lab.consumer();
    consumer.join(1).await;
    begin(&producer, &lab, 0..5);
    lab.publish_numbers(5, 10).await;
    while consumer.source.held_back() != [(0, 10)].into() {
        assert!(consumer.turn().await.is_empty());
    }
    let log = within(lab.progress.log()).await.unwrap();
    assert_eq!((log.partitions[&0].end, log.partitions[&0].lag()), (10, 10), "the log reaches beyond the transaction");
    producer.commit_transaction(TIMEOUT).unwrap();
    assert_eq!(numbers(&consume_all(&mut consumer, &lab).await), (0..10).collect());
    consumer.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_topic_that_is_created_anew_has_another_id_and_a_client_that_joins_anew_reads_all_of_it() {
    let Some(lab) = Lab::real(1).await else { return };
    let admin: AdminClient<DefaultClientContext> = client(&lab).create().unwrap();
    let mut consumer = lab.consumer();
    lab.publish_numbers(0, 7).await;
    let first = consumer.take_exactly(7).await;
    consumer.commit(&first).await;
    let before = within(lab.progress.log()).await.unwrap();
    assert_eq!(within(lab.progress.log()).await.unwrap().id, before.id);
    within(admin.delete_topics(&[&lab.config.topic], &AdminOptions::new())).await.unwrap();
    within(kafka::ensure_topic(&lab.config, 1, 1, BOUND)).await.unwrap();
    lab.publish_numbers(100, 130).await;
    let after = within(lab.progress.log()).await.unwrap();
    assert_ne!(after.id, before.id);
    consumer.source.reopen().await.unwrap();
    // What the first log still had at hand may come before: it is nobody's any more.
    let mut records = Vec::new();
    while records.len() < 30 {
        let taken = consumer.turn_from(0).await;
        records.extend(taken.into_iter().filter(|record| crate::lab::number(record) >= 100));
    }
    assert_eq!(numbers(&records), (100..130).collect());
    consumer.commit(&records).await;
    assert_eq!(lab.committed().await[&0], 30, "a lower offset than one that was committed before is not held back");
    consumer.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn partitions_that_are_added_to_the_topic_are_found_within_half_a_minute() {
    let Some(lab) = Lab::real(1).await else { return };
    let admin: AdminClient<DefaultClientContext> = client(&lab).create().unwrap();
    let mut consumer = lab.consumer();
    consumer.join(1).await;
    let created = within(admin.create_partitions(&[NewPartitions::new(&lab.config.topic, 3)], &AdminOptions::new())).await.unwrap();
    assert!(created.iter().all(Result::is_ok), "{created:?}");
    let found = async {
        while consumer.source.assigned().len() < 3 {
            consumer.turn().await;
        }
    };
    assert!(tokio::time::timeout(FOUND, found).await.is_ok(), "{:?}", consumer.source.assigned());
    consumer.close().await;
}
