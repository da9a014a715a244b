//! `EventTrace`: what the tables know of one event.

use pipeline::ports::EventTrace;
use pipeline::trace::{About, Entity, LedgerLine, ParkedRow, ShownRow, Trace};
use pipeline::{Dependency, Fault, Position, WaitsFor};
use rusqlite::types::FromSqlError;
use rusqlite::{Connection, OptionalExtension, Row, params};
use uuid::Uuid;

use crate::database::Sqlite;
use crate::faults::Failure;
use crate::ledger::events_before;
use crate::values::{Id, id, time};

impl EventTrace for Sqlite {
    async fn trace(&self, event_id: Uuid, entity: Option<Entity>) -> Result<Trace, Fault> {
        let found = self.read(|connection| trace(connection, event_id, entity)).await;
        found.map_err(|failure| failure.into_fault(Dependency::Database, "trace"))
    }
}

/// In one transaction, so that the answer shows one moment.
fn trace(connection: &Connection, event_id: Uuid, entity: Option<Entity>) -> Result<Trace, Failure> {
    let moment = connection.unchecked_transaction()?;
    let mut ledger = moment.prepare_cached("SELECT sku, delta, event_at, applied_at FROM inventory_adjustments WHERE event_id = ?1")?;
    let ledger = ledger.query_row([Id(&event_id)], ledger_line).optional()?;
    let mut parked = moment.prepare_cached(include_str!("../sql/trace_parked.sql"))?;
    let parked = parked.query_map([Id(&event_id)], parked_row)?.collect::<Result<_, _>>()?;
    let (entity_type, entity_id) = entity.map_or((0, Uuid::nil()), |entity| (entity.type_number(), entity.id()));
    let mut rows = moment.prepare_cached(include_str!("../sql/trace_rows.sql"))?;
    let rows = rows.query_map(params![Id(&event_id), entity_type, Id(&entity_id)], shown_row)?.collect::<Result<_, _>>()?;
    Ok(Trace { ledger, folded_before: events_before(&moment)?, parked, ..Trace::default() }.with_rows(rows, event_id, entity))
}

fn shown_row(row: &Row<'_>) -> rusqlite::Result<ShownRow> {
    let entity = Entity::from_columns(row.get(0)?, id(row, 1)?).ok_or(FromSqlError::InvalidType)?;
    Ok(ShownRow { entity, event_id: id(row, 2)?, event_at: time(row, 3)?, updated_at: time(row, 4)? })
}

fn ledger_line(row: &Row<'_>) -> rusqlite::Result<LedgerLine> {
    Ok(LedgerLine { sku: row.get(0)?, delta: row.get(1)?, event_at: time(row, 2)?, applied_at: time(row, 3)? })
}

fn parked_row(row: &Row<'_>) -> rusqlite::Result<ParkedRow> {
    let parent = row.get::<_, Option<[u8; 16]>>(4)?.map(Uuid::from_bytes);
    Ok(ParkedRow {
        position: Position { topic: row.get(0)?, partition: row.get(1)?, offset: row.get(2)? },
        waits_for: WaitsFor::from_columns(row.get(3)?, parent).ok_or(FromSqlError::InvalidType)?,
        parked_at: time(row, 5)?,
        expired: row.get(6)?,
        about: About::read(row.get_ref(7)?.as_bytes()?),
    })
}
