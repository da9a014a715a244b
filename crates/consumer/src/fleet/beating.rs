//! Saying that this process is there, beside its loop.
//!
//! It asks one thing of the store at a time, so that it holds one connection at most, and never waits for the loop nor the loop for it. What
//! matters at once is said at once: a part that stops working, partitions that come or go.

use std::sync::Arc;
use std::time::Duration;

use pipeline::fault::{Dependency, Fault, FaultClass};
use pipeline::ports::Heartbeats;
use telemetry::{Health, Metrics, side_task};
use tokio::sync::Mutex;
use tokio::task::JoinHandle;
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;

use super::{INTERVAL, Member};
use crate::reason::reason;

/// The shortest pause between two heartbeats: what changes quickly is not told each time.
const SHORTEST: Duration = Duration::from_millis(100);
/// How long saying goodbye may take.
const GOODBYE: Duration = Duration::from_secs(1);
/// The name of the task among the parts of the health report, where it has ended by itself.
const TASK: &str = "heartbeat";

/// A process that says that it is there. To be ended when it consumes nothing any more; otherwise the others show it as lost.
pub struct Beating<S> {
    heart: Arc<Heart<S>>,
    stop: CancellationToken,
    task: JoinHandle<()>,
}

struct Heart<S> {
    store: S,
    member: Member,
    health: Health,
    metrics: Metrics,
    /// Whether it has ended: no heartbeat comes after the goodbye.
    ended: Mutex<bool>,
}

/// Begins to say that this process is there.
pub fn spawn<S: Heartbeats + 'static>(store: S, member: Member, health: Health, metrics: Metrics) -> Beating<S> {
    health.known_as(&member.instance().to_string());
    let heart = Arc::new(Heart { store, member, health: health.clone(), metrics, ended: Mutex::new(false) });
    let (stop, beating) = (CancellationToken::new(), Arc::clone(&heart));
    let task = tokio::spawn(side_task::keep_running(TASK, health, stop.clone(), move || Arc::clone(&beating).beat_on()));
    Beating { heart, stop, task }
}

impl<S: Heartbeats> Beating<S> {
    /// Ends it, and says goodbye where the store answers within a second.
    pub async fn end(self) {
        let Self { heart, stop, task } = self;
        stop.cancel();
        // It does nothing but wait for the token.
        task.await.ok();
        let goodbye = async {
            *heart.ended.lock().await = true;
            heart.store.end_heartbeat(heart.member.instance()).await
        };
        if !matches!(timeout(GOODBYE, goodbye).await, Ok(Ok(()))) {
            tracing::debug!("the heartbeat could not be ended: other consoles show this process as lost");
        }
    }
}

impl<S: Heartbeats> Heart<S> {
    async fn beat_on(self: Arc<Self>) {
        let mut changes = self.health.changes();
        let mut failing = false;
        loop {
            changes.mark_unchanged();
            // While the database is away, the monitor asks for it; that it is back is a change.
            if !self.health.is_down(Dependency::Database.label()) {
                let ended = self.ended.lock().await;
                if *ended {
                    return;
                }
                let answer = self.store.beat(&self.member.heartbeat(&self.health, &self.metrics)).await;
                drop(ended);
                tell(answer.err(), &mut failing);
            }
            tokio::select! {
                () = sleep(INTERVAL) => {}
                () = async {
                    sleep(SHORTEST).await;
                    // It cannot be closed: the health is at hand.
                    changes.changed().await.ok();
                } => {}
            }
        }
    }
}

/// One line of log when it begins to fail, and one when it works again. That the database is away is told by the monitor.
fn tell(fault: Option<Fault>, failing: &mut bool) {
    match fault {
        Some(Fault { class: FaultClass::Unavailable { .. }, .. }) => {}
        Some(fault) if !*failing => {
            *failing = true;
            let (class, code) = (fault.class.label(), fault.code);
            tracing::warn!(class, code, "consoles do not show this process: its heartbeat is not written: {}", reason(&fault));
        }
        Some(_) => {}
        None if *failing => {
            *failing = false;
            tracing::info!("consoles show this process again: its heartbeat is written");
        }
        None => {}
    }
}
