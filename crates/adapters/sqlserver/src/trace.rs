//! What the tables know of one event, and of what events are about.

use pipeline::ports::EventTrace;
use pipeline::trace::{
    About, Entity, HISTORY_ROWS, History, LedgerLine, PARKED_LOOKED_THROUGH, ParkedRow, ShownRow, StockRow, Subject, Trace,
};
use pipeline::{Fault, WaitsFor};
use tiberius::ToSql;
use uuid::Uuid;

use crate::faults;
use crate::ledger::events_before;
use crate::row::{Columns, columns_of, only_row};
use crate::statement::{
    INVENTORY, LEDGER_STATE, Statement, TRACE_ARTICLE, TRACE_CHILDREN, TRACE_CLAIMS, TRACE_ENTITY, TRACE_LEDGER, TRACE_MENTIONS,
    TRACE_PARKED, TRACE_ROWS,
};
use crate::store::SqlServer;

impl EventTrace for SqlServer {
    /// Three questions one after the other. An event that is released meanwhile goes from the parking table to its row or line, so the parking
    /// table is asked first: what moves is seen twice rather than not at all.
    async fn trace(&self, event_id: Uuid, entity: Option<Entity>) -> Result<Trace, Fault> {
        let parked = self.pool.ask(&TRACE_PARKED, &[&event_id]).await?.accept();
        let parked = columns_of(&parked, &TRACE_PARKED)?.map(parked_row).collect::<Result<_, _>>()?;

        let (entity_type, entity_id) = entity.map_or((0, Uuid::nil()), |entity| (i32::from(entity.type_number()), entity.id()));
        let rows = self.pool.ask(&TRACE_ROWS, &[&event_id, &entity_type, &entity_id]).await?.accept();
        let rows = columns_of(&rows, &TRACE_ROWS)?.map(shown_row).collect::<Result<_, _>>()?;

        let ledger = self.pool.ask(&TRACE_LEDGER, &[&event_id]).await?.accept();
        let ledger = only_row(&ledger, &TRACE_LEDGER)?;
        let (folded_before, ledger) = (events_before(ledger)?, ledger_line(ledger)?);
        Ok(Trace { ledger, folded_before, parked, ..Trace::default() }.with_rows(rows, event_id, entity))
    }

    async fn history(&self, subject: &Subject) -> Result<History, Fault> {
        match subject {
            Subject::Article(sku) => self.article(sku).await,
            Subject::Entity(entity) => self.of_entity(*entity).await,
        }
    }
}

/// How many rows, as the server takes it.
fn count(rows: usize) -> i32 {
    i32::try_from(rows).unwrap_or(i32::MAX)
}

impl SqlServer {
    async fn article(&self, sku: &str) -> Result<History, Fault> {
        let stock = self.pool.ask(&INVENTORY, &[&sku]).await?.accept();
        let stock = columns_of(&stock, &INVENTORY)?
            .map(|columns| Ok(StockRow { quantity: columns.get("quantity")?, updated_at: columns.time("updated_at")? }));
        let stock = stock.collect::<Result<Vec<_>, Fault>>()?.first().copied();

        let ledger = self.pool.ask(&TRACE_ARTICLE, &[&sku, &count(HISTORY_ROWS)]).await?.accept();
        let ledger = columns_of(&ledger, &TRACE_ARTICLE)?.map(ledger_line).collect::<Result<Vec<_>, _>>()?.into_iter().flatten().collect();

        let state = self.pool.ask(&LEDGER_STATE, &[]).await?.accept();
        let folded_before = events_before(only_row(&state, &LEDGER_STATE)?)?;
        Ok(History { stock, ledger, folded_before, ..History::default() })
    }

    /// The parking table first, as in [`EventTrace::trace`].
    async fn of_entity(&self, entity: Entity) -> Result<History, Fault> {
        let (id, rows) = (entity.id(), count(HISTORY_ROWS));
        let mut parked = match entity {
            Entity::User(_) => self.parked_rows(&TRACE_CLAIMS, &[&id, &rows]).await?.0,
            // An order waits for its user, a payment for its order.
            Entity::Order(_) | Entity::Payment(_) => {
                let (parent, id) = (entity.type_number() - 1, id.to_string());
                self.parked_rows(&TRACE_MENTIONS, &[&parent, &id.as_str(), &count(PARKED_LOOKED_THROUGH), &rows]).await?.0
            }
        };
        parked.retain(|row| row.about.is_none_or(|about| about.entity == Some(entity)));
        let entity_type = i32::from(entity.type_number());
        let (children, children_total) = match entity.as_parent() {
            Some(parent) => self.parked_rows(&TRACE_CHILDREN, &[&parent.type_number(), &id, &rows]).await?,
            None => (Vec::new(), 0),
        };
        let row = self.pool.ask(&TRACE_ENTITY, &[&entity_type, &id]).await?.accept();
        let row = columns_of(&row, &TRACE_ENTITY)?.next().map(shown_row).transpose()?;
        Ok(History { row, parked, children, children_total, ..History::default() })
    }

    /// Rows of the parking table, and how many there are in all where the statement tells it.
    async fn parked_rows(&self, statement: &'static Statement, values: &[&dyn ToSql]) -> Result<(Vec<ParkedRow>, u64), Fault> {
        let rows = self.pool.ask(statement, values).await?.accept();
        let parked = columns_of(&rows, statement)?.map(parked_row).collect::<Result<_, _>>()?;
        let total = match columns_of(&rows, statement)?.next() {
            Some(columns) if statement.name == TRACE_CHILDREN.name => columns.natural::<i64, _>("children")?,
            _ => 0,
        };
        Ok((parked, total))
    }
}

fn shown_row(columns: Columns<'_>) -> Result<ShownRow, Fault> {
    let entity_type: i32 = columns.get("entity_type")?;
    let entity_id = columns.get("entity_id")?;
    let entity = u8::try_from(entity_type).ok().and_then(|number| Entity::from_columns(number, entity_id));
    Ok(ShownRow {
        entity: entity.ok_or_else(|| faults::bug(TRACE_ROWS.name))?,
        event_id: columns.get("event_id")?,
        event_at: columns.time("event_at")?,
        updated_at: columns.time("updated_at")?,
    })
}

/// The line, where there is one.
fn ledger_line(columns: Columns<'_>) -> Result<Option<LedgerLine>, Fault> {
    let Some(sku) = columns.optional::<&str>("sku")? else { return Ok(None) };
    let (event_at, applied_at) = (columns.time("event_at")?, columns.time("applied_at")?);
    Ok(Some(LedgerLine { event_id: columns.get("event_id")?, sku: sku.to_owned(), delta: columns.get("delta")?, event_at, applied_at }))
}

fn parked_row(columns: Columns<'_>) -> Result<ParkedRow, Fault> {
    let waits_for = WaitsFor::from_columns(columns.get("waits_for_type")?, columns.optional("waits_for_id")?);
    Ok(ParkedRow {
        event_id: columns.get("event_id")?,
        position: columns.position()?,
        waits_for: waits_for.ok_or_else(|| faults::bug(TRACE_PARKED.name))?,
        parked_at: columns.time("parked_at")?,
        expired: columns.get("expired")?,
        about: About::read(columns.get::<&str>("payload")?.as_bytes()),
    })
}

#[cfg(test)]
mod tests {
    use events::{EventType, Timestamp, samples};
    use pipeline::{FaultClass, Position};
    use tiberius::time::{Date, DateTime2, Time};
    use tiberius::{ColumnData, ColumnType, Row};

    use super::*;

    fn row(values: Vec<(&'static str, ColumnData<'static>)>) -> Row {
        let row = values.into_iter().fold(Row::builder(), |row, (name, value)| row.column(name, ColumnType::Null, value));
        row.build()
    }

    fn id(id: u128) -> ColumnData<'static> {
        ColumnData::Guid(Some(Uuid::from_u128(id)))
    }

    fn text(text: String) -> ColumnData<'static> {
        ColumnData::String(Some(text.into()))
    }

    fn second(second: u64) -> ColumnData<'static> {
        ColumnData::DateTime2(Some(DateTime2::new(Date::new(719_162), Time::new(second * 1_000_000, 6))))
    }

    fn at(second: i64) -> Timestamp {
        Timestamp::UNIX_EPOCH.plus_micros(second * 1_000_000)
    }

    fn shown(entity_type: i32) -> Result<ShownRow, Fault> {
        let entity_type = ColumnData::I32(Some(entity_type));
        let values = vec![
            ("entity_type", entity_type),
            ("entity_id", id(7)),
            ("event_id", id(1)),
            ("event_at", second(2)),
            ("updated_at", second(3)),
        ];
        shown_row(Columns::of(&row(values), TRACE_ROWS.name))
    }

    #[test]
    fn a_row_tells_its_entity_its_event_and_both_times() {
        let (entity_id, event_id) = (Uuid::from_u128(7), Uuid::from_u128(1));
        for (number, entity) in [(1, Entity::User(entity_id)), (2, Entity::Order(entity_id)), (3, Entity::Payment(entity_id))] {
            assert_eq!(shown(number), Ok(ShownRow { entity, event_id, event_at: at(2), updated_at: at(3) }));
        }
        for strange in [0, 4, -1, 257] {
            assert_eq!(shown(strange).unwrap_err().class, FaultClass::Bug);
        }
    }

    #[test]
    fn a_line_of_the_ledger_keeps_its_two_times_apart() {
        let values = vec![
            ("sku", text("KEYBOARD-DE".to_owned())),
            ("delta", ColumnData::I64(Some(-3))),
            ("event_at", second(2)),
            ("applied_at", second(3)),
            ("event_id", id(1)),
        ];
        let line = ledger_line(Columns::of(&row(values), TRACE_LEDGER.name));
        assert_eq!(
            line,
            Ok(Some(LedgerLine {
                event_id: Uuid::from_u128(1),
                sku: "KEYBOARD-DE".to_owned(),
                delta: -3,
                event_at: at(2),
                applied_at: at(3)
            }))
        );
        let none = row(vec![("sku", ColumnData::String(None))]);
        assert_eq!(ledger_line(Columns::of(&none, "trace_ledger")), Ok(None));
    }

    #[test]
    fn a_parked_row_tells_what_its_text_is_about() {
        let order = samples::of(EventType::OrderPlaced);
        let values = vec![
            ("topic", text("events".to_owned())),
            ("kafka_partition", ColumnData::I32(Some(2))),
            ("kafka_offset", ColumnData::I64(Some(7))),
            ("waits_for_type", ColumnData::U8(Some(1))),
            ("waits_for_id", id(9)),
            ("parked_at", second(3)),
            ("expired", ColumnData::Bit(Some(true))),
            ("event_id", id(1)),
            ("payload", text(String::from_utf8(order.to_json()).unwrap())),
        ];
        let parked = parked_row(Columns::of(&row(values), TRACE_PARKED.name)).unwrap();
        let expected = ParkedRow {
            event_id: Uuid::from_u128(1),
            position: Position { topic: "events".into(), partition: 2, offset: 7 },
            waits_for: WaitsFor::User(Uuid::from_u128(9)),
            parked_at: at(3),
            expired: true,
            about: Some(About { event_id: order.id, entity: Entity::of(&order.body), event_at: order.at }),
        };
        assert_eq!(parked, expected);
    }
}
