//! Taking records, and standing by during an outage.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use pipeline::offsets::{Commit, NextOffset};
use pipeline::ports::{Lost, PollLimits, Skipped, Unstarted};
use pipeline::{Fault, Record, RecordSource};
use rdkafka::consumer::Consumer as _;
use rdkafka::error::KafkaResult;
use rdkafka::topic_partition_list::TopicPartitionListElem;
use rdkafka::{Offset, TopicPartitionList};
use tokio::sync::{Mutex, OwnedMutexGuard};
use tokio::task::spawn_blocking;
use tokio::time::Instant;

use crate::blocking;
use crate::consumer::Shared;
use crate::idle::Idle;
use crate::in_flight::InFlight;
use crate::member::{Closed, Lease};
use crate::monitor::{LastPoll, Monitor};
use crate::rebalance::apply;
use crate::receiver::Receiver;

/// From how many records on a poll is worth another thread that receives the next ones meanwhile.
const LARGE: usize = 500;
/// How often that thread looks for more.
const READ_AHEAD_PAUSE: Duration = Duration::from_millis(5);
/// How often the client is asked what it has passed without a record.
const PASSED_PAUSE: Duration = Duration::from_secs(1);
/// How long librdkafka may take to begin at another offset; it asks nobody for it.
const SEEK: Duration = Duration::from_secs(5);

/// The records of the partitions that this member of the group owns.
///
/// While a large poll is worked on, another thread receives what comes next. Partitions do not move meanwhile: one that has to be given up
/// goes at the next poll, when the work is done, or as soon as the work waits and the source pauses.
pub struct KafkaSource {
    /// Held by whoever polls.
    receiver: Arc<Mutex<Receiver>>,
    worker: InFlight,
    shared: Shared,
    last_poll: Arc<LastPoll>,
    closed: Closed,
    passed: Commit,
    ask_passed_at: Instant,
    idle: Idle,
}

impl KafkaSource {
    pub(crate) fn new((lease, closed): (Lease, Closed), worker: InFlight, shared: Shared) -> Self {
        let last_poll = Arc::new(LastPoll::now());
        let receiver = Arc::new(Mutex::new(Receiver::new(lease, &shared, Arc::clone(&last_poll))));
        let idle = Idle::of(&shared);
        Self { receiver, worker, shared, last_poll, closed, passed: Commit::default(), ask_passed_at: Instant::now(), idle }
    }

    /// The partitions that this member owns.
    pub fn assigned(&self) -> BTreeSet<i32> {
        self.shared.membership.assigned()
    }

    /// A view for metrics and health checks.
    pub fn monitor(&self) -> Monitor {
        Monitor {
            membership: Arc::clone(&self.shared.membership),
            health: Arc::clone(&self.shared.health),
            last_poll: Arc::clone(&self.last_poll),
        }
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
    fn read_ahead(&self, mut receiver: OwnedMutexGuard<Receiver>, limits: PollLimits) {
        let in_flight = self.worker.begin();
        // Not awaited: whoever wants the receiver waits for it.
        drop(spawn_blocking(move || {
            loop {
                receiver.drain(|fetch_buffer| fetch_buffer.is_full(limits) || !in_flight.is_under_way());
                if receiver.fetch_buffer.is_full(limits) || !in_flight.wait_for(READ_AHEAD_PAUSE) {
                    return;
                }
            }
        }));
    }
}

impl RecordSource for KafkaSource {
    async fn poll_batch(&mut self, limits: PollLimits, patience: Duration) -> Result<Vec<Record>, Fault> {
        self.passed = Commit::default();
        let mut receiver = self.receiver().await;
        if !receiver.left_over.is_empty() {
            return Ok(receiver.left_over.take(limits));
        }
        apply(&self.shared.membership.resume(), &self.shared.topic, "resume", |list| receiver.consumer().resume(list));
        let deadline = Instant::now() + patience;
        loop {
            receiver.drain(|fetch_buffer| fetch_buffer.is_full(limits));
            receiver.forget_revoked();
            if !receiver.fetch_buffer.is_empty() {
                if receiver.fetch_buffer.is_full(limits) || !receiver.gather().await {
                    break;
                }
                continue;
            }
            let left = deadline.saturating_duration_since(Instant::now());
            // Whoever waits for a partition to be started has to be told that it is there.
            if left.is_zero() || !self.shared.membership.unstarted().is_empty() {
                self.note_passed(&receiver);
                self.idle.look(&receiver.lease, &self.shared);
                return self.shared.health.trouble().map_or_else(|| Ok(Vec::new()), Err);
            }
            receiver.await_one(left).await;
        }
        let taken = receiver.fetch_buffer.take(limits);
        self.note_passed(&receiver);
        if taken.len() >= LARGE {
            self.read_ahead(receiver, limits);
        }
        Ok(taken)
    }

    fn passed(&self) -> Commit {
        self.passed.clone()
    }

    fn unstarted(&self) -> Vec<Unstarted> {
        self.shared.membership.unstarted()
    }

    async fn start(&mut self, unstarted: Unstarted, offset: i64) -> Result<(), Fault> {
        const START: &str = "start";
        let receiver = self.receiver().await;
        let (client, topic) = (receiver.lease.share(), Arc::clone(&self.shared.topic));
        let seek = blocking::call(START, SEEK + Duration::from_secs(1), move || {
            let mut list = TopicPartitionList::with_capacity(1);
            list.add_partition_offset(&topic, unstarted.partition, Offset::Offset(offset))?;
            sought(&client.consumer.seek_partitions(list, SEEK)?)
        });
        seek.await?;
        self.shared.membership.start(unstarted, offset);
        Ok(())
    }

    async fn reopen(&mut self) -> Result<(), Fault> {
        let mut receiver = self.receiver().await;
        let (lease, closed) = self.shared.join()?;
        // It leaves the group in the background; what it still reports is ignored.
        drop(receiver.replace(lease));
        self.closed = closed;
        self.shared.health.renew();
        Ok(())
    }

    fn lost(&self) -> Option<Lost> {
        if self.shared.health.is_lost() { Some(Lost::Client) } else { self.shared.membership.went_back().then_some(Lost::Log) }
    }

    fn skipped(&mut self) -> Vec<Skipped> {
        self.shared.membership.take_skipped()
    }

    fn held_back(&self) -> BTreeMap<i32, u64> {
        self.shared.membership.held_back()
    }

    async fn pause(&mut self, duration: Duration) {
        let deadline = Instant::now() + duration;
        let mut receiver = self.receiver().await;
        apply(&self.shared.membership.pause(), &self.shared.topic, "pause", |list| receiver.consumer().pause(list));
        loop {
            receiver.drain(|_| false);
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return;
            }
            receiver.await_one(left).await;
        }
    }

    fn assigned(&self) -> BTreeSet<i32> {
        self.shared.membership.assigned()
    }
}

impl KafkaSource {
    /// Notes what was passed without a record, now and then: on a busy topic the records that follow say it as well.
    fn note_passed(&mut self, receiver: &Receiver) {
        if Instant::now() < self.ask_passed_at {
            return;
        }
        self.ask_passed_at = Instant::now() + PASSED_PAUSE;
        for next in receiver.passed() {
            self.passed.add(
                Arc::clone(&self.shared.topic),
                next.partition,
                NextOffset { offset: next.offset, assignment: next.assignment },
            );
        }
    }
}

/// The error of the partition that was sought, if any: one that was just assigned may not be ready for it.
fn sought(partitions: &TopicPartitionList) -> KafkaResult<()> {
    partitions.elements().iter().try_for_each(TopicPartitionListElem::error)
}
