//! What a dry run foresees.

use std::fmt;

use events::{Timestamp, Violation};
use pipeline::outcome::{Outcome, WaitsFor};
use serde::Serialize;

use super::listed::Listed;

/// How an entry would end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DryRunOutcome {
    /// The database took it, and would end it so.
    Ended(Outcome),
    /// It still breaks the contract: it would be a dead letter again.
    Broken(Violation),
    /// It would not be sent: it was redriven too often before.
    TooManyRetries,
    /// It would not be sent: it cannot be read.
    Unreadable,
}

impl DryRunOutcome {
    /// A stable word for it.
    pub const fn label(&self) -> &'static str {
        match self {
            Self::Ended(Outcome::Applied) => "applied",
            Self::Ended(Outcome::Duplicate) => "duplicate",
            Self::Ended(Outcome::Stale) => "stale",
            Self::Ended(Outcome::Parked(_)) => "parked",
            Self::Ended(Outcome::Rejected { .. }) => "rejected",
            Self::Broken(_) => "dead letter",
            Self::TooManyRetries => "too many retries",
            Self::Unreadable => "unreadable",
        }
    }

    /// More about it, where there is more to say.
    pub fn detail(&self) -> Option<String> {
        match self {
            Self::Ended(Outcome::Parked(WaitsFor::User(id))) => Some(format!("waits for user {id}")),
            Self::Ended(Outcome::Parked(WaitsFor::Order(id))) => Some(format!("waits for order {id}")),
            Self::Ended(Outcome::Parked(WaitsFor::Email)) => Some("waits until its e-mail address is free".to_owned()),
            Self::Ended(Outcome::Rejected { reason, code: None }) => Some(reason.label().to_owned()),
            Self::Ended(Outcome::Rejected { reason, code: Some(code) }) => Some(format!("{} (error {code})", reason.label())),
            Self::Broken(violation) => Some(violation.to_string()),
            Self::Ended(_) | Self::TooManyRetries | Self::Unreadable => None,
        }
    }
}

/// What a dry run says about one entry.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Preview {
    /// See [`Listed::id`].
    pub id: String,
    /// See [`Listed::event_type`].
    pub event_type: &'static str,
    /// The event id, where it could be read.
    pub event_id: Option<String>,
    /// See [`DryRunOutcome::label`].
    pub outcome: &'static str,
    /// What it waits for, or why it would be refused.
    pub detail: Option<String>,
}

impl Preview {
    pub(super) fn new(listed: &Listed, dry_run_outcome: &DryRunOutcome, now: Timestamp) -> Self {
        let row = listed.row(now);
        Self {
            id: row.id.to_owned(),
            event_type: row.event_type,
            event_id: row.event_id.map(str::to_owned),
            outcome: dry_run_outcome.label(),
            detail: dry_run_outcome.detail(),
        }
    }
}

/// A dry run in numbers.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Totals {
    /// Not meant by the filter.
    pub not_selected: u64,
    /// Their rows would show them.
    pub applied: u64,
    /// They were applied before.
    pub duplicate: u64,
    /// Something newer was applied before.
    pub stale: u64,
    /// They would wait for a parent.
    pub parked: u64,
    /// The database would refuse them for good.
    pub rejected: u64,
    /// They would be dead letters again, without a look at the database.
    pub dead_letter: u64,
    /// They would not be sent.
    pub too_many_retries: u64,
    /// They would not be sent.
    pub unreadable: u64,
    /// How many batches they were dry-run in. What one batch did was not there for the next.
    pub batches: u64,
}

impl Totals {
    pub(super) fn note(&mut self, dry_run_outcome: &DryRunOutcome) {
        *match dry_run_outcome {
            DryRunOutcome::Ended(Outcome::Applied) => &mut self.applied,
            DryRunOutcome::Ended(Outcome::Duplicate) => &mut self.duplicate,
            DryRunOutcome::Ended(Outcome::Stale) => &mut self.stale,
            DryRunOutcome::Ended(Outcome::Parked(_)) => &mut self.parked,
            DryRunOutcome::Ended(Outcome::Rejected { .. }) => &mut self.rejected,
            DryRunOutcome::Broken(_) => &mut self.dead_letter,
            DryRunOutcome::TooManyRetries => &mut self.too_many_retries,
            DryRunOutcome::Unreadable => &mut self.unreadable,
        } += 1;
    }

    /// Those that were meant, by how they would end.
    pub const fn counts(&self) -> [(&'static str, u64); 8] {
        [
            ("applied", self.applied),
            ("duplicate", self.duplicate),
            ("stale", self.stale),
            ("parked", self.parked),
            ("rejected", self.rejected),
            ("dead letter", self.dead_letter),
            ("too many retries", self.too_many_retries),
            ("unreadable", self.unreadable),
        ]
    }

    /// Entries that were looked at.
    pub const fn examined(&self) -> u64 {
        self.not_selected + self.would_leave() + self.rejected + self.dead_letter + self.too_many_retries + self.unreadable
    }

    /// Entries that would not become dead letters again.
    const fn would_leave(&self) -> u64 {
        self.applied + self.duplicate + self.stale + self.parked
    }
}

impl fmt::Display for Totals {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:<18} {:>9}", "examined", self.examined())?;
        for (name, count) in self.counts().into_iter().chain([("not selected", self.not_selected)]) {
            write!(f, "\n  {name:<16} {count:>9}")?;
        }
        if self.batches > 1 {
            write!(
                f,
                "\ndry-run in {} batches, each undone before the next: a child whose parent is in an earlier batch seems to wait for it",
                self.batches
            )?;
        }
        write!(f, "\nnothing was changed")
    }
}
