//! A cluster that for a moment names none of its brokers: one whose only broker was away so long that its controller fenced it.
//!
//! The first such answer may find a client that still has its configured broker beside the one it learned of. Only without, it may lose
//! all of them for good; so it gets two.

use kafka::embedded::{Failure, Request};
use kafka::{KafkaProgress, KafkaPublisher};
use pipeline::Publisher as _;
use pipeline::ports::GroupProgress as _;
use tokio::time::Instant;

use crate::lab::{BOUND, Consumer, Lab, message, numbers, within};
use crate::proxy::Proxy;

#[tokio::test(flavor = "multi_thread")]
async fn a_consumer_that_is_told_of_no_broker_goes_on() {
    let lab = Lab::embedded(1);
    let proxy = Proxy::before(&lab.config).await;
    let (source, committer) = kafka::open(&proxy.instead(&lab.config)).unwrap();
    let mut consumer = Consumer { source, committer, deadline: Instant::now() + BOUND };
    lab.publish_numbers(0, 10).await;
    let mut records = consumer.take_exactly(10).await;
    for next in [10, 20] {
        proxy.hide_brokers();
        // Upon which it asks about its topic.
        lab.broker().fail_next(Request::Fetch, &[Failure::StorageError]).unwrap();
        while !proxy.has_hidden_brokers() {
            assert!(consumer.turn().await.is_empty());
        }
        lab.publish_numbers(next, next + 10).await;
        records.extend(consumer.take_exactly(10).await);
    }
    assert_eq!(numbers(&records), (0..30).collect());
    consumer.commit(&records).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_publisher_that_is_told_of_no_broker_goes_on() {
    let lab = Lab::embedded(1);
    let proxy = Proxy::before(&lab.config).await;
    let publisher = KafkaPublisher::open(&proxy.instead(&lab.config)).unwrap();
    let publish = async || within(publisher.publish(&lab.config.topic, message("ada", b"1"))).await;
    publish().await.unwrap();
    for _ in 0..2 {
        proxy.hide_brokers();
        lab.broker().fail_next(Request::Produce, &[Failure::StorageError]).unwrap();
        let deadline = Instant::now() + BOUND;
        while !proxy.has_hidden_brokers() {
            assert!(Instant::now() < deadline);
            publish().await.unwrap();
        }
        publish().await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_observer_that_is_told_of_no_broker_goes_on() {
    let lab = Lab::embedded(1);
    let proxy = Proxy::before(&lab.config).await;
    let progress = KafkaProgress::open(&proxy.instead(&lab.config)).unwrap();
    within(progress.high_watermarks()).await.unwrap();
    for _ in 0..2 {
        proxy.hide_brokers();
        let deadline = Instant::now() + BOUND;
        while progress.high_watermarks().await.is_err() || !proxy.has_hidden_brokers() {
            assert!(Instant::now() < deadline);
        }
    }
}
