//! A verification under way: what is compared with what, and what was found so far.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use pipeline::fault::Fault;
use pipeline::ports::{LogPositions, TableRows};
use pipeline::rows::TableRow;
use pipeline::{LogId, ParkedEvent, WaitsFor, pace};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::folding::Folding;
use super::report::Report;
use super::{Settings, Unfinished, positions};

/// Rows that are compared at once.
pub(super) const PAGE: usize = 1000;
/// The pause before events that wait are looked at again.
pub(super) const PAUSE: Duration = Duration::from_millis(500);

/// The tables that are verified.
pub trait Verified: TableRows + LogPositions + Clone + 'static {}

impl<T: TableRows + LogPositions + Clone + 'static> Verified for T {}

/// What is compared, and with what.
pub struct Verification<'v, T, Q, F> {
    /// The tables.
    pub tables: &'v T,
    /// Their dead letters.
    pub dead_letters: &'v Q,
    /// The log, folded.
    pub fold: &'v mut F,
    /// The name of the topic, by which the tables know its logs.
    pub topic: Arc<str>,
    /// Which log it is.
    pub log: LogId,
    /// How it works.
    pub settings: Settings,
    /// Ends it early.
    pub stop: CancellationToken,
    /// Told what is being done, how much of it is done, and how much there is.
    pub on_progress: &'v (dyn Fn(&str, u64, u64) + Sync),
}

/// A verification under way.
pub(super) struct Comparison<'v, T, Q, F> {
    pub(super) verification: Verification<'v, T, Q, F>,
    pub(super) report: Report,
    /// Rows that were read from the tables.
    read: u64,
    began: Instant,
    /// Users and orders that depend on who holds an e-mail address: their children are not decided by the log either.
    pub(super) disputed: HashSet<Uuid>,
    /// Lines of the ledger that the tables have as a sum.
    pub(super) folding: Folding,
}

impl<'v, T: Verified, Q, F> Comparison<'v, T, Q, F> {
    /// Nothing is compared yet.
    pub(super) fn begin(verification: Verification<'v, T, Q, F>, folding: Folding) -> Self {
        Self { verification, report: Report::default(), read: 0, began: Instant::now(), disputed: HashSet::new(), folding }
    }

    /// How far the tables hold this log.
    pub(super) async fn positions(&self) -> Result<BTreeMap<i32, i64>, Fault> {
        let Verification { tables, topic, log, .. } = &self.verification;
        positions(*tables, topic, *log).await
    }

    /// Whether what an event waits for depends on who holds an e-mail address.
    pub(super) fn is_disputed(&self, waits_for: WaitsFor) -> bool {
        waits_for == WaitsFor::Email || waits_for.parent_id().is_some_and(|parent| self.disputed.contains(&parent))
    }

    /// Says what is being done, and whether it may go on.
    pub(super) fn step(&self, phase: &str, done: u64, of: u64) -> Result<(), Unfinished> {
        (self.verification.on_progress)(phase, done, of);
        if self.verification.stop.is_cancelled() { Err(Unfinished::Stopped) } else { Ok(()) }
    }

    /// Waits until so many more rows may have been read.
    pub(super) async fn keep_to_rate(&mut self, rows: usize) {
        self.read += rows as u64;
        let due = self.began + pace::due(self.verification.settings.rate, self.read);
        tokio::select! {
            () = tokio::time::sleep_until(due) => {}
            () = self.verification.stop.cancelled() => {}
        }
    }
}

/// Rows by their keys.
pub(super) type ByKey = HashMap<Uuid, TableRow>;

/// The same rows, to be found by their keys.
pub(super) fn by_key(rows: Vec<TableRow>) -> ByKey {
    rows.into_iter().map(|row| (row.key, row)).collect()
}

/// Which of these events wait, and for what.
pub(super) async fn waiting_of(rows: &impl TableRows, events: &[Uuid]) -> Result<HashMap<Uuid, WaitsFor>, Fault> {
    let waiting: Vec<ParkedEvent> = if events.is_empty() { Vec::new() } else { rows.waiting(events).await? };
    Ok(waiting.into_iter().map(|event| (event.event_id, event.waits_for)).collect())
}
