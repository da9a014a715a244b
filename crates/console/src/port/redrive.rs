//! Sending dead letters again: rehearsal, order, jobs, and the permits of a flood.

use std::time::Duration;

use super::letters::{Foreseen, Selection};

/// What a redrive would come to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rehearsal {
    /// How many would end how, in a fixed order of outcomes (see [`Foreseen::outcome`]); only those that occur.
    pub totals: Vec<(String, u64)>,
    /// How many the selection means in all.
    pub selected: u64,
    /// The first of them, each with its outcome.
    pub rows: Vec<RehearsedRow>,
    /// Whether they did not fit into one batch, so that children may seem to wait for parents of an earlier one.
    pub batches: u64,
}

/// A dead letter of a [`Rehearsal`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RehearsedRow {
    /// 12 hexadecimal digits.
    pub id: String,
    /// One of the four types, or `unknown`.
    pub event_type: String,
    /// Where it could be read.
    pub event_id: Option<String>,
    /// How it would end.
    pub foreseen: Foreseen,
}

/// A redrive to begin.
#[derive(Clone, Debug, PartialEq)]
pub struct Order {
    /// Which dead letters.
    pub selection: Selection,
    /// How many of them at most, the oldest first; 10 for a canary.
    pub limit: Option<u64>,
    /// How many per second at most.
    pub rate: Option<f64>,
    /// Whether it tries whether the rest would go well, which waits for the operator's word.
    pub is_canary: bool,
}

/// What an operator may want of a job.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum JobControl {
    /// Nobody is to go on with it before it is resumed.
    Pause,
    /// It is to go on.
    Resume,
    /// It is to end; what was not sent stays in the list.
    Cancel,
}

/// How a job stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum JobState {
    /// Its dead letters are being named; one that stays so was broken off, and has sent nothing.
    Planned,
    /// A process goes on with it.
    Running,
    /// Nobody does before it is resumed.
    Paused,
    /// It came to its end.
    Done,
    /// It could not go on, and may be resumed.
    Failed,
    /// An operator has ended it.
    Cancelled,
}

impl JobState {
    /// In one word.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Planned => "planned",
            Self::Running => "running",
            Self::Paused => "paused",
            Self::Done => "done",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
        }
    }

    /// Whether this may be wanted of a job that stands so.
    pub const fn allows(self, wanted: JobControl) -> bool {
        match wanted {
            JobControl::Pause => matches!(self, Self::Running),
            JobControl::Resume => matches!(self, Self::Paused | Self::Failed),
            JobControl::Cancel => matches!(self, Self::Planned | Self::Running | Self::Paused | Self::Failed),
        }
    }
}

/// A redrive, whichever process does it.
#[derive(Clone, Debug, PartialEq)]
pub struct Job {
    /// Its number.
    pub number: u64,
    /// Who began it.
    pub caller: String,
    /// When, RFC 3339.
    pub began: String,
    /// What it redrives, as a sentence.
    pub subject: String,
    /// How many per second at most.
    pub rate: Option<f64>,
    /// How it stands.
    pub state: JobState,
    /// How many of its dead letters have a result, and how many it has.
    pub done: (u64, u64),
    /// What came of them, in words and numbers that add up, such as (`redriven`, 12).
    pub counts: Vec<(String, u64)>,
    /// Why it could not go on.
    pub problem: Option<String>,
    /// How long it has taken.
    pub took: Duration,
    /// When something of it was noted the last time, RFC 3339.
    pub updated: String,
}

/// What of a flood may pass.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Permit {
    /// Nothing.
    Nothing,
    /// So many records.
    Records(u64),
    /// All from now on.
    Everything,
}
