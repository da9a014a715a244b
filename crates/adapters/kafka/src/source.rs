//! Taking records, and standing by during an outage.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use pipeline::ports::TakeLimits;
use pipeline::{Fault, Record, RecordSource};
use rdkafka::consumer::Consumer as _;
use tokio::sync::{Mutex, OwnedMutexGuard};
use tokio::task::spawn_blocking;
use tokio::time::Instant;

use crate::health::Health;
use crate::member::{Closed, Lease};
use crate::membership::Membership;
use crate::monitor::{LastPoll, Monitor};
use crate::rebalance::apply;
use crate::receiver::Receiver;
use crate::work::Worker;

/// From how many records on a take is worth another thread that receives the next ones meanwhile.
const LARGE: usize = 500;
/// How often that thread looks for more.
const READ_AHEAD_PAUSE: Duration = Duration::from_millis(5);

/// The records of the partitions that this member of the group owns.
///
/// While a large take is worked on, another thread receives what comes next. Partitions do not move meanwhile: one that has to be given up
/// is given up at the next take, when the work is done, or as soon as the work waits and the source stands by.
pub struct KafkaSource {
    /// Held by whoever polls.
    receiver: Arc<Mutex<Receiver>>,
    worker: Worker,
    membership: Arc<Membership>,
    health: Arc<Health>,
    last_poll: Arc<LastPoll>,
    topic: Arc<str>,
    closed: Closed,
}

impl KafkaSource {
    pub(crate) fn new(
        (lease, closed): (Lease, Closed),
        worker: Worker,
        membership: Arc<Membership>,
        health: Arc<Health>,
        topic: Arc<str>,
    ) -> Self {
        let last_poll = Arc::new(LastPoll::now());
        let receiver = Receiver::new(lease, Arc::clone(&membership), Arc::clone(&health), Arc::clone(&last_poll), Arc::clone(&topic));
        Self { receiver: Arc::new(Mutex::new(receiver)), worker, membership, health, last_poll, topic, closed }
    }

    /// The partitions that this member owns.
    pub fn assigned(&self) -> BTreeSet<i32> {
        self.membership.assigned()
    }

    /// A view for metrics and health checks.
    pub fn monitor(&self) -> Monitor {
        Monitor { membership: Arc::clone(&self.membership), health: Arc::clone(&self.health), last_poll: Arc::clone(&self.last_poll) }
    }

    /// Leaves the group, so that others get its partitions at once. Records that were not taken, or not committed, come again there.
    /// A source that is dropped instead does the same in the background.
    ///
    /// # Errors
    /// It took longer than `bound`; it goes on in the background.
    pub async fn close(self, bound: Duration) -> Result<(), Fault> {
        let Self { receiver, worker, closed, .. } = self;
        drop(worker);
        drop(receiver);
        closed.within(bound).await
    }

    /// The receiver, back from the thread that reads ahead. What was taken before is not worked on any more: partitions may move.
    async fn receiver(&self) -> OwnedMutexGuard<Receiver> {
        self.worker.end();
        Arc::clone(&self.receiver).lock_owned().await
    }

    /// Lets another thread receive what is there, while this much is worked on.
    fn read_ahead(&self, mut receiver: OwnedMutexGuard<Receiver>, limits: TakeLimits) {
        let work = self.worker.begin();
        // Not awaited: whoever wants the receiver waits for it.
        drop(spawn_blocking(move || {
            loop {
                receiver.drain(|kept| kept.is_full(limits) || !work.is_under_way());
                if receiver.kept.is_full(limits) || !work.wait_for(READ_AHEAD_PAUSE) {
                    return;
                }
            }
        }));
    }
}

impl RecordSource for KafkaSource {
    async fn take(&mut self, limits: TakeLimits, patience: Duration) -> Result<Vec<Record>, Fault> {
        let mut receiver = self.receiver().await;
        apply(&self.membership.resume(), &self.topic, "resume", |list| receiver.consumer().resume(list));
        let deadline = Instant::now() + patience;
        loop {
            receiver.drain(|kept| kept.is_full(limits));
            receiver.forget_revoked();
            if !receiver.kept.is_empty() {
                if receiver.kept.is_full(limits) || !receiver.gather().await {
                    break;
                }
                continue;
            }
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return self.health.trouble().map_or_else(|| Ok(Vec::new()), Err);
            }
            receiver.await_one(left).await;
        }
        let taken = receiver.kept.take(limits);
        if taken.len() >= LARGE {
            self.read_ahead(receiver, limits);
        }
        Ok(taken)
    }

    async fn stand_by(&mut self, duration: Duration) {
        let deadline = Instant::now() + duration;
        let mut receiver = self.receiver().await;
        apply(&self.membership.stand_by(), &self.topic, "pause", |list| receiver.consumer().pause(list));
        loop {
            receiver.drain(|_| false);
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return;
            }
            receiver.await_one(left).await;
        }
    }

    fn owned(&self) -> usize {
        self.membership.assigned().len()
    }
}
