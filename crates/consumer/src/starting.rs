//! What is shown while the consumer waits for its tables, before it takes the first record.

use pipeline::backoff;
use pipeline::fault::{Cause, Dependency};
use telemetry::{Health, Metrics};
use tokio_util::sync::CancellationToken;

use crate::waiting::PIPELINE_PART;

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

    /// Waits before the next of so many tries; `false` when the consumer was told to stop.
    pub(crate) async fn pause(&self, tries: u32) -> bool {
        tokio::select! {
            () = tokio::time::sleep(backoff::outage(tries, rand::random())) => true,
            () = self.stop.cancelled() => false,
        }
    }
}
