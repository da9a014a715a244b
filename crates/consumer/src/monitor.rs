//! Measuring, beside the loop, what only a question can tell: lag, queue depth, parked events, and whether the parts answer at all.

use std::collections::BTreeMap;
use std::time::Duration;

use events::Timestamp;
use pipeline::fault::{Dependency, Fault};
use pipeline::ports::{DeadLetterReader, GroupProgress, ParkingExpiry};
use telemetry::{Health, Metrics};
use tokio_util::sync::CancellationToken;

use crate::parts::Parts;

/// Asks the parts at an interval. On its own task, so that it tells the truth while the loop waits.
pub struct Monitor<P: Parts> {
    /// See [`Parts::Progress`].
    pub progress: P::Progress,
    /// See [`Parts::Store`].
    pub store: P::Store,
    /// See [`Parts::Letters`].
    pub letters: P::Letters,
    /// Where the answers go.
    pub metrics: Metrics,
    /// Where the answers go.
    pub health: Health,
    /// How often to ask.
    pub interval: Duration,
}

impl<P: Parts> Monitor<P> {
    /// Asks until it is told to stop.
    pub async fn run(self, stop: CancellationToken) {
        while !stop.is_cancelled() {
            tokio::select! {
                ((), (), ()) = async { tokio::join!(self.ask_kafka(), self.ask_store(), self.ask_letters()) } => {}
                () = stop.cancelled() => return,
            }
            tokio::select! {
                () = tokio::time::sleep(self.interval) => {}
                () = stop.cancelled() => return,
            }
        }
    }

    async fn ask_kafka(&self) {
        let answer = async { Ok((self.progress.high_watermarks().await?, self.progress.committed().await?)) }.await;
        if let Some((high, committed)) = self.note(Dependency::Kafka, answer) {
            for (partition, lag) in lag(&high, &committed) {
                self.metrics.lag(partition, lag);
            }
        }
    }

    async fn ask_store(&self) {
        let answer = async { Ok((self.store.parked().await?, self.store.now().await?)) }.await;
        if let Some(((count, oldest), now)) = self.note(Dependency::Database, answer) {
            let age = |oldest: Timestamp| Duration::from_micros((now.unix_micros() - oldest.unix_micros()).try_into().unwrap_or_default());
            self.metrics.parked(count, oldest.map(age));
        }
    }

    async fn ask_letters(&self) {
        let answer = self.letters.depth().await;
        if let Some(depth) = self.note(Dependency::DeadLetterQueue, answer) {
            self.metrics.dlq_depth(depth);
        }
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
                if self.health.down(part, fault.to_string()) {
                    tracing::warn!(dependency = part, class = fault.class.label(), code = fault.code, "not reachable");
                }
                self.metrics.dependency(part, false);
                None
            }
        }
    }
}

/// Records that the group has not consumed yet, by partition.
fn lag(high: &BTreeMap<i32, i64>, committed: &BTreeMap<i32, i64>) -> impl Iterator<Item = (i32, u64)> {
    high.iter().map(|(partition, high)| (*partition, (high - committed.get(partition).copied().unwrap_or(0)).try_into().unwrap_or(0)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lag_is_what_the_log_holds_beyond_the_commit() {
        let lags: Vec<_> = lag(&BTreeMap::from([(0, 10), (1, 5), (2, 0)]), &BTreeMap::from([(0, 4), (2, 0)])).collect();
        assert_eq!(lags, [(0, 6), (1, 5), (2, 0)]);
    }
}
