//! `LedgerCompaction`: folding old lines of the ledger into opening balances.
//!
//! Whoever writes holds the only lock that there is, so a batch sees either a line or the time before which lines may be gone.

use std::collections::BTreeMap;

use events::Timestamp;
use pipeline::ledger::{Compaction, CompactionStep, Cutoff, Foldable, LedgerState, OPENING_BALANCE, OpeningBalance, opening_balance_id};
use pipeline::ports::LedgerCompaction;
use pipeline::{Dependency, Fault};
use rusqlite::{Connection, OptionalExtension, Row, params};
use uuid::Uuid;

use crate::database::{Sqlite, now};
use crate::faults::Failure;
use crate::values::{Id, Micros, limit, time};

const PART: Dependency = Dependency::Database;

impl LedgerCompaction for Sqlite {
    async fn foldable(&self, cutoff: Cutoff) -> Result<Foldable, Fault> {
        let counted = self.read(|connection| {
            let mut statement = connection.prepare_cached(
                "SELECT count(*), count(DISTINCT sku) FROM inventory_adjustments \
                 WHERE event_at < ?1 AND applied_at < ?2 AND adjustment_type <> ?3",
            )?;
            let values = params![Micros(cutoff.events_before), Micros(cutoff.applied_before), OPENING_BALANCE];
            Ok(statement.query_row(values, |row| Ok((row.get::<_, i64>(0)?, row.get::<_, i64>(1)?)))?)
        });
        let (lines, articles) = counted.await.map_err(|failure| failure.into_fault(PART, "foldable"))?;
        Ok(Foldable { lines: lines.unsigned_abs(), articles: articles.unsigned_abs() })
    }

    async fn begin_compaction(&self, cutoff: Cutoff) -> Result<Compaction, Fault> {
        self.write(PART, "begin_compaction", |transaction| begin(transaction, cutoff)).await
    }

    async fn compact(&self, number: i64, lines: usize) -> Result<CompactionStep, Fault> {
        self.write(PART, "compact", |transaction| step(transaction, number, lines.max(2))).await
    }
}

/// How far the ledger is compacted, in one transaction.
pub(crate) fn state(connection: &Connection) -> Result<LedgerState, Failure> {
    let moment = connection.unchecked_transaction()?;
    let folded: i64 = moment.query_row("SELECT coalesce(sum(lines), 0) FROM ledger_compactions", [], |row| row.get(0))?;
    Ok(LedgerState { events_before: events_before(&moment)?, under_way: under_way(&moment)?, folded: folded.unsigned_abs() })
}

/// Before which time an adjustment's event counts only if the ledger holds its line.
pub(crate) fn events_before(connection: &Connection) -> Result<Option<Timestamp>, Failure> {
    let mut statement = connection.prepare_cached("SELECT events_before FROM ledger_horizon")?;
    let before = statement.query_row([], |row| time(row, 0))?;
    Ok(Some(before).filter(|before| *before > Timestamp::earliest()))
}

pub(crate) fn opening_balances(connection: &Connection, after: Option<&str>, count: usize) -> Result<Vec<OpeningBalance>, Failure> {
    let mut statement = connection.prepare_cached(
        "SELECT sku, delta FROM inventory_adjustments WHERE adjustment_type = ?1 AND (?2 IS NULL OR sku > ?2) ORDER BY sku LIMIT ?3",
    )?;
    let rows = statement
        .query_map(params![OPENING_BALANCE, after, limit(count)], |row| Ok(OpeningBalance { sku: row.get(0)?, quantity: row.get(1)? }))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

fn under_way(connection: &Connection) -> rusqlite::Result<Option<Compaction>> {
    let mut statement = connection.prepare_cached(
        "SELECT number, events_before, applied_before, lines FROM ledger_compactions WHERE ended_at IS NULL ORDER BY number LIMIT 1",
    )?;
    statement.query_row([], compaction).optional()
}

fn compaction(row: &Row<'_>) -> rusqlite::Result<Compaction> {
    let cutoff = Cutoff { events_before: time(row, 1)?, applied_before: time(row, 2)? };
    Ok(Compaction { number: row.get(0)?, cutoff, lines: row.get::<_, i64>(3)?.unsigned_abs() })
}

fn begin(transaction: &Connection, cutoff: Cutoff) -> Result<Compaction, Failure> {
    if let Some(under_way) = under_way(transaction)? {
        return Ok(under_way);
    }
    let now = now();
    let (events_before, applied_before) = (Micros(cutoff.events_before), Micros(cutoff.applied_before));
    transaction.prepare_cached("UPDATE ledger_horizon SET events_before = ?1 WHERE events_before < ?1")?.execute(params![events_before])?;
    transaction
        .prepare_cached(
            "INSERT INTO ledger_compactions (events_before, applied_before, after_event_id, lines, begun_at, updated_at) \
             VALUES (?1, ?2, x'', 0, ?3, ?3)",
        )?
        .execute(params![events_before, applied_before, Micros(now)])?;
    Ok(Compaction { number: transaction.last_insert_rowid(), cutoff, lines: 0 })
}

/// A line as the compaction looks at it.
struct Line {
    key: Uuid,
    sku: String,
    delta: i64,
    is_old: bool,
}

fn step(transaction: &Connection, number: i64, lines: usize) -> Result<CompactionStep, Failure> {
    let mut going_on = transaction.prepare_cached(
        "SELECT events_before, applied_before, after_event_id FROM ledger_compactions WHERE number = ?1 AND ended_at IS NULL",
    )?;
    let found = going_on.query_row([number], |row| Ok((time(row, 0)?, time(row, 1)?, row.get::<_, Vec<u8>>(2)?))).optional()?;
    let Some((events_before, applied_before, after)) = found else {
        return Ok(CompactionStep { looked_at: 0, folded: 0, ended: true });
    };
    let mut page = transaction.prepare_cached(
        "SELECT event_id, sku, delta, event_at < ?3 AND applied_at < ?4 AND adjustment_type <> ?5 FROM inventory_adjustments \
         WHERE event_id > ?1 ORDER BY event_id LIMIT ?2",
    )?;
    let values = params![after, limit(lines), Micros(events_before), Micros(applied_before), OPENING_BALANCE];
    let page = page.query_map(values, |row| {
        Ok(Line { key: Uuid::from_bytes(row.get(0)?), sku: row.get(1)?, delta: row.get(2)?, is_old: row.get(3)? })
    })?;
    let page: Vec<Line> = page.collect::<Result<_, _>>()?;
    let folded = fold(transaction, &page, events_before)?;
    let (now, ended) = (now(), page.len() < lines);
    let after = page.last().map_or(after, |line| line.key.as_bytes().to_vec());
    transaction
        .prepare_cached(
            "UPDATE ledger_compactions SET after_event_id = ?2, lines = lines + ?3, updated_at = ?4, ended_at = CASE WHEN ?5 THEN ?4 END \
             WHERE number = ?1",
        )?
        .execute(params![number, after, limit(folded), Micros(now), ended])?;
    Ok(CompactionStep { looked_at: page.len() as u64, folded, ended })
}

/// Takes the old ones of these lines out of the ledger, and adds them to the opening balances. Returns how many.
fn fold(transaction: &Connection, page: &[Line], events_before: Timestamp) -> Result<u64, Failure> {
    let mut sums: BTreeMap<&str, i64> = BTreeMap::new();
    let mut folded = 0;
    let mut delete = transaction.prepare_cached("DELETE FROM inventory_adjustments WHERE event_id = ?1")?;
    for line in page.iter().filter(|line| line.is_old) {
        let sum = sums.entry(&line.sku).or_default();
        *sum = sum.checked_add(line.delta).ok_or(Failure::StockOverflow)?;
        folded += delete.execute([Id(&line.key)])? as u64;
    }
    let mut before =
        transaction.prepare_cached("SELECT delta FROM inventory_adjustments WHERE event_id = ?1 AND sku = ?2 AND adjustment_type = ?3")?;
    // Where somebody else's event has this key, nothing is written, and all of it is undone.
    let mut write = transaction.prepare_cached(
        "INSERT INTO inventory_adjustments (event_id, sku, delta, adjustment_type, reason, adjusted_at, event_at, applied_at) \
         VALUES (?1, ?2, ?3, ?4, '', ?5, ?5, ?6) \
         ON CONFLICT (event_id) DO UPDATE SET delta = excluded.delta, adjusted_at = excluded.adjusted_at, event_at = excluded.event_at, \
         applied_at = excluded.applied_at WHERE sku = excluded.sku AND adjustment_type = excluded.adjustment_type",
    )?;
    for (sku, sum) in sums {
        let key = opening_balance_id(sku);
        let before: Option<i64> = before.query_row(params![Id(&key), sku, OPENING_BALANCE], |row| row.get(0)).optional()?;
        let sum = before.unwrap_or_default().checked_add(sum).ok_or(Failure::StockOverflow)?;
        let written = write.execute(params![Id(&key), sku, sum, OPENING_BALANCE, Micros(events_before), Micros(now())])?;
        if written == 0 {
            return Err(Failure::RowMissing);
        }
    }
    Ok(folded)
}
