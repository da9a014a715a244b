//! `LogPositions`: how far the tables hold the log.

use std::sync::Arc;

use events::Timestamp;
use pipeline::ports::LogPositions;
use pipeline::{Dependency, Fault, LogId, LogPosition};
use rusqlite::{Connection, Row, params};

use crate::database::{Sqlite, now};
use crate::faults::Failure;
use crate::values::{Id, Micros, id};

const PART: Dependency = Dependency::Database;

impl LogPositions for Sqlite {
    async fn positions(&self, topic: &str) -> Result<Vec<LogPosition>, Fault> {
        let found = self.read(|connection| positions(connection, topic)).await;
        found.map_err(|failure| failure.into_fault(PART, "positions"))
    }

    async fn advance(&self, positions: &[LogPosition]) -> Result<(), Fault> {
        self.write(PART, "advance_positions", |transaction| advance(transaction, positions, now())).await
    }
}

/// Moves positions forward, and begins those that are new.
pub(crate) fn advance(transaction: &Connection, positions: &[LogPosition], now: Timestamp) -> Result<(), Failure> {
    let mut advance = transaction.prepare_cached(include_str!("../sql/advance_position.sql"))?;
    for LogPosition { log, topic, partition, next_offset } in positions {
        advance.execute(params![Id(&log.0), topic.as_ref(), partition, next_offset, Micros(now)])?;
    }
    Ok(())
}

fn positions(connection: &Connection, topic: &str) -> Result<Vec<LogPosition>, Failure> {
    let sql = "SELECT log_id, topic, kafka_partition, next_offset FROM log_positions WHERE topic = ?1";
    let mut positions = connection.prepare_cached(sql)?;
    let positions = positions.query_map([topic], position)?;
    Ok(positions.collect::<Result<_, _>>()?)
}

fn position(row: &Row<'_>) -> rusqlite::Result<LogPosition> {
    Ok(LogPosition { log: LogId(id(row, 0)?), topic: row.get::<_, Arc<str>>(1)?, partition: row.get(2)?, next_offset: row.get(3)? })
}
