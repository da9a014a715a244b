//! Redrive jobs, and how their letters ended.

use std::time::Duration;

use super::letters::Selection;

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
    /// Whether it tries whether the rest would go well, which waits for the operator's word.
    pub is_canary: bool,
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

/// A job, and a page of its letters with how each ended, as far as that is known now.
#[derive(Clone, Debug, PartialEq)]
pub struct JobLetters {
    /// The job.
    pub job: Job,
    /// The page: those that need somebody first.
    pub letters: Vec<JobLetter>,
    /// The id after which the next page begins; `None` at the end.
    pub next: Option<String>,
    /// Which dead letters it was to redrive, where its words can be read again: of a canary, what the rest is.
    pub selection: Option<Selection>,
}

/// A letter of a job.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JobLetter {
    /// 12 hexadecimal digits.
    pub id: String,
    /// How it ended.
    pub end: LetterEnd,
    /// One sentence; quotes no value of the event but its ids.
    pub why: String,
    /// The id of its event, where it was sent and that is known.
    pub event_id: Option<String>,
    /// Whether it is in the list of dead letters, by this.
    pub is_listed: bool,
}

/// How a letter of a job ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum LetterEnd {
    /// It is a dead letter again.
    FailedAgain,
    /// It was not sent.
    NotSent,
    /// It was sent, and nothing that could be asked knows it.
    NotKnown,
    /// The consumer has not come to it.
    NotYet,
    /// The job has not come to it.
    Pending,
    /// It waits for a parent, or for an e-mail address.
    Parked,
    /// A newer event has taken its place: it has no effect.
    Stale,
    /// It had been applied before.
    Duplicate,
    /// It was applied.
    Applied,
}

impl LetterEnd {
    /// All of them, those that need somebody first.
    pub const ALL: [Self; 9] = [
        Self::FailedAgain,
        Self::NotSent,
        Self::NotKnown,
        Self::NotYet,
        Self::Pending,
        Self::Parked,
        Self::Stale,
        Self::Duplicate,
        Self::Applied,
    ];

    /// In words.
    pub const fn words(self) -> &'static str {
        match self {
            Self::FailedAgain => "failed again",
            Self::NotSent => "not sent",
            Self::NotKnown => "not known",
            Self::NotYet => "not yet consumed",
            Self::Pending => "not sent yet",
            Self::Parked => "parked",
            Self::Stale => "stale",
            Self::Duplicate => "duplicate",
            Self::Applied => "applied",
        }
    }
}
