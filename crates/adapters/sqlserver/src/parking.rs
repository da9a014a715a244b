//! Events that wait, and the end of waiting.

use std::collections::HashSet;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use events::Timestamp;
use pipeline::encoding::{from_stored, to_stored};
use pipeline::ports::{AwaitedParents, ParkingExpiry};
use pipeline::{Awaited, AwaitedChild, AwaitedParent, Fault, Parents, ParkedEvent, ParkedKey, ParkingLot, RecordId, WaitsFor};
use tiberius::ToSql;
use uuid::Uuid;

use crate::connection::ResultSets;
use crate::faults;
use crate::json::JsonRows;
use crate::row::{Columns, columns_of, only_row};
use crate::statement::{AWAITED, CLAIM_EXPIRED, DISCARD, NOW, PARK, PARKED, RELEASABLE_ANY, RELEASABLE_OF, Statement};
use crate::store::SqlServer;

impl ParkingLot for SqlServer {
    async fn park(&self, events: &[ParkedEvent]) -> Result<bool, Fault> {
        if events.is_empty() {
            return Ok(false);
        }
        let rows = parked_rows(events);
        let sets = self.pool.ask(&PARK, &[&rows]).await?.accept();
        let persisted: i32 = only_row(&sets, &PARK)?.get("persisted")?;
        Ok(persisted != 0)
    }

    async fn releasable(&self, parents: &Parents, after: Option<&ParkedEvent>, limit: usize) -> Result<Vec<ParkedEvent>, Fault> {
        let limit = to_bigint(limit);
        let place = Place::after(after);
        let place: [&dyn ToSql; 6] = [&limit, &place.parked_at, &place.topic, &place.partition, &place.offset, &place.record];
        match parents {
            Parents::Any => parked_events(&self.pool.ask(&RELEASABLE_ANY, &place).await?.accept(), &RELEASABLE_ANY),
            Parents::These { .. } if parents.is_none() => Ok(Vec::new()),
            Parents::These { users, orders, addresses } => {
                let (users, orders, addresses) = (ids(users), ids(orders), i32::from(*addresses));
                let [limit, parked_at, topic, partition, offset, record] = place;
                let parameters = [limit, parked_at, topic, partition, offset, record, &users, &orders, &addresses];
                parked_events(&self.pool.ask(&RELEASABLE_OF, &parameters).await?.accept(), &RELEASABLE_OF)
            }
        }
    }

    async fn discard(&self, events: &[ParkedKey<'_>]) -> Result<(), Fault> {
        if events.is_empty() {
            return Ok(());
        }
        let mut rows = JsonRows::new();
        for ParkedKey { position, record } in events {
            let mut row = rows.row();
            row.text("t", &position.topic).number("k", position.partition).number("f", position.offset).text("r", record.as_str());
        }
        self.pool.ask(&DISCARD, &[&rows.finish().text]).await?.accept();
        Ok(())
    }
}

impl ParkingExpiry for SqlServer {
    async fn now(&self) -> Result<Timestamp, Fault> {
        let sets = self.pool.ask(&NOW, &[]).await?.accept();
        only_row(&sets, &NOW)?.time("now_at")
    }

    async fn claim_expired(&self, cutoff: Timestamp, limit: usize) -> Result<Vec<ParkedEvent>, Fault> {
        let sets = self.pool.ask(&CLAIM_EXPIRED, &[&cutoff.to_sql(), &to_bigint(limit)]).await?.accept();
        parked_events(&sets, &CLAIM_EXPIRED)
    }

    async fn parked(&self) -> Result<(u64, Option<Timestamp>), Fault> {
        let sets = self.pool.ask(&PARKED, &[]).await?.accept();
        let columns = only_row(&sets, &PARKED)?;
        Ok((columns.natural::<i64, _>("waiting")?, columns.optional_time("oldest")?))
    }
}

impl AwaitedParents for SqlServer {
    async fn awaited(&self, parents: usize, children: usize) -> Result<Awaited, Fault> {
        let sets = self.pool.ask(&AWAITED, &[&to_bigint(parents), &to_bigint(children)]).await?.accept();
        let mut awaited = Awaited::default();
        columns_of(&sets, &AWAITED)?.try_for_each(|columns| note_awaited(&mut awaited, columns))?;
        Ok(awaited)
    }
}

/// Adds a row of [`AWAITED`]: those of one parent follow each other. What a newer program's events wait for is counted and not told.
fn note_awaited(awaited: &mut Awaited, columns: Columns<'_>) -> Result<(), Fault> {
    let number = |name| columns.natural::<i64, u64>(name);
    (awaited.parents, awaited.events) = (number("parents")?, number("events")?);
    let waits_for = WaitsFor::from_columns(columns.get("waits_for_type")?, columns.optional("waits_for_id")?);
    let Some(waits_for) = waits_for else { return Ok(()) };
    let child = AwaitedChild { event_id: columns.get("event_id")?, position: columns.position()?, parked_at: columns.time("parked_at")? };
    let (children, oldest, written) = (number("children")?, columns.time("oldest")?, columns.get::<i32>("written")? != 0);
    match awaited.largest.last_mut().filter(|last| last.waits_for == waits_for) {
        Some(parent) => parent.first.push(child),
        None => awaited.largest.push(AwaitedParent { waits_for, children, oldest, written, first: vec![child] }),
    }
    Ok(())
}

/// A place in the order of parked events.
struct Place<'a> {
    parked_at: String,
    topic: &'a str,
    partition: i32,
    offset: i64,
    record: &'a str,
}

impl<'a> Place<'a> {
    /// The place of this event, or one before all events.
    fn after(event: Option<&'a ParkedEvent>) -> Self {
        match event {
            Some(event) => Self {
                parked_at: event.parked_at.to_sql(),
                topic: &event.position.topic,
                partition: event.position.partition,
                offset: event.position.offset,
                record: event.record.as_str(),
            },
            None => Self { parked_at: "0001-01-01T00:00:00.000000".to_owned(), topic: "", partition: -1, offset: -1, record: "" },
        }
    }
}

/// Each event once: the statement finds only what was stored before it.
fn parked_rows(events: &[ParkedEvent]) -> String {
    let mut rows = JsonRows::new();
    let mut seen = HashSet::new();
    for event in events.iter().filter(|event| seen.insert(event.parked_key())) {
        let mut row = rows.row();
        row.text("t", &event.position.topic)
            .number("k", event.position.partition)
            .number("f", event.position.offset)
            .text("r", event.record.as_str())
            .number("rc", i32::try_from(event.retry_count()).unwrap_or(i32::MAX))
            .uuid("ev", event.event_id)
            .number("wt", event.waits_for.type_number())
            .text("v", &event.value);
        // What is not there is read as NULL.
        if let Some(key) = &event.key {
            row.text("y", &STANDARD.encode(key));
        }
        if let Some(headers) = to_stored(&event.headers) {
            row.text("hd", &headers);
        }
        if let Some(timestamp_ms) = event.timestamp_ms {
            row.number("at", timestamp_ms);
        }
        if let Some(parent) = event.waits_for.parent_id() {
            row.uuid("wi", parent);
        }
        if let Some(claim) = event.email_claim() {
            row.text("wk", &claim.key).uuid("by", claim.user_id).time("ca", claim.at);
        }
    }
    rows.finish().text
}

pub(crate) fn ids(ids: &[Uuid]) -> String {
    let mut rows = JsonRows::new();
    for id in ids {
        rows.row().uuid("id", *id);
    }
    rows.finish().text
}

pub(crate) fn to_bigint(limit: usize) -> i64 {
    i64::try_from(limit).unwrap_or(i64::MAX)
}

pub(crate) fn parked_events(sets: &ResultSets, statement: &Statement) -> Result<Vec<ParkedEvent>, Fault> {
    columns_of(sets, statement)?.map(|columns| parked_event(columns, statement)).collect()
}

fn parked_event(columns: Columns<'_>, statement: &Statement) -> Result<ParkedEvent, Fault> {
    let waits_for = WaitsFor::from_columns(columns.get("waits_for_type")?, columns.optional("waits_for_id")?);
    Ok(ParkedEvent {
        position: columns.position()?,
        // A column of fixed length gives an empty text back as blanks.
        record: RecordId::from_stored(columns.get::<&str>("record_id")?.trim_end().to_owned()),
        timestamp_ms: columns.optional("kafka_at")?,
        key: columns.optional::<&[u8]>("kafka_key")?.map(<[u8]>::to_vec),
        value: columns.text("payload")?,
        headers: from_stored(columns.optional("headers")?, columns.natural::<i32, _>("retry_count")?),
        event_id: columns.get("event_id")?,
        waits_for: waits_for.ok_or_else(|| faults::bug(statement.name))?,
        parked_at: columns.time("parked_at")?,
    })
}

#[cfg(test)]
mod tests {
    use pipeline::headers::RETRY_COUNT_HEADER;
    use pipeline::{FaultClass, Header, Position};
    use serde_json::{Value, json};
    use tiberius::time::{Date, DateTime2, Time};
    use tiberius::{ColumnData, ColumnType, Row};

    use super::*;

    fn event(waits_for: WaitsFor, key: Option<&[u8]>, timestamp_ms: Option<i64>) -> ParkedEvent {
        ParkedEvent {
            position: Position { topic: "events".into(), partition: 2, offset: 7 },
            record: RecordId::from_stored("00ff".to_owned()),
            timestamp_ms,
            key: key.map(<[u8]>::to_vec),
            value: "{\"firstName\":\"😀\"}".to_owned(),
            headers: vec![Header::text(RETRY_COUNT_HEADER, "3")],
            event_id: Uuid::from_u128(1),
            waits_for,
            parked_at: Timestamp::UNIX_EPOCH,
        }
    }

    #[test]
    fn a_parked_event_travels_with_all_of_its_record() {
        let parent = Uuid::from_u128(9);
        let mut events = [event(WaitsFor::Order(parent), Some(&[0, 255, 1]), Some(i64::MIN)), event(WaitsFor::Email, None, None)];
        events[1].position.offset = 8;
        let rows: Value = serde_json::from_str(&parked_rows(&events)).unwrap();
        let whole = json!({
            "t": "events", "k": 2, "f": 7, "r": "00ff", "rc": 3, "ev": Uuid::from_u128(1).to_string(), "wt": 2, "v": "{\"firstName\":\"😀\"}",
            "hd": HEADERS, "y": "AP8B", "at": i64::MIN, "wi": parent.to_string(),
        });
        let least = json!({
            "t": "events", "k": 2, "f": 8, "r": "00ff", "rc": 3, "ev": Uuid::from_u128(1).to_string(), "wt": 3,
            "v": "{\"firstName\":\"😀\"}", "hd": HEADERS,
        });
        assert_eq!(rows, json!([&whole, least]));
        let twice: Value = serde_json::from_str(&parked_rows(&[events[0].clone(), events[0].clone()])).unwrap();
        assert_eq!(twice, json!([whole]));
        let others = [events[0].clone(), ParkedEvent { record: RecordId::default(), ..events[0].clone() }];
        let others: Value = serde_json::from_str(&parked_rows(&others)).unwrap();
        assert_eq!((&others[0]["r"], &others[1]["r"]), (&json!("00ff"), &json!("")), "another record of the place is another event");
        let empty: Value = serde_json::from_str(&parked_rows(&[event(WaitsFor::Email, Some(&[]), None)])).unwrap();
        assert_eq!(empty[0]["y"], json!(""), "an empty key is not the same as none");
    }

    /// The headers of an event as they are stored.
    const HEADERS: &str = r#"[{"name":"x-retry-count","value":"3"}]"#;

    fn row(waits_for_type: u8, parent: Option<Uuid>) -> Row {
        row_of("00ff", Some(HEADERS), waits_for_type, parent)
    }

    fn row_of(record: &'static str, headers: Option<&'static str>, waits_for_type: u8, parent: Option<Uuid>) -> Row {
        let text = |text: &'static str| ColumnData::String(Some(text.into()));
        let midnight = DateTime2::new(Date::new(719_162), Time::new(0, 6));
        Row::builder()
            .column("topic", ColumnType::NVarchar, text("events"))
            .column("kafka_partition", ColumnType::Intn, ColumnData::I32(Some(2)))
            .column("kafka_offset", ColumnType::Intn, ColumnData::I64(Some(7)))
            .column("kafka_key", ColumnType::BigVarBin, ColumnData::Binary(Some(vec![0, 255, 1].into())))
            .column("kafka_at", ColumnType::Intn, ColumnData::I64(None))
            .column("retry_count", ColumnType::Intn, ColumnData::I32(Some(3)))
            .column("event_id", ColumnType::Guid, ColumnData::Guid(Some(Uuid::from_u128(1))))
            .column("waits_for_type", ColumnType::Intn, ColumnData::U8(Some(waits_for_type)))
            .column("waits_for_id", ColumnType::Guid, ColumnData::Guid(parent))
            .column("parked_at", ColumnType::Datetime2, ColumnData::DateTime2(Some(midnight)))
            .column("payload", ColumnType::NVarchar, text("{\"firstName\":\"😀\"}"))
            .column("record_id", ColumnType::BigChar, text(record))
            .column("headers", ColumnType::NVarchar, ColumnData::String(headers.map(Into::into)))
            .build()
    }

    #[test]
    fn a_row_is_read_back_as_the_event_that_was_parked() {
        let parent = Uuid::from_u128(9);
        let sets = vec![vec![row(1, Some(parent)), row(3, None)]];
        let expected = [event(WaitsFor::User(parent), Some(&[0, 255, 1]), None), event(WaitsFor::Email, Some(&[0, 255, 1]), None)];
        assert_eq!(parked_events(&sets, &RELEASABLE_ANY), Ok(expected.to_vec()));
    }

    #[test]
    fn a_row_without_an_identity_has_the_empty_one() {
        let blanks = "                                                                ";
        let read = parked_events(&vec![vec![row_of(blanks, None, 3, None)]], &RELEASABLE_ANY).unwrap();
        assert_eq!((blanks.len(), &read[0].record), (64, &RecordId::default()));
    }

    #[test]
    fn a_row_that_waits_for_nothing_we_know_is_a_bug() {
        for row in [row(4, None), row(1, None)] {
            assert_eq!(parked_events(&vec![vec![row]], &RELEASABLE_ANY).unwrap_err().class, FaultClass::Bug);
        }
    }
}
