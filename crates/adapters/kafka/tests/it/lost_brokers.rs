//! A cluster that for a moment names none of its brokers, one whose only broker was away so long that its controller fenced it, or names a
//! controller that has gone.
//!
//! Whether a client loses its brokers over an answer without any is up to which of its threads is faster. So it gets one after the other until it has.
//! With a librdkafka that loses none these tests fail, and `bootstrap` can go.

use kafka::embedded::{Failure, Request};
use kafka::{Flavor, KafkaConfig, KafkaProgress, KafkaPublisher};
use pipeline::ports::GroupProgress as _;
use pipeline::{LogId, Publisher as _};
use tokio::time::Instant;

use crate::lab::{BOUND, Consumer, Lab, Log, message, numbers, within};
use crate::proxy::{BROKER, Proxy};

/// What is logged once the brokers were lost, and given back.
const LOST: &str = "lost all its brokers";

#[tokio::test(flavor = "multi_thread")]
async fn a_consumer_that_is_told_of_no_broker_goes_on() {
    let log = Log::start();
    let lab = Lab::embedded(1);
    let proxy = Proxy::before(&lab.config).await;
    let (source, committer) = kafka::open(&proxy.instead(&lab.config)).unwrap();
    let mut consumer = Consumer { source, committer, progress: lab.progress.clone(), deadline: Instant::now() + BOUND, early: Vec::new() };
    let (mut sent, mut records) = (0, Vec::new());
    while !log.text().contains(LOST) {
        lab.publish_numbers(sent, sent + 10).await;
        records.extend(consumer.take_exactly(10).await);
        sent += 10;
        proxy.hide_brokers();
        // Upon which it asks about its topic.
        lab.broker().fail_next(Request::Fetch, &[Failure::StorageError]).unwrap();
        while !proxy.has_hidden_brokers() {
            assert!(consumer.turn().await.is_empty());
        }
    }
    lab.publish_numbers(sent, sent + 10).await;
    records.extend(consumer.take_exactly(10).await);
    assert_eq!(numbers(&records), (0..sent + 10).collect());
    consumer.commit(&records).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_publisher_that_is_told_of_no_broker_goes_on() {
    let log = Log::start();
    let lab = Lab::embedded(1);
    let proxy = Proxy::before(&lab.config).await;
    let publisher = KafkaPublisher::open(&proxy.instead(&lab.config)).unwrap();
    let publish = async || within(publisher.publish(&lab.config.topic, message("ada", b"1"))).await;
    let deadline = Instant::now() + BOUND;
    while !log.text().contains(LOST) {
        publish().await.unwrap();
        if proxy.has_hidden_brokers() {
            proxy.hide_brokers();
            lab.broker().fail_next(Request::Produce, &[Failure::StorageError]).unwrap();
        }
        assert!(Instant::now() < deadline);
    }
    publish().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn an_observer_that_is_told_of_no_broker_goes_on() {
    let log = Log::start();
    let lab = Lab::embedded(1);
    let proxy = Proxy::before(&lab.config).await;
    let progress = KafkaProgress::open(&proxy.instead(&lab.config)).unwrap();
    let deadline = Instant::now() + BOUND;
    while !log.text().contains(LOST) {
        // Without brokers the answer is an error, which takes its time.
        if progress.high_watermarks().await.is_ok() && proxy.has_hidden_brokers() {
            proxy.hide_brokers();
        }
        assert!(Instant::now() < deadline);
    }
    within(progress.high_watermarks()).await.unwrap();
}

/// The brokers of a cluster name any of them as the controller, also one that is about to leave.
#[tokio::test(flavor = "multi_thread")]
async fn an_observer_that_was_told_of_a_controller_that_is_gone_learns_of_another() {
    const GONE: i32 = BROKER + 6;
    let lab = Lab::embedded(1);
    let proxy = Proxy::before(&lab.config).await;
    let progress = KafkaProgress::open(&KafkaConfig { flavor: Flavor::Real, ..proxy.instead(&lab.config) }).unwrap();
    let known = within(progress.log()).await.unwrap();
    assert_ne!(known.id, LogId::UNKNOWN);
    proxy.name_controller(GONE);
    // Whether this look asks the one that is gone depends on what it asks first.
    drop(within(progress.log()).await);
    proxy.name_controller(BROKER);
    assert_eq!(within(progress.log()).await.unwrap(), known);
}
