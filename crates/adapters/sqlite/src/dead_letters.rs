//! `DeadLetterQueue`, `DeadLetterReader` and `DeadLetterArchive`: the dead letters, in the same file.

use std::collections::BTreeMap;
use std::time::Duration;

use pipeline::ports::{DeadLetterArchive, DeadLetterReader, End, ListState};
use pipeline::{DeadLetter, DeadLetterQueue, Dependency, Fault};
use rusqlite::{Connection, params};

use crate::database::{Sqlite, now};
use crate::faults::Failure;
use crate::values::{Micros, limit};

const PART: Dependency = Dependency::DeadLetterQueue;

const INSERT: &str = "INSERT INTO dead_letters (entry) VALUES (?1)";

impl DeadLetterQueue for Sqlite {
    async fn push(&self, dead_letters: &[DeadLetter]) -> Result<usize, Fault> {
        let retention = self.seen_retention();
        self.write(PART, "push", |transaction| push(transaction, dead_letters, retention)).await
    }

    async fn known(&self, dead_letters: &[DeadLetter]) -> Result<Vec<bool>, Fault> {
        self.read(|connection| known(connection, dead_letters)).await.map_err(|failure| failure.into_fault(PART, "known"))
    }
}

impl DeadLetterReader for Sqlite {
    async fn list_state(&self) -> Result<ListState, Fault> {
        self.read(list_state).await.map_err(|failure| failure.into_fault(PART, "list_state"))
    }

    async fn depth(&self) -> Result<u64, Fault> {
        self.read(depth).await.map_err(|failure| failure.into_fault(PART, "depth"))
    }

    async fn claimed(&self) -> Result<u64, Fault> {
        let claimed = self.read(|connection| {
            let mut count = connection.prepare_cached("SELECT count(*) FROM dead_letters WHERE lease_ends IS NOT NULL")?;
            Ok(count.query_row([], |row| row.get::<_, i64>(0))?.unsigned_abs())
        });
        claimed.await.map_err(|failure| failure.into_fault(PART, "claimed"))
    }

    async fn reasons(&self) -> Result<BTreeMap<String, u64>, Fault> {
        self.read(reasons).await.map_err(|failure| failure.into_fault(PART, "reasons"))
    }

    async fn page(&self, end: End, start: u64, count: u64) -> Result<Vec<String>, Fault> {
        self.read(|connection| page(connection, end, start, count)).await.map_err(|failure| failure.into_fault(PART, "page"))
    }
}

impl DeadLetterArchive for Sqlite {
    async fn restore(&self, entries: &[String]) -> Result<(), Fault> {
        self.write(PART, "restore", |transaction| restore(transaction, entries)).await
    }
}

fn push(transaction: &Connection, dead_letters: &[DeadLetter], retention: Duration) -> Result<usize, Failure> {
    let now = now();
    let forgotten = now.plus_micros(-limit(retention.as_micros()));
    transaction.prepare_cached("DELETE FROM dead_letters_seen WHERE seen_at < ?1")?.execute([Micros(forgotten)])?;
    let mut see = transaction.prepare_cached("INSERT INTO dead_letters_seen (identity, seen_at) VALUES (?1, ?2) ON CONFLICT DO NOTHING")?;
    let mut insert = transaction.prepare_cached(INSERT)?;
    let mut pushed = 0;
    for dead_letter in dead_letters {
        if see.execute(params![dead_letter.identity, Micros(now)])? == 1 {
            insert.execute([&dead_letter.json])?;
            pushed += 1;
        }
    }
    Ok(pushed)
}

fn known(connection: &Connection, dead_letters: &[DeadLetter]) -> Result<Vec<bool>, Failure> {
    let mut seen = connection.prepare_cached("SELECT 1 FROM dead_letters_seen WHERE identity = ?1")?;
    dead_letters.iter().map(|dead_letter| Ok(seen.exists([&dead_letter.identity])?)).collect()
}

/// One statement, so that both are of one moment.
fn list_state(connection: &Connection) -> Result<ListState, Failure> {
    let sql = "SELECT (SELECT count(*) FROM dead_letters WHERE lease_ends IS NULL), moves FROM dead_letter_moves";
    let mut state = connection.prepare_cached(sql)?;
    let number = |row: &rusqlite::Row<'_>, column| Ok::<_, rusqlite::Error>(row.get::<_, i64>(column)?.unsigned_abs());
    Ok(state.query_row([], |row| Ok(ListState { depth: number(row, 0)?, moves: number(row, 1)? }))?)
}

fn depth(connection: &Connection) -> Result<u64, Failure> {
    let mut count = connection.prepare_cached("SELECT count(*) FROM dead_letters WHERE lease_ends IS NULL")?;
    Ok(count.query_row([], |row| row.get::<_, i64>(0))?.unsigned_abs())
}

fn reasons(connection: &Connection) -> Result<BTreeMap<String, u64>, Failure> {
    let sql = "SELECT CASE WHEN NOT json_valid(entry) THEN 'unknown'
                           WHEN json_type(entry, '$.reason') = 'text' THEN entry ->> '$.reason'
                           ELSE 'unknown' END, count(*)
               FROM dead_letters WHERE lease_ends IS NULL GROUP BY 1";
    let mut reasons = connection.prepare_cached(sql)?;
    let counts = reasons.query_map([], |row| Ok((row.get(0)?, row.get::<_, i64>(1)?.unsigned_abs())))?;
    Ok(counts.collect::<Result<_, _>>()?)
}

fn page(connection: &Connection, end: End, start: u64, count: u64) -> Result<Vec<String>, Failure> {
    let mut page = connection.prepare_cached(match end {
        End::Newest => "SELECT entry FROM dead_letters WHERE lease_ends IS NULL ORDER BY number DESC LIMIT ?1 OFFSET ?2",
        End::Oldest => "SELECT entry FROM dead_letters WHERE lease_ends IS NULL ORDER BY number LIMIT ?1 OFFSET ?2",
    })?;
    let entries = page.query_map([limit(count), limit(start)], |row| row.get(0))?;
    Ok(entries.collect::<Result<_, _>>()?)
}

fn restore(transaction: &Connection, entries: &[String]) -> Result<(), Failure> {
    let mut insert = transaction.prepare_cached(INSERT)?;
    for entry in entries {
        insert.execute([entry])?;
    }
    Ok(())
}
