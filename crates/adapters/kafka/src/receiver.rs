//! Polling the client, and keeping what arrives.

use std::sync::Arc;
use std::time::Duration;

use futures_util::{FutureExt as _, StreamExt as _};
use pipeline::record::TimestampType;
use pipeline::{Header, Position, Record};
use rdkafka::client::Client;
use rdkafka::consumer::{Consumer, ConsumerContext, StreamConsumer};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::message::{BorrowedMessage, Headers as _};
use rdkafka::topic_partition_list::TopicPartitionListElem;
use rdkafka::{Message, Offset, Timestamp};
use tokio::time::{Instant, timeout};

use crate::consumer::Shared;
use crate::fetch_buffer::FetchBuffer;
use crate::health::Health;
use crate::member::Lease;
use crate::membership::{Committable, Membership};
use crate::monitor::LastPoll;
use crate::rebalance::Rebalancing;

/// The longest wait for one wake-up. librdkafka has been seen not to wake its listener (rust-rdkafka issue 665), so nothing relies on it.
const WAKE: Duration = Duration::from_secs(1);
/// After partitions came, how long the first records of a backlog are gathered, and after which silence they count as gathered. What comes
/// first comes from few partitions: taken at once, children would be parked whose parents are on their way.
const GATHERING: Duration = Duration::from_millis(200);
const SILENCE: Duration = Duration::from_millis(20);

/// The only one who polls the client. Its end closes the client.
pub(crate) struct Receiver {
    pub(crate) lease: Lease,
    membership: Arc<Membership>,
    health: Arc<Health>,
    last_poll: Arc<LastPoll>,
    topic: Arc<str>,
    /// Whether every offset must come: the embedded broker has none that hold no record.
    gapless: bool,
    /// What arrived and was not taken yet.
    pub(crate) fetch_buffer: FetchBuffer,
    /// What a former client had received: of a log that may be gone, so that nobody will deliver it again.
    pub(crate) left_over: FetchBuffer,
    /// How many revocations the kept records have been checked for.
    revocations: u64,
    /// After how many assignments the first records were gathered, or are.
    assignments: u64,
    gathered_at: Instant,
}

impl Receiver {
    pub(crate) fn new(lease: Lease, shared: &Shared, last_poll: Arc<LastPoll>) -> Self {
        Self {
            lease,
            membership: Arc::clone(&shared.membership),
            health: Arc::clone(&shared.health),
            last_poll,
            topic: Arc::clone(&shared.topic),
            gapless: shared.config.embedded_broker().is_some(),
            fetch_buffer: FetchBuffer::default(),
            left_over: FetchBuffer::default(),
            revocations: 0,
            assignments: 0,
            gathered_at: Instant::now(),
        }
    }

    pub(crate) fn consumer(&self) -> &StreamConsumer<Rebalancing> {
        self.lease.consumer()
    }

    /// Serves the client once, waiting up to `wait` for what comes, and keeps it; `false` where nothing came. May be dropped at any point: a
    /// record is kept in the same step in which it is received.
    pub(crate) async fn await_one(&mut self, wait: Duration) -> bool {
        self.last_poll.touch();
        let received = timeout(wait.min(WAKE), self.lease.consumer().recv()).await;
        let scene = Scene {
            client: self.lease.consumer().client(),
            membership: &self.membership,
            health: &self.health,
            topic: &self.topic,
            gapless: self.gapless,
        };
        received.map(|received| scene.keep(received, &mut self.fetch_buffer)).is_ok()
    }

    /// After partitions came, waits for more of what is coming; `false` where there is nothing to wait for.
    pub(crate) async fn gather(&mut self) -> bool {
        let assignments = self.membership.assignments();
        if assignments != self.assignments {
            self.assignments = assignments;
            self.gathered_at = Instant::now() + GATHERING;
        }
        let gathers = Instant::now() < self.gathered_at;
        if gathers && !self.await_one(SILENCE).await {
            self.gathered_at = Instant::now();
        }
        gathers
    }

    /// Serves the client, and keeps what is there already until that is enough.
    pub(crate) fn drain(&mut self, enough: impl Fn(&FetchBuffer) -> bool) {
        self.last_poll.touch();
        let consumer = self.lease.consumer();
        consumer.context().context.restore(consumer.client());
        // One stream for all of it, asked without a waker: each `recv` would take a place among the client's wakers and give it back.
        let mut messages = consumer.stream();
        let scene = Scene {
            client: self.lease.consumer().client(),
            membership: &self.membership,
            health: &self.health,
            topic: &self.topic,
            gapless: self.gapless,
        };
        while !enough(&self.fetch_buffer) {
            let Some(Some(received)) = messages.next().now_or_never() else { break };
            scene.keep(received, &mut self.fetch_buffer);
        }
    }

    /// How far the client has come in each partition of which nothing is kept, where that is further than what was told before: what it has
    /// handed over was taken, and what it has passed holds no record.
    pub(crate) fn passed(&self) -> Vec<Committable> {
        let mut positions = positions(self.lease.consumer());
        positions.retain(|(partition, _)| !self.fetch_buffer.holds(*partition));
        self.membership.passed(&positions)
    }

    /// Lets another client take this one's place. Returns the client that has to be let go of.
    pub(crate) fn replace(&mut self, lease: Lease) -> Lease {
        self.left_over.append(&mut self.fetch_buffer);
        std::mem::replace(&mut self.lease, lease)
    }

    /// Forgets what was taken away meanwhile.
    pub(crate) fn forget_revoked(&mut self) {
        let revocations = self.membership.revocations();
        if revocations != self.revocations {
            self.revocations = revocations;
            let membership = &self.membership;
            self.fetch_buffer.retain(|record| membership.owns(record.position.partition, record.assignment));
        }
    }
}

/// What decides about a record that was received.
struct Scene<'a> {
    client: &'a Client<Rebalancing>,
    membership: &'a Membership,
    health: &'a Health,
    topic: &'a Arc<str>,
    gapless: bool,
}

impl Scene<'_> {
    /// Keeps a record, if it is ours; notes an error.
    fn keep(&self, received: Result<BorrowedMessage<'_>, KafkaError>, fetch_buffer: &mut FetchBuffer) {
        match received {
            Ok(message) => {
                self.health.working();
                if let Some(record) = self.arrived(&message) {
                    fetch_buffer.push(record);
                }
            }
            Err(error) => report(&error, self.client, self.health),
        }
    }

    /// The record, if its partition is owned and started: one that was taken away meanwhile is somebody else's.
    fn arrived(&self, message: &BorrowedMessage<'_>) -> Option<Record> {
        let (partition, offset) = (message.partition(), message.offset());
        let arrival = self.membership.arrival(partition, offset)?;
        if self.gapless && arrival.missing > 0 {
            self.membership.add_missing(arrival.missing);
            tracing::error!(partition, offset, missing = arrival.missing, "the embedded broker dropped records before they were consumed");
        }
        Some(record(message, self.topic, arrival.assignment))
    }
}

/// The client's position in each partition that has one. Only asks librdkafka's own thread.
pub(crate) fn positions<X: ConsumerContext, C: Consumer<X>>(consumer: &C) -> Vec<(i32, i64)> {
    let Ok(positions) = consumer.position() else { return Vec::new() };
    let known = |element: &TopicPartitionListElem<'_>| match element.offset() {
        Offset::Offset(offset) => Some((element.partition(), offset)),
        _ => None,
    };
    positions.elements().iter().filter_map(known).collect()
}

/// By whose clock the timestamp is.
const fn timestamp_type(timestamp: Timestamp) -> Option<TimestampType> {
    match timestamp {
        Timestamp::NotAvailable => None,
        Timestamp::CreateTime(_) => Some(TimestampType::CreateTime),
        Timestamp::LogAppendTime(_) => Some(TimestampType::LogAppendTime),
    }
}

/// The record, its bytes copied out of the client.
pub(crate) fn record(message: &BorrowedMessage<'_>, topic: &Arc<str>, assignment: u64) -> Record {
    let timestamp = message.timestamp();
    Record {
        position: Position { topic: Arc::clone(topic), partition: message.partition(), offset: message.offset() },
        assignment,
        timestamp_ms: timestamp.to_millis(),
        timestamp_type: timestamp_type(timestamp),
        key: message.key().map(<[u8]>::to_vec),
        value: message.payload().map(<[u8]>::to_vec),
        headers: headers(message),
    }
}

fn headers(message: &BorrowedMessage<'_>) -> Vec<Header> {
    let Some(headers) = message.headers() else { return Vec::new() };
    headers.iter().map(|header| Header { name: header.key.to_owned(), value: header.value.map(<[u8]>::to_vec) }).collect()
}

/// Errors of the client are news, not the end: it goes on by itself.
fn report(error: &KafkaError, client: &Client<Rebalancing>, health: &Health) {
    // What ends the client may look like what passes: librdkafka hands over the code that it failed with.
    if let Some((code, _)) = client.fatal_error() {
        return health.fail(Some(code));
    }
    match error {
        KafkaError::MessageConsumptionFatal(code) => health.fail(Some(*code)),
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_clock_of_a_timestamp_is_told_as_the_client_tells_it() {
        assert_eq!(timestamp_type(Timestamp::CreateTime(1)), Some(TimestampType::CreateTime));
        assert_eq!(timestamp_type(Timestamp::LogAppendTime(1)), Some(TimestampType::LogAppendTime));
        assert_eq!(timestamp_type(Timestamp::NotAvailable), None);
    }
}
