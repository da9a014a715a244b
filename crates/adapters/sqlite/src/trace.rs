//! `EventTrace`: what the tables know of one event, and of what events are about.

use pipeline::ports::EventTrace;
use pipeline::trace::{
    About, Entity, HISTORY_ROWS, History, LedgerLine, PARKED_LOOKED_THROUGH, ParkedRow, ShownRow, StockRow, Subject, Trace,
};
use pipeline::{Dependency, Fault, Position, WaitsFor};
use rusqlite::types::FromSqlError;
use rusqlite::{Connection, OptionalExtension, Params, Row, params};
use uuid::Uuid;

use crate::database::Sqlite;
use crate::faults::Failure;
use crate::ledger::events_before;
use crate::values::{Id, id, limit, time};

impl EventTrace for Sqlite {
    async fn trace(&self, event_id: Uuid, entity: Option<Entity>) -> Result<Trace, Fault> {
        let found = self.read(|connection| trace(connection, event_id, entity)).await;
        found.map_err(|failure| failure.into_fault(Dependency::Database, "trace"))
    }

    async fn history(&self, subject: &Subject) -> Result<History, Fault> {
        let subject = subject.clone();
        let found = self.read(move |connection| history(connection, &subject)).await;
        found.map_err(|failure| failure.into_fault(Dependency::Database, "history"))
    }
}

/// In one transaction, so that the answer shows one moment.
fn trace(connection: &Connection, event_id: Uuid, entity: Option<Entity>) -> Result<Trace, Failure> {
    let moment = connection.unchecked_transaction()?;
    let mut ledger =
        moment.prepare_cached("SELECT sku, delta, event_at, applied_at, event_id FROM inventory_adjustments WHERE event_id = ?1")?;
    let ledger = ledger.query_row([Id(&event_id)], ledger_line).optional()?;
    let mut parked = moment.prepare_cached(include_str!("../sql/trace_parked.sql"))?;
    let parked = parked.query_map([Id(&event_id)], parked_row)?.collect::<Result<_, _>>()?;
    let (entity_type, entity_id) = entity.map_or((0, Uuid::nil()), |entity| (entity.type_number(), entity.id()));
    let mut rows = moment.prepare_cached(include_str!("../sql/trace_rows.sql"))?;
    let rows = rows.query_map(params![Id(&event_id), entity_type, Id(&entity_id)], shown_row)?.collect::<Result<_, _>>()?;
    Ok(Trace { ledger, folded_before: events_before(&moment)?, parked, ..Trace::default() }.with_rows(rows, event_id, entity))
}

/// In one transaction as well.
fn history(connection: &Connection, subject: &Subject) -> Result<History, Failure> {
    let moment = connection.unchecked_transaction()?;
    match subject {
        Subject::Article(sku) => article(&moment, sku),
        Subject::Entity(entity) => of_entity(&moment, *entity),
    }
}

fn article(moment: &Connection, sku: &str) -> Result<History, Failure> {
    let mut stock = moment.prepare_cached("SELECT quantity, updated_at FROM inventory WHERE sku = ?1")?;
    let stock = stock.query_row([sku], |row| Ok(StockRow { quantity: row.get(0)?, updated_at: time(row, 1)? })).optional()?;
    let mut ledger = moment.prepare_cached(include_str!("../sql/trace_article.sql"))?;
    let ledger = ledger.query_map(params![sku, limit(HISTORY_ROWS)], ledger_line)?.collect::<Result<_, _>>()?;
    Ok(History { stock, ledger, folded_before: events_before(moment)?, ..History::default() })
}

fn of_entity(moment: &Connection, entity: Entity) -> Result<History, Failure> {
    let (sql, id) = match entity {
        Entity::User(_) => ("SELECT 1, user_id, event_id, event_at, updated_at FROM users WHERE user_id = ?1", entity.id()),
        Entity::Order(_) => ("SELECT 2, order_id, event_id, event_at, updated_at FROM orders WHERE order_id = ?1", entity.id()),
        Entity::Payment(_) => ("SELECT 3, payment_id, event_id, event_at, updated_at FROM payments WHERE payment_id = ?1", entity.id()),
    };
    let row = moment.prepare_cached(sql)?.query_row([Id(&id)], shown_row).optional()?;
    let (rows, through) = (limit(HISTORY_ROWS), limit(PARKED_LOOKED_THROUGH));
    let mentions = |parent: u8| parked(moment, include_str!("../sql/trace_mentions.sql"), params![parent, id.to_string(), through, rows]);
    let mut parked_about = match entity {
        Entity::User(_) => parked(moment, include_str!("../sql/trace_claims.sql"), params![Id(&id), rows])?,
        // An order waits for its user, a payment for its order.
        Entity::Order(_) => mentions(1)?,
        Entity::Payment(_) => mentions(2)?,
    };
    parked_about.retain(|row| row.about.is_none_or(|about| about.entity == Some(entity)));
    let (mut children, mut children_total) = (Vec::new(), 0);
    if let Some(parent) = entity.as_parent() {
        let parent = parent.type_number();
        children = parked(moment, include_str!("../sql/trace_children.sql"), params![parent, Id(&id), rows])?;
        let mut count = moment.prepare_cached("SELECT count(*) FROM parked_events WHERE waits_for_type = ?1 AND waits_for_id = ?2")?;
        children_total = count.query_row(params![parent, Id(&id)], |row| row.get::<_, i64>(0))?.unsigned_abs();
    }
    Ok(History { row, parked: parked_about, children, children_total, ..History::default() })
}

fn parked(moment: &Connection, sql: &str, values: impl Params) -> Result<Vec<ParkedRow>, Failure> {
    Ok(moment.prepare_cached(sql)?.query_map(values, parked_row)?.collect::<Result<_, _>>()?)
}

fn shown_row(row: &Row<'_>) -> rusqlite::Result<ShownRow> {
    let entity = Entity::from_columns(row.get(0)?, id(row, 1)?).ok_or(FromSqlError::InvalidType)?;
    Ok(ShownRow { entity, event_id: id(row, 2)?, event_at: time(row, 3)?, updated_at: time(row, 4)? })
}

fn ledger_line(row: &Row<'_>) -> rusqlite::Result<LedgerLine> {
    Ok(LedgerLine { sku: row.get(0)?, delta: row.get(1)?, event_at: time(row, 2)?, applied_at: time(row, 3)?, event_id: id(row, 4)? })
}

fn parked_row(row: &Row<'_>) -> rusqlite::Result<ParkedRow> {
    let parent = row.get::<_, Option<[u8; 16]>>(4)?.map(Uuid::from_bytes);
    Ok(ParkedRow {
        position: Position { topic: row.get(0)?, partition: row.get(1)?, offset: row.get(2)? },
        waits_for: WaitsFor::from_columns(row.get(3)?, parent).ok_or(FromSqlError::InvalidType)?,
        parked_at: time(row, 5)?,
        expired: row.get(6)?,
        about: About::read(row.get_ref(7)?.as_bytes()?),
        event_id: id(row, 8)?,
    })
}
