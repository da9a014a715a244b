//! What every measurement needs: a store, a log, and how much to do.

use std::time::Duration;

use consumer::ConsumerConfig;
use consumer::wiring::CLOSE;
use events::Event;
use kafka::KafkaConfig;
use pipeline::RecordSource;
use pipeline::ports::PollLimits;
use producer::generate::Record;

use crate::broker::Broker;
use crate::cli::{Options, Scale};
use crate::floor;
use crate::place::{Opened, Place};
use crate::running::Running;
use crate::source::{MemoryLog, record};
use crate::workload::Workload;

/// Where and how much is measured.
pub struct Stage<'s, P> {
    /// Where rows go.
    pub place: &'s P,
    /// A real Kafka, where one is configured.
    pub kafka: Option<&'s KafkaConfig>,
    /// What was asked for.
    pub options: &'s Options,
    /// How much that is.
    pub scale: Scale,
}

/// How fast records went through.
#[derive(Clone, Copy, Debug)]
pub struct Pace {
    /// Per second.
    pub rate: f64,
    /// The share of the time that was spent in calls of the store.
    pub in_store: f64,
    /// The share of the records that were parked, because they came before their parent.
    pub parked: f64,
}

impl Pace {
    /// Of a bare loop, which does nothing but call the store.
    fn of_floor(records: usize, took: Duration) -> Self {
        Self { rate: records as f64 / took.as_secs_f64(), in_store: 1.0, parked: 0.0 }
    }

    fn of<S: RecordSource + Sync + 'static>(running: &Running<S>, records: usize, took: Duration) -> Self {
        let (records, seconds) = (records as f64, took.as_secs_f64());
        Self { rate: records / seconds, in_store: running.seconds_in_store() / seconds, parked: running.parked() / records }
    }
}

/// What is sent to a broker, and how it is consumed.
pub struct EndToEnd<'r> {
    /// The records.
    pub records: &'r [Record],
    /// Partitions of their topic.
    pub partitions: u16,
    /// The consumer's settings.
    pub config: ConsumerConfig,
}

/// Empty tables of a stage, and an empty queue.
pub type OpenedAt<P> = Opened<<P as Place>::Tables, <P as Place>::DeadLetters>;

impl<'s, P: Place> Stage<'s, P> {
    /// A stage for these options.
    pub fn new(place: &'s P, kafka: Option<&'s KafkaConfig>, options: &'s Options) -> Self {
        Self { place, kafka, options, scale: options.scale() }
    }

    /// The usual size of a batch.
    pub const fn batch(&self) -> usize {
        self.options.batch as usize
    }

    /// Tables that hold what comes before a workload.
    ///
    /// # Errors
    /// The store fails.
    pub async fn opened_for(&self, workload: &Workload) -> anyhow::Result<OpenedAt<P>> {
        let opened = self.place.open().await?;
        floor::write(&opened.tables, &workload.before, self.batch(), max_rows()).await?;
        Ok(opened)
    }

    /// Writes events as the floor does, in batches of this size.
    ///
    /// # Errors
    /// The store fails.
    pub async fn floor(&self, opened: &OpenedAt<P>, events: &[Event<'static>], batch: usize) -> anyhow::Result<Pace> {
        let took = floor::write(&opened.tables, events, batch, max_rows()).await?;
        Ok(Pace::of_floor(events.len(), took))
    }

    /// Consumes records from memory.
    ///
    /// # Errors
    /// The consumer does not come to an end.
    pub async fn in_memory(&self, opened: &OpenedAt<P>, records: &[Record], batch: usize) -> anyhow::Result<Pace> {
        let ready = (0..).zip(records).map(|(offset, (_, message))| record(offset, message.clone())).collect();
        let mut running = Running::in_memory(MemoryLog::of(ready), &opened.tables, &opened.dead_letters, consumer(batch))?;
        let took = running.until(records.len() as u64).await?;
        let pace = Pace::of(&running, records.len(), took);
        running.stop().await?;
        Ok(pace)
    }

    /// These records in so many partitions, consumed with the usual settings.
    pub fn log_of<'r>(&self, records: &'r [Record], partitions: u16) -> EndToEnd<'r> {
        EndToEnd { records, partitions, config: consumer(self.batch()) }
    }

    /// Sends records to a broker, then consumes them.
    ///
    /// # Errors
    /// The broker or the consumer fails.
    pub async fn end_to_end(&self, opened: &OpenedAt<P>, log: EndToEnd<'_>) -> anyhow::Result<Pace> {
        let EndToEnd { records, partitions, config } = log;
        let broker = Broker::open(self.kafka, partitions).await?;
        broker.send(records.to_vec()).await?;
        let log = broker.log()?;
        let progress = log.2.clone();
        let mut running = Running::start(log, &opened.tables, &opened.dead_letters, config)?;
        let took = running.until(records.len() as u64).await?;
        let pace = Pace::of(&running, records.len(), took);
        running.stop().await?.close(CLOSE).await?;
        progress.close(CLOSE).await?;
        Ok(pace)
    }
}

/// The consumer's own settings, with batches of this size.
pub fn consumer(batch: usize) -> ConsumerConfig {
    let defaults = ConsumerConfig::default();
    ConsumerConfig { batch: PollLimits { records: batch, ..defaults.batch }, ..defaults }
}

/// The settings of a consumer that takes, writes and commits one event after the other, as simple consumers do.
pub fn one_by_one() -> ConsumerConfig {
    ConsumerConfig { batches_per_take: 1, ..consumer(1) }
}

/// Rows that one statement may write.
pub fn max_rows() -> usize {
    ConsumerConfig::default().max_rows
}
