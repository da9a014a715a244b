//! What a topic is said to be like.

use std::time::Duration;

use kafka::{KafkaConfig, TopicDescription, TopicSettings, describe_topic};
use pipeline::FaultClass;
use rdkafka::ClientConfig;
use rdkafka::admin::{AdminClient, AdminOptions, NewTopic, TopicReplication};
use rdkafka::client::DefaultClientContext;

use crate::lab::{BOUND, Lab};

#[tokio::test]
async fn a_topic_is_described_with_its_settings() {
    let Some(lab) = Lab::real(1).await else { return };
    let name = format!("{}-compacted", lab.config.topic);
    let admin: AdminClient<DefaultClientContext> =
        ClientConfig::new().set("bootstrap.servers", &lab.config.brokers).create().expect("a client");
    let topic = NewTopic::new(&name, 3, TopicReplication::Fixed(1))
        .set("cleanup.policy", "compact")
        .set("retention.ms", "-1")
        .set("max.message.bytes", "2000");
    admin.create_topics([&topic], &AdminOptions::new()).await.expect("made")[0].as_ref().expect("made");
    let config = KafkaConfig { topic: name, ..lab.config.clone() };
    let settings = TopicSettings {
        max_message_bytes: Some(2000),
        min_in_sync_replicas: Some(1),
        compacts: Some(true),
        retention: Some(Duration::MAX),
    };
    let expected = TopicDescription { partitions: 3, replicas: 1, leaderless: 0, under_replicated: 0, settings: Some(settings) };
    assert_eq!(kafka::ensure_topic(&config, 3, 1, BOUND).await, Ok(3), "the brokers know it");
    assert_eq!(describe_topic(&config).await, Ok(expected));
}

#[tokio::test]
async fn a_topic_that_is_not_there_is_for_the_operator() {
    let Some(lab) = Lab::real(1).await else { return };
    let config = KafkaConfig { topic: format!("{}-none", lab.config.topic), ..lab.config.clone() };
    let fault = describe_topic(&config).await.expect_err("not there");
    assert_eq!(fault.class, FaultClass::Operator);
    assert!(fault.subject.starts_with("topic: "), "{fault}");
}

#[tokio::test]
async fn a_broker_that_does_not_tell_settings_is_described_without_them() {
    let lab = Lab::embedded(4);
    let found = describe_topic(&lab.config).await.expect("described");
    assert_eq!((found.partitions, found.leaderless, found.settings), (4, 0, None));
}
