//! Which brokers, topic and group, and the variables that say so.

use std::time::Duration;

use settings::Reader;

use crate::embedded::EmbeddedBroker;
use crate::properties::Properties;
use crate::security::Security;

/// The group of the consumers on an embedded broker. One of our own making: a member that speaks another group protocol could make
/// that broker abort the process.
pub(crate) const EMBEDDED_GROUP: &str = "event-pipeline-embedded";
const STRATEGY: &str = "KAFKA_ASSIGNMENT_STRATEGY";
const SESSION_TIMEOUT: &str = "KAFKA_SESSION_TIMEOUT";
/// What the brokers decide in the protocol `consumer`, and by which of their settings.
const BROKERS_OWN: [(&str, &str); 2] = [(STRATEGY, "group.consumer.assignors"), (SESSION_TIMEOUT, "group.consumer.session.timeout.ms")];
/// Kafka's own default.
const MAX_POLL_INTERVAL: Duration = Duration::from_secs(300);
/// What a topic's name may hold, and its greatest length: Kafka's own rule (`org.apache.kafka.common.internals.Topic`).
const TOPIC_LENGTH: usize = 249;

/// Who decides which member has which partitions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GroupProtocol {
    /// One of the members, by an [`AssignmentStrategy`].
    Classic,
    /// The brokers: [KIP-848](https://cwiki.apache.org/confluence/x/HhD1D), since Kafka 4.0. How long a member may be silent is theirs too.
    Consumer,
}

/// How a group of the classic protocol shares the partitions among its members. All members must use the same one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AssignmentStrategy {
    /// Only the partitions that move are taken away during a rebalance.
    CooperativeSticky,
    /// All partitions are taken away and given out again: for groups with older members.
    Range,
}

/// What kind of broker it is.
#[derive(Clone, Debug)]
pub enum Flavor {
    /// Kafka, or something that speaks its protocol in full.
    Real,
    /// The broker inside this process. Every client keeps it alive, so that it is always the last to go.
    Embedded(EmbeddedBroker),
}

/// Where events are, and how to reach them.
#[derive(Clone, Debug)]
pub struct KafkaConfig {
    /// `host:port`, separated by commas: some of the brokers, from which the others are learned.
    pub brokers: String,
    /// The topic.
    pub topic: String,
    /// The consumer group.
    pub group: String,
    /// TLS and SASL.
    pub security: Security,
    /// Who decides which member has which partitions.
    pub protocol: GroupProtocol,
    /// How the group shares the partitions, in the classic protocol.
    pub strategy: AssignmentStrategy,
    /// Silence after which the group gives a member's partitions to others, in the classic protocol.
    pub session_timeout: Duration,
    /// Variables that were set and that this group protocol leaves to the brokers, each with where the brokers have it.
    pub unused: Vec<(&'static str, &'static str)>,
    /// The longest time between two polls of a member before the group gives its partitions to others, of a real broker. Not read from
    /// the environment: whoever runs the loop sets it above the longest call that it makes between two polls.
    pub max_poll_interval: Duration,
    /// The largest record, in bytes.
    pub max_message_bytes: u32,
    /// How long a record may take until all in-sync replicas have it, retries included.
    pub delivery_timeout: Duration,
    /// What kind of broker it is.
    pub flavor: Flavor,
    /// What librdkafka is given beside all that.
    pub properties: Properties,
}

impl KafkaConfig {
    /// Reads the settings of a real Kafka.
    pub fn read(env: &mut Reader) -> Self {
        let brokers = env.text("KAFKA_BROKERS", "localhost:9092", "Kafka brokers to start from: `host:port`, separated by commas.");
        let topic = env.text("KAFKA_TOPIC", "events", "Topic of the events.");
        let group = env.text("KAFKA_CONSUMER_GROUP", "event-consumer-group", "Consumer group, whose committed offsets are used.");
        let security = Security::read(env);
        let protocol = env.choice(
            "KAFKA_GROUP_PROTOCOL",
            &[("classic", GroupProtocol::Classic), ("consumer", GroupProtocol::Consumer)],
            "Who shares the partitions among a group: `classic`, its members, or `consumer`, the brokers (Kafka 4.0 or newer). A running group \
             may be moved member by member.",
        );
        let unused = BROKERS_OWN.iter().filter(|(name, _)| protocol == GroupProtocol::Consumer && env.is_set(name)).copied().collect();
        let config = Self {
            security,
            protocol,
            strategy: env.choice(
                STRATEGY,
                &[("cooperative-sticky", AssignmentStrategy::CooperativeSticky), ("range", AssignmentStrategy::Range)],
                "How a `classic` group shares partitions: `cooperative-sticky`, or `range` for groups with older members. The same in all members.",
            ),
            session_timeout: env.duration(
                SESSION_TIMEOUT,
                Duration::from_secs(45),
                Duration::from_secs(6)..=Duration::from_secs(300),
                "Silence after which a `classic` group gives a consumer's partitions to others.",
            ),
            unused,
            max_poll_interval: MAX_POLL_INTERVAL,
            max_message_bytes: env.number(
                "KAFKA_MAX_MESSAGE_BYTES",
                1_048_588,
                1_000..=100_000_000,
                "Largest record, in bytes; not below the topic's `max.message.bytes`.",
            ),
            delivery_timeout: env.duration(
                "KAFKA_DELIVERY_TIMEOUT",
                Duration::from_secs(30),
                Duration::from_secs(1)..=Duration::from_secs(900),
                "How long a producer tries to deliver a record before it reports a failure. Longer rides out longer outages, shorter tells \
                 a person sooner.",
            ),
            flavor: Flavor::Real,
            properties: Properties::read(env),
            brokers,
            topic,
            group,
        };
        config.check(env);
        if !env.has_problems() {
            Properties::try_out(&config, env);
        }
        config
    }

    /// The settings for the broker inside this process. Clones of them share its ledger of what is still to be consumed.
    pub fn embedded(broker: &EmbeddedBroker) -> Self {
        Self {
            brokers: broker.bootstrap_servers().to_owned(),
            topic: broker.topic().to_owned(),
            group: EMBEDDED_GROUP.to_owned(),
            security: Security::Plaintext,
            // The broker's side of the older protocol waits three seconds before it starts a group.
            protocol: GroupProtocol::Consumer,
            strategy: AssignmentStrategy::CooperativeSticky,
            session_timeout: Duration::from_secs(45),
            unused: Vec::new(),
            max_poll_interval: MAX_POLL_INTERVAL,
            max_message_bytes: 1_000_000,
            delivery_timeout: Duration::from_secs(30),
            flavor: Flavor::Embedded(broker.clone()),
            properties: Properties::default(),
        }
    }

    /// The broker inside this process, where it is that one.
    pub(crate) const fn embedded_broker(&self) -> Option<&EmbeddedBroker> {
        match &self.flavor {
            Flavor::Embedded(broker) => Some(broker),
            Flavor::Real => None,
        }
    }

    fn check(&self, env: &mut Reader) {
        if !self.brokers.split(',').all(|broker| is_address(broker.trim())) {
            env.problem("KAFKA_BROKERS", "must be `host:port`, several separated by commas");
        }
        if !is_topic(&self.topic) {
            env.problem("KAFKA_TOPIC", "must be 1 to 249 letters, digits, dots, underscores and hyphens, and not `.` or `..`");
        }
    }
}

/// `host:port`, `[v6]:port`.
fn is_address(text: &str) -> bool {
    text.rsplit_once(':').is_some_and(|(host, port)| {
        let bare = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
        settings::is_host(bare) && port.parse::<u16>().is_ok_and(|port| port != 0)
    })
}

/// Kafka's rule. librdkafka would take a name that begins with `^` for a pattern.
fn is_topic(name: &str) -> bool {
    let legal = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
    !name.is_empty() && name.len() <= TOPIC_LENGTH && name.chars().all(legal) && name != "." && name != ".."
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_any_variable_the_documented_defaults_hold() {
        let mut env = Reader::from_pairs([]);
        let config = KafkaConfig::read(&mut env);
        assert_eq!(
            (config.brokers.as_str(), config.topic.as_str(), config.group.as_str()),
            ("localhost:9092", "events", "event-consumer-group")
        );
        assert_eq!((config.session_timeout, config.delivery_timeout), (Duration::from_secs(45), Duration::from_secs(30)));
        assert!(env.finish().is_ok());
    }

    #[test]
    fn what_the_brokers_decide_is_no_error_and_is_told() {
        for (protocol, unused) in [("classic", 0), ("consumer", 2)] {
            let mut env = Reader::from_pairs([("KAFKA_GROUP_PROTOCOL", protocol), (STRATEGY, "range"), (SESSION_TIMEOUT, "10s")]);
            let config = KafkaConfig::read(&mut env);
            assert_eq!(config.unused.len(), unused, "{protocol}");
            assert!(env.finish().is_ok());
        }
        let mut env = Reader::from_pairs([("KAFKA_GROUP_PROTOCOL", "consumer")]);
        assert!(KafkaConfig::read(&mut env).unused.is_empty());
    }

    #[test]
    fn addresses_and_topic_names_that_cannot_be_are_refused_at_once() {
        for (name, value) in [
            ("KAFKA_BROKERS", "localhost"),
            ("KAFKA_BROKERS", "localhost:0"),
            ("KAFKA_BROKERS", "ada:hunter2@localhost:9092"),
            ("KAFKA_BROKERS", "kafka://localhost:9092"),
            ("KAFKA_BROKERS", "a:9092,,b:9092"),
            ("KAFKA_TOPIC", "^events.*"),
            ("KAFKA_TOPIC", ".."),
            ("KAFKA_TOPIC", "two words"),
        ] {
            let mut env = Reader::from_pairs([(name, value)]);
            KafkaConfig::read(&mut env);
            assert!(env.finish().is_err_and(|problems| problems.0[0].name == name), "{name}={value}");
        }
        let mut env = Reader::from_pairs([("KAFKA_BROKERS", "a:9092, [::1]:9093"), ("KAFKA_TOPIC", "shop.events_v1-eu")]);
        KafkaConfig::read(&mut env);
        assert!(env.finish().is_ok());
    }
}
