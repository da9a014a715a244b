//! How far the log reaches, and how far the whole group has come.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use pipeline::ports::{GroupOffsets, GroupProgress};
use pipeline::{Fault, GroupMember, LogId, LogState, PartitionState};
use rdkafka::consumer::{CommitMode, Consumer as _};
use rdkafka::error::{KafkaError, KafkaResult, RDKafkaErrorCode};
use rdkafka::{Offset, TopicPartitionList};

use crate::admin;
use crate::config::{EMBEDDED_GROUP, KafkaConfig};
use crate::members::describe;
use crate::observer::Observer;
use crate::topic_id::topic_id;

/// How long one look may take.
const BOUND: Duration = Duration::from_secs(10);
/// How long the question for the topic's id may take of that, and that for the members by itself.
const ID_BOUND: Duration = Duration::from_secs(4);
/// The pause before a question is asked again that a broker has passed on to another one.
const PAUSE: Duration = Duration::from_millis(100);

/// A look at the topic and the group from outside. Clones share the client.
#[derive(Clone)]
pub struct KafkaProgress {
    observer: Arc<Observer>,
    group: Arc<str>,
}

impl KafkaProgress {
    /// A client of these brokers. Returns at once, whether they can be reached or not.
    ///
    /// # Errors
    /// librdkafka refuses the settings (a certificate that is none).
    pub fn open(config: &KafkaConfig) -> Result<Self, Fault> {
        Ok(Self { observer: Observer::open(config)?, group: config.group.as_str().into() })
    }

    /// Lets the client go, off the worker threads, and waits for that up to `bound`.
    ///
    /// # Errors
    /// It took longer; it goes on in the background.
    pub async fn close(self, bound: Duration) -> Result<(), Fault> {
        self.observer.close(bound).await
    }
}

impl GroupProgress for KafkaProgress {
    async fn log(&self) -> Result<LogState, Fault> {
        self.observer.look("log", BOUND, Observer::settled_log).await
    }

    async fn members(&self) -> Result<Option<Vec<GroupMember>>, Fault> {
        if self.observer.broker().is_some() || *self.group == *EMBEDDED_GROUP {
            // The embedded broker, this process's own or another one's, has one member, and does not know the question: it would be waited for.
            return Ok(None);
        }
        let group = self.group.clone();
        let look = move |observer: &Observer, deadline| describe(observer.consumer.client(), &group, &observer.topic, left(deadline)?);
        Ok(Some(self.observer.look("members", ID_BOUND, look).await?.members))
    }

    async fn similar_topics(&self) -> Result<Vec<String>, Fault> {
        admin::names_like(&self.observer).await
    }
}

impl GroupOffsets for KafkaProgress {
    async fn offsets_at(&self, at_ms: i64) -> Result<BTreeMap<i32, i64>, Fault> {
        self.observer.look("offsets_at", BOUND, move |observer, deadline| observer.offsets_at(at_ms, deadline)).await
    }

    /// As a client that is no member of the group: brokers take that of a group without members alone.
    async fn reset(&self, offsets: &BTreeMap<i32, i64>) -> Result<(), Fault> {
        let offsets = offsets.clone();
        let commit = move |observer: &Observer, _| {
            let mut list = TopicPartitionList::with_capacity(offsets.len());
            for (partition, offset) in offsets {
                list.add_partition_offset(&observer.topic, partition, Offset::Offset(offset))?;
            }
            observer.consumer.commit(&list, CommitMode::Sync)
        };
        self.observer.look("reset", BOUND, commit).await
    }
}

impl Observer {
    /// Times are counted from 1970 on; negative ones mean something else to Kafka.
    fn offsets_at(&self, at_ms: i64, deadline: Instant) -> KafkaResult<BTreeMap<i32, i64>> {
        let numbers = admin::partitions(self.consumer.client(), &self.topic, left(deadline)?)?;
        let mut list = TopicPartitionList::with_capacity(numbers.len());
        for partition in numbers {
            list.add_partition_offset(&self.topic, partition, Offset::Offset(at_ms.max(0)))?;
        }
        let mut found = BTreeMap::new();
        for element in self.consumer.offsets_for_times(list, left(deadline)?)?.elements() {
            element.error()?;
            let offset = match element.offset() {
                Offset::Offset(offset) => offset,
                _ => self.consumer.fetch_watermarks(&self.topic, element.partition(), left(deadline)?)?.1,
            };
            found.insert(element.partition(), offset);
        }
        Ok(found)
    }

    /// The log, as soon as every question is answered by the broker that is in charge: while partitions or the group move from one broker to
    /// another, the old one and the new one refuse for a moment, and nobody is away.
    fn settled_log(&self, deadline: Instant) -> KafkaResult<LogState> {
        loop {
            match self.log(deadline) {
                Err(error) if is_moving(&error) && left(deadline)? > PAUSE => thread::sleep(PAUSE),
                answer => return answer,
            }
        }
    }

    /// The topic's id. Where brokers answer other questions and never answered this one, they know no topic ids.
    fn log_id(&self, deadline: Instant) -> KafkaResult<LogId> {
        let known = self.tells_ids.get().copied();
        if known == Some(false) {
            return Ok(LogId::UNKNOWN);
        }
        match topic_id(self.consumer.client(), &self.topic, left(deadline)?.min(ID_BOUND)) {
            Ok(id) => {
                self.tells_ids.get_or_init(|| true);
                Ok(id)
            }
            Err(error) if known.is_none() && is_unanswered(&error) => {
                // They do answer: it was no outage.
                admin::partitions(self.consumer.client(), &self.topic, left(deadline)?)?;
                self.tells_ids.get_or_init(|| false);
                tracing::info!("the brokers tell no topic ids: a topic that is created anew is known by its offsets alone");
                Ok(LogId::UNKNOWN)
            }
            Err(error) => Err(error),
        }
    }

    /// The partitions come first: any broker answers about them, and tells besides who the controller is, which is asked for the id. That
    /// question alone would wait for a controller that has gone, and librdkafka 2.12.1 looks for another one every five minutes.
    /// The ends come before the group's offsets: what is committed then was consumed at or after that look.
    fn log(&self, deadline: Instant) -> KafkaResult<LogState> {
        let numbers = admin::partitions(self.consumer.client(), &self.topic, left(deadline)?)?;
        let id = match self.broker() {
            Some(embedded) => embedded.log(),
            None => self.log_id(deadline)?,
        };
        let mut partitions = BTreeMap::new();
        for partition in numbers {
            let (first, end) = self.consumer.fetch_watermarks(&self.topic, partition, left(deadline)?)?;
            // The embedded broker's log begins with the process: what it has dropped since then is a gap.
            let first = if self.broker().is_some() { 0 } else { first };
            partitions.insert(partition, PartitionState { first, end, committed: None });
        }
        let mut list = TopicPartitionList::with_capacity(partitions.len());
        for partition in partitions.keys() {
            list.add_partition(&self.topic, *partition);
        }
        for element in self.consumer.committed_offsets(list, left(deadline)?)?.elements() {
            element.error()?;
            if let (Offset::Offset(offset), Some(state)) = (element.offset(), partitions.get_mut(&element.partition())) {
                state.committed = Some(offset);
            }
        }
        Ok(LogState { id, partitions })
    }
}

/// Whether a broker refused because another one is, or will soon be, in charge of the partition or of the group. The protocol's errors that ask
/// for new metadata and another try: <https://kafka.apache.org/protocol#protocol_error_codes>.
fn is_moving(error: &KafkaError) -> bool {
    use RDKafkaErrorCode::{
        CoordinatorLoadInProgress, CoordinatorNotAvailable, FencedLeaderEpoch, KafkaStorageError, LeaderNotAvailable, NotCoordinator,
        NotLeaderForPartition, OffsetNotAvailable, ReplicaNotAvailable, UnknownLeaderEpoch,
    };
    matches!(
        error.rdkafka_error_code(),
        Some(
            CoordinatorLoadInProgress
                | CoordinatorNotAvailable
                | FencedLeaderEpoch
                | KafkaStorageError
                | LeaderNotAvailable
                | NotCoordinator
                | NotLeaderForPartition
                | OffsetNotAvailable
                | ReplicaNotAvailable
                | UnknownLeaderEpoch
        )
    )
}

fn is_unanswered(error: &KafkaError) -> bool {
    use RDKafkaErrorCode::{OperationTimedOut, RequestTimedOut, UnsupportedFeature, UnsupportedVersion};
    let code = error.rdkafka_error_code();
    code.is_some_and(|code| matches!(code, OperationTimedOut | RequestTimedOut | UnsupportedFeature | UnsupportedVersion))
}

fn left(deadline: Instant) -> KafkaResult<Duration> {
    let left = deadline.saturating_duration_since(Instant::now());
    if left.is_zero() { Err(KafkaError::OffsetFetch(RDKafkaErrorCode::OperationTimedOut)) } else { Ok(left) }
}
