//! What an unwritable record becomes, and its identity.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use events::{EventType, Rule, Timestamp, Violation};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use uuid::Uuid;

use crate::outcome::WaitsFor;
use crate::record::Record;

/// Why a record became a dead letter: a stable label of few values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    /// It breaks the contract.
    Contract(Rule),
    /// The database will never take it.
    Constraint(&'static str),
    /// Its event id is in the ledger with other content.
    EventIdConflict,
    /// Its parent never came.
    MissingParent,
    /// Its e-mail address belongs to another user for good.
    EmailTaken,
}

impl Reason {
    /// The label.
    pub const fn label(self) -> &'static str {
        match self {
            Self::Contract(rule) => rule.label(),
            Self::Constraint(_) => "constraint",
            Self::EventIdConflict => "event_id_conflict",
            Self::MissingParent => "missing_parent",
            Self::EmailTaken => "email_taken",
        }
    }
}

/// What the letter says about the event: names and numbers, no values of the event's fields.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnosis {
    /// `eventId`, where it could be read.
    pub event_id: Option<Uuid>,
    /// `eventType`, where it is one of the four.
    pub event_type: Option<EventType>,
    /// The stable reason.
    pub reason: Reason,
    /// One sentence for a person.
    pub error: String,
    /// What to group by besides reason and type: the field or the constraint.
    pub subject: String,
}

impl From<&Violation> for Diagnosis {
    fn from(violation: &Violation) -> Self {
        Self {
            event_id: violation.event_id,
            event_type: violation.event_type,
            reason: Reason::Contract(violation.rule),
            error: violation.to_string(),
            subject: violation.field.map_or_else(String::new, |field| field.group()),
        }
    }
}

impl Diagnosis {
    /// An event that the database refused.
    pub fn rejected(event_id: Uuid, event_type: EventType, reason: Reason, code: Option<i64>) -> Self {
        let error = match (reason, code) {
            (Reason::EventIdConflict, _) => "the ledger holds this eventId with another sku or quantity".to_owned(),
            (Reason::Constraint(name), Some(code)) => format!("the database refuses it for good: {name} (error {code})"),
            (Reason::Constraint(name), None) => format!("the database refuses it for good: {name}"),
            (reason, _) => reason.label().to_owned(),
        };
        let subject = match (reason, code) {
            (Reason::Constraint(name), Some(code)) => format!("{name}/{code}"),
            (Reason::Constraint(name), None) => name.to_owned(),
            _ => String::new(),
        };
        Self { event_id: Some(event_id), event_type: Some(event_type), reason, error, subject }
    }

    /// An event that waited in vain.
    pub fn given_up(event_id: Uuid, event_type: EventType, waits_for: WaitsFor) -> Self {
        let (error, subject) = match waits_for {
            WaitsFor::User(_) => ("its user did not come before the parking deadline", "userId"),
            WaitsFor::Order(_) => ("its order did not come before the parking deadline", "orderId"),
            WaitsFor::Email => ("its email belonged to another user until the parking deadline", "email"),
        };
        let reason = waits_for.reason();
        Self { event_id: Some(event_id), event_type: Some(event_type), reason, error: error.to_owned(), subject: subject.to_owned() }
    }
}

/// A record that cannot be written, with everything needed to understand it and to send it again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeadLetter {
    /// What makes it this letter and no other, as 64 hexadecimal digits. A record that is consumed again has the same.
    pub identity: String,
    /// The stable label of [`Reason`], for metrics.
    pub reason: &'static str,
    /// The JSON text that goes into the list; see [`Entry`].
    pub json: String,
}

impl DeadLetter {
    /// The letter for this record.
    pub fn new(record: &Record, diagnosis: &Diagnosis, now: Timestamp) -> Self {
        let entry = Entry::new(record, diagnosis, now);
        Self { identity: identity(record), reason: diagnosis.reason.label(), json: entry.to_json() }
    }
}

/// A dead letter as JSON. The first five fields are what readers of the list know since ever; the others stand beside them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Entry {
    /// Where it could be read.
    #[serde(default)]
    pub event_id: Option<String>,
    /// The message value, as text or base64 (see `encoding`).
    #[serde(default)]
    pub original_data: String,
    /// One sentence for a person; quotes no value.
    #[serde(default)]
    pub error: String,
    /// When it became a dead letter, RFC 3339.
    #[serde(default)]
    pub timestamp: String,
    /// How often it was redriven before.
    #[serde(default)]
    pub retry_count: u32,
    /// Where it was consumed.
    #[serde(default)]
    pub topic: Option<String>,
    /// Where it was consumed.
    #[serde(default)]
    pub partition: Option<i32>,
    /// Where it was consumed.
    #[serde(default)]
    pub offset: Option<i64>,
    /// The message key, as text or base64 (see `keyEncoding`).
    #[serde(default)]
    pub key: Option<String>,
    /// The stable label of [`Reason`].
    #[serde(default)]
    pub reason: Option<String>,
    /// What to group by: reason, event type, and field or constraint.
    #[serde(default)]
    pub fingerprint: Option<String>,
    /// How `originalData` is written.
    #[serde(default)]
    pub encoding: Encoding,
    /// How `key` is written.
    #[serde(default)]
    pub key_encoding: Encoding,
}

/// How bytes are written in JSON.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Encoding {
    /// As they are: they are UTF-8.
    #[default]
    Utf8,
    /// In base64 (RFC 4648 §4): they are not.
    Base64,
}

impl Encoding {
    fn encode(bytes: &[u8]) -> (Self, String) {
        match std::str::from_utf8(bytes) {
            Ok(text) => (Self::Utf8, text.to_owned()),
            Err(_) => (Self::Base64, STANDARD.encode(bytes)),
        }
    }

    fn decode(self, text: &str) -> Option<Vec<u8>> {
        match self {
            Self::Utf8 => Some(text.as_bytes().to_vec()),
            Self::Base64 => STANDARD.decode(text).ok(),
        }
    }
}

impl Entry {
    fn new(record: &Record, diagnosis: &Diagnosis, now: Timestamp) -> Self {
        let (encoding, original_data) = Encoding::encode(record.value.as_deref().unwrap_or_default());
        let key = record.key.as_deref().map(Encoding::encode);
        let event_type = diagnosis.event_type.map_or("unknown", EventType::as_str);
        Self {
            event_id: diagnosis.event_id.map(|id| id.to_string()),
            original_data,
            error: diagnosis.error.clone(),
            timestamp: now.to_string(),
            retry_count: record.retry_count,
            topic: Some(record.position.topic.to_string()),
            partition: Some(record.position.partition),
            offset: Some(record.position.offset),
            reason: Some(diagnosis.reason.label().to_owned()),
            fingerprint: Some(format!("{}:{event_type}:{}", diagnosis.reason.label(), diagnosis.subject)),
            encoding,
            key_encoding: key.as_ref().map_or(Encoding::Utf8, |(encoding, _)| *encoding),
            key: key.map(|(_, text)| text),
        }
    }

    fn to_json(&self) -> String {
        // Writing to memory cannot fail, and every field of ours is JSON.
        serde_json::to_string(self).unwrap_or_default()
    }

    /// Reads an entry, also one that others wrote with the first five fields alone.
    ///
    /// # Errors
    /// It is not a JSON object with these fields.
    pub fn parse(json: &str) -> Result<Self, serde_json::Error> {
        serde_json::from_str(json)
    }

    /// The message value as it was consumed; `None` where the base64 is broken.
    pub fn value(&self) -> Option<Vec<u8>> {
        self.encoding.decode(&self.original_data)
    }

    /// The message key as it was consumed.
    pub fn key(&self) -> Option<Vec<u8>> {
        self.key.as_deref().and_then(|text| self.key_encoding.decode(text))
    }
}

/// What makes a record this one and no other. Topic, partition and offset alone do not: offsets start again when a topic is recreated.
fn identity(record: &Record) -> String {
    let mut hash = Sha256::new();
    let mut part = |bytes: Option<&[u8]>| {
        // Lengths keep apart what concatenation would mix; absent and empty are different.
        hash.update(bytes.map_or(-1, |bytes| bytes.len() as i64).to_le_bytes());
        hash.update(bytes.unwrap_or_default());
    };
    part(Some(record.position.topic.as_bytes()));
    part(Some(&record.position.partition.to_le_bytes()));
    part(Some(&record.position.offset.to_le_bytes()));
    part(record.timestamp_ms.map(i64::to_le_bytes).as_ref().map(<[u8; 8]>::as_slice));
    part(record.key.as_deref());
    part(record.value.as_deref());
    hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::Position;

    fn record(value: &[u8]) -> Record {
        Record {
            position: Position { topic: "events".into(), partition: 3, offset: 42 },
            assignment: 1,
            timestamp_ms: Some(1_768_471_200_000),
            key: Some(b"k".to_vec()),
            value: Some(value.to_vec()),
            retry_count: 2,
        }
    }

    fn entry(value: &[u8]) -> Entry {
        let violation = events::decode(value).unwrap_err();
        let letter = DeadLetter::new(&record(value), &Diagnosis::from(&violation), Timestamp::UNIX_EPOCH);
        Entry::parse(&letter.json).unwrap()
    }

    #[test]
    fn a_letter_has_the_five_known_fields_and_ours_beside_them() {
        let violation = events::decode(b"{\"invalid\": \"json\"").unwrap_err();
        let letter = DeadLetter::new(&record(b"{\"invalid\": \"json\""), &Diagnosis::from(&violation), Timestamp::UNIX_EPOCH);
        assert_eq!(
            letter.json,
            "{\"eventId\":null,\"originalData\":\"{\\\"invalid\\\": \\\"json\\\"\",\
             \"error\":\"the message is not one JSON text: it breaks off at line 1, column 18\",\"timestamp\":\"1970-01-01T00:00:00Z\",\
             \"retryCount\":2,\"topic\":\"events\",\"partition\":3,\"offset\":42,\"key\":\"k\",\"reason\":\"not_json\",\
             \"fingerprint\":\"not_json:unknown:\",\"encoding\":\"utf8\",\"keyEncoding\":\"utf8\"}"
        );
    }

    #[test]
    fn the_bytes_come_back_unchanged_whatever_they_are() {
        for value in [&b"\xff\xfe\x00"[..], "{\"a\": \"\u{1F600}\0".as_bytes(), b""] {
            assert_eq!(entry(value).value().as_deref(), Some(value));
        }
        assert_eq!(entry(b"\xff").encoding, Encoding::Base64);
    }

    #[test]
    fn entries_of_others_with_five_fields_can_be_read() {
        let entry = Entry::parse(r#"{"eventId":"x","originalData":"{}","error":"boom","timestamp":"2025-01-01T00:00:00Z","retryCount":0}"#)
            .unwrap();
        assert_eq!((entry.value(), entry.topic, entry.encoding), (Some(b"{}".to_vec()), None, Encoding::Utf8));
    }

    #[test]
    fn the_identity_is_that_of_the_record_not_of_the_try() {
        let first = record(b"x");
        let again = Record { assignment: 9, retry_count: 5, ..first.clone() };
        assert_eq!(identity(&first), identity(&again));
        let mut others = vec![Record { key: None, ..first.clone() }, Record { timestamp_ms: None, ..first.clone() }, record(b"y")];
        others.push(Record { position: Position { offset: 43, ..first.position.clone() }, ..first.clone() });
        others.push(Record { key: Some(b"kx".to_vec()), value: Some(Vec::new()), ..first.clone() });
        for other in others {
            assert_ne!(identity(&first), identity(&other));
        }
    }
}
