//! What becomes of a property that somebody sets: which are ours, and why.

/// Whether a property may be set from outside.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// The program sets it, and nothing but speed, memory or patience hangs on it.
    Tunable,
    /// Another variable says it.
    Variable(&'static str),
    /// It stays as the program has it. Completes "is not for setting: …".
    Fixed(&'static str),
}

use Verdict::{Fixed, Tunable, Variable};

const OFFSETS: &str = "an offset is committed after its record is in the tables, by the consumer itself";
const SKIPS: &str = "where a partition begins is decided by what the tables hold, so that nothing is skipped";
const TWICE: &str = "a retry of the producer must neither double nor reorder records, and all in-sync replicas must have them";
const POLLS: &str = "it follows from the longest call that the consumer makes between two polls";
const CALLBACK: &str = "it is a function or memory of the program, which no text can name";
const TOKENS: &str = "the program gets tokens itself, from KAFKA_SASL_OAUTHBEARER_TOKEN_ENDPOINT_URL";
const SEEN: &str = "health checks and metrics rest on it";
const LOGGED: &str = "what is logged follows from LOG_LEVEL";

/// What the program sets itself, and what else a promise rests on, by the name that is no alias. A property that is not here may be set.
pub(crate) const VERDICTS: &[(&str, Verdict)] = &[
    ("metadata.broker.list", Variable("KAFKA_BROKERS")),
    ("security.protocol", Variable("KAFKA_SECURITY_PROTOCOL")),
    ("sasl.mechanisms", Variable("KAFKA_SASL_MECHANISM")),
    ("sasl.username", Variable("KAFKA_SASL_USERNAME")),
    ("sasl.password", Variable("KAFKA_SASL_PASSWORD")),
    ("sasl.oauthbearer.client.id", Variable("KAFKA_SASL_OAUTHBEARER_CLIENT_ID")),
    ("sasl.oauthbearer.client.secret", Variable("KAFKA_SASL_OAUTHBEARER_CLIENT_SECRET")),
    ("sasl.oauthbearer.scope", Variable("KAFKA_SASL_OAUTHBEARER_SCOPE")),
    ("sasl.oauthbearer.token.endpoint.url", Variable("KAFKA_SASL_OAUTHBEARER_TOKEN_ENDPOINT_URL")),
    ("https.ca.location", Variable("KAFKA_SASL_OAUTHBEARER_CA_FILE")),
    ("https.ca.pem", Variable("KAFKA_SASL_OAUTHBEARER_CA_FILE")),
    ("enable.sasl.oauthbearer.unsecure.jwt", Fixed(TOKENS)),
    ("ssl.ca.location", Variable("KAFKA_SSL_CA_FILE")),
    ("ssl.certificate.location", Variable("KAFKA_SSL_CERTIFICATE_FILE")),
    ("ssl.key.location", Variable("KAFKA_SSL_KEY_FILE")),
    ("ssl.key.password", Variable("KAFKA_SSL_KEY_PASSWORD")),
    ("group.id", Variable("KAFKA_CONSUMER_GROUP")),
    ("group.protocol", Variable("KAFKA_GROUP_PROTOCOL")),
    ("partition.assignment.strategy", Variable("KAFKA_ASSIGNMENT_STRATEGY")),
    ("session.timeout.ms", Variable("KAFKA_SESSION_TIMEOUT")),
    ("message.max.bytes", Variable("KAFKA_MAX_MESSAGE_BYTES")),
    ("fetch.max.bytes", Variable("KAFKA_MAX_MESSAGE_BYTES")),
    ("receive.message.max.bytes", Variable("KAFKA_MAX_MESSAGE_BYTES")),
    ("message.timeout.ms", Variable("KAFKA_DELIVERY_TIMEOUT")),
    ("enable.auto.commit", Fixed(OFFSETS)),
    ("auto.commit.enable", Fixed(OFFSETS)),
    ("auto.commit.interval.ms", Fixed(OFFSETS)),
    ("enable.auto.offset.store", Fixed(OFFSETS)),
    ("offset.store.method", Fixed(OFFSETS)),
    ("offset.store.path", Fixed(OFFSETS)),
    ("offset.store.sync.interval.ms", Fixed(OFFSETS)),
    ("auto.offset.reset", Fixed(SKIPS)),
    ("isolation.level", Fixed("records of aborted transactions are no events")),
    ("enable.partition.eof", Fixed("the end of a partition is no record")),
    ("max.poll.interval.ms", Fixed(POLLS)),
    ("group.instance.id", Fixed("all consumers have the same settings, and each id may be in the group once")),
    ("group.protocol.type", Fixed("the group is one of consumers")),
    ("enable.idempotence", Fixed(TWICE)),
    ("request.required.acks", Fixed(TWICE)),
    ("queuing.strategy", Fixed("records of one key keep their order")),
    ("partitioner", Fixed("a key has the partition that Java clients give it")),
    ("transactional.id", Fixed("the producer opens no transactions")),
    ("transaction.timeout.ms", Fixed("the producer opens no transactions")),
    ("delivery.report.only.error", Fixed("the program waits until each record is acknowledged")),
    ("allow.auto.create.topics", Fixed("a mistyped topic must not come into being")),
    ("topic.blacklist", Fixed("it would hide the topic from the program")),
    ("topic.metadata.propagation.max.ms", Fixed("a missing topic must be told before KAFKA_DELIVERY_TIMEOUT is over")),
    ("statistics.interval.ms", Fixed(SEEN)),
    ("enabled_events", Fixed(SEEN)),
    ("log_level", Fixed(LOGGED)),
    ("log.queue", Fixed(LOGGED)),
    ("plugin.library.paths", Fixed("no code is loaded into the program")),
    ("interceptors", Fixed("no code is loaded into the program")),
    ("internal.termination.signal", Fixed("the program has signals of its own")),
    ("builtin.features", Fixed("it says what librdkafka was compiled with")),
    ("consume.callback.max.messages", Fixed(CALLBACK)),
    ("opaque", Fixed(CALLBACK)),
    ("default_topic_conf", Fixed(CALLBACK)),
    ("msg_order_cmp", Fixed(CALLBACK)),
    ("ssl_key", Fixed(CALLBACK)),
    ("ssl_certificate", Fixed(CALLBACK)),
    ("ssl_ca", Fixed(CALLBACK)),
    ("ssl_engine_callback_data", Fixed(CALLBACK)),
    ("client.id", Tunable),
    ("socket.keepalive.enable", Tunable),
    ("socket.timeout.ms", Tunable),
    ("socket.connection.setup.timeout.ms", Tunable),
    ("enable.metrics.push", Tunable),
    ("topic.metadata.refresh.interval.ms", Tunable),
    ("fetch.message.max.bytes", Tunable),
    ("fetch.queue.backoff.ms", Tunable),
    ("queued.max.messages.kbytes", Tunable),
    ("compression.codec", Tunable),
    ("queue.buffering.max.ms", Tunable),
    ("queue.buffering.max.kbytes", Tunable),
];

/// What becomes of a property by the name that is no alias.
pub(crate) fn verdict(name: &str) -> Verdict {
    if name.ends_with("_cb") {
        return Fixed(CALLBACK);
    }
    let listed = VERDICTS.iter().find(|(known, _)| *known == name).map(|(_, verdict)| *verdict);
    listed.unwrap_or(if name.starts_with("sasl.oauthbearer.") { Fixed(TOKENS) } else { Tunable })
}
