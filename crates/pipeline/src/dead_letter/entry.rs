//! A dead letter as JSON.

use std::borrow::Cow;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use events::{EventType, Timestamp};
use serde::{Deserialize, Serialize};

use super::diagnosis::Diagnosis;
use crate::record::Record;

/// What stands for what an entry does not tell.
const UNKNOWN: &str = "unknown";

/// A dead letter as JSON. The first five fields are what readers of the list know since ever; the others stand beside them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Entry {
    /// Where it could be read.
    #[serde(default)]
    pub event_id: Option<String>,
    /// The message value, as text or base64 (see `encoding`).
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
    /// The stable label of [`Reason`](super::Reason).
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
    pub(super) fn new(record: &Record, diagnosis: &Diagnosis, now: Timestamp) -> Self {
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

    pub(super) fn to_json(&self) -> String {
        // Writing to memory cannot fail, and every field of ours is JSON.
        serde_json::to_string(self).unwrap_or_default()
    }

    /// Reads an entry, also one that others wrote with the first five fields alone. What names no `originalData` is none: there would be
    /// nothing to send again.
    ///
    /// # Errors
    /// It is not a JSON object with these fields.
    pub fn parse(json: &str) -> Result<Self, serde_json::Error> {
        // Read into a struct, an array would do as well.
        if !json.trim_start().starts_with('{') {
            return Err(serde::de::Error::custom("not a JSON object"));
        }
        serde_json::from_str(json)
    }

    /// The label of the reason; `unknown` where others wrote the entry and told none.
    pub fn reason_label(&self) -> &str {
        self.reason.as_deref().unwrap_or(UNKNOWN)
    }

    /// What to group by; for entries that tell no fingerprint, what can be known of one.
    pub fn fingerprint_label(&self) -> Cow<'_, str> {
        match &self.fingerprint {
            Some(fingerprint) => Cow::Borrowed(fingerprint),
            None => Cow::Owned(format!("{}:{}:", self.reason_label(), self.event_type())),
        }
    }

    /// The event's type: as the fingerprint tells it, or else the payload; `unknown` where it is none of the four.
    pub fn event_type(&self) -> &'static str {
        let told = match &self.fingerprint {
            Some(fingerprint) => fingerprint.split(':').nth(1).and_then(EventType::parse),
            None => peek(&self.original_data),
        };
        told.map_or(UNKNOWN, EventType::as_str)
    }

    /// When it became a dead letter; `None` where others wrote something else than RFC 3339.
    pub fn at(&self) -> Option<Timestamp> {
        Timestamp::parse(&self.timestamp).ok()
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

/// The `eventType` of a payload, whatever else is wrong with it.
fn peek(payload: &str) -> Option<EventType> {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Envelope<'a> {
        #[serde(borrow)]
        event_type: Cow<'a, str>,
    }
    serde_json::from_str::<Envelope<'_>>(payload).ok().and_then(|envelope| EventType::parse(&envelope.event_type))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dead_letter::DeadLetter;
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
        let dead_letter = DeadLetter::new(&record(value), &Diagnosis::from(&violation), Timestamp::UNIX_EPOCH);
        Entry::parse(&dead_letter.json).unwrap()
    }

    #[test]
    fn a_letter_has_the_five_known_fields_and_ours_beside_them() {
        let violation = events::decode(b"{\"invalid\": \"json\"").unwrap_err();
        let dead_letter = DeadLetter::new(&record(b"{\"invalid\": \"json\""), &Diagnosis::from(&violation), Timestamp::UNIX_EPOCH);
        assert_eq!(
            dead_letter.json,
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
        assert_eq!((entry(b"\xff").encoding, entry(b"\xff").key()), (Encoding::Base64, Some(b"k".to_vec())));
        assert_eq!(entry(b"").at(), Some(Timestamp::UNIX_EPOCH));
    }

    #[test]
    fn entries_of_others_with_five_fields_can_be_read() {
        let entry = Entry::parse(r#"{"eventId":"x","originalData":"{}","error":"boom","timestamp":"2025-01-01T00:00:00Z","retryCount":0}"#)
            .unwrap();
        assert_eq!((entry.value(), entry.topic, entry.encoding), (Some(b"{}".to_vec()), None, Encoding::Utf8));
    }

    #[test]
    fn what_an_entry_of_others_does_not_tell_is_looked_for_or_unknown() {
        let entry = |data: &str| {
            let json = serde_json::json!({"eventId": null, "originalData": data, "error": "", "timestamp": "yesterday", "retryCount": 1});
            Entry::parse(&json.to_string()).unwrap()
        };
        let order = entry(r#"{"eventType": "OrderPlaced", "items": 7}"#);
        assert_eq!((order.event_type(), order.reason_label(), order.at()), ("OrderPlaced", "unknown", None));
        assert_eq!(order.fingerprint_label(), "unknown:OrderPlaced:");
        assert_eq!(entry("not json").event_type(), "unknown");
        assert_eq!(entry(r#"{"eventType": "Evil\u001b[2J"}"#).event_type(), "unknown");
    }

    #[test]
    fn what_is_no_entry_is_not_taken_for_one() {
        for text in ["", "boom", "{}", "[]", "[null, \"data\"]", "\"text\"", "null", r#"{"originalData": 7}"#] {
            assert!(Entry::parse(text).is_err(), "{text}");
        }
    }
}
