//! What is shown while the consumer waits for its tables, before it takes the first record.

use std::future::Future;
use std::time::Duration;

use pipeline::backoff;
use pipeline::fault::{Cause, Dependency};
use telemetry::{Health, Metrics};
use tokio_util::sync::CancellationToken;

use crate::waiting::PIPELINE_PART;

/// How often the process says that it lives while it waits for an answer.
const BEAT: Duration = Duration::from_secs(10);

/// A consumer that has not begun.
pub(crate) struct Starting {
    pub(crate) health: Health,
    pub(crate) metrics: Metrics,
    pub(crate) stop: CancellationToken,
}

impl Starting {
    /// Nothing can be consumed yet, for this cause. Returns whether that is news.
    pub(crate) fn held(&self, cause: Cause, why: String) -> bool {
        self.metrics.held(Some(cause.label()));
        self.health.down(PIPELINE_PART, why.clone());
        self.health.down(Dependency::Database.label(), why)
    }

    /// Nothing holds the consumer back any more.
    pub(crate) fn released(&self) {
        self.metrics.held(None);
    }

    /// Does some work, and says meanwhile that the process lives: a migration is many statements, each with a bound of its own. `None` when
    /// the consumer was told to stop.
    pub(crate) async fn alive<T>(&self, work: impl Future<Output = T>) -> Option<T> {
        let beat = async {
            loop {
                self.health.beat();
                tokio::time::sleep(BEAT).await;
            }
        };
        tokio::select! {
            done = work => Some(done),
            () = self.stop.cancelled() => None,
            () = beat => None,
        }
    }

    /// Waits before the next of so many tries; `false` when the consumer was told to stop.
    pub(crate) async fn pause(&self, tries: u32) -> bool {
        self.alive(tokio::time::sleep(backoff::outage(tries, crate::chance::fraction()))).await.is_some()
    }
}

#[cfg(test)]
mod tests {
    use telemetry::Part;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_migration_that_takes_long_is_no_process_that_stands_still() {
        let health = Health::new(&[], Some(Duration::from_secs(120)));
        let starting = Starting { health, metrics: Metrics::new(&[Part::Consumer]).unwrap(), stop: CancellationToken::new() };
        let long = async {
            for _ in 0..60 {
                tokio::time::sleep(Duration::from_secs(60)).await;
                assert!(starting.health.live());
            }
        };
        assert!(starting.alive(long).await.is_some());
        starting.stop.cancel();
        assert!(starting.alive(std::future::pending::<()>()).await.is_none());
    }
}
