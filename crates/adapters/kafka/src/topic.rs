//! What the topic is like: what an operator should know before events depend on it.

use std::time::Duration;

use pipeline::Fault;
use rdkafka::admin::{AdminClient, AdminOptions, ConfigResource, ResourceSpecifier};
use rdkafka::consumer::Consumer as _;
use rdkafka::error::{IsError as _, KafkaError, KafkaResult, RDKafkaErrorCode};
use rdkafka::metadata::Metadata;
use tokio::time::timeout;

use crate::config::KafkaConfig;
use crate::context::Context;
use crate::health::Health;
use crate::observer::Observer;
use crate::{client, faults};

/// How long each of the two questions may take.
const BOUND: Duration = Duration::from_secs(4);

/// A topic as its brokers describe it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TopicDescription {
    /// How many partitions it has.
    pub partitions: usize,
    /// The replicas of the partition that has the fewest.
    pub replicas: usize,
    /// Partitions that have no leader now: they can be neither written nor read.
    pub leaderless: usize,
    /// Partitions of which a replica is behind.
    pub under_replicated: usize,
    /// Its settings; `None` where this user may not see them, or the broker does not tell.
    pub settings: Option<TopicSettings>,
}

/// The settings of a topic that matter here; each `None` where the broker does not name it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TopicSettings {
    /// `max.message.bytes`: the largest batch of records that the broker takes.
    pub max_message_bytes: Option<u64>,
    /// `min.insync.replicas`: how many replicas acknowledge a record before the producer hears of it.
    pub min_in_sync_replicas: Option<usize>,
    /// Whether `cleanup.policy` holds `compact`.
    pub compacts: Option<bool>,
    /// `retention.ms`; [`Duration::MAX`] where records are kept for ever.
    pub retention: Option<Duration>,
}

/// Describes the topic. The answer comes within 10 s.
///
/// # Errors
/// Kafka is away, refuses the login, or the topic is missing ([`pipeline::FaultClass::Operator`]).
pub async fn describe_topic(config: &KafkaConfig) -> Result<TopicDescription, Fault> {
    let observer = Observer::open(config)?;
    let described = observer.look("describe_topic", BOUND, |observer, _| {
        let metadata = observer.consumer.client().fetch_metadata(Some(&observer.topic), BOUND)?;
        described(&metadata, &observer.topic)
    });
    let described = described.await;
    // What is left of the client ends by itself.
    observer.close(BOUND).await.ok();
    Ok(TopicDescription { settings: settings(config).await, ..described? })
}

fn described(metadata: &Metadata, name: &str) -> KafkaResult<TopicDescription> {
    let missing = || KafkaError::MetadataFetch(RDKafkaErrorCode::UnknownTopicOrPartition);
    let topic = metadata.topics().iter().find(|topic| topic.name() == name).ok_or_else(missing)?;
    if let Some(error) = topic.error().filter(|error| error.is_error()) {
        return Err(KafkaError::MetadataFetch(error.into()));
    }
    let partitions = topic.partitions();
    let count = |holds: fn(&rdkafka::metadata::MetadataPartition) -> bool| partitions.iter().filter(|partition| holds(partition)).count();
    Ok(TopicDescription {
        partitions: partitions.len(),
        replicas: partitions.iter().map(|partition| partition.replicas().len()).min().ok_or_else(missing)?,
        leaderless: count(|partition| partition.leader() < 0),
        under_replicated: count(|partition| partition.isr().len() < partition.replicas().len()),
        settings: None,
    })
}

async fn settings(config: &KafkaConfig) -> Option<TopicSettings> {
    let admin: AdminClient<Context> = client::admin(config).create_with_context(Context::of(config, Health::quiet())).ok()?;
    admin.inner().context().hand_over_token(admin.inner());
    let (topics, options) = ([ResourceSpecifier::Topic(&config.topic)], AdminOptions::new().request_timeout(Some(BOUND)));
    let answer = timeout(BOUND, admin.describe_configs(&topics, &options)).await.map_err(|_| faults::timed_out("describe_configs"));
    let resource = answer.ok()?.ok()?.into_iter().next()?.ok()?;
    Some(TopicSettings::of(|name| value(&resource, name)))
}

fn value(resource: &ConfigResource, name: &str) -> Option<String> {
    resource.get(name)?.value.clone()
}

impl TopicSettings {
    fn of(value: impl Fn(&str) -> Option<String>) -> Self {
        let retention = |text: String| {
            let millis: i64 = text.parse().ok()?;
            Some(u64::try_from(millis).map_or(Duration::MAX, Duration::from_millis))
        };
        Self {
            max_message_bytes: value("max.message.bytes").and_then(|text| text.parse().ok()),
            min_in_sync_replicas: value("min.insync.replicas").and_then(|text| text.parse().ok()),
            compacts: value("cleanup.policy").map(|text| text.split(',').any(|policy| policy.trim() == "compact")),
            retention: value("retention.ms").and_then(retention),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_are_read_from_their_texts_and_minus_one_is_for_ever() {
        let texts =
            [("max.message.bytes", "1048588"), ("min.insync.replicas", "2"), ("cleanup.policy", "compact,delete"), ("retention.ms", "-1")];
        let found = TopicSettings::of(|name| texts.iter().find(|(known, _)| *known == name).map(|(_, text)| (*text).to_owned()));
        let expected = TopicSettings {
            max_message_bytes: Some(1_048_588),
            min_in_sync_replicas: Some(2),
            compacts: Some(true),
            retention: Some(Duration::MAX),
        };
        assert_eq!(found, expected);
        assert_eq!(TopicSettings::of(|_| None), TopicSettings::default());
        let week = TopicSettings::of(|_| Some("604800000".to_owned()));
        assert_eq!((week.retention, week.compacts), (Some(Duration::from_secs(7 * 86_400)), Some(false)));
    }
}
