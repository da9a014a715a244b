//! A dead letter as JSON.

use std::borrow::Cow;

use events::{EventType, Timestamp};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::diagnosis::{Diagnosis, UNKNOWN};
use crate::encoding::{Encoding, EntryHeader};
use crate::headers::{Header, Redriven};
use crate::record::{Record, TimestampType};

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
    /// The message's own time, RFC 3339. Absent where it has none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub record_timestamp: Option<String>,
    /// By whose clock that is: the label of a [`TimestampType`]. Absent where it is not known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub record_timestamp_type: Option<String>,
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
    /// The message's other headers, in order; those that a redrive sets are told by `retryCount`, `deadLetterId` and `firstTimestamp`.
    #[serde(default, rename = "recordHeaders", skip_serializing_if = "Vec::is_empty")]
    pub headers: Vec<EntryHeader>,
    /// The id that it had as a dead letter before it was redriven; see [`entry_id`](super::entry_id).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dead_letter_id: Option<String>,
    /// When it became a dead letter for the first time, RFC 3339, where that was before it was redriven.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub first_timestamp: Option<String>,
}

impl Entry {
    pub(super) fn new(record: &Record, diagnosis: &Diagnosis, now: Timestamp) -> Self {
        let (encoding, original_data) = Encoding::encode(record.value.as_deref().unwrap_or_default());
        let key = record.key.as_deref().map(Encoding::encode);
        let redriven = record.redriven();
        let record_timestamp = record.timestamp_ms.and_then(Timestamp::from_unix_millis).map(|at| at.to_string());
        let record_timestamp_type = record_timestamp.as_ref().and(record.timestamp_type).map(|of| of.label().to_owned());
        Self {
            event_id: diagnosis.event_id.map(|id| id.to_string()),
            original_data,
            error: diagnosis.error.clone(),
            timestamp: now.to_string(),
            retry_count: redriven.retry_count,
            topic: Some(record.position.topic.to_string()),
            partition: Some(record.position.partition),
            offset: Some(record.position.offset),
            record_timestamp,
            record_timestamp_type,
            reason: Some(diagnosis.reason.label().to_owned()),
            fingerprint: Some(diagnosis.fingerprint()),
            encoding,
            key_encoding: key.as_ref().map_or(Encoding::Utf8, |(encoding, _)| *encoding),
            key: key.map(|(_, text)| text),
            headers: record.headers.iter().filter(|header| !header.is_of_redrive()).map(EntryHeader::new).collect(),
            dead_letter_id: redriven.id,
            first_timestamp: redriven.since.map(|since| since.to_string()),
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

    /// The event's id; `None` where it could not be read, or others wrote something else than a UUID.
    pub fn event_uuid(&self) -> Option<Uuid> {
        self.event_id.as_deref().and_then(|id| Uuid::try_parse(id).ok())
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

    /// When it became a dead letter, the last time; `None` where others wrote something else than RFC 3339.
    pub fn at(&self) -> Option<Timestamp> {
        Timestamp::parse(&self.timestamp).ok()
    }

    /// When it became a dead letter for the first time: a redrive that fails makes no new one of it.
    pub fn first_at(&self) -> Option<Timestamp> {
        self.first_timestamp.as_deref().and_then(|text| Timestamp::parse(text).ok()).or_else(|| self.at())
    }

    /// The message's own time; `None` where it has none, an older program wrote the entry, or others wrote something else than RFC 3339.
    pub fn record_at(&self) -> Option<Timestamp> {
        self.record_timestamp.as_deref().and_then(|text| Timestamp::parse(text).ok())
    }

    /// By whose clock the message's own time is; `None` where that is not told.
    pub fn record_clock(&self) -> Option<TimestampType> {
        self.record_timestamp_type.as_deref().and_then(TimestampType::of_label)
    }

    /// The headers with which it is sent again, under this id: its own, and what a redrive says. `None` where the base64 of one is broken.
    pub fn headers_of_redrive(&self, id: &str) -> Option<Vec<Header>> {
        let own = self.headers.iter().map(EntryHeader::header).filter(|header| !header.as_ref().is_some_and(Header::is_of_redrive));
        let redriven = Redriven { retry_count: self.retry_count.saturating_add(1), id: Some(id.to_owned()), since: self.first_at() };
        own.chain(redriven.headers().into_iter().map(Some)).collect()
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
    use crate::dead_letter::{DeadLetter, entry_id};
    use crate::headers::RETRY_COUNT_HEADER;
    use crate::record::Position;

    fn record(value: &[u8]) -> Record {
        Record {
            position: Position { topic: "events".into(), partition: 3, offset: 42 },
            assignment: 1,
            timestamp_ms: Some(1_768_471_200_000),
            timestamp_type: Some(TimestampType::CreateTime),
            key: Some(b"k".to_vec()),
            value: Some(value.to_vec()),
            headers: vec![Header::text(RETRY_COUNT_HEADER, "2")],
        }
    }

    fn dead_letter(record: &Record, now: Timestamp) -> String {
        let violation = events::decode(record.value.as_deref().unwrap()).unwrap_err();
        DeadLetter::new(record, &Diagnosis::from(&violation), now).json
    }

    fn entry(value: &[u8]) -> Entry {
        Entry::parse(&dead_letter(&record(value), Timestamp::UNIX_EPOCH)).unwrap()
    }

    #[test]
    fn a_letter_has_the_five_known_fields_and_ours_beside_them() {
        assert_eq!(
            dead_letter(&record(b"{\"invalid\": \"json\""), Timestamp::UNIX_EPOCH),
            "{\"eventId\":null,\"originalData\":\"{\\\"invalid\\\": \\\"json\\\"\",\
             \"error\":\"the message is not one JSON text: it breaks off at line 1, column 18\",\"timestamp\":\"1970-01-01T00:00:00Z\",\
             \"retryCount\":2,\"topic\":\"events\",\"partition\":3,\"offset\":42,\"recordTimestamp\":\"2026-01-15T10:00:00Z\",\
             \"recordTimestampType\":\"CreateTime\",\"key\":\"k\",\"reason\":\"not_json\",\
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
    fn headers_come_back_unchanged_and_what_a_redrive_says_stays() {
        let own = [
            Header::text("traceparent", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"),
            Header { name: "bytes".to_owned(), value: Some(vec![0xff, 0]) },
            Header { name: "null".to_owned(), value: None },
            Header::text("twice", ""),
            Header::text("twice", "2"),
        ];
        let first = dead_letter(&Record { headers: own.to_vec(), ..record(b"{") }, Timestamp::UNIX_EPOCH);
        let id = entry_id(&first);
        let again = Entry::parse(&first).unwrap().headers_of_redrive(&id).unwrap();
        assert_eq!(again[..5], own);
        assert_eq!(again[5..], Redriven { retry_count: 1, id: Some(id.clone()), since: Some(Timestamp::UNIX_EPOCH) }.headers());
        // It fails again, an hour later, and is redriven again.
        let later = Timestamp::from_unix_micros(3_600_000_000).unwrap();
        let second = dead_letter(&Record { headers: again, ..record(b"{") }, later);
        let entry = Entry::parse(&second).unwrap();
        assert_eq!((entry_id(&second).as_str(), entry.first_at(), entry.at()), (id.as_str(), Some(Timestamp::UNIX_EPOCH), Some(later)));
        assert_eq!(entry.retry_count, 1);
        let third = entry.headers_of_redrive(&id).unwrap();
        assert_eq!(third[..5], own);
        assert_eq!(Redriven::read(&third), Redriven { retry_count: 2, id: Some(id), since: Some(Timestamp::UNIX_EPOCH) });
    }

    #[test]
    fn a_header_whose_base64_is_broken_is_not_sent_again() {
        let entry = Entry::parse(r#"{"originalData":"{}","recordHeaders":[{"name":"a","value":"?","encoding":"base64"}]}"#).unwrap();
        assert_eq!(entry.headers_of_redrive("0123456789ab"), None);
    }

    #[test]
    fn the_time_of_the_record_is_told_where_it_has_one_that_can_be_written() {
        let at = |timestamp_ms| {
            let json = dead_letter(&Record { timestamp_ms, ..record(b"{") }, Timestamp::UNIX_EPOCH);
            (json.contains("recordTimestamp"), Entry::parse(&json).unwrap().record_at())
        };
        assert_eq!(at(Some(86_400_123)), (true, Timestamp::from_unix_millis(86_400_123)));
        assert_eq!([at(None), at(Some(i64::MAX))], [(false, None); 2]);
        let others = r#"{"originalData":"{}","recordTimestamp":"yesterday"}"#;
        assert_eq!(Entry::parse(others).unwrap().record_at(), None);
    }

    #[test]
    fn whose_clock_the_time_of_the_record_is_by_is_told_where_it_has_one() {
        let told = |timestamp_ms, timestamp_type| {
            let json = dead_letter(&Record { timestamp_ms, timestamp_type, ..record(b"{") }, Timestamp::UNIX_EPOCH);
            (json.contains("recordTimestampType"), Entry::parse(&json).unwrap().record_clock())
        };
        for of in TimestampType::ALL {
            assert_eq!(told(Some(1), Some(of)), (true, Some(of)));
            assert_eq!(told(None, Some(of)), (false, None), "there is no time that it could be of");
        }
        assert_eq!(told(Some(1), None), (false, None), "it was parked");
        let others = r#"{"originalData":"{}","recordTimestamp":"2026-01-15T10:00:00Z","recordTimestampType":"the sun"}"#;
        assert_eq!(Entry::parse(others).unwrap().record_clock(), None);
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
