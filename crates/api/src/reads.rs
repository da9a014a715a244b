//! Asking the store: bounded in time and number, measured, and noted in the health.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use readmodel::{ReadFault, ReadStore};
use telemetry::{Health, Metrics};
use tokio::sync::Semaphore;
use tokio::time::{Instant, timeout};

use crate::health::READ_STORE;
use crate::problem::Problem;

/// How long a request may wait for its turn, and how long for the store. The two together bound a request: nothing else in it waits.
const PATIENCE: Duration = Duration::from_secs(5);
/// Reads at a time; a store has far fewer connections, so that more would only wait there.
const READS_AT_A_TIME: usize = 64;

/// The store as the handlers see it.
#[derive(Debug)]
pub(crate) struct Reads<S> {
    pub(crate) store: S,
    metrics: Metrics,
    pub(crate) health: Health,
    turns: Semaphore,
}

impl<S: ReadStore> Reads<S> {
    pub(crate) fn new(store: S, metrics: Metrics, health: Health) -> Arc<Self> {
        Arc::new(Self { store, metrics, health, turns: Semaphore::new(READS_AT_A_TIME) })
    }

    /// Awaits this call of the store, whose method is `operation`, when it is its turn. Dropped, it gives its turn back.
    pub(crate) async fn ask<T>(&self, operation: &'static str, read: impl Future<Output = Result<T, ReadFault>>) -> Result<T, Problem> {
        // The semaphore is never closed: only the time can run out.
        let Ok(Ok(_turn)) = timeout(PATIENCE, self.turns.acquire()).await else {
            return Err(Problem::Busy);
        };
        self.ask_now(operation, read).await
    }

    /// The same, without waiting for a turn: whether reading is possible must not depend on how many readers there are.
    pub(crate) async fn ask_now<T>(&self, operation: &'static str, read: impl Future<Output = Result<T, ReadFault>>) -> Result<T, Problem> {
        let started = Instant::now();
        let answer = timeout(PATIENCE, read).await;
        self.metrics.db_operation(operation, started.elapsed());
        match answer {
            Ok(Ok(found)) => {
                if self.health.up(READ_STORE) {
                    tracing::info!("the database can be read");
                }
                Ok(found)
            }
            Ok(Err(fault)) => Err(self.failed(operation, &fault.to_string())),
            Err(_) => Err(self.failed(operation, "the database did not answer in time")),
        }
    }

    /// Logs the change, not each request that suffers from it.
    fn failed(&self, operation: &'static str, why: &str) -> Problem {
        if self.health.down(READ_STORE, why) {
            tracing::warn!(operation, why, "reads are answered with 503");
        }
        Problem::CannotRead
    }
}
