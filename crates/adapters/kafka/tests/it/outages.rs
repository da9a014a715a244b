//! Kafka away, at the start or later, and back.

use std::time::{Duration, Instant};

use kafka::embedded::{Failure, Request};
use kafka::{Flavor, KafkaConfig, KafkaPublisher};
use pipeline::ports::GroupProgress as _;
use pipeline::{Fault, FaultClass, Publisher as _, RecordSource as _};

use crate::lab::{BOUND, Consumer, Lab, Log, PLENTY, TURN, assert_in_order, message, numbers, within};

#[tokio::test(flavor = "multi_thread")]
async fn a_broker_that_is_away_at_the_start_is_an_outage_and_its_return_ends_it() {
    let lab = Lab::embedded(2);
    lab.broker().go_away().unwrap();
    let mut consumer = lab.consumer();
    let fault = outage(&mut consumer).await;
    assert_eq!(fault.class, FaultClass::Unavailable { timed_out: false });
    assert_eq!(consumer.source.monitor().trouble(), Some(fault));
    lab.broker().come_back().unwrap();
    lab.publish_numbers(0, 10).await;
    assert_eq!(numbers(&consumer.take_exactly(10).await), (0..10).collect());
    assert_eq!(consumer.source.monitor().trouble(), None);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_outage_between_two_takes_loses_and_doubles_nothing() {
    let lab = Lab::embedded(2);
    lab.publish_numbers(0, 50).await;
    let mut consumer = lab.consumer();
    let mut records = consumer.take_exactly(50).await;
    consumer.commit(&records).await;
    lab.broker().go_away().unwrap();
    outage(&mut consumer).await;
    consumer.source.pause(TURN).await;
    lab.broker().come_back().unwrap();
    lab.publish_numbers(50, 100).await;
    records.extend(consumer.take_exactly(50).await);
    assert_eq!(numbers(&records), (0..100).collect());
    consumer.commit(&records).await;
    assert_eq!(lab.committed().await, within(lab.progress.high_watermarks()).await.unwrap());
}

/// Nothing but the statistics tells that an idle consumer's broker is back.
#[tokio::test(flavor = "multi_thread")]
async fn the_end_of_an_outage_is_noticed_without_any_record() {
    let lab = Lab::embedded(1);
    let mut consumer = lab.consumer();
    consumer.join(1).await;
    lab.broker().go_away().unwrap();
    outage(&mut consumer).await;
    lab.broker().come_back().unwrap();
    let deadline = Instant::now() + BOUND;
    while consumer.source.poll_batch(PLENTY, TURN).await.is_err() {
        assert!(Instant::now() < deadline);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_outage_is_told_in_one_line_and_its_end_in_another() {
    let log = Log::start();
    let lab = Lab::embedded(1);
    let mut consumer = lab.consumer();
    consumer.join(1).await;
    lab.broker().go_away().unwrap();
    outage(&mut consumer).await;
    // Long enough for librdkafka to try a dozen times.
    assert!(consumer.source.poll_batch(PLENTY, Duration::from_secs(4)).await.is_err());
    lab.broker().come_back().unwrap();
    lab.publish_numbers(0, 1).await;
    consumer.take_exactly(1).await;
    let lines: Vec<_> = log.text().lines().map(str::to_owned).collect();
    let count = |text: &str| lines.iter().filter(|line| line.contains(text)).count();
    assert_eq!((count("Kafka cannot be used"), count("Kafka can be used again")), (1, 1), "{lines:#?}");
    assert!(lines.len() <= 6, "{lines:#?}");
}

/// librdkafka never fetches a partition whose offset it asked for in vain, though it goes on to own it.
#[tokio::test(flavor = "multi_thread")]
async fn partitions_begin_whatever_the_coordinator_answers_about_offsets() {
    for failure in [Failure::CoordinatorNotAvailable, Failure::UnknownMemberId, Failure::StorageError, Failure::StaleMemberEpoch] {
        let lab = Lab::embedded(4);
        lab.publish_numbers(0, 100).await;
        lab.broker().fail_next(Request::OffsetFetch, &[failure; 20]).unwrap();
        let mut consumer = lab.consumer();
        let mut records = Vec::new();
        while records.len() < 100 {
            records.extend(consumer.turn_from(0).await);
        }
        assert_in_order(&records);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn failing_fetches_lose_and_double_nothing() {
    let lab = Lab::embedded(2);
    lab.publish_numbers(0, 100).await;
    let mut consumer = lab.consumer();
    consumer.join(2).await;
    lab.broker().fail_next(Request::Fetch, &[Failure::Disconnect, Failure::StorageError, Failure::Disconnect]).unwrap();
    lab.publish_numbers(100, 200).await;
    let mut records = consumer.turn().await;
    while records.len() < 200 {
        records.extend(consumer.turn().await);
    }
    assert!(consumer.turn().await.is_empty());
    assert_in_order(&records);
}

#[tokio::test(flavor = "multi_thread")]
async fn leaving_the_group_is_bounded_while_the_broker_is_away() {
    let lab = Lab::embedded(2);
    lab.publish_numbers(0, 10).await;
    let mut consumer = lab.consumer();
    let records = consumer.take_exactly(10).await;
    lab.broker().go_away().unwrap();
    outage(&mut consumer).await;
    let Consumer { source, committer, .. } = consumer;
    let commit = pipeline::offsets::Commit::covering(&records);
    // As on a shutdown: the commit is abandoned, then the group is left.
    let abandoned = tokio::time::timeout(TURN, pipeline::OffsetCommitter::commit(&committer, &commit)).await;
    assert!(abandoned.is_err());
    let before = Instant::now();
    // Whether it could leave or not, it does not hold anybody up.
    if let Err(fault) = source.close(Duration::from_secs(1)).await {
        assert_eq!(fault.subject, "leave_group");
    }
    assert!(before.elapsed() < Duration::from_secs(3));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_observer_is_let_go_while_the_broker_is_away() {
    let lab = Lab::embedded(2);
    lab.committed().await;
    lab.broker().go_away().unwrap();
    assert!(within(lab.progress.committed()).await.is_err());
    let before = Instant::now();
    assert_eq!(lab.progress.close(BOUND).await, Ok(()));
    assert!(before.elapsed() < Duration::from_secs(5), "{:?}", before.elapsed());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_record_that_cannot_be_delivered_in_time_is_reported_and_a_failed_try_is_not() {
    let lab = Lab::embedded(1);
    let config = KafkaConfig { delivery_timeout: Duration::from_secs(2), ..lab.config.clone() };
    let publisher = KafkaPublisher::open(&config).unwrap();
    lab.broker().fail_next(Request::Produce, &[Failure::Disconnect, Failure::RequestTimedOut]).unwrap();
    let publish = |text: &'static str| within(publisher.publish("events", message(text, b"1")));
    assert_eq!(publish("a").await.unwrap().offset, 0);
    lab.broker().go_away().unwrap();
    let fault = publish("b").await.unwrap_err();
    assert_eq!((fault.class, fault.subject), (FaultClass::Unavailable { timed_out: true }, "publish"));
    assert!(within(lab.progress.high_watermarks()).await.is_err());
    lab.broker().come_back().unwrap();
    within(async { while publish("c").await.is_err() {} }).await;
    publisher.close(BOUND).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn an_address_where_nobody_listens_is_an_outage_for_every_part() {
    let config = KafkaConfig {
        // Port 1 (tcpmux) is outside of what the system gives away.
        brokers: "127.0.0.1:1".to_owned(),
        flavor: Flavor::Real,
        delivery_timeout: Duration::from_secs(1),
        ..Lab::embedded(1).config
    };
    let (mut source, _committer) = kafka::open(&config).unwrap();
    let deadline = Instant::now() + BOUND;
    while within(source.poll_batch(PLENTY, TURN)).await.is_ok() {
        assert!(Instant::now() < deadline);
    }
    let is_outage = |fault: Fault| matches!(fault.class, FaultClass::Unavailable { .. });
    assert!(is_outage(within(kafka::topic_partitions(&config)).await.unwrap_err()));
    assert!(is_outage(within(kafka::ensure_topic(&config, 1, 1, Duration::from_secs(1))).await.unwrap_err()));
    let publisher = KafkaPublisher::open(&config).unwrap();
    assert!(is_outage(within(publisher.publish("events", message("k", b"1"))).await.unwrap_err()));
}

async fn outage(consumer: &mut Consumer) -> Fault {
    let deadline = Instant::now() + BOUND;
    loop {
        assert!(Instant::now() < deadline, "the outage was not noticed");
        if let Err(fault) = within(consumer.source.poll_batch(PLENTY, TURN)).await {
            return fault;
        }
    }
}
