//! What librdkafka tells its application: log lines, errors, statistics.

use std::sync::Arc;

use rdkafka::ClientContext;
use rdkafka::client::Client;
use rdkafka::config::RDKafkaLogLevel;
use rdkafka::consumer::ConsumerContext;
use rdkafka::error::KafkaError;
use rdkafka::statistics::Statistics;

use crate::bootstrap::Bootstrap;
use crate::health::Health;

/// Facilities of librdkafka's log lines about single connections and requests: [`Health`] says what comes of them.
const CONNECTION_FACILITIES: [&str; 6] = ["FAIL", "ERROR", "MAXPOLL", "REQTMOUT", "SSL", "GETPID"];

/// What every client of ours does with what it is told.
pub(crate) struct Context {
    health: Arc<Health>,
    bootstrap: Bootstrap,
}

impl Context {
    /// For a client that starts from these brokers, and whose state this is.
    pub(crate) fn of(brokers: &str, health: Arc<Health>) -> Self {
        Self { health, bootstrap: Bootstrap::from(brokers) }
    }

    /// Gives the client, whose context this is, its brokers again where it has lost them. Whoever uses a client calls this now and then.
    pub(crate) fn restore<C: ClientContext>(&self, client: &Client<C>) {
        self.bootstrap.restore(client);
    }
}

impl ClientContext for Context {
    /// librdkafka's lines go where ours go. Those about single attempts to connect come again and again while a broker is away.
    fn log(&self, level: RDKafkaLogLevel, facility: &str, message: &str) {
        if facility == "FAIL" {
            self.health.hear(message);
        }
        match level {
            _ if CONNECTION_FACILITIES.contains(&facility) => tracing::debug!(target: "librdkafka", facility, "{message}"),
            RDKafkaLogLevel::Emerg | RDKafkaLogLevel::Alert | RDKafkaLogLevel::Critical | RDKafkaLogLevel::Error => {
                tracing::error!(target: "librdkafka", facility, "{message}");
            }
            RDKafkaLogLevel::Warning => tracing::warn!(target: "librdkafka", facility, "{message}"),
            RDKafkaLogLevel::Notice | RDKafkaLogLevel::Info | RDKafkaLogLevel::Debug => {
                tracing::debug!(target: "librdkafka", facility, "{message}");
            }
        }
    }

    /// Looks only whether there is a broker, and whether it is connected. The default would log the whole of it.
    fn stats(&self, statistics: Statistics) {
        self.bootstrap.note(&statistics);
        if statistics.brokers.values().any(|broker| broker.state == "UP") {
            self.health.reachable();
        }
    }

    /// The reason is looked at and never shown: it may quote a broker.
    fn error(&self, error: KafkaError, reason: &str) {
        if let Some(code) = error.rdkafka_error_code() {
            self.health.report(code, Some(reason));
        }
    }
}

/// For consuming clients that are no member of a group.
impl ConsumerContext for Context {}
