//! What was consumed, and where it stood.

use std::fmt;
use std::sync::Arc;

use sha2::{Digest, Sha256};

use crate::headers::{Header, Redriven};

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

/// What makes a record this one and no other, however often it is consumed: a SHA-256 over its place, timestamp, key and value, as 64 hexadecimal
/// digits. The place alone does not: offsets start again when a topic is recreated. Stores keep it, so how it is made never changes.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct RecordId(String);

impl RecordId {
    /// As a store has kept it; empty where a program has stored the record that made no identities.
    pub const fn from_stored(text: String) -> Self {
        Self(text)
    }

    /// As a store keeps it.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for RecordId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Bytes as hexadecimal digits.
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Whose clock a record's timestamp was read from: `message.timestamp.type` of its topic, in Kafka's words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TimestampType {
    /// The producer's.
    CreateTime,
    /// The broker's.
    LogAppendTime,
}

impl TimestampType {
    /// Both.
    pub const ALL: [Self; 2] = [Self::CreateTime, Self::LogAppendTime];

    /// As Kafka names it.
    pub const fn label(self) -> &'static str {
        match self {
            Self::CreateTime => "CreateTime",
            Self::LogAppendTime => "LogAppendTime",
        }
    }

    /// The one that Kafka names so.
    pub fn of_label(label: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|of| of.label() == label)
    }

    /// For a person.
    pub const fn words(self) -> &'static str {
        match self {
            Self::CreateTime => "by the producer's clock",
            Self::LogAppendTime => "by the broker's clock",
        }
    }
}

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
    /// By whose clock; `None` where it has none, and of a record that was parked, with which it is not kept.
    pub timestamp_type: Option<TimestampType>,
    /// The message key.
    pub key: Option<Vec<u8>>,
    /// The message value; `None` is a tombstone.
    pub value: Option<Vec<u8>>,
    /// The headers, in order.
    pub headers: Vec<Header>,
}

impl Record {
    /// Which record it is.
    pub fn id(&self) -> RecordId {
        let mut hash = Sha256::new();
        let mut part = |bytes: Option<&[u8]>| {
            // Lengths keep apart what concatenation would mix; absent and empty are different.
            hash.update(bytes.map_or(-1, |bytes| bytes.len() as i64).to_le_bytes());
            hash.update(bytes.unwrap_or_default());
        };
        part(Some(self.position.topic.as_bytes()));
        part(Some(&self.position.partition.to_le_bytes()));
        part(Some(&self.position.offset.to_le_bytes()));
        part(self.timestamp_ms.map(i64::to_le_bytes).as_ref().map(<[u8; 8]>::as_slice));
        part(self.key.as_deref());
        part(self.value.as_deref());
        RecordId(hex(&hash.finalize()))
    }

    /// What its headers say about its time as a dead letter.
    pub fn redriven(&self) -> Redriven {
        Redriven::read(&self.headers)
    }

    /// Bytes held: key, value and headers.
    pub fn size(&self) -> usize {
        let len = |bytes: &Option<Vec<u8>>| bytes.as_ref().map_or(0, Vec::len);
        len(&self.key) + len(&self.value) + self.headers.iter().map(Header::size).sum::<usize>()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::headers::RETRY_COUNT_HEADER;

    #[test]
    fn the_identity_is_that_of_the_record_not_of_the_try() {
        let first = Record {
            position: Position { topic: "events".into(), partition: 3, offset: 42 },
            assignment: 1,
            timestamp_ms: Some(1_768_471_200_000),
            timestamp_type: None,
            key: Some(b"k".to_vec()),
            value: Some(b"x".to_vec()),
            headers: vec![Header::text(RETRY_COUNT_HEADER, "2")],
        };
        let timestamp_type = Some(TimestampType::LogAppendTime);
        let again = Record { assignment: 9, timestamp_type, headers: Vec::new(), ..first.clone() };
        assert_eq!(first.id(), again.id());
        let mut others = vec![Record { key: None, ..first.clone() }, Record { timestamp_ms: None, ..first.clone() }];
        others.push(Record { value: Some(b"y".to_vec()), ..first.clone() });
        others.push(Record { position: Position { offset: 43, ..first.position.clone() }, ..first.clone() });
        others.push(Record { key: Some(b"kx".to_vec()), value: Some(Vec::new()), ..first.clone() });
        for other in others {
            assert_ne!(first.id(), other.id());
        }
    }

    #[test]
    fn an_identity_that_was_stored_once_is_found_for_ever() {
        let record = Record {
            position: Position { topic: "events".into(), partition: 3, offset: 42 },
            assignment: 1,
            timestamp_ms: Some(1_768_471_200_000),
            timestamp_type: None,
            key: Some(b"k".to_vec()),
            value: Some(b"x".to_vec()),
            headers: Vec::new(),
        };
        assert_eq!(record.id().as_str(), "2c6e64a643bfd5f5069843a93c5216119fafb93d5afcbd2d3d330c80adc012ef");
        let bare = Record { timestamp_ms: None, key: None, value: None, ..record.clone() };
        assert_eq!(bare.id().as_str(), "a0b772e02179723aecd99d16d50df5e8443ab249bb62174a753ecd03ab5f338d");
        assert_eq!(RecordId::from_stored(record.id().to_string()), record.id());
    }

    #[test]
    fn a_record_holds_the_bytes_of_its_key_its_value_and_its_headers() {
        let position = Position { topic: "events".into(), partition: 0, offset: 0 };
        let record = Record {
            position,
            assignment: 1,
            timestamp_ms: None,
            timestamp_type: None,
            key: Some(vec![0; 3]),
            value: Some(vec![0; 4]),
            headers: Vec::new(),
        };
        assert_eq!(record.size(), 7);
        assert_eq!(Record { key: None, ..record.clone() }.size(), 4);
        assert_eq!(Record { value: None, ..record.clone() }.size(), 3);
        assert_eq!(Record { headers: vec![Header::text("ab", "cde")], ..record }.size(), 12);
    }
}
