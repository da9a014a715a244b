//! Sending records and awaiting their acknowledgement.

use std::sync::Arc;
use std::time::Duration;

use pipeline::ports::{Delivered, Message};
use pipeline::{Fault, Publisher};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::message::{Header, OwnedHeaders};
use rdkafka::producer::{BaseRecord, Producer as _};
use tokio::sync::oneshot;
use tokio::time::{Instant, sleep, timeout};

use crate::config::KafkaConfig;
use crate::delivery::{Deliveries, Producer, Receipt};
use crate::embedded::backlog::Reservation;
use crate::embedded::{EmbeddedBroker, settings};
use crate::{blocking, client, faults};

/// The pause before a record is offered again to a client whose queue is full.
const QUEUE_FULL_PAUSE: Duration = Duration::from_millis(10);
/// How often a client whose records are not delivered is looked after.
const LOOK: Duration = Duration::from_secs(1);
/// What librdkafka may need beyond its own bound: it looks for expired records once a second.
const CLOSE_GRACE: Duration = Duration::from_secs(1);

/// A producing client. Clones share it, and thousands of records may be under way at once; each is a future of its own.
#[derive(Clone)]
pub struct KafkaPublisher {
    producer: Arc<Producer>,
    /// After the client: the broker outlives it.
    broker: Option<EmbeddedBroker>,
    delivery_timeout: Duration,
}

impl KafkaPublisher {
    /// A client of these brokers. Returns at once, whether they can be reached or not.
    ///
    /// # Errors
    /// librdkafka refuses the settings (a certificate that is none).
    pub fn open(config: &KafkaConfig) -> Result<Self, Fault> {
        let producer = client::producer(config).create_with_context(Deliveries::of(config));
        let producer: Producer = producer.map_err(|error| faults::from_error(&error, "open"))?;
        Ok(Self { producer: Arc::new(producer), broker: config.embedded_broker().cloned(), delivery_timeout: config.delivery_timeout })
    }

    /// Waits until everything that was handed over is delivered or abandoned.
    ///
    /// # Errors
    /// Records are still under way after `bound`.
    pub async fn flush(&self, bound: Duration) -> Result<(), Fault> {
        let producer = Arc::clone(&self.producer);
        blocking::call("flush", bound + CLOSE_GRACE, move || producer.flush(bound)).await
    }

    /// Flushes, and ends the client off the worker threads once its last clone is gone.
    ///
    /// # Errors
    /// Records are still under way after `bound`: without another clone they are lost.
    pub async fn close(self, bound: Duration) -> Result<(), Fault> {
        let Self { producer, broker, .. } = self;
        blocking::call("flush", bound + CLOSE_GRACE, move || {
            let flushed = producer.flush(bound);
            drop(producer);
            drop(broker);
            flushed
        })
        .await
    }

    /// What becomes of a record. librdkafka reports every one by its delivery timeout, so this ends.
    async fn fate(&self, mut answered: oneshot::Receiver<Result<Delivered, Fault>>) -> Result<Delivered, Fault> {
        loop {
            match timeout(LOOK, &mut answered).await {
                Ok(answer) => return answer.unwrap_or_else(|_| Err(faults::away("publish: the client was closed"))),
                Err(_) => self.producer.context().context.restore(self.producer.client()),
            }
        }
    }

    /// Room in the embedded broker, where it is that one.
    async fn room(&self, topic: &str, message: &Message) -> Result<Option<Reservation>, Fault> {
        match self.broker.as_ref().filter(|broker| broker.topic() == topic) {
            Some(broker) => broker.backlog().reserve(size(message), self.delivery_timeout).await.map(Some),
            None => Ok(None),
        }
    }
}

impl Publisher for KafkaPublisher {
    /// A record whose future is dropped after it was handed over may still be delivered.
    async fn publish(&self, topic: &str, message: Message) -> Result<Delivered, Fault> {
        let room = self.room(topic, &message).await?;
        let (answer, answered) = oneshot::channel();
        let mut record = BaseRecord::<[u8], [u8], _>::with_opaque_to(topic, Box::new(Receipt { answer, room }));
        (record.key, record.payload) = (message.key.as_deref(), message.value.as_deref());
        record.headers = headers(&message);
        let deadline = Instant::now() + self.delivery_timeout;
        loop {
            match self.producer.send(record) {
                Ok(()) => break,
                Err((error, again)) if is_queue_full(&error) && Instant::now() < deadline => record = again,
                Err((error, _)) => return Err(faults::from_error(&error, "publish")),
            }
            sleep(QUEUE_FULL_PAUSE).await;
        }
        self.fate(answered).await
    }
}

fn is_queue_full(error: &KafkaError) -> bool {
    error.rdkafka_error_code() == Some(RDKafkaErrorCode::QueueFull)
}

fn headers(message: &Message) -> Option<OwnedHeaders> {
    if message.headers.is_empty() {
        return None;
    }
    let none = OwnedHeaders::new_with_capacity(message.headers.len());
    Some(message.headers.iter().fold(none, |headers, header| headers.insert(Header { key: &header.name, value: header.value.as_ref() })))
}

/// What a record takes in the log of the embedded broker, at most.
fn size(message: &Message) -> u64 {
    let len = |bytes: &Option<Vec<u8>>| bytes.as_ref().map_or(0, Vec::len);
    let bytes = len(&message.key) + len(&message.value) + message.headers.iter().map(pipeline::Header::size).sum::<usize>();
    u64::try_from(bytes).unwrap_or(u64::MAX).saturating_add(settings::RECORD_OVERHEAD)
}
