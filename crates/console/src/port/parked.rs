//! Events that wait, and what they wait for.

use super::trace::TraceBy;

/// Events that wait.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Parked {
    /// By what they wait for.
    pub parents: Vec<MissingParent>,
    /// How many more parents there are than `parents` holds.
    pub hidden: u64,
    /// How many events wait in all.
    pub events: u64,
    /// How long an event may wait, in seconds.
    pub deadline_seconds: u64,
}

/// What some events wait for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MissingParent {
    /// Such as `user 0190…`, `order 0190…` or `an e-mail address`.
    pub name: String,
    /// How many wait for it.
    pub children: u64,
    /// When the first of them was parked, RFC 3339.
    pub oldest: String,
    /// What is known of it.
    pub fate: ParentFate,
    /// By what it can be traced; `None` for an e-mail address.
    pub trace: Option<(TraceBy, String)>,
    /// The first of them, at most 100: event id, `topic/partition/offset`, when it was parked.
    pub first: Vec<Waiting>,
}

/// Why something that is waited for is not there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ParentFate {
    /// It is in its table: who waits for it is released soon.
    Written,
    /// It is a dead letter.
    DeadLetter {
        /// The id of the newest.
        id: String,
        /// Whether only its key says so.
        by_key: bool,
        /// How many more are about it.
        others: u64,
    },
    /// It is in no table, not parked, and no dead letter.
    NeverSeen,
    /// It is in no table and not among the dead letters that were looked at, which is not all that it can be: a sentence says what else.
    NotFound(String),
    /// The dead letters could not be looked at, for this reason: a sentence.
    Unknown(String),
    /// It is an e-mail address, which somebody has.
    Held,
}

/// An event that waits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Waiting {
    /// Its id.
    pub event_id: String,
    /// `topic/partition/offset`.
    pub place: String,
    /// RFC 3339.
    pub parked_at: String,
}
