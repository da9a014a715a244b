//! Measuring, beside the loop, what only a question can tell: lag, queue depth, parked events, and whether the parts answer at all.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use pipeline::LogState;
use pipeline::fault::{Dependency, Fault};
use pipeline::ports::{ClaimQueue as _, DeadLetterReader, GroupProgress, ParkingExpiry};
use telemetry::{Health, Metrics};
use tokio::sync::watch;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::backends::Backends;
use crate::reason::{reason, told};
use crate::stalled::Stalled;
use crate::waiting::PIPELINE_PART;

/// The name of "each partition with records moves" among the parts of the health report.
pub const PROGRESS_PART: &str = "progress";

/// How often claims whose lease has ended are put back.
const CLAIMS_INTERVAL: Duration = Duration::from_secs(30);

/// How often the dead letters are counted by reason, which looks at each of them.
const REASONS_INTERVAL: Duration = Duration::from_secs(30);

/// How often the log is looked at, at least: that soon a topic that was created anew is noticed.
const LOG_INTERVAL: Duration = Duration::from_secs(5);

/// How soon a part that did not answer is asked again, at most: so soon its return is noticed.
const RETURN_INTERVAL: Duration = Duration::from_secs(1);

/// Asks the parts at an interval. On its own task, so that it tells the truth while the loop waits.
pub struct Monitor<P: Backends> {
    /// See [`Backends::Progress`].
    pub progress: P::Progress,
    /// See [`Backends::Store`].
    pub store: P::Store,
    /// See [`Backends::DeadLetters`].
    pub dead_letters: P::DeadLetters,
    /// Where the answers go.
    pub metrics: Metrics,
    /// Where the answers go.
    pub health: Health,
    /// Where the consumer's loop sees the log.
    pub log: watch::Sender<Option<Arc<LogState>>>,
    /// How often to ask.
    pub interval: Duration,
}

impl<P: Backends> Monitor<P> {
    /// Asks until it is told to stop. Each part is asked by itself: one that takes long makes no other wait.
    pub async fn run(self: Arc<Self>, stop: CancellationToken) {
        tokio::select! {
            biased;
            ((), (), ()) = async { tokio::join!(self.watch_kafka(), self.watch_store(), self.watch_dead_letters()) } => {}
            () = stop.cancelled() => {}
        }
    }

    async fn watch_kafka(&self) {
        let mut stalled = Stalled::default();
        loop {
            let answer = self.note(Dependency::Kafka, self.progress.log().await);
            let pause = self.pause(answer.is_some());
            if let Some(log) = answer {
                self.metrics.lags(log.partitions.iter().map(|(partition, state)| (*partition, state.lag())));
                self.watch_progress(&mut stalled, &log);
                self.log.send_replace(Some(Arc::new(log)));
            }
            tokio::time::sleep(pause.min(LOG_INTERVAL)).await;
        }
    }

    /// Shows which partitions stand still. What is held stands still too, and is told by the part that holds it.
    fn watch_progress(&self, stalled: &mut Stalled, log: &LogState) {
        let now = Instant::now();
        stalled.note(log, now);
        self.metrics.stalled(stalled.ages(now));
        let ours = self.health.partitions();
        match stalled.reason(log, |partition| ours.contains(&partition), now).filter(|_| self.health.is_up(PIPELINE_PART)) {
            Some(reason) => {
                if self.health.down(PROGRESS_PART, reason.clone()) {
                    tracing::error!("{reason}");
                }
            }
            None => drop(self.health.up(PROGRESS_PART)),
        }
    }

    async fn watch_store(&self) {
        loop {
            let answer = async { Ok((self.store.parked().await?, self.store.now().await?)) }.await;
            let answer = self.note(Dependency::Database, answer);
            let pause = self.pause(answer.is_some());
            if let Some(((count, oldest), now)) = answer {
                self.metrics.parked(count, oldest.map(|oldest| now.since(oldest)));
            }
            tokio::time::sleep(pause).await;
        }
    }

    async fn watch_dead_letters(&self) {
        let (mut count_again, mut put_back_again) = (Instant::now(), Instant::now());
        loop {
            let answer = async { Ok((self.dead_letters.depth().await?, self.dead_letters.claimed().await?)) }.await;
            let answer = self.note(Dependency::DeadLetterQueue, answer);
            let pause = self.pause(answer.is_some());
            if let Some((depth, claimed)) = answer {
                self.metrics.dlq_depth(depth);
                self.metrics.dlq_claimed(claimed);
                if Instant::now() >= put_back_again {
                    self.put_back_overdue().await;
                    put_back_again = Instant::now() + CLAIMS_INTERVAL;
                }
                if depth == 0 {
                    self.metrics.dlq_reasons(&BTreeMap::new());
                } else if Instant::now() >= count_again {
                    self.count_dead_letters().await;
                    count_again = Instant::now() + REASONS_INTERVAL;
                }
            }
            tokio::time::sleep(pause).await;
        }
    }

    /// What a redrive has claimed that was killed comes back into the list without anyone's doing.
    async fn put_back_overdue(&self) {
        let returned = self.note(Dependency::DeadLetterQueue, self.dead_letters.give_back_overdue().await);
        if let Some(entries) = returned.filter(|entries| *entries > 0) {
            tracing::warn!(entries, "dead letters are back in the list that a redrive had claimed and not finished");
        }
    }

    async fn count_dead_letters(&self) {
        if let Some(reasons) = self.note(Dependency::DeadLetterQueue, self.dead_letters.reasons().await) {
            self.metrics.dlq_reasons(&reasons);
        }
    }

    /// Until the next question.
    fn pause(&self, has_answered: bool) -> Duration {
        if has_answered { self.interval } else { self.interval.min(RETURN_INTERVAL) }
    }

    /// Shows whether a part answered; one line of log when that changes.
    fn note<T>(&self, dependency: Dependency, answer: Result<T, Fault>) -> Option<T> {
        let part = dependency.label();
        match answer {
            Ok(value) => {
                if self.health.up(part) {
                    tracing::info!(dependency = part, "reachable");
                }
                self.metrics.dependency(part, true);
                Some(value)
            }
            Err(fault) => {
                if self.health.down(part, reason(&fault)) {
                    tracing::warn!(dependency = part, class = fault.class.label(), code = fault.code, "not reachable: {}", told(&fault));
                }
                self.metrics.dependency(part, false);
                None
            }
        }
    }
}
