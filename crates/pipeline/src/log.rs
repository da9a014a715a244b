//! Which log it is, and how far the tables hold it.
//!
//! Topic, partition and offset do not say which record it is: a topic that is deleted and created again starts at offset 0, and so does another
//! cluster's topic of the same name. Kafka gives each topic that is created an id of its own
//! ([KIP-516](https://cwiki.apache.org/confluence/display/KAFKA/KIP-516%3A+Topic+Identifiers)), which tells logs apart.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use uuid::Uuid;

/// The topic id. All logs of brokers that know no topic ids (before 2.8) have the same, [`LogId::UNKNOWN`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct LogId(pub Uuid);

impl LogId {
    /// Of brokers that do not tell.
    pub const UNKNOWN: Self = Self(Uuid::nil());
}

impl fmt::Display for LogId {
    /// As Kafka's own tools show a topic id: `kafka-topics --describe`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&URL_SAFE_NO_PAD.encode(self.0.as_bytes()))
    }
}

/// A topic's log and how far the group has come, as they were at one moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogState {
    /// Which log it is.
    pub id: LogId,
    /// Each partition of the topic, whoever owns it.
    pub partitions: BTreeMap<i32, PartitionState>,
}

/// One partition of a [`LogState`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PartitionState {
    /// The first offset that is still there (Kafka's log start offset).
    pub first: i64,
    /// One after the last offset (the high watermark), whatever transaction it belongs to.
    pub end: i64,
    /// The next offset to read as the group has committed it; `None` where it never has.
    pub committed: Option<i64>,
}

impl PartitionState {
    /// The next offset that the group will read: what it has committed, but nothing that is gone from the log.
    pub fn next(&self) -> i64 {
        self.committed.unwrap_or_default().max(self.first)
    }

    /// Offsets that the group has not consumed.
    pub fn lag(&self) -> u64 {
        u64::try_from(self.end - self.next()).unwrap_or_default()
    }
}

impl LogState {
    /// Where each partition ends.
    pub fn ends(&self) -> BTreeMap<i32, i64> {
        self.partitions.iter().map(|(partition, state)| (*partition, state.end)).collect()
    }

    /// The next offset that the group will read of each partition.
    pub fn next(&self) -> BTreeMap<i32, i64> {
        self.partitions.iter().map(|(partition, state)| (*partition, state.next())).collect()
    }
}

/// A member of the group, as the brokers know it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GroupMember {
    /// Its id in the group, which the client library or the broker has made.
    pub id: String,
    /// Where it connects from.
    pub host: String,
    /// The partitions of the topic that it has been given.
    pub partitions: BTreeSet<i32>,
}

/// How far the tables hold one partition of a log: what every record before `next_offset` came to is durable.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogPosition {
    /// The log.
    pub log: LogId,
    /// The topic's name.
    pub topic: Arc<str>,
    /// The partition.
    pub partition: i32,
    /// One after the last offset that is finished.
    pub next_offset: i64,
}

impl LogPosition {
    /// The next offset of this partition of this log, among the positions of every log; `None` where the tables know nothing of it.
    pub fn find(known: &[Self], log: LogId, partition: i32) -> Option<i64> {
        known.iter().find(|known| (known.log, known.partition) == (log, partition)).map(|known| known.next_offset)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_log_is_shown_as_kafka_shows_it() {
        // Kafka's Uuid.ZERO_UUID and Uuid.ONE_UUID.
        assert_eq!(LogId::UNKNOWN.to_string(), "AAAAAAAAAAAAAAAAAAAAAA");
        assert_eq!(LogId(Uuid::from_u128(1)).to_string(), "AAAAAAAAAAAAAAAAAAAAAQ");
    }

    #[test]
    fn what_is_left_to_consume_begins_at_the_commit_or_where_the_log_does() {
        let partitions = [(40, 90, Some(60)), (40, 90, Some(10)), (40, 90, None), (0, 5, Some(5)), (0, 5, Some(9))];
        let state = |(first, end, committed)| PartitionState { first, end, committed };
        let log = LogState { id: LogId::UNKNOWN, partitions: (3..).zip(partitions.map(state)).collect() };
        assert_eq!(log.next(), BTreeMap::from([(3, 60), (4, 40), (5, 40), (6, 5), (7, 9)]));
        assert_eq!(log.ends(), BTreeMap::from([(3, 90), (4, 90), (5, 90), (6, 5), (7, 5)]));
        let lags: Vec<u64> = log.partitions.values().map(PartitionState::lag).collect();
        assert_eq!(lags, [30, 50, 50, 0, 0], "a commit beyond the end is no lag");
    }
}
