//! What a consumer says of itself again and again, so that any process can show all of them.

use std::time::Duration;

use events::Timestamp;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// Names (host, version, group, topic) are kept up to so many characters: what a store has room for, whatever they are made of.
pub const LONGEST_NAME: usize = 250;
/// The longest reason, in characters.
pub const LONGEST_REASON: usize = 1000;
/// Partitions that are told one by one.
pub const MOST_PARTITIONS: usize = 500;
/// Parts that are told one by one.
pub const MOST_PARTS: usize = 20;

/// A consumer's heartbeat: who it is, and how it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Heartbeat {
    /// This run of the process: random, so that a restart is another consumer.
    pub instance: Uuid,
    /// The machine, or the container.
    pub host: String,
    /// The process there.
    pub process_id: u32,
    /// Of the program.
    pub version: String,
    /// The consumer group.
    pub group: String,
    /// The topic that is read.
    pub topic: String,
    /// When it started, by its own clock.
    pub started_at: Timestamp,
    /// How it is now.
    pub state: ConsumerState,
}

/// How a consumer is. Stored as a JSON document, of which releases that run side by side may know different fields: what is missing is empty, and what
/// is not known is left out.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct ConsumerState {
    /// `ready`, `not ready` or `stopping`.
    pub status: String,
    /// The partitions that it owns, by their numbers.
    pub partitions: Vec<OwnedPartition>,
    /// How many it owns beside them.
    pub more_partitions: u64,
    /// What does not work, or holds it, and why.
    pub down: Vec<DownPart>,
    /// Events that ended in each of the last ten seconds, on average.
    pub events_per_second: u64,
    /// When offsets were committed last, by its own clock (RFC 3339).
    pub last_commit: Option<String>,
    /// What the last verification that it did came to; `None` where it has done none since it started.
    pub verification: Option<VerificationVerdict>,
}

/// What a verification of the tables against the log came to.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct VerificationVerdict {
    /// When it ended, by the consumer's own clock (RFC 3339).
    pub ended_at: String,
    /// How long it took.
    pub took_ms: u64,
    /// [`EQUAL`](Self::EQUAL), [`DIFFERENT`](Self::DIFFERENT) or [`UNFINISHED`](Self::UNFINISHED).
    pub outcome: String,
    /// What was found different.
    pub differences: u64,
    /// Rows of the tables that were compared.
    pub rows: u64,
    /// Offsets of the log up to which they were.
    pub offsets: u64,
    /// Whether the log was read from its beginning.
    pub whole_log: bool,
    /// Why it was not finished: numbers and names, no value of an event.
    pub reason: Option<String>,
}

impl VerificationVerdict {
    /// The tables are what the log says.
    pub const EQUAL: &str = "equal";
    /// They are not.
    pub const DIFFERENT: &str = "different";
    /// It did not come to its end.
    pub const UNFINISHED: &str = "unfinished";
}

/// A partition that a consumer owns.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct OwnedPartition {
    /// Its number.
    pub partition: i32,
    /// One after the last offset whose record is finished; `None` where it has not begun.
    pub position: Option<i64>,
    /// One after the last offset of the log, as it was seen last.
    pub end: Option<i64>,
}

/// A part that does not work.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct DownPart {
    /// Its name in the health report.
    pub part: String,
    /// Since when, by the consumer's own clock (RFC 3339).
    pub since: String,
    /// Why: numbers and names, no value of an event.
    pub reason: String,
}

/// A consumer, as its last heartbeat shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SeenConsumer {
    /// What it said.
    pub heartbeat: Heartbeat,
    /// How long ago, by the store's clock.
    pub age: Duration,
}

impl Heartbeat {
    /// The same, within the bounds of what is stored.
    #[must_use]
    pub fn bounded(self) -> Self {
        let Self { instance, host, process_id, version, group, topic, started_at, state } = self;
        let [host, version, group, topic] = [host, version, group, topic].map(|name| cut(name, LONGEST_NAME));
        Self { instance, host, process_id, version, group, topic, started_at, state: state.bounded() }
    }
}

impl ConsumerState {
    fn bounded(mut self) -> Self {
        self.more_partitions += self.partitions.len().saturating_sub(MOST_PARTITIONS) as u64;
        self.partitions.truncate(MOST_PARTITIONS);
        self.down.truncate(MOST_PARTS);
        for DownPart { part, reason, .. } in &mut self.down {
            *part = cut(std::mem::take(part), LONGEST_NAME);
            *reason = cut(std::mem::take(reason), LONGEST_REASON);
        }
        if let Some(VerificationVerdict { reason: Some(reason), .. }) = &mut self.verification {
            *reason = cut(std::mem::take(reason), LONGEST_REASON);
        }
        self
    }

    /// As it is stored.
    pub fn to_json(&self) -> String {
        // Text, numbers and lists can be written.
        serde_json::to_string(self).unwrap_or_default()
    }

    /// What was stored; nothing where it cannot be read, which takes a release that writes otherwise.
    pub fn from_json(text: &str) -> Self {
        serde_json::from_str(text).unwrap_or_default()
    }
}

fn cut(text: String, most: usize) -> String {
    match text.char_indices().nth(most) {
        Some((end, _)) => text[..end].to_owned(),
        None => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn heartbeat(state: ConsumerState) -> Heartbeat {
        Heartbeat {
            instance: Uuid::from_u128(7),
            host: "host".to_owned(),
            process_id: 12,
            version: "0.1.0".to_owned(),
            group: "group".to_owned(),
            topic: "events".to_owned(),
            started_at: Timestamp::UNIX_EPOCH,
            state,
        }
    }

    #[test]
    fn a_state_is_read_as_it_was_written_also_by_another_release() {
        let state = ConsumerState {
            status: "not ready".to_owned(),
            partitions: vec![OwnedPartition { partition: 3, position: Some(41), end: Some(90) }, OwnedPartition::default()],
            more_partitions: 2,
            down: vec![DownPart { part: "kafka".to_owned(), since: "2026-01-15T10:00:00Z".to_owned(), reason: "away".to_owned() }],
            events_per_second: 12,
            last_commit: Some("2026-01-15T10:00:00Z".to_owned()),
            verification: Some(VerificationVerdict {
                ended_at: "2026-01-15T10:00:00Z".to_owned(),
                took_ms: 412,
                outcome: VerificationVerdict::DIFFERENT.to_owned(),
                differences: 3,
                rows: 120,
                offsets: 140,
                whole_log: true,
                reason: None,
            }),
        };
        assert_eq!(ConsumerState::from_json(&state.to_json()), state);
        let earlier = r#"{"status":"ready","partitions":[],"morePartitions":0,"down":[],"eventsPerSecond":3,"lastCommit":null}"#;
        assert_eq!(
            ConsumerState::from_json(earlier),
            ConsumerState { status: "ready".to_owned(), events_per_second: 3, ..ConsumerState::default() }
        );
        let later = r#"{"status":"ready","partitions":[{"partition":1,"paused":true}],"verification":{"outcome":"odd","by":"x"},"temperature":36.6}"#;
        let read = ConsumerState::from_json(later);
        assert_eq!((&*read.status, read.partitions.len(), read.last_commit), ("ready", 1, None));
        assert_eq!(read.verification.map(|verdict| (verdict.outcome, verdict.differences)), Some(("odd".to_owned(), 0)));
        assert_eq!(ConsumerState::from_json("]"), ConsumerState::default());
    }

    #[test]
    fn what_is_stored_is_bounded_and_says_what_it_leaves_out() {
        let down = DownPart { part: "é".repeat(999), since: String::new(), reason: "\u{10348}".repeat(9_999) };
        let state = ConsumerState {
            partitions: (0..10_000).map(|partition| OwnedPartition { partition, position: Some(i64::MAX), end: Some(i64::MAX) }).collect(),
            down: vec![down; 99],
            verification: Some(VerificationVerdict { reason: Some("\u{10348}".repeat(9_999)), ..VerificationVerdict::default() }),
            ..ConsumerState::default()
        };
        let bounded = Heartbeat { host: "h".repeat(9_999), ..heartbeat(state) }.bounded();
        assert_eq!((bounded.state.partitions.len(), bounded.state.more_partitions), (500, 9_500));
        assert_eq!((bounded.host.len(), bounded.state.down.len()), (250, 20));
        assert!(bounded.state.to_json().len() < 150_000, "{}", bounded.state.to_json().len());
        let small = heartbeat(ConsumerState { status: "ready".to_owned(), ..ConsumerState::default() });
        assert_eq!(small.clone().bounded(), small);
    }
}
