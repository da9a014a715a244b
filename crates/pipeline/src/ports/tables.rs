//! The rows as a whole, for whoever compares, repairs, traces or compacts them.

use std::future::Future;

use uuid::Uuid;

use crate::fault::Fault;
use crate::ledger::{Compaction, CompactionStep, Cutoff, Foldable, LedgerState, OpeningBalance};
use crate::parking::{ParkedEvent, ParkedKey};
use crate::rows::{Table, TableRow, WrongStock};
use crate::trace::{Entity, History, Subject, Trace};

/// What the tables know of one event, and of what events are about.
pub trait EventTrace: Send + Sync {
    /// Looks for an event wherever it may have left something, and, where an entity is given, which event its row shows.
    ///
    /// # Errors
    /// See [`crate::fault::FaultClass`].
    fn trace(&self, event_id: Uuid, entity: Option<Entity>) -> impl Future<Output = Result<Trace, Fault>> + Send;

    /// What is known of a user, an order, a payment or an article: [`HISTORY_ROWS`](crate::trace::HISTORY_ROWS) of each kind at most.
    ///
    /// # Errors
    /// See [`crate::fault::FaultClass`].
    fn history(&self, subject: &Subject) -> impl Future<Output = Result<History, Fault>> + Send;
}

/// Reading the tables row by row, to compare them with those of another store.
pub trait TableRows: Send + Sync {
    /// How many rows a table has.
    ///
    /// # Errors
    /// See [`crate::fault::FaultClass`].
    fn count(&self, table: Table) -> impl Future<Output = Result<u64, Fault>> + Send;

    /// Up to `limit` rows after this key, in the order that the store itself gives to keys.
    ///
    /// # Errors
    /// See [`crate::fault::FaultClass`].
    fn rows_after(&self, table: Table, after: Option<Uuid>, limit: usize) -> impl Future<Output = Result<Vec<TableRow>, Fault>> + Send;

    /// The rows that have these keys, in any order.
    ///
    /// # Errors
    /// See [`crate::fault::FaultClass`].
    fn rows(&self, table: Table, keys: &[Uuid]) -> impl Future<Output = Result<Vec<TableRow>, Fault>> + Send;

    /// Up to `limit` articles whose quantity is not the sum of their ledger, by their names.
    ///
    /// # Errors
    /// See [`crate::fault::FaultClass`].
    fn wrong_stock(&self, limit: usize) -> impl Future<Output = Result<Vec<WrongStock>, Fault>> + Send;

    /// How far the ledger is compacted. The rows of [`Table::Adjustments`] are without the lines that were folded, and without opening balances.
    ///
    /// # Errors
    /// See [`crate::fault::FaultClass`].
    fn ledger_state(&self) -> impl Future<Output = Result<LedgerState, Fault>> + Send;

    /// Up to `limit` opening balances after this article, in the order that the store itself gives to articles.
    ///
    /// # Errors
    /// See [`crate::fault::FaultClass`].
    fn opening_balances(&self, after: Option<&str>, limit: usize) -> impl Future<Output = Result<Vec<OpeningBalance>, Fault>> + Send;

    /// Up to `limit` events that wait, in the order of their places in the log, those that are about to expire among them.
    ///
    /// # Errors
    /// See [`crate::fault::FaultClass`].
    fn waiting_page(&self, after: Option<ParkedKey<'_>>, limit: usize) -> impl Future<Output = Result<Vec<ParkedEvent>, Fault>> + Send;

    /// Which of these events wait, by their ids.
    ///
    /// # Errors
    /// See [`crate::fault::FaultClass`].
    fn waiting(&self, event_ids: &[Uuid]) -> impl Future<Output = Result<Vec<ParkedEvent>, Fault>> + Send;
}

/// Folding old lines of the ledger into opening balances, in transactions of a bounded size; see [`crate::ledger`].
pub trait LedgerCompaction: TableRows {
    /// What a compaction would fold now. Looks at every line.
    ///
    /// # Errors
    /// See [`crate::fault::FaultClass`].
    fn foldable(&self, cutoff: Cutoff) -> impl Future<Output = Result<Foldable, Fault>> + Send;

    /// Begins a compaction: when this returns, every batch that is written later, and every one whose outcome is not decided yet, counts an adjustment
    /// of an event before [`Cutoff::events_before`] only if the ledger holds its line. Nothing is folded yet. Where one is under way already, with
    /// whatever cutoff, none is begun, and that one is returned.
    ///
    /// # Errors
    /// See [`crate::fault::FaultClass`].
    fn begin_compaction(&self, cutoff: Cutoff) -> impl Future<Output = Result<Compaction, Fault>> + Send;

    /// Goes on with a compaction: looks at up to `lines` lines more (two at least), folds those that are to be folded, and notes how far it has come,
    /// in one transaction. Whoever goes on with it later goes on from there. One that has ended changes nothing.
    ///
    /// # Errors
    /// See [`crate::fault::FaultClass`]. Where the connection broke at the last moment, it may have been done; going on is safe in either case.
    fn compact(&self, number: i64, lines: usize) -> impl Future<Output = Result<CompactionStep, Fault>> + Send;
}

/// A place in what [`RowChanges`] has noted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ChangeMark(pub i64);

/// Knowing which rows of a shadow have been written since they were compared with those of the tables.
pub trait RowChanges: Send + Sync {
    /// Notes from now on, for good, which rows are written. Returns how far that has come.
    ///
    /// # Errors
    /// See [`crate::fault::FaultClass`].
    fn note_changes(&self) -> impl Future<Output = Result<ChangeMark, Fault>> + Send;

    /// The rows that were written up to this mark and not compared since, each once, table by table; `None` where there are more than `most`, or
    /// where it is not known that all others were found equal.
    ///
    /// # Errors
    /// See [`crate::fault::FaultClass`].
    fn changed(&self, mark: ChangeMark, most: usize) -> impl Future<Output = Result<Option<Vec<(Table, Uuid)>>, Fault>> + Send;

    /// Everything up to this mark was compared, and all of it was equal or not.
    ///
    /// # Errors
    /// See [`crate::fault::FaultClass`].
    fn compared(&self, mark: ChangeMark, equal: bool) -> impl Future<Output = Result<(), Fault>> + Send;
}

/// Making way for what the log says, where something else has written into the tables.
pub trait TableRepair: Send + Sync {
    /// Lets a row that shows this event count as older than any event, so that the event that is applied next is written; a line of the ledger is
    /// taken out instead. Its values stay until then. Returns whether there was such a row: one that shows another event by now stays as it is.
    ///
    /// # Errors
    /// See [`crate::fault::FaultClass`].
    fn outdate(&self, table: Table, key: Uuid, shown: Uuid) -> impl Future<Output = Result<bool, Fault>> + Send;

    /// Deletes a row that shows this event, with all that belongs to it, unless a row of another table refers to it. Returns whether it did: one that
    /// shows another event by now stays.
    ///
    /// # Errors
    /// See [`crate::fault::FaultClass`].
    fn delete(&self, table: Table, key: Uuid, shown: Uuid) -> impl Future<Output = Result<bool, Fault>> + Send;

    /// Adds to the stock of an article what it lacks of the sum of its ledger, unless it has changed since it was looked at: what others add
    /// meanwhile is in both. Returns whether it was changed.
    ///
    /// # Errors
    /// See [`crate::fault::FaultClass`].
    fn correct_stock(&self, wrong: &WrongStock) -> impl Future<Output = Result<bool, Fault>> + Send;
}
