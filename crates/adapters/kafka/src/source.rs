//! Taking records, and standing by during an outage.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use futures_util::{FutureExt as _, StreamExt as _};
use pipeline::ports::TakeLimits;
use pipeline::record::RETRY_COUNT_HEADER;
use pipeline::{Fault, Position, Record, RecordSource};
use rdkafka::Message;
use rdkafka::consumer::Consumer as _;
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::message::{BorrowedMessage, Headers as _};
use tokio::time::{Instant, timeout};

use crate::health::Health;
use crate::kept::Kept;
use crate::member::Member;
use crate::membership::Membership;
use crate::monitor::{LastPoll, Monitor};
use crate::rebalance::apply;

/// The longest wait for one wake-up. librdkafka has been seen not to wake its listener (rust-rdkafka issue 665), so nothing relies on it.
const WAKE: Duration = Duration::from_secs(1);

/// The records of the partitions that this member of the group owns.
pub struct KafkaSource {
    member: Member,
    membership: Arc<Membership>,
    health: Arc<Health>,
    last_poll: Arc<LastPoll>,
    topic: Arc<str>,
    kept: Kept,
    /// How many revocations the kept records have been checked for.
    revocations: u64,
}

impl KafkaSource {
    pub(crate) fn new(member: Member, membership: Arc<Membership>, health: Arc<Health>, topic: Arc<str>) -> Self {
        let last_poll = Arc::new(LastPoll::now());
        Self { member, membership, health, last_poll, topic, kept: Kept::default(), revocations: 0 }
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
        self.member.close(bound).await
    }

    /// Serves the client once, waiting up to `wait` for what comes, and keeps it. May be dropped at any point: a record is kept in the same
    /// step in which it is received.
    async fn await_one(&mut self, wait: Duration) {
        self.last_poll.touch();
        if let Ok(received) = timeout(wait.min(WAKE), self.member.consumer().recv()).await {
            keep(received, &mut self.kept, &self.membership, &self.health, &self.topic);
        }
    }

    /// Serves the client, and keeps what is there already until that is enough.
    fn drain(&mut self, enough: impl Fn(&Kept) -> bool) {
        self.last_poll.touch();
        // One stream for all of it, asked without a waker: each `recv` would take a place among the client's wakers and give it back.
        let mut messages = self.member.consumer().stream();
        while !enough(&self.kept) {
            let Some(Some(received)) = messages.next().now_or_never() else { break };
            keep(received, &mut self.kept, &self.membership, &self.health, &self.topic);
        }
    }

    /// Forgets what was taken away meanwhile.
    fn forget_revoked(&mut self) {
        let revocations = self.membership.revocations();
        if revocations != self.revocations {
            self.revocations = revocations;
            let membership = &self.membership;
            self.kept.retain(|record| membership.owns(record.position.partition, record.assignment));
        }
    }
}

impl RecordSource for KafkaSource {
    async fn take(&mut self, limits: TakeLimits, patience: Duration) -> Result<Vec<Record>, Fault> {
        apply(&self.membership.resume(), &self.topic, "resume", |list| self.member.consumer().resume(list));
        let deadline = Instant::now() + patience;
        loop {
            self.drain(|kept| kept.is_full(limits));
            self.forget_revoked();
            if !self.kept.is_empty() {
                return Ok(self.kept.take(limits));
            }
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return self.health.trouble().map_or_else(|| Ok(Vec::new()), Err);
            }
            self.await_one(left).await;
        }
    }

    async fn stand_by(&mut self, duration: Duration) {
        let deadline = Instant::now() + duration;
        apply(&self.membership.stand_by(), &self.topic, "pause", |list| self.member.consumer().pause(list));
        loop {
            self.drain(|_| false);
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return;
            }
            self.await_one(left).await;
        }
    }

    fn owned(&self) -> usize {
        self.membership.assigned().len()
    }
}

/// Keeps a record, if it is ours; notes an error.
fn keep(received: Result<BorrowedMessage<'_>, KafkaError>, kept: &mut Kept, membership: &Membership, health: &Health, topic: &Arc<str>) {
    match received {
        Ok(message) => {
            health.working();
            if let Some(record) = arrived(&message, membership, topic) {
                kept.push(record);
            }
        }
        Err(error) => report(&error, health),
    }
}

/// The record, if its partition is owned: one that was taken away meanwhile is somebody else's.
fn arrived(message: &BorrowedMessage<'_>, membership: &Membership, topic: &Arc<str>) -> Option<Record> {
    let (partition, offset) = (message.partition(), message.offset());
    let arrival = membership.arrival(partition, offset)?;
    if arrival.missing > 0 {
        tracing::error!(partition, offset, missing = arrival.missing, "the embedded broker dropped records before they were consumed");
    }
    Some(Record {
        position: Position { topic: Arc::clone(topic), partition, offset },
        assignment: arrival.assignment,
        timestamp_ms: message.timestamp().to_millis(),
        key: message.key().map(<[u8]>::to_vec),
        value: message.payload().map(<[u8]>::to_vec),
        retry_count: retry_count(message),
    })
}

fn retry_count(message: &BorrowedMessage<'_>) -> u32 {
    let Some(headers) = message.headers() else { return 0 };
    let value = headers.iter().find(|header| header.key == RETRY_COUNT_HEADER).and_then(|header| header.value);
    value.and_then(|bytes| std::str::from_utf8(bytes).ok()?.parse().ok()).unwrap_or_default()
}

/// Errors of the client are news, not the end: it goes on by itself.
fn report(error: &KafkaError, health: &Health) {
    match error {
        KafkaError::MessageConsumptionFatal(_) => health.report(RDKafkaErrorCode::Fatal, None),
        KafkaError::MessageConsumption(RDKafkaErrorCode::PollExceeded) => {
            tracing::warn!("the group gave this member up, because it had not polled for too long; it joins again");
        }
        other => {
            if let Some(code) = other.rdkafka_error_code() {
                health.report(code, None);
            }
        }
    }
}
