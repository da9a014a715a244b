//! An entry as it was found in the list.

use std::borrow::Cow;
use std::time::Duration;

use events::Timestamp;
use pipeline::dead_letter::{Entry, UNKNOWN, entry_id};
use serde::Serialize;
use serde_json::{Map, Value};

/// The reason, and the fingerprint, of an entry that is no dead letter as we know them.
pub const UNREADABLE: &str = "unreadable";

/// An entry of the list: its text, the id under which people name it, and what it says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listed {
    /// See [`entry_id`].
    pub id: String,
    /// The text, byte for byte.
    pub text: String,
    /// `None` where the text cannot be read as a dead letter.
    pub entry: Option<Entry>,
}

impl Listed {
    /// The entry with this text.
    pub fn new(text: String) -> Self {
        Self { id: entry_id(&text), entry: Entry::parse(&text).ok(), text }
    }

    /// The label of the reason.
    pub fn reason(&self) -> &str {
        self.entry.as_ref().map_or(UNREADABLE, Entry::reason_label)
    }

    /// What to group by.
    pub fn fingerprint(&self) -> Cow<'_, str> {
        self.entry.as_ref().map_or(Cow::Borrowed(UNREADABLE), Entry::fingerprint_label)
    }

    /// One of the four types, or `unknown`.
    pub fn event_type(&self) -> &'static str {
        self.entry.as_ref().map_or(UNKNOWN, Entry::event_type)
    }

    /// How often it was redriven.
    pub fn retries(&self) -> u32 {
        self.entry.as_ref().map_or(0, |entry| entry.retry_count)
    }

    /// Whether this program has written it, as far as its form tells: it names a reason of ours, and a fingerprint that begins with it.
    pub fn is_ours(&self) -> bool {
        let (reason, fingerprint) = (self.reason(), self.fingerprint());
        let is_known = telemetry::catalog::DLQ_REASONS.contains(&reason) && self.entry.as_ref().is_some_and(|entry| entry.reason.is_some());
        let mut parts = fingerprint.split(':');
        is_known && parts.next() == Some(reason) && parts.count() == 2
    }

    /// The fields of its event, where the payload is a JSON object, whatever else is wrong with it; of a CloudEvent those of its data.
    pub fn fields(&self) -> Option<Map<String, Value>> {
        let value = self.entry.as_ref().and_then(Entry::value)?;
        let value = events::unframed(&value).unwrap_or(&value);
        let Ok(Value::Object(fields)) = serde_json::from_str(&String::from_utf8_lossy(value)) else { return None };
        match (fields.get("specversion"), fields.get("data")) {
            (Some(Value::String(_)), Some(Value::Object(data))) => Some(data.clone()),
            _ => Some(fields),
        }
    }

    /// The event's own time, where it tells one.
    pub fn event_at(&self) -> Option<Timestamp> {
        Timestamp::parse(self.fields()?.get("timestamp")?.as_str()?).ok()
    }

    /// How long it has been a dead letter, since the first time; `None` where it does not tell. One from the future is new.
    pub fn age(&self, now: Timestamp) -> Option<Duration> {
        Some(now.since(self.entry.as_ref()?.first_at()?))
    }

    /// What a list says about it; the payload is not among it.
    pub fn row(&self, now: Timestamp) -> Row<'_> {
        let entry = self.entry.as_ref();
        Row {
            id: &self.id,
            age_seconds: self.age(now).map(|age| age.as_secs()),
            reason: self.reason(),
            event_type: self.event_type(),
            event_id: entry.and_then(|entry| entry.event_id.as_deref()),
            fingerprint: self.fingerprint(),
            error: entry.map(|entry| entry.error.as_str()),
            timestamp: entry.map(|entry| entry.timestamp.as_str()),
            topic: entry.and_then(|entry| entry.topic.as_deref()),
            partition: entry.and_then(|entry| entry.partition),
            offset: entry.and_then(|entry| entry.offset),
            retry_count: self.retries(),
        }
    }
}

/// What a list says about an entry. What the entry does not tell is null.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Row<'a> {
    /// See [`Listed::id`].
    pub id: &'a str,
    /// See [`Listed::age`].
    pub age_seconds: Option<u64>,
    /// See [`Listed::reason`].
    pub reason: &'a str,
    /// See [`Listed::event_type`].
    pub event_type: &'static str,
    /// See [`Entry::event_id`].
    pub event_id: Option<&'a str>,
    /// See [`Listed::fingerprint`].
    pub fingerprint: Cow<'a, str>,
    /// See [`Entry::error`].
    pub error: Option<&'a str>,
    /// See [`Entry::timestamp`].
    pub timestamp: Option<&'a str>,
    /// See [`Entry::topic`].
    pub topic: Option<&'a str>,
    /// See [`Entry::partition`].
    pub partition: Option<i32>,
    /// See [`Entry::offset`].
    pub offset: Option<i64>,
    /// See [`Entry::retry_count`].
    pub retry_count: u32,
}
