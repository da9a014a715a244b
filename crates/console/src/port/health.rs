//! What a check, a verification and the audit log tell.

use std::time::Duration;

/// What a check of the settings and of every part came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checked {
    /// When it began, RFC 3339.
    pub at: String,
    /// How long it took.
    pub took: Duration,
    /// What was found.
    pub findings: Vec<Finding>,
}

/// What was found about one thing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// How it stands.
    pub state: FindingState,
    /// Of whom: settings, Kafka, database, Redis, process.
    pub part: String,
    /// What was looked at.
    pub check: String,
    /// What was found, in the words of the command; never a secret.
    pub found: String,
    /// What to do; `None` where nothing is.
    pub advice: Option<String>,
}

/// How something stands, the worst first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum FindingState {
    /// The program cannot work, or events would be lost.
    Failed,
    /// It works, and somebody will regret it.
    Warning,
    /// As it should be.
    Good,
}

/// What the last verification of a process found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Verification {
    /// From the beginning of one to that of the next; `None` where the process does none.
    pub interval: Option<Duration>,
    /// When the last one was finished, RFC 3339; `None` where none was.
    pub finished: Option<String>,
    /// Offsets of the log that it covered.
    pub offsets: u64,
    /// What differs.
    pub differences: Vec<DifferenceCount>,
    /// Whether one can be begun here.
    pub can_begin: bool,
}

/// Differences of one kind in one table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DifferenceCount {
    /// Such as `users`.
    pub table: String,
    /// Such as `missing`.
    pub kind: String,
    /// What that means, as a sentence.
    pub meaning: String,
    /// How many.
    pub count: u64,
}

/// An entry of the audit log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditRow {
    /// From 1, without gaps.
    pub number: i64,
    /// RFC 3339.
    pub at: String,
    /// The name of a token, or a user of the operating system.
    pub actor: String,
    /// `console`, `http` or `command_line`.
    pub origin: String,
    /// Such as `redrive`.
    pub action: String,
    /// What the entries of one operation have in common.
    pub operation: String,
    /// To what it was done.
    pub subject: String,
    /// What came of it.
    pub outcome: String,
}
