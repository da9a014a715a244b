//! Every setting that librdkafka is given, with its reason where it is not the default.
//!
//! Names and defaults: <https://github.com/confluentinc/librdkafka/blob/v2.12.1/CONFIGURATION.md>.

use rdkafka::ClientConfig;
use rdkafka::config::RDKafkaLogLevel;
use settings::ExposeSecret;

use crate::config::{AssignmentStrategy, GroupProtocol, KafkaConfig};
use crate::embedded;
use crate::properties::Kind;
use crate::security::{Sasl, Security, Tls};

/// What one fetch may bring, unless one record alone is larger.
const FETCH_BYTES: u32 = 16 << 20;
/// What one fetch may bring of one partition, compressed as it is there. Small, so that a backlog comes from all partitions by turns and
/// parents are not overtaken by children far ahead of them; the default is 1 MiB. A larger record comes anyway:
/// [KIP-74](https://cwiki.apache.org/confluence/display/KAFKA/KIP-74%3A+Add+Fetch+Response+Size+Limit+in+Bytes).
const FETCH_BYTES_PER_PARTITION: u32 = 128 << 10;
/// Milliseconds between the statistics, which tell when a broker can be reached again, and when none is known any more; nothing else does.
const STATISTICS: &str = "3000";
/// What is added to the largest fetch for the protocol around it; librdkafka asks for at least 512 bytes.
const FETCH_FRAME: u32 = 64 << 10;

/// For the member of the group.
pub(crate) fn consumer(config: &KafkaConfig) -> ClientConfig {
    let mut client = reader(config);
    client
        // Offsets are committed by us alone, after the work is done.
        .set("enable.auto.commit", "false")
        .set("enable.auto.offset.store", "false")
        // The default would skip everything that was written before the group's first commit.
        .set("auto.offset.reset", "earliest")
        // Records of aborted transactions are not events.
        .set("isolation.level", "read_committed")
        // What is fetched ahead, in KiB: the memory that a backlog may take. The default is 64 MiB.
        .set("queued.max.messages.kbytes", "16384")
        // How long a partition waits after that limit was met. The default of a second would let a fast consumer run dry.
        .set("fetch.queue.backoff.ms", "100")
        // New partitions, and a topic that is there again, are found within this time. The default is five minutes.
        .set("topic.metadata.refresh.interval.ms", "10000")
        .set("statistics.interval.ms", STATISTICS);
    if config.embedded_broker().is_some() {
        embedded::settings::consumer(&mut client);
    } else {
        client.set("max.poll.interval.ms", config.max_poll_interval.as_millis().to_string());
        share(&mut client, config);
    }
    config.properties.apply(&mut client, Kind::Member);
    client
}

/// How the group shares partitions. What the brokers decide, librdkafka refuses to be told.
fn share(client: &mut ClientConfig, config: &KafkaConfig) {
    match config.protocol {
        GroupProtocol::Consumer => {
            client.set("group.protocol", "consumer");
        }
        GroupProtocol::Classic => {
            let strategy = match config.strategy {
                AssignmentStrategy::CooperativeSticky => "cooperative-sticky",
                AssignmentStrategy::Range => "range",
            };
            client.set("group.protocol", "classic").set("partition.assignment.strategy", strategy);
            client.set("session.timeout.ms", config.session_timeout.as_millis().to_string());
        }
    }
}

/// For looking at the group from outside: it never subscribes, so it is no member.
pub(crate) fn observer(config: &KafkaConfig) -> ClientConfig {
    let mut client = reader(config);
    client
        .set("enable.auto.commit", "false")
        // How far the log reaches, transactions that are still open included: what stands in them is not consumed.
        .set("isolation.level", "read_uncommitted")
        // Its statistics wait in memory until the next question.
        .set("statistics.interval.ms", "10000");
    if config.embedded_broker().is_some() {
        embedded::settings::consumer(&mut client);
    }
    config.properties.apply(&mut client, Kind::Reader);
    client
}

/// For reading the topic from outside of the group, partition by partition: it never subscribes and never commits.
pub(crate) fn log_reader(config: &KafkaConfig) -> ClientConfig {
    let mut client = reader(config);
    client
        .set("enable.auto.commit", "false")
        .set("enable.auto.offset.store", "false")
        // Where it begins was looked up: what is gone from there is an error, and no reason to begin elsewhere.
        .set("auto.offset.reset", "error")
        .set("isolation.level", "read_committed")
        // Where nothing follows but markers of transactions, only this tells how far it has come.
        .set("enable.partition.eof", "true")
        // It reads beside a consumer, and merges partitions in a buffer of its own.
        .set("queued.max.messages.kbytes", "4096")
        .set("fetch.queue.backoff.ms", "100")
        .set("statistics.interval.ms", STATISTICS);
    if config.embedded_broker().is_some() {
        embedded::settings::consumer(&mut client);
    }
    config.properties.apply(&mut client, Kind::Reader);
    client
}

/// For sending records.
pub(crate) fn producer(config: &KafkaConfig) -> ClientConfig {
    let mut client = common(config);
    client
        // librdkafka's own retries neither double nor reorder records.
        .set("enable.idempotence", "true")
        .set("acks", "all")
        // As Java clients hash keys, so that producers in other languages put an aggregate on the same partition. The default is CRC-32.
        .set("partitioner", "murmur2_random")
        .set("compression.type", "lz4")
        // Milliseconds in which records gather for one request: little for a person, much for a batch.
        .set("linger.ms", "5")
        // The default of five minutes is long for whoever waits for an answer.
        .set("delivery.timeout.ms", config.delivery_timeout.as_millis().to_string())
        // How long a missing topic may be a new one that is not known everywhere. The default is as long as our delivery timeout, which
        // would hide that it is missing.
        .set("topic.metadata.propagation.max.ms", "5000")
        // What waits to be sent, in KiB: the memory that an outage may take. The default is 1 GiB.
        .set("queue.buffering.max.kbytes", "65536")
        .set("statistics.interval.ms", STATISTICS);
    config.properties.apply(&mut client, Kind::Producer);
    client
}

/// For making topics and looking at them.
pub(crate) fn admin(config: &KafkaConfig) -> ClientConfig {
    let mut client = common(config);
    config.properties.apply(&mut client, Kind::Producer);
    client
}

fn reader(config: &KafkaConfig) -> ClientConfig {
    let mut client = common(config);
    let most = FETCH_BYTES.max(config.max_message_bytes);
    client
        .set("group.id", &config.group)
        .set("fetch.message.max.bytes", FETCH_BYTES_PER_PARTITION.to_string())
        .set("fetch.max.bytes", most.to_string())
        .set("receive.message.max.bytes", (most + FETCH_FRAME).to_string());
    client
}

fn common(config: &KafkaConfig) -> ClientConfig {
    let mut client = ClientConfig::new();
    client
        .set("bootstrap.servers", &config.brokers)
        .set("client.id", "event-pipeline")
        .set("message.max.bytes", config.max_message_bytes.to_string())
        // A topic is made on purpose, with the partitions that were meant: a mistyped name must not make one.
        .set("allow.auto.create.topics", "false")
        // Notices a connection whose other end vanished without a word.
        .set("socket.keepalive.enable", "true")
        // A broker that takes requests and answers none counts as away after this time; the default is a minute.
        .set("socket.timeout.ms", "30000")
        .set("socket.connection.setup.timeout.ms", "10000")
        // Nothing about this program is sent to the cluster unasked.
        .set("enable.metrics.push", "false")
        .set_log_level(RDKafkaLogLevel::Info);
    protect(&mut client, &config.security);
    client
}

fn protect(client: &mut ClientConfig, security: &Security) {
    client.set("security.protocol", security.protocol());
    match security.sasl() {
        Some(Sasl::Password { mechanism, username, password }) => {
            client.set("sasl.mechanism", *mechanism).set("sasl.username", username).set("sasl.password", password.expose_secret());
        }
        // The tokens come when they are asked for.
        Some(Sasl::Tokens(_)) => {
            client.set("sasl.mechanism", "OAUTHBEARER");
        }
        None => {}
    }
    if let Some(Tls { ca_file, certificate_file, key_file, key_password }) = security.tls() {
        // `probe`: OpenSSL is compiled in and does not know where this system keeps its certificates.
        client.set("ssl.ca.location", ca_file.as_deref().unwrap_or("probe"));
        let files = [("ssl.certificate.location", certificate_file), ("ssl.key.location", key_file)];
        for (name, file) in files.into_iter().filter_map(|(name, file)| file.as_ref().map(|file| (name, file))) {
            client.set(name, file);
        }
        if let Some(password) = key_password {
            client.set("ssl.key.password", password.expose_secret());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rdkafka::consumer::BaseConsumer;
    use settings::Reader;

    fn config(pairs: &[(&str, &str)]) -> KafkaConfig {
        KafkaConfig::read(&mut Reader::from_pairs(pairs.iter().copied()))
    }

    #[test]
    fn librdkafka_accepts_every_setting() {
        let secure = [
            ("KAFKA_SECURITY_PROTOCOL", "SASL_SSL"),
            ("KAFKA_SASL_USERNAME", "ada"),
            ("KAFKA_SASL_PASSWORD", "hunter2"),
            ("KAFKA_ASSIGNMENT_STRATEGY", "range"),
            ("KAFKA_MAX_MESSAGE_BYTES", "100000000"),
        ];
        let slow = KafkaConfig { max_poll_interval: std::time::Duration::from_secs(900), ..config(&[("KAFKA_SESSION_TIMEOUT", "300s")]) };
        let brokers_decide =
            config(&[("KAFKA_GROUP_PROTOCOL", "consumer"), ("KAFKA_SESSION_TIMEOUT", "10s"), ("KAFKA_ASSIGNMENT_STRATEGY", "range")]);
        for config in [config(&[]), config(&secure), slow, brokers_decide] {
            for client in [consumer(&config), observer(&config), log_reader(&config), producer(&config), admin(&config)] {
                assert!(client.create_native_config().is_ok(), "{client:?}");
            }
            // Some combinations are only looked at when a client is made.
            assert!(consumer(&config).create::<BaseConsumer>().is_ok(), "{config:?}");
            assert!(crate::KafkaPublisher::open(&config).is_ok());
            assert!(crate::KafkaProgress::open(&config).is_ok());
        }
    }

    #[test]
    fn nothing_is_committed_behind_our_back_and_nothing_is_skipped() {
        let client = consumer(&config(&[]));
        for (name, value) in [
            ("enable.auto.commit", "false"),
            ("enable.auto.offset.store", "false"),
            ("auto.offset.reset", "earliest"),
            ("isolation.level", "read_committed"),
            ("partition.assignment.strategy", "cooperative-sticky"),
            ("max.poll.interval.ms", "300000"),
        ] {
            assert_eq!(client.get(name), Some(value), "{name}");
        }
    }
}
