//! The ledger of adjustments and its sum.

use std::collections::BTreeMap;

use events::{Event, InventoryAdjusted, Timestamp};
use pipeline::{Batch, Outcome, Reason};
use rusqlite::{CachedStatement, Connection, OptionalExtension, params};

use crate::faults::Failure;
use crate::ledger;
use crate::values::{Id, Micros};

/// Writes the adjustments of a batch: only what the ledger did not hold counts, and of what may have been folded into an opening balance only
/// what the ledger still holds is known.
pub(crate) fn write(connection: &Connection, batch: Batch<'_>, now: Timestamp, outcomes: &mut [Outcome]) -> Result<(), Failure> {
    let mut insert = connection.prepare_cached(include_str!("../sql/insert_adjustment.sql"))?;
    let mut noted = connection.prepare_cached("SELECT sku, delta FROM inventory_adjustments WHERE event_id = ?1")?;
    let mut deltas: BTreeMap<&str, i64> = BTreeMap::new();
    let mut folded_before = None;
    for (number, event, adjustment) in batch.adjustments() {
        // Asked once, by the batches that have adjustments.
        let folded_before = match folded_before {
            Some(before) => before,
            None => *folded_before.insert(ledger::events_before(connection)?),
        };
        if folded_before.is_some_and(|before| event.at < before) {
            outcomes[number] = compare(&mut noted, event, adjustment)?;
            continue;
        }
        let written = insert.execute(params![
            Id(&event.id),
            adjustment.sku,
            adjustment.delta(),
            adjustment.adjustment_type.as_str(),
            adjustment.reason,
            Micros(adjustment.adjusted_at),
            Micros(event.at),
            Micros(now)
        ])?;
        if written == 0 {
            outcomes[number] = compare(&mut noted, event, adjustment)?;
        } else {
            let delta = deltas.entry(&adjustment.sku).or_default();
            *delta = delta.checked_add(adjustment.delta()).ok_or(Failure::StockOverflow)?;
        }
    }
    add(connection, deltas, now)
}

/// How an event ended that is not written: the ledger holds its id already, or may have held it.
fn compare(noted: &mut CachedStatement<'_>, event: &Event<'_>, adjustment: &InventoryAdjusted<'_>) -> Result<Outcome, Failure> {
    let same = noted
        .query_row([Id(&event.id)], |row| Ok(row.get_ref(0)?.as_str()? == adjustment.sku && row.get::<_, i64>(1)? == adjustment.delta()))
        .optional()?;
    Ok(match same {
        Some(true) => Outcome::Duplicate,
        Some(false) => Outcome::Rejected { reason: Reason::EventIdConflict, code: None },
        None => Outcome::Rejected { reason: Reason::LedgerCompacted, code: None },
    })
}

/// Adds to the stock, in Rust: SQLite would turn a sum beyond 64 bits into a float.
fn add(connection: &Connection, deltas: BTreeMap<&str, i64>, now: Timestamp) -> Result<(), Failure> {
    let mut quantity = connection.prepare_cached("SELECT quantity FROM inventory WHERE sku = ?1")?;
    let mut upsert = connection.prepare_cached(include_str!("../sql/upsert_stock.sql"))?;
    for (sku, delta) in deltas {
        let before: Option<i64> = quantity.query_row([sku], |row| row.get(0)).optional()?;
        let after = before.unwrap_or_default().checked_add(delta).ok_or(Failure::StockOverflow)?;
        upsert.execute(params![sku, after, Micros(now)])?;
    }
    Ok(())
}
