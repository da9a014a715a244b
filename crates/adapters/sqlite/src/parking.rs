//! `ParkingLot` and `ParkingExpiry`: events that wait.

use std::sync::Arc;

use events::Timestamp;
use pipeline::encoding::{from_stored, to_stored};
use pipeline::ports::{AwaitedParents, ParkingExpiry};
use pipeline::{
    Awaited, AwaitedChild, AwaitedParent, Batch, Dependency, Fault, Outcome, Parents, ParkedEvent, ParkedKey, ParkingLot, Position,
    RecordId, WaitsFor,
};
use rusqlite::types::{FromSqlError, Null};
use rusqlite::{Connection, Params, Row, params};
use uuid::Uuid;

use crate::database::{Sqlite, now};
use crate::faults::Failure;
use crate::values::{Id, Micros, id, limit, time};

const PART: Dependency = Dependency::Database;

impl ParkingLot for Sqlite {
    async fn park(&self, events: &[ParkedEvent]) -> Result<bool, Fault> {
        self.write(PART, "park", |transaction| park(transaction, events)).await
    }

    async fn releasable(&self, parents: &Parents, after: Option<&ParkedEvent>, count: usize) -> Result<Vec<ParkedEvent>, Fault> {
        let found = self.read_back(|connection| releasable(connection, parents, after, count)).await;
        found.map_err(|failure| failure.into_fault(PART, "releasable"))
    }

    async fn discard(&self, events: &[ParkedKey<'_>]) -> Result<(), Fault> {
        self.write(PART, "discard", |transaction| discard(transaction, events)).await
    }
}

impl ParkingExpiry for Sqlite {
    async fn now(&self) -> Result<Timestamp, Fault> {
        Ok(now())
    }

    async fn claim_expired(&self, cutoff: Timestamp, count: usize) -> Result<Vec<ParkedEvent>, Fault> {
        self.write(PART, "claim_expired", |transaction| claim_expired(transaction, cutoff, count)).await
    }

    async fn parked(&self) -> Result<(u64, Option<Timestamp>), Fault> {
        let counted = self.read(count).await;
        counted.map_err(|failure| failure.into_fault(PART, "parked"))
    }
}

impl AwaitedParents for Sqlite {
    async fn awaited(&self, parents: usize, children: usize) -> Result<Awaited, Fault> {
        let found = self.read(|connection| awaited(connection, parents, children)).await;
        found.map_err(|failure| failure.into_fault(PART, "awaited"))
    }
}

fn awaited(connection: &Connection, parents: usize, children: usize) -> Result<Awaited, Failure> {
    let mut groups = connection.prepare_cached(include_str!("../sql/awaited_parents.sql"))?;
    let mut first = connection.prepare_cached(include_str!("../sql/awaited_children.sql"))?;
    let mut persisted = connection.prepare_cached(include_str!("../sql/parent_persisted.sql"))?;
    let mut awaited = Awaited::default();
    let mut rows = groups.query([limit(parents)])?;
    while let Some(row) = rows.next()? {
        (awaited.parents, awaited.events) = (row.get::<_, i64>(4)?.unsigned_abs(), row.get::<_, i64>(5)?.unsigned_abs());
        let (type_number, parent_id) = (row.get::<_, u8>(0)?, row.get::<_, Option<[u8; 16]>>(1)?.map(Uuid::from_bytes));
        // What a newer program's events wait for is counted and not told.
        let Some(waits_for) = WaitsFor::from_columns(type_number, parent_id) else { continue };
        let child = |row: &Row<'_>| {
            let position = Position { topic: row.get::<_, Arc<str>>(1)?, partition: row.get(2)?, offset: row.get(3)? };
            Ok(AwaitedChild { event_id: id(row, 0)?, position, parked_at: time(row, 4)? })
        };
        let children = first.query_map(params![type_number, parent_id.as_ref().map(Id), limit(children)], child)?;
        let (count, oldest) = (row.get::<_, i64>(2)?.unsigned_abs(), time(row, 3)?);
        let first = children.collect::<Result<_, _>>()?;
        // An address that is free is given to whoever claims it first, and waits for nobody.
        let written = match &parent_id {
            Some(parent_id) => persisted.query_row(params![type_number, Id(parent_id), Null, Null], |row| row.get(0))?,
            None => false,
        };
        awaited.largest.push(AwaitedParent { waits_for, children: count, oldest, written, first });
    }
    Ok(awaited)
}

fn park(transaction: &Connection, events: &[ParkedEvent]) -> Result<bool, Failure> {
    let mut insert = transaction.prepare_cached(include_str!("../sql/park.sql"))?;
    let mut parent = transaction.prepare_cached(include_str!("../sql/parent_persisted.sql"))?;
    let now = now();
    let mut persisted = false;
    for event in events {
        let Position { topic, partition, offset } = &event.position;
        let (waits_for_type, parent_id) = (event.waits_for.type_number(), event.waits_for.parent_id());
        let parent_id = parent_id.as_ref().map(Id);
        let claim = event.email_claim();
        let key = claim.as_ref().map(|claim| &claim.key);
        let claimed_by = claim.as_ref().map(|claim| Id(&claim.user_id));
        insert.execute(params![
            topic.as_ref(),
            partition,
            offset,
            event.key,
            event.timestamp_ms,
            event.retry_count(),
            Id(&event.event_id),
            waits_for_type,
            parent_id,
            Micros(now),
            event.value,
            key,
            claimed_by,
            claim.as_ref().map(|claim| Micros(claim.at)),
            event.record.as_str(),
            to_stored(&event.headers)
        ])?;
        persisted = persisted || parent.query_row(params![waits_for_type, parent_id, key, claimed_by], |row| row.get(0))?;
    }
    Ok(persisted)
}

fn releasable(connection: &Connection, parents: &Parents, after: Option<&ParkedEvent>, count: usize) -> Result<Vec<ParkedEvent>, Failure> {
    // Nothing comes before the empty topic at the earliest time.
    let (parked_at, topic, partition, offset, record) = match after {
        Some(ParkedEvent { parked_at, position: Position { topic, partition, offset }, record, .. }) => {
            (parked_at.unix_micros(), topic.as_ref(), *partition, *offset, record.as_str())
        }
        None => (i64::MIN, "", 0, 0, ""),
    };
    match parents {
        Parents::Any => {
            let values = params![parked_at, topic, partition, offset, record, limit(count)];
            select(connection, include_str!("../sql/releasable_any.sql"), values)
        }
        Parents::These { users, orders, addresses } => {
            let values =
                params![parked_at, topic, partition, offset, record, limit(count), hexadecimal(users), hexadecimal(orders), addresses];
            select(connection, include_str!("../sql/releasable_of.sql"), values)
        }
    }
}

/// Identities as a JSON array of hexadecimal digits.
fn hexadecimal(ids: &[Uuid]) -> String {
    let digits: Vec<_> = ids.iter().map(|id| format!("\"{}\"", id.simple())).collect();
    format!("[{}]", digits.join(","))
}

fn claim_expired(transaction: &Connection, cutoff: Timestamp, count: usize) -> Result<Vec<ParkedEvent>, Failure> {
    transaction.prepare_cached(include_str!("../sql/claim_expired.sql"))?.execute(params![Micros(cutoff), limit(count)])?;
    select(transaction, include_str!("../sql/expired.sql"), [limit(count)])
}

fn discard(transaction: &Connection, events: &[ParkedKey<'_>]) -> Result<(), Failure> {
    let sql = "DELETE FROM parked_events WHERE topic = ?1 AND kafka_partition = ?2 AND kafka_offset = ?3 AND record_id = ?4";
    let mut delete = transaction.prepare_cached(sql)?;
    for ParkedKey { position: Position { topic, partition, offset }, record } in events {
        delete.execute(params![topic.as_ref(), partition, offset, record.as_str()])?;
    }
    Ok(())
}

fn count(connection: &Connection) -> Result<(u64, Option<Timestamp>), Failure> {
    let mut count = connection.prepare_cached("SELECT count(*), min(parked_at) FROM parked_events")?;
    Ok(count.query_row([], |row| Ok((row.get::<_, i64>(0)?.unsigned_abs(), row.get::<_, Option<Micros>>(1)?.map(|Micros(at)| at))))?)
}

/// Takes what a batch released out of the table, unless it was parked again.
///
/// # Errors
/// [`Failure::ReleaseLost`] where someone else has released it or given it up: then nothing of the batch may stay.
pub(crate) fn release(transaction: &Connection, batch: Batch<'_>, outcomes: &[Outcome]) -> Result<(), Failure> {
    let sql = "DELETE FROM parked_events
               WHERE topic = ?1 AND kafka_partition = ?2 AND kafka_offset = ?3 AND record_id = ?4 AND expired = 0";
    let mut delete = transaction.prepare_cached(sql)?;
    for (number, ParkedKey { position: Position { topic, partition, offset }, record }) in batch.releases() {
        let waits_again = matches!(outcomes[number], Outcome::Parked(_));
        if !waits_again && delete.execute(params![topic.as_ref(), partition, offset, record.as_str()])? == 0 {
            return Err(Failure::ReleaseLost);
        }
    }
    Ok(())
}

/// Whether parked events wait for users or orders that are in their tables now.
pub(crate) fn children_wait(transaction: &Connection, batch: Batch<'_>, outcomes: &[Outcome]) -> Result<bool, Failure> {
    // Most of the time nothing waits at all: one look instead of one per event.
    if !transaction.prepare_cached("SELECT EXISTS (SELECT 1 FROM parked_events WHERE expired = 0)")?.query_row([], |row| row.get(0))? {
        return Ok(false);
    }
    let mut waits = transaction.prepare_cached(include_str!("../sql/child_waits.sql"))?;
    for (item, _) in batch.items().iter().zip(outcomes).filter(|(_, outcome)| outcome.persisted()) {
        let Some(wanted) = WaitsFor::brought_by(&item.event.body) else { continue };
        if waits.query_row(params![wanted.type_number(), wanted.parent_id().as_ref().map(Id)], |row| row.get(0))? {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Whether an event waits for any e-mail address at all.
pub(crate) fn addresses_wanted(transaction: &Connection) -> Result<bool, Failure> {
    Ok(transaction.prepare_cached(include_str!("../sql/addresses_wanted.sql"))?.query_row([], |row| row.get(0))?)
}

/// Whether an event waits for one of these addresses, given by their keys, that nobody has.
pub(crate) fn addresses_free(transaction: &Connection, expired: &[String]) -> Result<bool, Failure> {
    let mut free = transaction.prepare_cached(include_str!("../sql/address_free.sql"))?;
    for key in expired {
        if free.query_row([key], |row| row.get(0))? {
            return Ok(true);
        }
    }
    Ok(false)
}

fn select(connection: &Connection, sql: &str, values: impl Params) -> Result<Vec<ParkedEvent>, Failure> {
    let mut statement = connection.prepare_cached(sql)?;
    let events = statement.query_map(values, parked_event)?;
    Ok(events.collect::<Result<_, _>>()?)
}

/// The event in the columns that every statement here reads.
pub(crate) fn parked_event(row: &Row<'_>) -> rusqlite::Result<ParkedEvent> {
    let parent_id = row.get::<_, Option<[u8; 16]>>(8)?.map(Uuid::from_bytes);
    Ok(ParkedEvent {
        position: Position { topic: row.get::<_, Arc<str>>(0)?, partition: row.get(1)?, offset: row.get(2)? },
        key: row.get(3)?,
        timestamp_ms: row.get(4)?,
        headers: from_stored(row.get::<_, Option<String>>(12)?.as_deref(), row.get(5)?),
        event_id: id(row, 6)?,
        waits_for: WaitsFor::from_columns(row.get(7)?, parent_id).ok_or(FromSqlError::InvalidType)?,
        parked_at: time(row, 9)?,
        value: row.get(10)?,
        record: RecordId::from_stored(row.get(11)?),
    })
}
