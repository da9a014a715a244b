//! Writing what the log says where the tables have something else.
//!
//! Every event goes the ordinary way: the statement that applies it decides as it always does, so nothing newer is overwritten, and consumers may
//! write meanwhile. A row that shows the right event with other values, or an event that is not in the log, first counts as older than any. What
//! ends half way is found and repaired by the next run.

use std::borrow::Cow;
use std::collections::HashSet;
use std::time::Duration;

use events::Event;
use pipeline::ports::{AuditLog, EventStore, ParkingLot, TableRepair, TableRows};
use pipeline::rows::Table;
use pipeline::{Batch, Item, ParkedEvent};

use super::difference::{Difference, Kind};
use super::fold::Fold;
use super::stock::stable_stock;
use super::{Report, Unfinished};

/// Where changes are logged.
const TARGET: &str = "consumer::verify::repair";
/// Events that are applied in one transaction.
const BATCH: usize = 100;
/// The pause between looks at stock.
const PAUSE: Duration = Duration::from_millis(200);

/// Tables that can be repaired.
pub trait Repairable: TableRows + TableRepair + EventStore + ParkingLot + AuditLog {}

impl<T: TableRows + TableRepair + EventStore + ParkingLot + AuditLog> Repairable for T {}

impl Kind {
    /// Whether the log says what to write; with `deletes_extra` also that nothing is to be there.
    pub const fn can_be_repaired(self, deletes_extra: bool) -> bool {
        match self {
            Self::Missing | Self::Older | Self::Changed | Self::Newer | Self::Stock | Self::Lost => true,
            // Whether a row that nobody explains is to be deleted, a person decides.
            Self::Extra => deletes_extra,
            // What waits is released by a consumer.
            Self::Waiting | Self::Unbalanced => false,
            // Its lines are gone: which of them was lost or changed, nobody can tell.
            Self::Opening => false,
            // What the queue holds is repaired with `dlq`.
            Self::NoDeadLetter | Self::ExtraDeadLetter | Self::DoubleDeadLetter => false,
        }
    }
}

/// Writes what the log says, for every difference that the report tells and that can be repaired. `fold` is the log of that report. Whether it was
/// enough, the next verification says. With `delete_extra`, rows that no record explains go too, children before their parents; the report then
/// has to be of a whole log. Each change is a line of the log.
///
/// # Errors
/// A part fails. What was written until then stays, and is right.
pub async fn repair<T: Repairable, F: Fold>(tables: &T, fold: &F, report: &Report, delete_extra: bool) -> Result<(), Unfinished> {
    let deleted = if delete_extra { delete(tables, report).await? } else { HashSet::new() };
    let mut articles: HashSet<String> =
        report.differences.iter().filter(|found| found.kind == Kind::Stock).map(|found| found.key.clone()).chain(deleted).collect();
    for table in Table::ALL {
        let differing: Vec<_> = report
            .differences
            .iter()
            .filter(|found| found.kind.can_be_repaired(false))
            .filter_map(|found| found.row.filter(|(of, _)| *of == table).map(|(_, key)| (key, found)))
            .collect();
        for chunk in differing.chunks(BATCH) {
            let mut keys: Vec<_> = chunk.iter().map(|(key, _)| *key).collect();
            // Writers lock rows in one order.
            keys.sort_unstable();
            let mut rows = fold.rows().rows(table, &keys).await?;
            rows.sort_unstable_by_key(|row| row.key);
            if table == Table::Adjustments {
                // Once a line is taken out that may have been folded, its event is refused: it is left as it is.
                let ledger = tables.ledger_state().await?;
                rows.retain(|row| !ledger.may_have_folded(row.event_at));
            }
            let written: HashSet<_> = rows.iter().map(|row| row.key).collect();
            let chunk = chunk.iter().filter(|(key, _)| written.contains(key));
            for (key, found) in chunk.clone().filter(|(_, found)| matches!(found.kind, Kind::Changed | Kind::Newer)) {
                if let Some(shown) = found.shown {
                    tables.outdate(table, *key, shown).await?;
                }
            }
            if table == Table::Adjustments {
                articles.extend(rows.iter().filter_map(|row| row.fields.get("sku")).map(Cow::into_owned));
            }
            let events: Vec<Event<'static>> = rows.iter().filter_map(|row| row.to_event(table)).collect();
            let items: Vec<_> = events.iter().map(|event| Item { event, releases: Vec::new() }).collect();
            tables.apply(Batch::new(&items)).await?;
            for (_, found) in chunk {
                note(found, "written");
            }
        }
    }
    let lost: Vec<_> = report.differences.iter().filter(|found| found.kind == Kind::Lost).collect();
    for chunk in lost.chunks(BATCH) {
        let events: Vec<_> = chunk.iter().filter_map(|found| found.expected).collect();
        tables.park(&fold.rows().waiting(&events).await?).await?;
        for found in chunk {
            note(found, "parked");
        }
    }
    if !articles.is_empty() {
        for wrong in stable_stock(tables, PAUSE).await?.into_iter().filter(|wrong| articles.contains(&wrong.sku)) {
            if tables.correct_stock(&wrong).await? {
                tracing::info!(target: TARGET, table = "inventory", key = wrong.sku, "stock was set to the sum of its ledger");
            }
        }
    }
    Ok(())
}

/// Deletes what no record explains. Returns the articles whose ledger has changed.
async fn delete<T: Repairable>(tables: &T, report: &Report) -> Result<HashSet<String>, Unfinished> {
    let mut articles = HashSet::new();
    let extra = report.differences.iter().filter(|found| report.is_whole && found.kind == Kind::Extra);
    let rows = extra.clone().filter_map(|found| Some((found.row?, found.shown?, found)));
    for table in Table::ALL.into_iter().rev() {
        for ((_, key), shown, found) in rows.clone().filter(|((of, _), ..)| *of == table) {
            let row = if table == Table::Adjustments { tables.rows(table, &[key]).await? } else { Vec::new() };
            if tables.delete(table, key, shown).await? {
                articles.extend(row.iter().filter_map(|row| row.fields.get("sku")).map(Cow::into_owned));
                note(found, "deleted");
            }
        }
    }
    let waiting: Vec<_> = extra.filter(|found| found.row.is_none()).filter_map(|found| found.shown).collect();
    for events in waiting.chunks(BATCH) {
        let parked = tables.waiting(events).await?;
        let keys: Vec<_> = parked.iter().map(ParkedEvent::parked_key).collect();
        tables.discard(&keys).await?;
        for event in &parked {
            tracing::info!(target: TARGET, table = "parked_events", key = %event.event_id, "deleted");
        }
    }
    Ok(articles)
}

/// An operator's change of the tables is told row by row.
fn note(found: &Difference, change: &str) {
    let Difference { kind, table, key, shown, expected, .. } = found;
    let (shown, expected) = (shown.map(tracing::field::display), expected.map(tracing::field::display));
    tracing::info!(target: TARGET, kind = ?kind, table, key, shown, expected, "{change}");
}
