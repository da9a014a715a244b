//! Which log it is, and how far the tables hold it.
//!
//! Topic, partition and offset do not say which record it is: a topic that is deleted and created again starts at offset 0, and so does another
//! cluster's topic of the same name. Kafka gives each topic that is created an id of its own
//! ([KIP-516](https://cwiki.apache.org/confluence/display/KAFKA/KIP-516%3A+Topic+Identifiers)), which tells logs apart.

use std::fmt;
use std::sync::Arc;

use uuid::Uuid;

/// The topic id. All logs of brokers that know no topic ids (before 2.8) have the same, [`LogId::UNKNOWN`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct LogId(pub Uuid);

impl LogId {
    /// Of brokers that do not tell.
    pub const UNKNOWN: Self = Self(Uuid::nil());
}

impl fmt::Display for LogId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
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
