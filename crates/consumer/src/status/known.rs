//! Everything that is known of the pipeline at one moment.

use events::Timestamp;
use pipeline::fault::Fault;
use serde::Serialize;

use super::{Change, Group, Problem, Process};
use crate::fleet::{self, ConsumerView};
use crate::reason;

/// Everything that is known of the pipeline at one moment. A part that cannot be asked says why in its place.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Status {
    /// When it was asked for.
    pub at: Timestamp,
    /// What is wrong, and what somebody should look at, the worst first: the verdict on all that follows.
    pub problems: Vec<Problem>,
    /// The process that consumes here.
    pub process: Process,
    /// The topic, and how far the group is, partition by partition; `None` where nothing says which Kafka to ask, and no process tells.
    pub lag: Option<Known<Lag>>,
    /// Who consumes, by what each of them says; `None` where nothing says where the tables are.
    pub consumers: Option<Known<Vec<ConsumerView>>>,
    /// Events that wait for a parent; `None` where nothing says where the tables are.
    pub parked: Option<Known<Parked>>,
    /// The dead letters by what they have in common, the most frequent first; `None` where nothing says where they are.
    pub dead_letters: Option<Known<Vec<Group>>>,
    /// Dead letters that a redrive has claimed: they are in no group. 0 where nothing says.
    pub claimed: u64,
    /// What operators have changed last, the newest first; `None` where nothing says where the tables are.
    pub changes: Option<Known<Vec<Change>>>,
    /// The topic that is asked about.
    #[serde(skip)]
    pub topic: String,
    /// Settings that somebody has set for this look and that do nothing, a sentence each.
    #[serde(skip)]
    pub idle_settings: Vec<String>,
}

/// What a part answered, or why it did not.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum Known<T> {
    /// Its answer.
    Yes(T),
    /// A sentence.
    No {
        /// What is wrong, and what to do about it.
        problem: String,
        /// Whether it is the topic that is missing, or not for this user: the rest of Kafka works.
        #[serde(skip)]
        about_topic: bool,
    },
}

impl<T> Known<T> {
    /// Nothing is known, for this reason.
    pub fn not(problem: impl Into<String>) -> Self {
        Self::No { problem: problem.into(), about_topic: false }
    }

    /// The answer, where there is one.
    pub const fn answer(&self) -> Option<&T> {
        match self {
            Self::Yes(answer) => Some(answer),
            Self::No { .. } => None,
        }
    }

    /// Why there is none.
    pub fn problem(&self) -> Option<&str> {
        match self {
            Self::Yes(_) => None,
            Self::No { problem, .. } => Some(problem),
        }
    }
}

impl<T> From<Result<T, Fault>> for Known<T> {
    fn from(answer: Result<T, Fault>) -> Self {
        answer.map_or_else(|fault| Self::not(reason::told(&fault)), Self::Yes)
    }
}

/// How far the group is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Lag {
    /// The topic.
    pub topic: String,
    /// The group.
    pub group: String,
    /// Members of the group; `None` where the brokers do not tell.
    pub members: Option<u64>,
    /// The topic's partitions, whoever owns them.
    pub partitions: Vec<PartitionLag>,
}

/// One partition.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct PartitionLag {
    /// Its number.
    pub partition: i32,
    /// One after the last offset.
    pub end: i64,
    /// The next offset that the group reads.
    pub next: i64,
    /// Whether the group has ever committed one.
    pub committed: bool,
    /// Offsets that the group has not consumed.
    pub lag: u64,
    /// Who has it: host and process of a consumer that says so itself, otherwise where the member of the group connects from and the end of its
    /// id. `None` where nobody has it, or nobody tells.
    pub owner: Option<String>,
}

/// Events that wait for a parent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Parked {
    /// How many.
    pub events: u64,
    /// When the oldest of them was parked.
    pub oldest: Option<Timestamp>,
    /// What the most of them wait for, these first.
    pub largest: Vec<MissingParent>,
}

/// What some events wait for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct MissingParent {
    /// Such as `user 0190…`.
    pub parent: String,
    /// How many wait for it.
    pub events: u64,
}

impl Status {
    /// Whether the process is ready, no process has found the tables different from the log, and every part that was asked has answered. Lag and dead
    /// letters do not count: both are work that goes on.
    pub fn is_well(&self) -> bool {
        self.process.is_ready()
            && !self.process.tables_differ()
            && self.differing().is_none()
            && !matches!(self.lag, Some(Known::No { .. }))
            && !matches!(self.parked, Some(Known::No { .. }))
            && !matches!(self.dead_letters, Some(Known::No { .. }))
    }

    /// The consumer whose verification has found the tables different from the log last.
    pub(super) fn differing(&self) -> Option<&ConsumerView> {
        self.consumers.as_ref().and_then(Known::answer).and_then(|consumers| fleet::found_different(consumers))
    }

    /// As JSON.
    pub fn to_json(&self) -> String {
        // Text, numbers and lists can be written.
        serde_json::to_string(self).unwrap_or_default()
    }
}
