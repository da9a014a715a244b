//! What becomes of a record that was handed to librdkafka.

use std::error::Error;
use std::sync::Arc;

use pipeline::Fault;
use pipeline::ports::Delivered;
use rdkafka::client::OAuthToken;
use rdkafka::config::RDKafkaLogLevel;
use rdkafka::error::KafkaError;
use rdkafka::producer::{DeliveryResult, ProducerContext, ThreadedProducer};
use rdkafka::statistics::Statistics;
use rdkafka::{ClientContext, Message as _};
use tokio::sync::oneshot;

use crate::config::KafkaConfig;
use crate::context::Context;
use crate::embedded::backlog::Reservation;
use crate::faults;
use crate::health::Health;

/// The producing client: a thread of its own waits for the acknowledgements.
pub(crate) type Producer = ThreadedProducer<Deliveries>;

/// Hands each acknowledgement to whoever awaits it.
pub(crate) struct Deliveries {
    pub(crate) context: Context,
    health: Arc<Health>,
}

impl Deliveries {
    /// For a client of these brokers.
    pub(crate) fn of(config: &KafkaConfig) -> Self {
        let health = Health::quiet();
        Self { context: Context::of(config, Arc::clone(&health)), health }
    }

    /// For the client that owns the embedded broker.
    pub(crate) fn of_nobody() -> Self {
        let health = Health::quiet();
        Self { context: Context::of_nobody(Arc::clone(&health)), health }
    }
}

/// Travels with a record and comes back with its fate, even if nobody waits for it any more.
pub(crate) struct Receipt {
    pub(crate) answer: oneshot::Sender<Result<Delivered, Fault>>,
    /// Its room in the embedded broker.
    pub(crate) room: Option<Reservation>,
}

impl ProducerContext for Deliveries {
    type DeliveryOpaque = Box<Receipt>;

    fn delivery(&self, result: &DeliveryResult<'_>, receipt: Box<Receipt>) {
        let Receipt { answer, room } = *receipt;
        let fate = match result {
            Ok(message) => {
                self.health.working();
                let delivered = Delivered { partition: message.partition(), offset: message.offset() };
                if let Some(room) = room {
                    room.delivered(delivered.partition, delivered.offset);
                }
                Ok(delivered)
            }
            Err((error, _)) => Err(self.health.explain(faults::from_error(error, "publish"))),
        };
        // Nobody listening any more means that the caller gave up waiting.
        answer.send(fate).ok();
    }
}

impl ClientContext for Deliveries {
    const ENABLE_REFRESH_OAUTH_TOKEN: bool = Context::ENABLE_REFRESH_OAUTH_TOKEN;

    fn generate_oauth_token(&self, config: Option<&str>) -> Result<OAuthToken, Box<dyn Error>> {
        self.context.generate_oauth_token(config)
    }

    fn log(&self, level: RDKafkaLogLevel, facility: &str, message: &str) {
        self.context.log(level, facility, message);
    }

    fn stats(&self, statistics: Statistics) {
        self.context.stats(statistics);
    }

    fn error(&self, error: KafkaError, reason: &str) {
        self.context.error(error, reason);
    }
}
