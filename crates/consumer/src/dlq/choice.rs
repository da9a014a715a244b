//! Which entries a redrive takes, and what it makes of them.

use std::fmt;

use events::Timestamp;
use pipeline::dead_letter::Entry;
use pipeline::ports::Message;
use pipeline::redrive_job::LetterResult;

use super::filter::Filter;
use super::listed::Listed;
use crate::audit::Handled;

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

impl fmt::Display for RedriveRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.filter.fmt(f)?;
        self.limit.map_or(Ok(()), |limit| write!(f, ", {limit} at most"))
    }
}

impl RedriveRequest {
    /// Which entries its words mean, the limit aside; `None` where they cannot be read. See [`Filter::from_words`].
    pub(crate) fn filter_from_words(text: &str) -> Option<Filter> {
        let unlimited = text.strip_suffix(" at most").and_then(|text| text.rsplit_once(", "));
        let words = unlimited.filter(|(_, limit)| limit.parse::<u64>().is_ok()).map_or(text, |(words, _)| words);
        Filter::from_words(words)
    }
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
    /// The entry, sent as this message.
    pub fn new(listed: &Listed, entry: &Entry, message: Message, default_topic: &str) -> Self {
        Self {
            id: listed.id.clone(),
            text: listed.text.clone(),
            event_id: entry.event_id.clone(),
            topic: entry.topic.as_deref().unwrap_or(default_topic).to_owned(),
            message,
        }
    }

    /// What became of it without having been sent.
    pub(super) fn handled(self, result: LetterResult) -> Handled {
        Handled { result: Some(result), ..Handled::new(self.id, self.event_id.as_deref(), told(result)) }
    }
}

/// What becomes of a letter, in the audit log.
pub(crate) const fn told(result: LetterResult) -> &'static str {
    match result {
        LetterResult::Pending => "not sent",
        LetterResult::Sent => "sent",
        LetterResult::Unsettled => "sent, and still claimed: it comes back to the list",
        LetterResult::NotAcknowledged => "not acknowledged by the broker: put back",
        LetterResult::TopicRefused => "not sent: its topic is missing, or may not be written to",
        LetterResult::Gone => "not in the list any more",
        LetterResult::TooManyRetries => "not sent: redriven too often before",
        LetterResult::Unreadable => "not sent: no dead letter that can be sent",
    }
}

/// What a redrive does with an entry.
pub(super) enum Choice<'l> {
    NotSelected,
    TooManyRetries,
    Unreadable,
    /// It is sent again: the entry, and what is sent.
    Chosen(&'l Entry, Message),
}

impl RedriveRequest {
    pub(super) fn choose<'l>(&self, listed: &'l Listed, now: Timestamp) -> Choice<'l> {
        if !self.filter.selects(listed, now) {
            return Choice::NotSelected;
        }
        let Some((entry, value)) = listed.entry.as_ref().and_then(|entry| entry.value().map(|value| (entry, value))) else {
            return Choice::Unreadable;
        };
        let key = entry.key();
        // An entry whose key is broken would travel to another partition than its kin.
        if entry.key.is_some() && key.is_none() {
            return Choice::Unreadable;
        }
        let Some(headers) = entry.headers_of_redrive(&listed.id) else { return Choice::Unreadable };
        if entry.retry_count >= self.max_retries {
            return Choice::TooManyRetries;
        }
        Choice::Chosen(entry, Message { key, value: Some(value), headers })
    }
}
