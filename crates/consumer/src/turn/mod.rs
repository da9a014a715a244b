//! The life of a batch: take → judge → write → dead-letter → commit.
//!
//! A backlog is taken in several batches at once, the parts of a take: one is judged while the one before it is written, and all of them
//! are committed together. Nothing of a take is in flight when the next one begins, because only then partitions may move; what the source
//! receives ahead meanwhile is its own affair.

mod ahead;
mod commit;
mod expire;
mod flood;
mod isolate;
mod letters;
mod part;
mod positions;
mod release;
mod settle;
mod start;
mod tally;
mod write;

use std::sync::Arc;
use std::time::{Duration, Instant};

use pipeline::LogState;
use pipeline::flood::FloodGate;
use pipeline::offsets::Commit;
use pipeline::ports::RecordSource;
use pipeline::record::Record;
use telemetry::{Health, Metrics};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use crate::config::ConsumerConfig;
use crate::parts::{Adapters, Parts};
use crate::reason::reason;
use crate::waiting::{PIPELINE_PART, Stopped, Waiting};
use ahead::Ahead;
use commit::Uncommitted;
use expire::Expiry;
pub(crate) use isolate::verdict_of_one;
use letters::Letters;
use part::{Judged, Rules};
use positions::Positions;
use settle::WrittenPart;
use start::LogWatch;

/// How long a take waits for the first record before the consumer looks after other things.
const PATIENCE: Duration = Duration::from_millis(200);

/// One member of the group: takes batches, finishes them, commits them, one after the other.
pub struct Consumer<P: Parts> {
    waiting: Waiting<P::Source>,
    offsets: P::Offsets,
    progress: P::Progress,
    store: P::Store,
    letters: P::Letters,
    config: Arc<ConsumerConfig>,
    metrics: Metrics,
    health: Health,
    uncommitted: Uncommitted,
    expiry: Expiry,
    flood: FloodGate,
    /// The name of the topic, by which the tables know its logs.
    topic: Arc<str>,
    positions: Positions,
    log_watch: LogWatch,
}

impl<P: Parts> Consumer<P> {
    /// A consumer on these adapters. It stops waiting for anything when `stop` is cancelled, and goes by what `log` shows of the log.
    pub fn new(
        adapters: Adapters<P>,
        config: Arc<ConsumerConfig>,
        metrics: Metrics,
        health: Health,
        stop: CancellationToken,
        log: watch::Receiver<Option<Arc<LogState>>>,
    ) -> Self {
        let Adapters { source, offsets, progress, store, letters, topic } = adapters;
        let waiting = Waiting::new(source, metrics.clone(), health.clone(), stop);
        let expiry = Expiry::new(config.sweep_interval);
        let flood = FloodGate::new(config.dlq_max_ratio);
        Self {
            waiting,
            offsets,
            progress,
            store,
            letters,
            config,
            metrics,
            health,
            uncommitted: Uncommitted::default(),
            expiry,
            flood,
            topic,
            positions: Positions::default(),
            log_watch: LogWatch::new(log),
        }
    }

    /// One take, from the log to the commit. Nothing of it is in flight when this returns, so that partitions may move.
    ///
    /// # Errors
    /// The consumer was told to stop before the take was finished; it was not committed and comes again.
    pub async fn turn(&mut self) -> Result<(), Stopped> {
        self.look_at_log().await?;
        self.start_partitions().await?;
        let taken = self.take().await;
        let started = Instant::now();

        let rules = Rules { max_clock_skew: self.config.max_clock_skew, max_rows: self.config.max_rows };
        let mut ahead = Ahead::new(taken, self.config.batch.records, rules);
        let (mut parts, mut finished, mut clean) = (Vec::new(), Commit::default(), true);
        while let Some(part) = ahead.next().await {
            self.health.beat();
            finished.extend(Commit::covering(part.records()));
            let mut letters = self.letters_of(part.judged());
            clean &= letters.is_empty();
            // Everything before is durable, so the batch that makes this part durable moves the positions too.
            let moving = if clean { self.positions.to_move(&finished) } else { Vec::new() };
            let written = self.write(part.judged(), &moving, &mut letters).await?;
            clean &= letters.is_empty() && !written.outcomes.iter().any(|outcome| !outcome.landed());
            if written.moved {
                self.positions.moved(&moving);
            }
            self.withstand_flood(part.records().len(), letters.len()).await?;
            self.bury(letters).await?;
            parts.push(WrittenPart { part, written });
            if self.waiting.is_stopping() {
                break;
            }
        }
        self.settle(&parts).await?;
        let is_empty = parts.is_empty();
        if ahead.is_done() {
            finished.extend(self.waiting.source.passed());
        }
        self.advance(&finished).await?;
        // In this order: the commit is under way while the memory of thousands of records is given back.
        tokio::join!(biased; self.commit(finished), async { drop(parts) });

        if !is_empty {
            self.metrics.consumed(started.elapsed());
        }
        self.look_after_parked().await
    }

    /// The source, to close it.
    pub fn into_source(self) -> P::Source {
        self.waiting.source
    }

    /// What is there, or nothing. A broker that is away is not waited out here: the client reconnects by itself while it is polled.
    async fn take(&mut self) -> Vec<Record> {
        self.waiting.polled();
        self.metrics.assigned(self.waiting.source.assigned().len());
        let patience = if self.expiry.is_under_way() { Duration::ZERO } else { PATIENCE };
        match self.waiting.source.take(self.config.take(), patience).await {
            Ok(records) => {
                self.health.up(PIPELINE_PART);
                records
            }
            Err(fault) => {
                self.health.down(PIPELINE_PART, reason(&fault));
                tracing::debug!(class = fault.class.label(), code = fault.code, subject = fault.subject, "nothing could be taken");
                self.waiting.source.stand_by(PATIENCE).await;
                Vec::new()
            }
        }
    }

    /// The letters of records that hold no event. Null values are only counted.
    fn letters_of(&self, judged: &Judged<'_>) -> Letters {
        self.metrics.tombstones(judged.tombstones);
        let mut letters = Letters::default();
        for (record, violation) in &judged.broken {
            letters.add(record, &violation.into());
        }
        letters
    }
}

/// Awaits a call of the store and notes how long it took, whatever came of it.
async fn timed<T>(metrics: &Metrics, operation: &'static str, call: impl Future<Output = T>) -> T {
    let asked = Instant::now();
    let answer = call.await;
    metrics.db_operation(operation, asked.elapsed());
    answer
}
