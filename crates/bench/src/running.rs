//! A consumer at work, under a meter.

use std::marker::PhantomData;
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};
use consumer::wiring::HEALTH_PARTS;
use consumer::{Adapters, Backends, ConsumerConfig};
use pipeline::ports::GroupProgress;
use pipeline::{OffsetCommitter, RecordSource};
use telemetry::exposition::samples;
use telemetry::{Health, Metrics, Part};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::meter::{Meter, Metered};
use crate::place::{Queue, Tables};
use crate::source::{MemoryLog, MemoryOffsets};

/// A run that takes longer hangs.
const BOUND: Duration = Duration::from_secs(1800);

/// The adapters of a measured consumer.
pub struct MeteredBackends<S, O, G, T, Q>(PhantomData<(S, O, G, T, Q)>);

impl<S, O, G, T, Q> Backends for MeteredBackends<S, O, G, T, Q>
where
    S: RecordSource + Sync + 'static,
    O: OffsetCommitter + 'static,
    G: GroupProgress + Clone + 'static,
    T: Tables,
    Q: Queue,
{
    type Source = Metered<S>;
    type Offsets = Metered<O>;
    type Progress = G;
    type Store = T;
    type DeadLetters = Q;
}

/// A consumer at work.
pub struct Running<S> {
    /// What it has done so far.
    pub meter: Meter,
    metrics: Metrics,
    stop: CancellationToken,
    task: JoinHandle<Metered<S>>,
}

impl Running<MemoryLog> {
    /// Starts it on a log in memory, of whose group it is the only member.
    ///
    /// # Errors
    /// See [`Running::start`].
    pub fn in_memory<T: Tables, Q: Queue>(log: MemoryLog, tables: &T, dead_letters: &Q, config: ConsumerConfig) -> anyhow::Result<Self> {
        let offsets = MemoryOffsets::default();
        Self::start((log, offsets.clone(), offsets), tables, dead_letters, config)
    }
}

impl<S: RecordSource + Sync + 'static> Running<S> {
    /// Starts the consumer's own loop on a log and a store, with [`consumer::spawn`] as `standalone` does.
    ///
    /// # Errors
    /// The metrics cannot be registered.
    pub fn start<O, G, T, Q>(log: (S, O, G), tables: &T, dead_letters: &Q, config: ConsumerConfig) -> anyhow::Result<Self>
    where
        O: OffsetCommitter + 'static,
        G: GroupProgress + Clone + 'static,
        T: Tables,
        Q: Queue,
    {
        let (source, offsets, progress) = log;
        let (meter, metrics, stop) = (Meter::default(), Metrics::new(&[Part::Consumer])?, CancellationToken::new());
        let adapters = Adapters::<MeteredBackends<S, O, G, T, Q>> {
            source: Metered::new(source, meter.clone()),
            offsets: Metered::new(offsets, meter.clone()),
            progress,
            store: tables.clone(),
            dead_letters: dead_letters.clone(),
            topic: "events".into(),
        };
        let task = consumer::spawn(adapters, config, metrics.clone(), Health::new(&HEALTH_PARTS, None), stop.clone());
        Ok(Self { meter, metrics, stop, task })
    }

    /// Waits until so many records are finished and committed; see [`Meter::until`].
    ///
    /// # Errors
    /// That takes too long, or the consumer has ended.
    pub async fn until(&mut self, records: u64) -> anyhow::Result<Duration> {
        tokio::select! {
            done = tokio::time::timeout(BOUND, self.meter.until(records)) => done.context("the consumer does not come to an end"),
            ended = &mut self.task => {
                drop(ended.context("the consumer has panicked")?);
                bail!("the consumer has ended")
            }
        }
    }

    /// Waits for the next commit, and returns how many records are committed then, and when it was.
    ///
    /// # Errors
    /// As of [`Running::until`].
    pub async fn next_commit(&mut self) -> anyhow::Result<(u64, Instant)> {
        self.until(self.meter.committed() + 1).await?;
        Ok(self.meter.last_commit())
    }

    /// Seconds that calls of the store took so far, by the consumer's own metric.
    pub fn seconds_in_store(&self) -> f64 {
        samples(&self.metrics.encode(), "db_operation_duration_seconds_sum").map(|sum| sum.value).sum()
    }

    /// Events that were parked so far, by the consumer's own metric.
    pub fn parked(&self) -> f64 {
        let text = self.metrics.encode();
        samples(&text, "events_processed_total").filter(|count| count.label("status") == Some("parked")).map(|count| count.value).sum()
    }

    /// Ends it, and returns its source to be closed.
    ///
    /// # Errors
    /// The consumer has panicked.
    pub async fn stop(self) -> anyhow::Result<S> {
        self.stop.cancel();
        Ok(self.task.await.context("the consumer has panicked")?.inner)
    }
}
