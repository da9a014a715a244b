//! Measuring how long the broker takes.

use std::time::{Duration, Instant};

use pipeline::ports::{Delivered, Message};
use pipeline::{Fault, Publisher};

/// A publisher that tells how long each acknowledged message took, for `kafka_produce_duration_seconds`.
pub struct Timed<P, F> {
    publisher: P,
    observe: F,
}

impl<P, F> Timed<P, F> {
    /// Wraps a publisher; `observe` is called once for each acknowledgement.
    pub const fn new(publisher: P, observe: F) -> Self {
        Self { publisher, observe }
    }
}

impl<P: Publisher, F: Fn(Duration) + Send + Sync> Publisher for Timed<P, F> {
    async fn publish(&self, topic: &str, message: Message) -> Result<Delivered, Fault> {
        let start = Instant::now();
        let delivered = self.publisher.publish(topic, message).await?;
        (self.observe)(start.elapsed());
        Ok(delivered)
    }
}
