//! Sends records, and notes where each went.

use std::collections::BTreeMap;
use std::sync::Mutex;

use kafka::{KafkaConfig, KafkaPublisher};
use pipeline::ports::{Delivered, Message};
use pipeline::{Fault, Publisher};
use producer::generate::{self, Progress, Record, RunOptions};

/// Where a record is: partition and offset.
pub type Spot = (i32, i64);

/// A publisher that remembers.
pub struct Sender {
    publisher: KafkaPublisher,
    topic: String,
    sent: Mutex<BTreeMap<Spot, Vec<u8>>>,
}

impl Sender {
    pub fn to(config: &KafkaConfig) -> Self {
        Self { publisher: KafkaPublisher::open(config).unwrap(), topic: config.topic.clone(), sent: Mutex::default() }
    }

    /// Sends the records, so many in a second at most, and waits until the broker has them all.
    pub async fn send(&self, records: &[Record], rate: Option<f64>) {
        self.send_each(records.iter(), rate).await;
    }

    /// The same, where it shows only on the way which records these are.
    pub async fn send_each(&self, records: impl Iterator<Item = &Record>, rate: Option<f64>) {
        let (_stop, never) = tokio::sync::watch::channel(0);
        let options = RunOptions { rate, progress: Progress::Silent };
        let summary = generate::run(self, &self.topic, records.cloned(), options, never).await;
        assert!(summary.is_delivered(), "{summary}");
    }

    /// The value of each record that the broker has.
    pub fn sent(&self) -> BTreeMap<Spot, Vec<u8>> {
        self.sent.lock().unwrap().clone()
    }
}

impl Publisher for Sender {
    async fn publish(&self, topic: &str, message: Message) -> Result<Delivered, Fault> {
        let value = message.value.clone().unwrap_or_default();
        let delivered = self.publisher.publish(topic, message).await?;
        self.sent.lock().unwrap().insert((delivered.partition, delivered.offset), value);
        Ok(delivered)
    }
}
