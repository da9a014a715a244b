//! What was consumed, and where it stood.

use std::sync::Arc;

/// Where a record stands in the log.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Position {
    /// The topic.
    pub topic: Arc<str>,
    /// The partition of the topic.
    pub partition: i32,
    /// The offset in the partition.
    pub offset: i64,
}

/// The header that counts how often a dead letter was sent back to its topic, as decimal text.
pub const RETRY_COUNT_HEADER: &str = "x-retry-count";

/// A consumed record, its bytes untouched.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// Where it stands.
    pub position: Position,
    /// Which assignment of the partition delivered it. Its offset may be committed only while that assignment lasts: a partition that
    /// was taken away and came back may have been consumed further by someone else meanwhile.
    pub assignment: u64,
    /// The record's own timestamp in milliseconds since 1970, where it has one.
    pub timestamp_ms: Option<i64>,
    /// The message key.
    pub key: Option<Vec<u8>>,
    /// The message value; `None` is a tombstone.
    pub value: Option<Vec<u8>>,
    /// How often it was redriven ([`RETRY_COUNT_HEADER`]); 0 where the header is not there or not a number.
    pub retry_count: u32,
}

impl Record {
    /// Bytes held: key and value.
    pub fn size(&self) -> usize {
        self.key.as_ref().map_or(0, Vec::len) + self.value.as_ref().map_or(0, Vec::len)
    }
}
