//! What is committed in the database.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::Duration;

use events::{Body, Event, Timestamp};
use pipeline::audit::AuditEntry;
use pipeline::parking::EmailClaim;
use pipeline::{ParkedEvent, Position, RecordId};
use uuid::Uuid;

use super::key::{ParkedKey, PositionKey};
use super::locks::Locks;
use super::meetings::Meetings;

/// A row that one event fills.
#[derive(Clone, Debug)]
pub struct Row {
    /// The event that it shows.
    pub event: Arc<Event<'static>>,
    /// When it was written.
    pub updated_at: Timestamp,
}

impl Row {
    /// What rows are compared by: the newest event wins.
    pub fn clock(&self) -> (Timestamp, Uuid) {
        (self.event.at, self.event.id)
    }
}

/// A line of the ledger.
#[derive(Clone, Debug)]
pub struct Line {
    /// The event that was applied.
    pub event: Arc<Event<'static>>,
    /// The article.
    pub sku: String,
    /// What it added.
    pub delta: i64,
    /// When it was applied.
    pub applied_at: Timestamp,
}

/// A row of the parking table.
#[derive(Clone, Debug)]
pub struct Parked {
    /// The event.
    pub event: ParkedEvent,
    /// What it claims, if it waits for an address.
    pub claim: Option<EmailClaim>,
    /// Whether it was expired.
    pub expired: bool,
}

/// What is committed, and what the server is busy with.
#[derive(Debug, Default)]
pub struct Tables {
    /// By user.
    pub users: BTreeMap<Uuid, Row>,
    /// Whose an address is.
    pub addresses: HashMap<String, Uuid>,
    /// By order.
    pub orders: BTreeMap<Uuid, Row>,
    /// By payment.
    pub payments: BTreeMap<Uuid, Row>,
    /// By event.
    pub ledger: BTreeMap<Uuid, Line>,
    /// By article.
    pub stock: BTreeMap<String, (i64, Timestamp)>,
    /// Events that wait.
    pub parked: BTreeMap<ParkedKey, Parked>,
    /// How far the tables hold each partition of each log.
    pub positions: BTreeMap<PositionKey, i64>,
    /// Who has a lease, and until which time of the run.
    pub leases: BTreeMap<String, (Uuid, Duration)>,
    /// What operators have changed.
    pub audit: Vec<AuditEntry>,
    /// Nobody answers before this time of the run.
    pub away_until: Duration,
    /// Nothing can be written before this time of the run.
    pub full_until: Duration,
    /// How often the server failed over.
    pub failovers: u64,
    pub(super) locks: Locks,
    pub(super) meetings: Meetings,
}

/// The key of the address that a user's event claims.
pub fn address(event: &Event<'_>) -> Option<String> {
    match &event.body {
        Body::UserCreated(user) => Some(user.email_key()),
        _ => None,
    }
}

impl Tables {
    /// The server fails over: what is not committed is gone, and nobody answers for a while.
    pub fn fail_over(&mut self, until: Duration) {
        self.failovers += 1;
        self.away_until = until;
        self.locks = Locks::default();
    }

    /// The events that are parked from a position.
    pub fn parked_at<'t>(&'t self, position: &'t Position) -> impl Iterator<Item = &'t Parked> {
        let from = self.parked.range((position.clone(), RecordId::default())..);
        from.take_while(move |((place, _), _)| place == position).map(|(_, parked)| parked)
    }

    /// Writes a user's row, and the index of addresses with it.
    pub(super) fn put_user(&mut self, user: Uuid, row: Row) {
        let new = address(&row.event);
        if let Some(old) = self.users.insert(user, row).and_then(|row| address(&row.event))
            && self.addresses.get(&old) == Some(&user)
        {
            self.addresses.remove(&old);
        }
        if let Some(new) = new {
            self.addresses.insert(new, user);
        }
    }
}
