//! The shadow: the rows that the log makes, in a store of our own.

use std::collections::{BTreeMap, HashSet};
use std::marker::PhantomData;
use std::sync::Arc;
use std::time::Duration;

use pipeline::fault::Fault;
use pipeline::offsets::Commit;
use pipeline::ports::{
    ClaimQueue, DeadLetterQueue, DeadLetterReader, EventStore, FloodPermits, GroupProgress, LogPositions, LogReader, OffsetCommitter,
    ParkingExpiry, ParkingLot, PollLimits, RowChanges, TableRows,
};
use pipeline::{LogId, LogPosition, LogState, pace};
use serde::Serialize;
use telemetry::{Health, Metrics};
use tokio::sync::watch;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tracing::instrument::WithSubscriber as _;
use tracing::subscriber::NoSubscriber;
use uuid::Uuid;

use super::{Unfinished, positions};
use crate::backends::{Adapters, Backends};
use crate::config::ConsumerConfig;
use crate::processing::{Consumer, Counts, RecordCounts};
use crate::waiting::PIPELINE_PART;

/// How long nothing may come of a log that goes on.
const SILENCE: Duration = Duration::from_secs(60);
/// Longer than any run: in the shadow nothing expires, since whether it did in the tables is not decided by the log.
const NEVER: Duration = Duration::from_secs(100 * 365 * 86_400);
/// Events that are folded in one transaction, and the rows that those may have.
const BATCH: usize = 10_000;
const ROWS: usize = 50_000;
/// How much of the log is looked through at once.
const LOOK: PollLimits = PollLimits { records: 10_000, bytes: 16 << 20 };

/// A stretch of a partition that was folded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Folded {
    /// Its first offset.
    pub from: i64,
    /// The offset behind its last one.
    pub to: i64,
    /// What its records came to.
    #[serde(flatten)]
    pub counts: Counts,
}

impl Folded {
    /// Offsets without a record: the markers of transactions, what was aborted, and what compaction has removed.
    pub const fn without_record(&self) -> i64 {
        self.to - self.from - self.counts.records.cast_signed()
    }

    /// Whether each of its offsets holds one record at most, and each record came to one thing.
    pub const fn is_balanced(&self) -> bool {
        self.without_record() >= 0 && self.counts.records == self.counts.accounted()
    }
}

/// The log, folded into rows.
pub trait Fold: Send {
    /// The store of the rows.
    type Rows: TableRows + RowChanges + DeadLetterReader;

    /// The rows that the log makes, up to what was folded.
    fn rows(&self) -> &Self::Rows;

    /// Folds the log up to these offsets, and no further.
    ///
    /// # Errors
    /// The shadow is further already, a part fails, or it was stopped.
    fn fold_to(&mut self, ends: &BTreeMap<i32, i64>) -> impl Future<Output = Result<(), Unfinished>> + Send;

    /// Which of these events stand in the log behind what was folded.
    ///
    /// # Errors
    /// A part fails, or it was stopped.
    fn beyond(&mut self, events: HashSet<Uuid>) -> impl Future<Output = Result<HashSet<Uuid>, Unfinished>> + Send;

    /// Whether the log was folded from the beginning of each partition.
    fn is_whole(&self) -> bool;

    /// What was folded of each partition since this fold was opened.
    ///
    /// # Errors
    /// The shadow cannot be read.
    fn folded(&self) -> impl Future<Output = Result<BTreeMap<i32, Folded>, Fault>> + Send;
}

/// A store that a shadow can be in.
pub trait ShadowStore:
    EventStore
    + LogPositions
    + ParkingLot
    + ParkingExpiry
    + TableRows
    + RowChanges
    + DeadLetterQueue
    + DeadLetterReader
    + ClaimQueue
    + FloodPermits
    + Clone
    + 'static
{
}

impl<S> ShadowStore for S where
    S: EventStore
        + LogPositions
        + ParkingLot
        + ParkingExpiry
        + TableRows
        + RowChanges
        + DeadLetterQueue
        + DeadLetterReader
        + ClaimQueue
        + FloodPermits
        + Clone
        + 'static
{
}

/// How a shadow is folded.
#[derive(Clone, Debug)]
pub struct FoldSettings {
    /// How consumers judge records.
    pub consumer: ConsumerConfig,
    /// Whether what the store holds was folded from the beginning of the log.
    pub was_whole: bool,
    /// Records per second, at most.
    pub rate: Option<f64>,
}

/// How much is folded at once. Nobody else waits for the shadow's locks, and the larger a batch is, the more of its rows stand on the same
/// pages; one that is to keep to a rate does so in small steps.
fn batches(config: &ConsumerConfig, rate: Option<f64>) -> ConsumerConfig {
    if rate.is_some() {
        return ConsumerConfig { batches_per_take: 1, ..config.clone() };
    }
    let batch = PollLimits { records: config.batch.records.max(BATCH), ..config.batch };
    ConsumerConfig { batch, batches_per_take: 2, max_rows: config.max_rows.max(ROWS), ..config.clone() }
}

/// The adapters of the consumer that folds.
struct ShadowBackends<L, G, S>(PhantomData<(L, G, S)>);

impl<L: LogReader, G: GroupProgress + Clone + 'static, S: ShadowStore> Backends for ShadowBackends<L, G, S> {
    type Source = L;
    type Offsets = NoOffsets;
    type Progress = ShadowProgress<G, S>;
    type Store = S;
    type DeadLetters = S;
}

/// A [`Fold`] by the consumer's own loop.
pub struct ShadowFold<L: LogReader, G: GroupProgress + Clone + 'static, S: ShadowStore> {
    consumer: Consumer<ShadowBackends<L, G, S>>,
    reader: L,
    progress: G,
    store: S,
    topic: Arc<str>,
    log: LogId,
    is_whole: bool,
    /// Where each partition was when this began.
    begun: BTreeMap<i32, i64>,
    counts: RecordCounts,
    health: Health,
    stop: CancellationToken,
    on_progress: Box<dyn Fn(u64, u64) + Send + Sync>,
    /// Records per second, at most.
    rate: Option<f64>,
}

impl<L: LogReader, G: GroupProgress + Clone + 'static, S: ShadowStore> ShadowFold<L, G, S> {
    /// Folds the log that this reader reads into this store, which holds the shadow of an earlier run, or nothing.
    ///
    /// # Errors
    /// The log cannot be looked at.
    pub async fn open(
        (reader, progress): (L, G),
        store: S,
        topic: Arc<str>,
        settings: FoldSettings,
        metrics: Metrics,
        stop: CancellationToken,
    ) -> Result<Self, Unfinished> {
        let FoldSettings { consumer: config, was_whole, rate } = settings;
        let log = progress.log().await?;
        let known = store.positions(&topic).await?;
        let position = |partition: i32| LogPosition::find(&known, log.id, partition);
        // What the shadow does not hold must be in the log, from its beginning on.
        let is_whole = was_whole && log.partitions.iter().all(|(partition, state)| state.first <= position(*partition).unwrap_or(0));
        let begun = log.partitions.iter().map(|(partition, state)| (*partition, position(*partition).unwrap_or(state.first))).collect();
        let config = ConsumerConfig { parking_deadline: NEVER, dlq_max_ratio: 1.0, ..batches(&config, rate) };
        let adapters = Adapters {
            source: reader.clone(),
            offsets: NoOffsets,
            progress: ShadowProgress { log: progress.clone(), store: store.clone(), topic: Arc::clone(&topic) },
            store: store.clone(),
            dead_letters: store.clone(),
            topic: Arc::clone(&topic),
        };
        let (_, seen) = watch::channel(None);
        let health = Health::new(&[PIPELINE_PART], None);
        let counts = RecordCounts::default();
        let consumer = Consumer::new(adapters, Arc::new(config), metrics, health.clone(), stop.clone(), seen).counting(counts.clone());
        let on_progress = Box::new(|_, _| {});
        Ok(Self { consumer, reader, progress, store, topic, log: log.id, is_whole, begun, counts, health, stop, on_progress, rate })
    }

    /// Tells how many records of how many have been folded.
    #[must_use]
    pub fn telling(mut self, on_progress: impl Fn(u64, u64) + Send + Sync + 'static) -> Self {
        self.on_progress = Box::new(on_progress);
        self
    }

    /// Which log it is.
    pub const fn log(&self) -> LogId {
        self.log
    }

    async fn positions(&self) -> Result<BTreeMap<i32, i64>, Fault> {
        positions(&self.store, &self.topic, self.log).await
    }
}

impl<L: LogReader, G: GroupProgress + Clone + 'static, S: ShadowStore> Fold for ShadowFold<L, G, S> {
    type Rows = S;

    fn rows(&self) -> &S {
        &self.store
    }

    async fn fold_to(&mut self, ends: &BTreeMap<i32, i64>) -> Result<(), Unfinished> {
        let begun = self.positions().await?;
        let ahead = ends.iter().find(|(partition, end)| begun.get(partition).is_some_and(|shadow| shadow > end));
        if let Some((partition, tables)) = ahead {
            return Err(Unfinished::TablesBehind { partition: *partition, shadow: begun[partition], tables: *tables });
        }
        self.reader.read_to(ends);
        let left = |shadow: &BTreeMap<i32, i64>| -> u64 {
            ends.iter().map(|(partition, end)| (end - shadow.get(partition).unwrap_or(&0).min(end)).unsigned_abs()).sum()
        };
        let all = left(&begun);
        let began = Instant::now();
        let (mut shadow, mut changed) = (begun, began);
        while left(&shadow) > 0 {
            if self.stop.is_cancelled() {
                return Err(Unfinished::Stopped);
            }
            // What it logs was logged when these records were consumed.
            let processed = self.consumer.process_batch().with_subscriber(NoSubscriber::default());
            processed.await.map_err(|_| Unfinished::Stopped)?;
            // Nobody asks for gaps here: what retention took is told by where the log begins.
            drop(self.reader.skipped());
            let now = self.positions().await?;
            if now != shadow {
                shadow = now;
                let done = all - left(&shadow).min(all);
                (self.on_progress)(done, all);
                let due = began + pace::due(self.rate, done);
                tokio::select! {
                    () = tokio::time::sleep_until(due) => {}
                    () = self.stop.cancelled() => {}
                }
                changed = Instant::now();
            } else if changed.elapsed() > SILENCE {
                let waits = ends.iter().find(|(partition, end)| shadow.get(partition).unwrap_or(&0) < end);
                let (partition, end) = waits.map_or((0, 0), |(partition, end)| (*partition, *end));
                let next = shadow.get(&partition).copied().unwrap_or_default();
                let reason = self.health.ready_report().parts.remove(PIPELINE_PART).and_then(|part| part.reason);
                let reason = reason.map(|reason| format!(": {reason}")).unwrap_or_default();
                return Err(Unfinished::NothingComes { partition, next, end, seconds: SILENCE.as_secs(), reason });
            }
        }
        Ok(())
    }

    async fn beyond(&mut self, mut events: HashSet<Uuid>) -> Result<HashSet<Uuid>, Unfinished> {
        let (ends, from) = (self.progress.log().await?.ends(), self.positions().await?);
        let mut reader = self.reader.another()?;
        reader.read_to(&ends);
        for unstarted in reader.unstarted() {
            let offset = from.get(&unstarted.partition).copied().unwrap_or_default();
            reader.start(unstarted, offset).await?;
        }
        let (mut found, mut changed) = (HashSet::new(), Instant::now());
        while !events.is_empty() && !reader.is_read() && changed.elapsed() < SILENCE {
            if self.stop.is_cancelled() {
                return Err(Unfinished::Stopped);
            }
            let records = reader.poll_batch(LOOK, Duration::from_millis(200)).await?;
            for value in records.iter().filter_map(|record| record.value.as_deref()) {
                if let Ok(event) = events::decode(value)
                    && events.remove(&event.id)
                {
                    found.insert(event.id);
                }
            }
            if !records.is_empty() {
                changed = Instant::now();
            }
        }
        Ok(found)
    }

    fn is_whole(&self) -> bool {
        self.is_whole
    }

    async fn folded(&self) -> Result<BTreeMap<i32, Folded>, Fault> {
        let (ends, counts) = (self.positions().await?, self.counts.by_partition());
        let folded = |(partition, to): (i32, i64)| {
            let from = self.begun.get(&partition).copied().unwrap_or_default();
            (partition, Folded { from, to, counts: counts.get(&partition).copied().unwrap_or_default() })
        };
        Ok(ends.into_iter().map(folded).collect())
    }
}

/// Nothing is committed.
#[derive(Clone, Copy, Debug)]
struct NoOffsets;

impl OffsetCommitter for NoOffsets {
    async fn commit(&self, commit: &Commit) -> Result<usize, Fault> {
        Ok(commit.iter().count())
    }
}

/// The log as it is, and instead of the group the shadow: it goes on where it is, or at the beginning.
#[derive(Clone)]
struct ShadowProgress<G, S> {
    log: G,
    store: S,
    topic: Arc<str>,
}

impl<G: GroupProgress + Clone, S: LogPositions> GroupProgress for ShadowProgress<G, S> {
    async fn log(&self) -> Result<LogState, Fault> {
        let mut log = self.log.log().await?;
        let known = self.store.positions(&self.topic).await?;
        for (partition, state) in &mut log.partitions {
            state.committed = LogPosition::find(&known, log.id, *partition);
        }
        Ok(log)
    }
}
