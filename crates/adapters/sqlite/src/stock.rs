//! The ledger of adjustments and its sum.

use std::collections::BTreeMap;

use events::{Event, InventoryAdjusted, Timestamp};
use pipeline::{Batch, Outcome, Reason};
use rusqlite::{CachedStatement, Connection, OptionalExtension, params};

use crate::faults::Failure;
use crate::values::{Id, Micros};

/// Writes the adjustments of a batch: only what the ledger did not hold counts.
pub(crate) fn write(connection: &Connection, batch: Batch<'_>, now: Timestamp, outcomes: &mut [Outcome]) -> Result<(), Failure> {
    let mut insert = connection.prepare_cached(include_str!("../sql/insert_adjustment.sql"))?;
    let mut noted = connection.prepare_cached("SELECT sku, delta FROM inventory_adjustments WHERE event_id = ?1")?;
    let mut deltas: BTreeMap<&str, i64> = BTreeMap::new();
    for (number, event, adjustment) in batch.adjustments() {
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

/// How an event ended whose id the ledger holds already.
fn compare(noted: &mut CachedStatement<'_>, event: &Event<'_>, adjustment: &InventoryAdjusted<'_>) -> Result<Outcome, Failure> {
    let same = noted
        .query_row([Id(&event.id)], |row| Ok(row.get_ref(0)?.as_str()? == adjustment.sku && row.get::<_, i64>(1)? == adjustment.delta()))?;
    Ok(if same { Outcome::Duplicate } else { Outcome::Rejected { reason: Reason::EventIdConflict, code: None } })
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
