//! Who consumes.

use std::time::Duration;

use pipeline::Fault;
use pipeline::heartbeat::{ConsumerState, Heartbeat, SeenConsumer};
use pipeline::ports::{Heartbeats, MOST_CONSUMERS};
use uuid::Uuid;

use crate::row::{Columns, columns_of};
use crate::statement::{BEAT, CONSUMERS, END_HEARTBEAT};
use crate::store::SqlServer;

impl Heartbeats for SqlServer {
    async fn beat(&self, heartbeat: &Heartbeat) -> Result<(), Fault> {
        let Heartbeat { instance, host, process_id, version, group, topic, started_at, state } = heartbeat.clone().bounded();
        let (process_id, started_at, state) = (i64::from(process_id), started_at.to_sql(), state.to_json());
        let parameters: [&dyn tiberius::ToSql; 8] = [&instance, &host, &process_id, &version, &group, &topic, &started_at, &state];
        self.pool.ask(&BEAT, &parameters).await?.accept();
        Ok(())
    }

    async fn consumers(&self, within: Duration) -> Result<Vec<SeenConsumer>, Fault> {
        let seconds = i32::try_from(within.as_secs()).unwrap_or(i32::MAX);
        let most = i64::try_from(MOST_CONSUMERS).unwrap_or(i64::MAX);
        let sets = self.pool.ask(&CONSUMERS, &[&most, &seconds]).await?.accept();
        let mut consumers = columns_of(&sets, &CONSUMERS)?.map(seen).collect::<Result<Vec<_>, _>>()?;
        consumers.sort_by_key(|consumer| (consumer.heartbeat.started_at, consumer.heartbeat.instance));
        Ok(consumers)
    }

    async fn end_heartbeat(&self, instance: Uuid) -> Result<(), Fault> {
        self.pool.ask(&END_HEARTBEAT, &[&instance]).await?.accept();
        Ok(())
    }
}

fn seen(columns: Columns<'_>) -> Result<SeenConsumer, Fault> {
    let age: i64 = columns.get("age_ms")?;
    let heartbeat = Heartbeat {
        instance: columns.get("instance")?,
        host: columns.text("host")?,
        process_id: columns.natural::<i64, _>("process_id")?,
        version: columns.text("version")?,
        group: columns.text("group_name")?,
        topic: columns.text("topic")?,
        started_at: columns.time("started_at")?,
        state: ConsumerState::from_json(columns.get("state")?),
    };
    Ok(SeenConsumer { heartbeat, age: Duration::from_millis(u64::try_from(age).unwrap_or_default()) })
}

#[cfg(test)]
mod tests {
    use events::Timestamp;
    use pipeline::FaultClass;
    use tiberius::time::{Date, DateTime2, Time};
    use tiberius::{ColumnData, ColumnType, Row};

    use super::*;

    fn row(process_id: i64, age_ms: i64) -> Row {
        let text = |text: &'static str| ColumnData::String(Some(text.into()));
        let values = [
            ("instance", ColumnData::Guid(Some(Uuid::from_u128(7)))),
            ("host", text("host")),
            ("process_id", ColumnData::I64(Some(process_id))),
            ("version", text("0.1.0")),
            ("group_name", text("group")),
            ("topic", text("events")),
            ("started_at", ColumnData::DateTime2(Some(DateTime2::new(Date::new(719_162), Time::new(1, 6))))),
            ("age_ms", ColumnData::I64(Some(age_ms))),
            ("state", text(r#"{"status":"ready","eventsPerSecond":12}"#)),
        ];
        values.into_iter().fold(Row::builder(), |row, (name, value)| row.column(name, ColumnType::Null, value)).build()
    }

    #[test]
    fn a_consumer_is_read_from_its_row() {
        let read = |process_id, age| seen(Columns::of(&row(process_id, age), CONSUMERS.name));
        let heartbeat = Heartbeat {
            instance: Uuid::from_u128(7),
            host: "host".to_owned(),
            process_id: 4711,
            version: "0.1.0".to_owned(),
            group: "group".to_owned(),
            topic: "events".to_owned(),
            started_at: Timestamp::UNIX_EPOCH.plus_micros(1),
            state: ConsumerState { status: "ready".to_owned(), events_per_second: 12, ..ConsumerState::default() },
        };
        assert_eq!(read(4711, 1500), Ok(SeenConsumer { heartbeat: heartbeat.clone(), age: Duration::from_millis(1500) }));
        // The server's clock was set back.
        assert_eq!(read(4711, -3), Ok(SeenConsumer { heartbeat, age: Duration::ZERO }));
        assert_eq!(read(-1, 0).unwrap_err().class, FaultClass::Bug);
    }
}
