//! `Heartbeats`: which processes consume that have the file open.

use std::time::Duration;

use pipeline::heartbeat::{ConsumerState, Heartbeat, SeenConsumer};
use pipeline::ports::{Heartbeats, MOST_CONSUMERS};
use pipeline::{Dependency, Fault};
use rusqlite::{Result, Row, params};
use uuid::Uuid;

use crate::database::{Sqlite, now};
use crate::values::{Id, Micros, id, limit, time};

const PART: Dependency = Dependency::Database;
/// What was said longer ago is removed by whoever comes new.
const DAY_MICROS: i64 = 86_400_000_000;

impl Heartbeats for Sqlite {
    async fn beat(&self, heartbeat: &Heartbeat) -> std::result::Result<(), Fault> {
        let Heartbeat { instance, host, process_id, version, group, topic, started_at, state } = heartbeat.clone().bounded();
        let (now, state) = (now(), state.to_json());
        let written = self.write(PART, "beat", |transaction| {
            let update = "UPDATE consumer_heartbeats SET heartbeat_at = ?2, state = ?3 WHERE instance = ?1";
            if transaction.prepare_cached(update)?.execute(params![Id(&instance), Micros(now), state])? > 0 {
                return Ok(());
            }
            transaction
                .prepare_cached("DELETE FROM consumer_heartbeats WHERE heartbeat_at < ?1")?
                .execute([Micros(now.plus_micros(-DAY_MICROS))])?;
            let insert = "INSERT INTO consumer_heartbeats \
                          (instance, host, process_id, version, group_name, topic, started_at, heartbeat_at, state) \
                          VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)";
            let row = params![Id(&instance), host, process_id, version, group, topic, Micros(started_at), Micros(now), state];
            transaction.prepare_cached(insert)?.execute(row)?;
            Ok(())
        });
        written.await
    }

    async fn consumers(&self, within: Duration) -> std::result::Result<Vec<SeenConsumer>, Fault> {
        let now = now();
        let since = now.plus_micros(-i64::try_from(within.as_micros()).unwrap_or(i64::MAX / 2));
        let read = self.read(|file| {
            let select = "SELECT instance, host, process_id, version, group_name, topic, started_at, ?1 - heartbeat_at, state \
                          FROM consumer_heartbeats WHERE heartbeat_at > ?2 ORDER BY heartbeat_at DESC LIMIT ?3";
            let rows = params![Micros(now), Micros(since), limit(MOST_CONSUMERS)];
            Ok(file.prepare_cached(select)?.query_map(rows, seen)?.collect::<Result<Vec<_>>>()?)
        });
        let mut consumers = read.await.map_err(|failure| failure.into_fault(PART, "consumers"))?;
        consumers.sort_by_key(|consumer| (consumer.heartbeat.started_at, consumer.heartbeat.instance));
        Ok(consumers)
    }

    async fn end_heartbeat(&self, instance: Uuid) -> std::result::Result<(), Fault> {
        let ended = self.write(PART, "end_heartbeat", |transaction| {
            Ok(transaction.prepare_cached("DELETE FROM consumer_heartbeats WHERE instance = ?1")?.execute([Id(&instance)])?)
        });
        ended.await.map(drop)
    }
}

fn seen(row: &Row<'_>) -> Result<SeenConsumer> {
    let heartbeat = Heartbeat {
        instance: id(row, 0)?,
        host: row.get(1)?,
        process_id: row.get(2)?,
        version: row.get(3)?,
        group: row.get(4)?,
        topic: row.get(5)?,
        started_at: time(row, 6)?,
        state: ConsumerState::from_json(&row.get::<_, String>(8)?),
    };
    Ok(SeenConsumer { heartbeat, age: Duration::from_micros(u64::try_from(row.get::<_, i64>(7)?).unwrap_or_default()) })
}
