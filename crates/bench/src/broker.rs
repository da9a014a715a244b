//! The log of an end-to-end run: a real Kafka where one is configured, otherwise the broker inside the process.

use std::time::Duration;

use anyhow::{Context as _, ensure};
use consumer::wiring::CLOSE;
use kafka::{EmbeddedBroker, KafkaCommitter, KafkaConfig, KafkaProgress, KafkaPublisher, KafkaSource};
use producer::generate::{self, Progress, Record, RunOptions};
use uuid::Uuid;

/// How long a real Kafka may take to make a topic.
const TOPIC_WAIT: Duration = Duration::from_secs(30);

/// A topic of its own, which stays behind on a real Kafka.
pub struct Broker {
    /// How to reach it.
    pub config: KafkaConfig,
}

/// What a consumer needs of a log.
pub type Log = (KafkaSource, KafkaCommitter, KafkaProgress);

impl Broker {
    /// A new topic with so many partitions.
    ///
    /// # Errors
    /// The broker cannot be started or reached.
    pub async fn open(kafka: Option<&KafkaConfig>, partitions: u16) -> anyhow::Result<Self> {
        let Some(kafka) = kafka else {
            let broker = EmbeddedBroker::start("events", partitions)?;
            return Ok(Self { config: KafkaConfig::embedded(&broker) });
        };
        let name = format!("bench-{}", Uuid::new_v4().simple());
        let config = KafkaConfig { topic: name.clone(), group: name, ..kafka.clone() };
        kafka::ensure_topic(&config, partitions, 1, TOPIC_WAIT).await.context("KAFKA_BROKERS: a topic cannot be made")?;
        Ok(Self { config })
    }

    /// Sends these records and waits for every acknowledgement.
    ///
    /// # Errors
    /// Not all were delivered. The broker inside the process keeps a few MiB of each partition until they are consumed.
    pub async fn send(&self, records: Vec<Record>) -> anyhow::Result<()> {
        let publisher = KafkaPublisher::open(&self.config)?;
        let (_stop, never) = tokio::sync::watch::channel(0);
        let options = RunOptions { rate: None, progress: Progress::Silent };
        let summary = generate::run(&publisher, &self.config.topic, records.into_iter(), options, never).await;
        publisher.close(CLOSE).await?;
        ensure!(
            summary.is_delivered(),
            "{} records were not delivered; the embedded broker holds a few MiB per partition: give it fewer --events, or set KAFKA_BROKERS",
            summary.undelivered()
        );
        Ok(())
    }

    /// A member of the group.
    ///
    /// # Errors
    /// The clients cannot be made.
    pub fn log(&self) -> anyhow::Result<Log> {
        let (source, offsets) = kafka::open(&self.config)?;
        Ok((source, offsets, KafkaProgress::open(&self.config)?))
    }
}
