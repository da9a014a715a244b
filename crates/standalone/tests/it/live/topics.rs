//! The topic where it is not there yet.

use std::time::Duration;

use kafka::KafkaConfig;
use settings::Reader;
use testkit::builders::unique;

use super::servers::Servers;

use crate::process::{Running, run, standalone};

/// A bound for what takes a second or two.
const SOON: Duration = Duration::from_secs(60);

#[tokio::test(flavor = "multi_thread")]
async fn a_mistyped_topic_is_told_and_not_created_until_somebody_asks_for_it() {
    let Some(servers) = Servers::configured().await else { return };
    let config =
        |topic: &str| KafkaConfig::read(&mut Reader::from_pairs([("KAFKA_BROKERS", servers.kafka.as_str()), ("KAFKA_TOPIC", topic)]));
    let meant = unique("topic");
    assert_eq!(kafka::ensure_topic(&config(&meant), 3, 1, SOON).await, Ok(3));
    let mistyped = meant.replace("topic", "tpoic");
    let folder = tempfile::tempdir().unwrap();
    let start = |arguments: &[&str]| {
        let mut command = standalone(folder.path(), arguments);
        command.envs([("KAFKA_BROKERS", servers.kafka.as_str()), ("KAFKA_TOPIC", &mistyped), ("API_PORT", "0")]);
        command
    };
    let (output, _, error) = run(start(&[]));
    assert_eq!(output.status.code(), Some(1), "{error}");
    for text in ["KAFKA_TOPIC", &mistyped, &format!("there is {meant}"), "--create-topic"] {
        assert!(error.contains(text), "{text}: {error}");
    }
    let fault = kafka::topic_partitions(&config(&mistyped)).await.unwrap_err();
    assert!(kafka::is_missing_topic(&fault), "{fault}");

    let _running = Running::start(start(&["--create-topic"]));
    let made = async || kafka::topic_partitions(&config(&mistyped)).await == Ok(6);
    testkit::eventually(SOON, "the topic is created", made).await;
}
