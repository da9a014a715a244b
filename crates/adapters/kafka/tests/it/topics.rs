//! Making and counting topics; the order in which parts go.

use kafka::{EmbeddedBroker, GroupProtocol, KafkaConfig, KafkaPublisher};
use pipeline::RecordSource as _;
use pipeline::{FaultClass, Publisher as _};

use crate::lab::{BOUND, Lab, PLENTY, TURN, message, within};

#[tokio::test(flavor = "multi_thread")]
async fn a_topic_that_exists_is_left_as_it_is() {
    let lab = Lab::embedded(5);
    assert_eq!(within(kafka::ensure_topic(&lab.config, 3, 1, BOUND)).await, Ok(5));
    assert_eq!(within(kafka::topic_partitions(&lab.config)).await, Ok(5));
    if let Some(lab) = Lab::real(5).await {
        assert_eq!(within(kafka::ensure_topic(&lab.config, 3, 1, BOUND)).await, Ok(5));
        assert_eq!(within(kafka::topic_partitions(&lab.config)).await, Ok(5));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_topic_that_does_not_exist_is_an_operators_matter_and_is_not_made_by_asking_or_sending() {
    let Some(lab) = Lab::real(1).await else { return };
    for protocol in [GroupProtocol::Classic, GroupProtocol::Consumer] {
        no_topic(KafkaConfig { topic: format!("{}-missing", lab.config.topic), protocol, ..lab.config.clone() }).await;
    }
}

async fn no_topic(config: KafkaConfig) {
    let (mut source, _committer) = kafka::open(&config).unwrap();
    let publisher = KafkaPublisher::open(&config).unwrap();
    let fault = within(publisher.publish(&config.topic, message("k", b"1"))).await.unwrap_err();
    assert_eq!(fault.class, FaultClass::Operator, "{fault}");
    let fault = within(async {
        loop {
            if let Err(fault) = source.poll_batch(PLENTY, TURN).await {
                break fault;
            }
        }
    });
    let fault = fault.await;
    assert_eq!((fault.class, fault.code), (FaultClass::Operator, Some(3)));
    let fault = within(kafka::topic_partitions(&config)).await.unwrap_err();
    assert!(fault.subject.contains("KAFKA_TOPIC"), "{fault}");
    // More replicas than brokers: a person must decide.
    let fault = within(kafka::ensure_topic(&config, 1, 99, BOUND)).await.unwrap_err();
    assert_eq!(fault.class, FaultClass::Operator, "{fault}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_broker_outlives_the_handle_that_started_it_as_long_as_a_client_needs_it() {
    let broker = EmbeddedBroker::start("events", 1).unwrap();
    let config = KafkaConfig::embedded(&broker);
    let publisher = KafkaPublisher::open(&config).unwrap();
    let (mut source, _committer) = kafka::open(&config).unwrap();
    drop((broker, config));
    within(publisher.publish("events", message("k", b"1"))).await.unwrap();
    drop(publisher);
    // Also what was sent before its producer went is still there to be taken.
    while within(source.poll_batch(crate::lab::PLENTY, TURN)).await.unwrap().is_empty() {
        for unstarted in source.unstarted() {
            // Not before the client is ready for it; the next batch tries again.
            drop(within(source.start(unstarted, 0)).await);
        }
    }
    source.close(BOUND).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_topic_without_partitions_or_with_an_impossible_name_is_refused() {
    assert!(EmbeddedBroker::start("events", 0).is_err());
    assert!(EmbeddedBroker::start("a\0b", 1).is_err());
}
