//! How far the tables hold the log.

use pipeline::ports::LogPositions;
use pipeline::{Fault, LogId, LogPosition};

use crate::json::{JsonParameter, JsonRows};
use crate::row::{Columns, columns_of};
use crate::statement::{ADVANCE_POSITIONS, POSITIONS};
use crate::store::SqlServer;

impl LogPositions for SqlServer {
    async fn positions(&self, topic: &str) -> Result<Vec<LogPosition>, Fault> {
        let sets = self.pool.ask(&POSITIONS, &[&topic]).await?.accept();
        columns_of(&sets, &POSITIONS)?.map(position).collect()
    }

    async fn advance(&self, positions: &[LogPosition]) -> Result<(), Fault> {
        if !positions.is_empty() {
            self.pool.ask(&ADVANCE_POSITIONS, &[&rows(positions).text]).await?.accept();
        }
        Ok(())
    }
}

/// Positions as a parameter.
pub(crate) fn rows(positions: &[LogPosition]) -> JsonParameter {
    let mut rows = JsonRows::new();
    for LogPosition { log, topic, partition, next_offset } in positions {
        rows.row().uuid("l", log.0).text("t", topic).number("k", *partition).number("f", *next_offset);
    }
    rows.finish()
}

fn position(columns: Columns<'_>) -> Result<LogPosition, Fault> {
    Ok(LogPosition {
        log: LogId(columns.get("log_id")?),
        topic: columns.get::<&str>("topic")?.into(),
        partition: columns.natural::<i32, u32>("kafka_partition")?.cast_signed(),
        next_offset: columns.natural::<i64, u64>("next_offset")?.cast_signed(),
    })
}

#[cfg(test)]
mod tests {
    use tiberius::{ColumnData, ColumnType, Row};
    use uuid::Uuid;

    use super::*;

    fn row(next_offset: ColumnData<'static>) -> Row {
        let values = [
            ("log_id", ColumnData::Guid(Some(Uuid::from_u128(7)))),
            ("topic", ColumnData::String(Some("events".into()))),
            ("kafka_partition", ColumnData::I32(Some(3))),
            ("next_offset", next_offset),
        ];
        values.into_iter().fold(Row::builder(), |row, (name, value)| row.column(name, ColumnType::Null, value)).build()
    }

    #[test]
    fn a_position_is_read_as_it_was_written_and_nothing_is_no_position() {
        let expected = LogPosition { log: LogId(Uuid::from_u128(7)), topic: "events".into(), partition: 3, next_offset: 43 };
        let read = |next_offset| position(Columns::of(&row(next_offset), POSITIONS.name));
        assert_eq!(read(ColumnData::I64(Some(43))), Ok(expected));
        assert!(read(ColumnData::I64(None)).is_err(), "a missing offset is not offset 0");
        assert!(read(ColumnData::I64(Some(-1))).is_err(), "to Kafka that is the end of the log");
    }
}
