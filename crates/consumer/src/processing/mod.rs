//! The life of a batch: poll → decode → write → dead-letter → commit.
//!
//! A backlog is taken in several batches at once, the chunks of a poll: one is decoded while the one before it is written, and all of them
//! are committed together. Nothing of a poll is in flight when the next one begins, because only then partitions may move; what the source
//! receives ahead meanwhile is its own affair.

mod ahead;
mod chunk;
mod clock_watch;
mod commit;
mod counts;
mod dead_letter_log;
mod dead_letters;
mod dlq_limit;
mod expire;
mod held_records;
mod isolate;
mod park_and_release;
mod positions;
mod record_outcomes;
mod release;
mod start;
mod write;

use std::sync::Arc;
use std::time::{Duration, Instant};

use pipeline::LogState;
use pipeline::dlq_limit::DlqLimit;
use pipeline::offsets::Commit;
use pipeline::ports::RecordSource;
use pipeline::record::Record;
use telemetry::{Health, Metrics};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use crate::backends::{Adapters, Backends};
use crate::config::ConsumerConfig;
use crate::reason::reason;
use crate::waiting::{PIPELINE_PART, Stopped, Waiting};
use ahead::DecodeAhead;
use chunk::{DecodeRules, DecodedBatch};
use clock_watch::ClockWatch;
use commit::Uncommitted;
pub use counts::{Counts, RecordCounts};
use dead_letter_log::DeadLetterLog;
use dead_letters::DeadLetters;
use expire::Expiry;
pub(crate) use held_records::held_facts;
pub(crate) use isolate::outcome_of_one;
use park_and_release::WrittenChunk;
use positions::Positions;
use start::LogWatch;

/// How long a poll waits for the first record before the consumer looks after other things.
const PATIENCE: Duration = Duration::from_millis(200);

/// One member of the group: takes batches, finishes them, commits them, one after the other.
pub struct Consumer<P: Backends> {
    waiting: Waiting<P::Source>,
    offsets: P::Offsets,
    progress: P::Progress,
    store: P::Store,
    dead_letters: P::DeadLetters,
    config: Arc<ConsumerConfig>,
    metrics: Metrics,
    health: Health,
    uncommitted: Uncommitted,
    expiry: Expiry,
    flood: DlqLimit,
    dead_letter_log: DeadLetterLog,
    clock_watch: ClockWatch,
    /// The name of the topic, by which the tables know its logs.
    topic: Arc<str>,
    positions: Positions,
    log_watch: LogWatch,
    counts: Option<RecordCounts>,
}

impl<P: Backends> Consumer<P> {
    /// A consumer on these adapters. It stops waiting for anything when `stop` is cancelled, and goes by what `log` shows of the log.
    pub fn new(
        adapters: Adapters<P>,
        config: Arc<ConsumerConfig>,
        metrics: Metrics,
        health: Health,
        stop: CancellationToken,
        log: watch::Receiver<Option<Arc<LogState>>>,
    ) -> Self {
        let Adapters { source, offsets, progress, store, dead_letters, topic } = adapters;
        let waiting = Waiting::new(source, metrics.clone(), health.clone(), stop);
        let expiry = Expiry::new(config.sweep_interval);
        let flood = DlqLimit::new(config.dlq_max_ratio);
        Self {
            waiting,
            offsets,
            progress,
            store,
            dead_letters,
            config,
            metrics,
            health,
            uncommitted: Uncommitted::default(),
            expiry,
            flood,
            dead_letter_log: DeadLetterLog::new(),
            clock_watch: ClockWatch::default(),
            topic,
            positions: Positions::default(),
            log_watch: LogWatch::new(log),
            counts: None,
        }
    }

    /// Counts what the records of each partition come to.
    #[must_use]
    pub fn counting(self, counts: RecordCounts) -> Self {
        Self { counts: Some(counts), ..self }
    }

    /// One take, from the log to the commit. Nothing of it is in flight when this returns, so that partitions may move.
    ///
    /// # Errors
    /// The consumer was told to stop before the poll was finished; it was not committed and comes again.
    pub async fn process_batch(&mut self) -> Result<(), Stopped> {
        self.look_at_log().await?;
        self.start_partitions().await?;
        let taken = self.poll_batch().await;
        let started = Instant::now();

        let rules = DecodeRules { max_clock_skew: self.config.max_clock_skew, max_rows: self.config.max_rows };
        let mut ahead = DecodeAhead::new(taken, self.config.batch.records, rules);
        let (mut chunks, mut finished, mut clean) = (Vec::new(), Commit::default(), true);
        while let Some(chunk) = ahead.next().await {
            self.health.beat();
            finished.extend(Commit::covering(chunk.records()));
            self.clock_watch.note(chunk.decoded(), &self.metrics);
            let mut dead_letters = self.dead_letters_of(chunk.decoded());
            clean &= dead_letters.is_empty();
            // Everything before is durable, so the batch that makes this part durable moves the positions too.
            let moving = if clean { self.positions.to_move(&finished) } else { Vec::new() };
            let written = self.write(chunk.decoded(), &moving, &mut dead_letters).await?;
            clean &= dead_letters.is_empty() && !written.outcomes.iter().any(|outcome| !outcome.persisted());
            if written.moved {
                self.positions.moved(&moving);
            }
            if let Some(counts) = &self.counts {
                counts.add(&chunk, &written.outcomes);
            }
            self.send_to_dlq_within_limit(chunk.records().len(), dead_letters).await?;
            chunks.push(WrittenChunk { chunk, written });
            if self.waiting.is_stopping() {
                break;
            }
        }
        self.park_and_release(&chunks).await?;
        let is_empty = chunks.is_empty();
        if ahead.is_done() {
            finished.extend(self.waiting.source.passed());
        }
        self.advance(&finished).await?;
        // In this order: the commit is under way while the memory of thousands of records is given back.
        tokio::join!(biased; self.commit(finished), async { drop(chunks) });

        if !is_empty {
            self.metrics.consumed(started.elapsed());
        }
        self.dead_letter_log.look();
        self.clock_watch.look();
        self.look_after_parked().await
    }

    /// The source, to close it.
    pub fn into_source(mut self) -> P::Source {
        self.dead_letter_log.end_window();
        self.waiting.source
    }

    /// What is there, or nothing. A broker that is away is not waited out here: the client reconnects by itself while it is polled.
    async fn poll_batch(&mut self) -> Vec<Record> {
        self.waiting.polled();
        self.metrics.assigned(self.waiting.source.assigned().len());
        let patience = if self.expiry.is_under_way() { Duration::ZERO } else { PATIENCE };
        match self.waiting.source.poll_batch(self.config.poll_limits(), patience).await {
            Ok(records) => {
                self.health.up(PIPELINE_PART);
                records
            }
            Err(fault) => {
                self.health.down(PIPELINE_PART, reason(&fault));
                tracing::debug!(class = fault.class.label(), code = fault.code, subject = fault.subject, "nothing could be taken");
                self.waiting.source.pause(PATIENCE).await;
                Vec::new()
            }
        }
    }

    /// The dead letters of records that hold no event. Null values are only counted.
    fn dead_letters_of(&self, decoded: &DecodedBatch<'_>) -> DeadLetters {
        self.metrics.tombstones(decoded.tombstones);
        let mut dead_letters = DeadLetters::default();
        for (record, violation) in &decoded.broken {
            dead_letters.add(record, &violation.into());
        }
        dead_letters
    }
}

/// Awaits a call of the store and notes how long it took, whatever came of it.
async fn timed<T>(metrics: &Metrics, operation: &'static str, call: impl Future<Output = T>) -> T {
    let asked = Instant::now();
    let answer = call.await;
    metrics.db_operation(operation, asked.elapsed());
    answer
}
