//! A redrive as an object of the database: which dead letters it is of, how far it is, and what became of each.
//!
//! Its letters are named once, when it is planned. So it does not grow while it runs, and whoever goes on with it, in another process or after a
//! crash, sends what is left of them and nothing else.

use std::collections::BTreeMap;

use events::Timestamp;
use uuid::Uuid;

use crate::audit::{LONGEST_ACTOR, LONGEST_SUBJECT, fitting};
use crate::landed::Landed;

/// The most jobs that are kept: of older ones, those that have ended are forgotten when another one is planned. The audit log keeps what they did.
pub const KEPT_JOBS: i64 = 200;
/// The longest sentence that says why a job could not go on, in UTF-16 code units, as SQL Server counts.
pub const LONGEST_PROBLEM: usize = 1000;

/// How a job stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum JobState {
    /// Its letters are being named. One that stays so was broken off meanwhile, and has sent nothing.
    Planned,
    /// Whoever finds it goes on with it.
    Running,
    /// Nobody goes on with it before it is resumed.
    Paused,
    /// It came to its end.
    Done,
    /// It could not go on; it may be resumed.
    Failed,
    /// An operator has ended it: what was not sent stays in the list.
    Cancelled,
}

impl JobState {
    /// All of them.
    pub const ALL: [Self; 6] = [Self::Planned, Self::Running, Self::Paused, Self::Done, Self::Failed, Self::Cancelled];

    /// As it is written.
    pub const fn label(self) -> &'static str {
        match self {
            Self::Planned => "planned",
            Self::Running => "running",
            Self::Paused => "paused",
            Self::Done => "done",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
        }
    }

    /// The one that is written so.
    pub fn of_label(label: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.label() == label)
    }

    /// Whether nobody can have it go on.
    pub const fn is_final(self) -> bool {
        matches!(self, Self::Done | Self::Cancelled)
    }
}

/// What became of a letter of a job.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum LetterResult {
    /// Nothing yet.
    Pending,
    /// The broker has it, and it has left the list.
    Sent,
    /// The broker has it, and it could not be taken off the list: it comes back there, and is sent once more where the job goes on.
    Unsettled,
    /// The broker did not take it: it stays in the list.
    NotAcknowledged,
    /// Its topic is missing, or may not be written to: it stays in the list.
    TopicRefused,
    /// It was not in the list any more: somebody else was faster, or it was sent by a process that was killed before it could note that.
    Gone,
    /// It was redriven too often before, and stays in the list.
    TooManyRetries,
    /// It is no dead letter that can be sent, and stays in the list.
    Unreadable,
}

impl LetterResult {
    /// All of them.
    pub const ALL: [Self; 8] = [
        Self::Pending,
        Self::Sent,
        Self::Unsettled,
        Self::NotAcknowledged,
        Self::TopicRefused,
        Self::Gone,
        Self::TooManyRetries,
        Self::Unreadable,
    ];

    /// As it is written.
    pub const fn label(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Sent => "sent",
            Self::Unsettled => "unsettled",
            Self::NotAcknowledged => "not_acknowledged",
            Self::TopicRefused => "topic_refused",
            Self::Gone => "gone",
            Self::TooManyRetries => "too_many_retries",
            Self::Unreadable => "unreadable",
        }
    }

    /// The one that is written so.
    pub fn of_label(label: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|result| result.label() == label)
    }

    /// Whether whoever goes on with the job has something to do for it.
    pub const fn is_open(self) -> bool {
        matches!(self, Self::Pending | Self::Unsettled)
    }
}

/// A letter of a job.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JobLetter {
    /// See [`crate::dead_letter::entry_id`].
    pub id: String,
    /// What became of it.
    pub result: LetterResult,
    /// Where the broker put it, where it took it; `None` also where a program noted it that did not keep that.
    pub landed: Option<Landed>,
}

/// How many letters of a job ended how. A result that none has is not in it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct JobCounts(pub BTreeMap<LetterResult, u64>);

impl JobCounts {
    /// Of these letters.
    pub fn of<'l>(letters: impl IntoIterator<Item = &'l JobLetter>) -> Self {
        let mut counts = Self::default();
        letters.into_iter().for_each(|letter| counts.add(letter.result, 1));
        counts
    }

    /// How many ended so.
    pub fn get(&self, result: LetterResult) -> u64 {
        self.0.get(&result).copied().unwrap_or(0)
    }

    /// All letters of the job.
    pub fn all(&self) -> u64 {
        self.0.values().sum()
    }

    /// So many more ended so.
    pub fn add(&mut self, result: LetterResult, letters: u64) {
        *self.0.entry(result).or_default() += letters;
    }

    /// A letter that had ended the one way has ended the other.
    pub fn change(&mut self, before: LetterResult, now: LetterResult) {
        if let Some(letters) = self.0.get_mut(&before) {
            *letters = letters.saturating_sub(1);
        }
        self.0.retain(|_, letters| *letters > 0);
        self.add(now, 1);
    }

    /// As a store keeps it: `sent 12, gone 1`.
    pub fn to_stored(&self) -> String {
        let counts: Vec<_> = self.0.iter().map(|(result, letters)| format!("{} {letters}", result.label())).collect();
        counts.join(", ")
    }

    /// What was kept so; results that only a newer program knows are left out.
    pub fn from_stored(text: &str) -> Self {
        let counts = text.split(", ").filter_map(|count| {
            let (label, letters) = count.split_once(' ')?;
            Some((LetterResult::of_label(label)?, letters.parse().ok()?))
        });
        Self(counts.collect())
    }
}

/// A job that is to be made.
#[derive(Clone, Debug, PartialEq)]
pub struct JobPlan {
    /// What its entries in the audit log have in common. A plan that comes twice makes one job.
    pub operation: Uuid,
    /// When, by the clock of the program that makes it.
    pub made_at: Timestamp,
    /// Who: the name of a token, or the operating system's user.
    pub actor: String,
    /// From where: the label of an [`crate::audit::Origin`].
    pub origin: String,
    /// Which dead letters are meant, in words: the filter, and how many at most.
    pub subject: String,
    /// How many per second are sent, at most.
    pub rate: Option<f64>,
    /// Letters that were redriven so often stay.
    pub max_retries: u32,
}

impl JobPlan {
    /// The same with texts that fit their columns and move no terminal's cursor: every store gives back exactly what it was given.
    #[must_use]
    pub fn fitting(self) -> Self {
        Self { actor: fitting(&self.actor, LONGEST_ACTOR), subject: fitting(&self.subject, LONGEST_SUBJECT), ..self }
    }
}

/// A job.
#[derive(Clone, Debug, PartialEq)]
pub struct RedriveJob {
    /// From 1, the newest with the highest. Some numbers may be left out.
    pub number: i64,
    /// What it is to do.
    pub plan: JobPlan,
    /// How it stands.
    pub state: JobState,
    /// Why it could not go on, as a sentence.
    pub problem: Option<String>,
    /// How far it is.
    pub counts: JobCounts,
    /// When something of it was noted the last time, by the database's clock.
    pub updated_at: Timestamp,
}

/// A step of a job from one state to another.
#[derive(Clone, Debug, PartialEq)]
pub enum JobChange {
    /// Its letters are named: whoever finds it goes on with it.
    Begin,
    /// Nobody is to go on with it.
    Pause,
    /// It is to go on, at this rate where one is given.
    Resume(Option<f64>),
    /// It is to end; what was not sent stays in the list.
    Cancel,
    /// Each of its letters has a result.
    Finish,
    /// It cannot go on, for this reason.
    Fail(String),
}

impl JobChange {
    /// The states from which it can be done.
    pub const fn from(&self) -> &'static [JobState] {
        match self {
            Self::Begin => &[JobState::Planned],
            Self::Pause | Self::Finish | Self::Fail(_) => &[JobState::Running],
            Self::Resume(_) => &[JobState::Paused, JobState::Failed],
            Self::Cancel => &[JobState::Planned, JobState::Running, JobState::Paused, JobState::Failed],
        }
    }

    /// The state to which it leads.
    pub const fn to(&self) -> JobState {
        match self {
            Self::Begin | Self::Resume(_) => JobState::Running,
            Self::Pause => JobState::Paused,
            Self::Cancel => JobState::Cancelled,
            Self::Finish => JobState::Done,
            Self::Fail(_) => JobState::Failed,
        }
    }

    /// The reason that is shown from then on.
    pub fn problem(&self) -> Option<String> {
        match self {
            Self::Fail(problem) => Some(fitting(problem, LONGEST_PROBLEM)),
            _ => None,
        }
    }

    /// The rate that holds from then on, where it is another one.
    pub const fn rate(&self) -> Option<f64> {
        match self {
            Self::Resume(rate) => *rate,
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_are_read_as_they_are_written() {
        assert!(JobState::ALL.into_iter().all(|state| JobState::of_label(state.label()) == Some(state)));
        assert!(LetterResult::ALL.into_iter().all(|result| LetterResult::of_label(result.label()) == Some(result)));
        assert_eq!((JobState::of_label("resting"), LetterResult::of_label("lost")), (None, None));
    }

    #[test]
    fn counts_add_up_and_survive_the_store() {
        let letter = |result| JobLetter { id: String::new(), result, landed: None };
        let mut counts = JobCounts::of(&[LetterResult::Pending, LetterResult::Pending, LetterResult::Unreadable].map(letter));
        counts.change(LetterResult::Pending, LetterResult::Sent);
        assert_eq!((counts.get(LetterResult::Pending), counts.get(LetterResult::Sent), counts.all()), (1, 1, 3));
        counts.change(LetterResult::Pending, LetterResult::Gone);
        assert_eq!(counts.to_stored(), "sent 1, gone 1, unreadable 1");
        assert_eq!(JobCounts::from_stored(&counts.to_stored()), counts);
        assert_eq!(JobCounts::from_stored(""), JobCounts::default());
        assert_eq!(JobCounts::from_stored("sent 2, of_a_newer_program 3, gone x").to_stored(), "sent 2");
    }

    #[test]
    fn what_has_ended_is_not_resumed_and_a_job_that_failed_is() {
        let from = |change: &JobChange, state| change.from().contains(&state);
        assert!(from(&JobChange::Resume(None), JobState::Failed) && from(&JobChange::Resume(None), JobState::Paused));
        for change in [JobChange::Begin, JobChange::Pause, JobChange::Resume(None), JobChange::Cancel, JobChange::Finish] {
            assert!(JobState::ALL.into_iter().filter(|state| state.is_final()).all(|state| !from(&change, state)), "{change:?}");
        }
    }
}
