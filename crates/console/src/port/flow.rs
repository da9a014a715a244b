//! The flow as it is now: parts, partitions, consumers, and what is held.

use std::time::Duration;

use super::answer::Known;

/// The flow: producers → partitions → consumers → tables, waiting, dead letters.
#[derive(Clone, Debug, PartialEq)]
pub struct Flow {
    /// When it was asked for, RFC 3339 in UTC.
    pub at: String,
    /// The topic that is read.
    pub topic: String,
    /// The consumer group.
    pub group: String,
    /// What this process knows of itself.
    pub here: Here,
    /// The partitions of the topic.
    pub partitions: Known<Vec<Partition>>,
    /// The consumers of the database, those that are gone without having said so last.
    pub consumers: Known<Vec<Consumer>>,
    /// Events that wait in the tables, and when the oldest of them was parked (RFC 3339).
    pub parked: Known<(u64, Option<String>)>,
    /// How many dead letters are in the list.
    pub dead_letters: Known<u64>,
    /// How many a redrive has claimed besides, which are not in the list; 0 where that is not known.
    pub claimed: u64,
    /// The last verification of the tables against the log, as a sentence; `None` where this process does none.
    pub verification: Option<String>,
}

impl Flow {
    /// Who reads this partition, by what the consumers say; `ours` is what this process knows of itself.
    pub(crate) fn reader(&self, partition: i32, ours: bool) -> Reader {
        if ours {
            return Reader::This;
        }
        let Ok(consumers) = &self.consumers else { return Reader::Unknown };
        let there = || consumers.iter().filter(|consumer| consumer.alive && !consumer.this && consumer.elsewhere.is_none());
        // After it has moved, who had it before says so for a moment longer.
        let owner = there().filter(|consumer| consumer.partitions.contains(&partition)).min_by_key(|consumer| consumer.last_seen);
        match owner {
            Some(owner) => Reader::Other(owner.host.clone(), owner.process_id),
            None if there().any(|consumer| consumer.more_partitions > 0) => Reader::Unknown,
            None => Reader::Nobody,
        }
    }
}

/// Who reads a partition.
pub(crate) enum Reader {
    /// This process.
    This,
    /// Another one: its host, and the number of its process.
    Other(String, u32),
    /// Another one, of which nothing more is known.
    Unknown,
    /// None of those that say what they read.
    Nobody,
}

/// What a process knows of itself.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Here {
    /// `ready`, `not ready` or `stopping`.
    pub status: String,
    /// The parts that it depends on.
    pub parts: Vec<Part>,
    /// What it has come to since it started.
    pub outcomes: Outcomes,
}

/// A part that a process depends on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Part {
    /// Its name: `kafka`, `database`, `dead_letter_queue`, `flow` (down while a flood is held), …
    pub name: String,
    /// Whether it works.
    pub state: PartState,
    /// Since when it is so, RFC 3339.
    pub since: String,
    /// Why it is down, what goes on by itself, and what needs a person.
    pub reason: Option<String>,
}

impl Part {
    /// Whether it was found not to work.
    pub fn is_down(&self) -> bool {
        self.state == PartState::Down
    }
}

/// Whether a part works.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PartState {
    /// It does.
    Up,
    /// It was asked, and does not.
    Down,
    /// Nobody has asked it yet.
    Unasked,
}

/// One partition of the topic.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Partition {
    /// Its number.
    pub number: i32,
    /// One after the last offset.
    pub end: i64,
    /// The next offset that the group reads.
    pub next: i64,
    /// Offsets that the group has not consumed.
    pub lag: u64,
    /// Whether this process reads it.
    pub ours: bool,
}

/// A process that consumes, by its last heartbeat.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Consumer {
    /// The machine, or the container.
    pub host: String,
    /// The process there.
    pub process_id: u32,
    /// Of the program.
    pub version: String,
    /// Whether it is the process that shows this.
    pub this: bool,
    /// What it reads in which group, where that is not what this process does.
    pub elsewhere: Option<String>,
    /// RFC 3339.
    pub started_at: String,
    /// How long ago it was heard of.
    pub last_seen: Duration,
    /// Whether that is recent enough: one that is not alive is gone without having said so.
    pub alive: bool,
    /// `ready`, `not ready` or `stopping`.
    pub status: String,
    /// The partitions that it owns; of one that is gone, that it owned.
    pub partitions: Vec<i32>,
    /// How many it owns beside them.
    pub more_partitions: u64,
    /// Offsets that the group has not consumed of them; `None` where that is not known.
    pub lag: Option<u64>,
    /// Its parts that are down.
    pub down: Vec<Part>,
    /// Events that ended in it in each of the last seconds.
    pub events_per_second: u64,
    /// When it committed last, RFC 3339.
    pub last_commit: Option<String>,
    /// What the last verification that it did came to; `None` where it has done none since it started.
    pub verification: Option<Verdict>,
}

/// What a verification of the tables against the log came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verdict {
    /// When it ended, RFC 3339.
    pub ended: String,
    /// How long it took.
    pub took: Duration,
    /// How it ended.
    pub outcome: VerdictOutcome,
    /// Rows of the tables that were compared.
    pub rows: u64,
    /// Offsets of the log up to which they were.
    pub offsets: u64,
    /// Whether the log was read from its beginning.
    pub whole_log: bool,
}

/// How a verification ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum VerdictOutcome {
    /// The tables are what the log says.
    Equal,
    /// So many differences were found.
    Different(u64),
    /// It did not come to its end, for this reason: a sentence.
    Unfinished(String),
}

/// What records came to in this process since it started.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Outcomes {
    /// Records that were polled.
    pub polled: u64,
    /// Events that are in their tables.
    pub applied: u64,
    /// Events that were there before.
    pub duplicate: u64,
    /// Events behind something newer.
    pub stale: u64,
    /// Events that were parked.
    pub parked: u64,
    /// Records that became dead letters.
    pub dead_letters: u64,
}

/// The oldest records that the group has not consumed, as far as they cannot be written.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Held {
    /// When they were looked at, RFC 3339.
    pub at: String,
    /// Records that are not consumed.
    pub unconsumed: u64,
    /// How many of them were looked at, the oldest.
    pub examined: u64,
    /// How many of these cannot be written and are dead letters already: they were let pass, or came before.
    pub already: u64,
    /// The others that cannot be written, the oldest first.
    pub records: Vec<HeldRecord>,
    /// What was not looked at, or not asked, as sentences.
    pub caveats: Vec<String>,
}

/// A record that cannot be written; no payload.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HeldRecord {
    /// `topic/partition/offset`.
    pub place: String,
    /// Its own time, RFC 3339, where it has one.
    pub at: Option<String>,
    /// The message key, where there is one; only for who may see payloads.
    pub key: Option<String>,
    /// One of the four types, or `unknown`.
    pub event_type: String,
    /// Where it could be read.
    pub event_id: Option<String>,
    /// A label.
    pub reason: String,
    /// See [`Group::fingerprint`](super::Group::fingerprint).
    pub fingerprint: String,
    /// One sentence; quotes no value.
    pub error: String,
}
