//! Batch after batch until the consumer is told to stop, and then an end within a bound.

use std::sync::Arc;
use std::time::Duration;

use telemetry::{Health, Metrics, side_task};
use tokio::runtime::Handle;
use tokio::sync::watch;
use tokio::task::{JoinHandle, spawn_blocking};
use tokio_util::sync::CancellationToken;

use crate::backends::{Adapters, Backends};
use crate::config::ConsumerConfig;
use crate::monitor::Monitor;
use crate::processing::Consumer;

/// How long a batch may go on after the consumer was told to stop. With the time to leave the group it stays below ten seconds, after
/// which supervisors kill.
const GRACE: Duration = Duration::from_secs(5);

/// Runs a consumer until `stop` is cancelled, and returns its source to be closed. The batch at hand is finished and committed if that is
/// possible within a bound; otherwise it is abandoned without a commit, and comes again.
pub async fn run<P: Backends>(
    adapters: Adapters<P>,
    config: ConsumerConfig,
    metrics: Metrics,
    health: Health,
    stop: CancellationToken,
) -> P::Source {
    let (log, seen) = watch::channel(None);
    let monitor = Arc::new(Monitor::<P> {
        progress: adapters.progress.clone(),
        store: adapters.store.clone(),
        dead_letters: adapters.dead_letters.clone(),
        metrics: metrics.clone(),
        health: health.clone(),
        log,
        interval: config.monitor_interval,
    });
    // It is also what notices a topic that was created anew.
    let watched = stop.clone();
    let start = move || Arc::clone(&monitor).run(watched.clone());
    let monitor = tokio::spawn(side_task::keep_running("monitor", health.clone(), stop.clone(), start));
    let mut consumer = Consumer::new(adapters, Arc::new(config), metrics, health.clone(), stop.clone(), seen);
    while !stop.is_cancelled() {
        tokio::select! {
            biased;
            ended = consumer.process_batch() => if ended.is_err() {
                tracing::info!("stopped while waiting: the batch at hand is not committed and comes again");
            },
            () = grace(&stop, &health) => {
                tracing::warn!(seconds = GRACE.as_secs(), "stopped: the batch at hand did not end in time, is not committed and comes again");
            }
        }
    }
    health.stopping();
    monitor.abort();
    consumer.into_source()
}

/// Runs a consumer on a thread of its own; see [`run`]. To be called in a runtime of many threads, and to be stopped and awaited before that
/// runtime ends, which would otherwise take the consumer's timers away under it.
///
/// This is for a store inside the process, which blocks its thread for as long as it writes. As a task, the loop would go to another thread
/// after almost every write, since tokio gives the blocked thread's place away: far from the caches it has filled, and with memory to free
/// that belongs to another thread.
pub fn spawn<P: Backends>(
    adapters: Adapters<P>,
    config: ConsumerConfig,
    metrics: Metrics,
    health: Health,
    stop: CancellationToken,
) -> JoinHandle<P::Source> {
    let runtime = Handle::current();
    spawn_blocking(move || runtime.block_on(run(adapters, config, metrics, health, stop)))
}

/// Ends so long after the consumer was told to stop. Not ready from the first moment on, so that nobody counts on it any more.
async fn grace(stop: &CancellationToken, health: &Health) {
    stop.cancelled().await;
    health.stopping();
    tokio::time::sleep(GRACE).await;
}
