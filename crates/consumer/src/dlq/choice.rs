//! Which entries a redrive takes, and what it makes of them.

use events::Timestamp;
use pipeline::dead_letter::Entry;
use pipeline::ports::Message;
use pipeline::record::RETRY_COUNT_HEADER;

use super::filter::Filter;
use super::listed::Listed;

/// What to send again.
#[derive(Clone, Debug, PartialEq)]
pub struct RedriveRequest {
    /// Which entries.
    pub filter: Filter,
    /// How many of them, at most; the oldest first.
    pub limit: Option<u64>,
    /// How many per second, at most.
    pub rate: Option<f64>,
    /// Entries that were redriven so often, or more often, stay.
    pub max_retries: u32,
}

/// An entry as it is sent again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Letter {
    /// See [`Listed::id`].
    pub id: String,
    /// See [`Listed::text`].
    pub text: String,
    /// See [`Entry::event_id`].
    pub event_id: Option<String>,
    /// Where it goes.
    pub topic: String,
    /// What is sent.
    pub message: Message,
}

impl Letter {
    /// The entry with this key and payload, its retry count raised by one.
    pub fn new(listed: &Listed, entry: &Entry, key: Option<Vec<u8>>, value: Vec<u8>, default_topic: &str) -> Self {
        let retries = entry.retry_count.saturating_add(1).to_string().into_bytes();
        Self {
            id: listed.id.clone(),
            text: listed.text.clone(),
            event_id: entry.event_id.clone(),
            topic: entry.topic.as_deref().unwrap_or(default_topic).to_owned(),
            message: Message { key, value: Some(value), headers: vec![(RETRY_COUNT_HEADER.to_owned(), retries)] },
        }
    }
}

/// What a redrive does with an entry.
pub(super) enum Choice<'l> {
    NotSelected,
    TooManyRetries,
    Unreadable,
    /// It is sent again: the entry, and its payload.
    Chosen(&'l Entry, Vec<u8>),
}

impl RedriveRequest {
    pub(super) fn choose<'l>(&self, listed: &'l Listed, now: Timestamp) -> Choice<'l> {
        if !self.filter.selects(listed, now) {
            return Choice::NotSelected;
        }
        let Some((entry, value)) = listed.entry.as_ref().and_then(|entry| entry.value().map(|value| (entry, value))) else {
            return Choice::Unreadable;
        };
        // An entry whose key is broken would travel to another partition than its kin.
        if entry.key.is_some() && entry.key().is_none() {
            return Choice::Unreadable;
        }
        if entry.retry_count >= self.max_retries {
            return Choice::TooManyRetries;
        }
        Choice::Chosen(entry, value)
    }
}
