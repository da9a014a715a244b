//! `DeadLetterQueue`, `DeadLetterReader` and `RedriveQueue`: the dead letters, in the same file.

use std::time::Duration;

use pipeline::ports::{DeadLetterReader, RedriveQueue};
use pipeline::{DeadLetter, DeadLetterQueue, Dependency, Fault};
use rusqlite::{Connection, params};

use crate::database::{Sqlite, now};
use crate::faults::Failure;
use crate::values::{Micros, limit};

const PART: Dependency = Dependency::DeadLetterQueue;

impl DeadLetterQueue for Sqlite {
    async fn push(&self, letters: &[DeadLetter]) -> Result<usize, Fault> {
        let retention = self.seen_retention();
        self.write(PART, "push", |transaction| push(transaction, letters, retention)).await
    }
}

impl DeadLetterReader for Sqlite {
    async fn depth(&self) -> Result<u64, Fault> {
        self.read(depth).await.map_err(|failure| failure.into_fault(PART, "depth"))
    }

    async fn page(&self, start: u64, count: u64) -> Result<Vec<String>, Fault> {
        self.read(|connection| page(connection, start, count)).await.map_err(|failure| failure.into_fault(PART, "page"))
    }
}

impl RedriveQueue for Sqlite {
    async fn claim(&self, entry: &str) -> Result<bool, Fault> {
        // Of entries that look alike, one.
        let sql = "UPDATE dead_letters SET claimed = 1
                   WHERE number = (SELECT min(number) FROM dead_letters WHERE entry = ?1 AND claimed = 0)";
        self.write(PART, "claim", |transaction| Ok(transaction.prepare_cached(sql)?.execute([entry])? == 1)).await
    }

    async fn settle(&self, entry: &str) -> Result<(), Fault> {
        let sql = "DELETE FROM dead_letters
                   WHERE number = (SELECT min(number) FROM dead_letters WHERE entry = ?1 AND claimed = 1)";
        self.write(PART, "settle", |transaction| Ok(transaction.prepare_cached(sql)?.execute([entry]).map(drop)?)).await
    }

    async fn give_back(&self) -> Result<usize, Fault> {
        let sql = "UPDATE dead_letters SET claimed = 0 WHERE claimed = 1";
        self.write(PART, "give_back", |transaction| Ok(transaction.prepare_cached(sql)?.execute([])?)).await
    }
}

fn push(transaction: &Connection, letters: &[DeadLetter], retention: Duration) -> Result<usize, Failure> {
    let now = now();
    let forgotten = now.plus_micros(-limit(retention.as_micros()));
    transaction.prepare_cached("DELETE FROM dead_letters_seen WHERE seen_at < ?1")?.execute([Micros(forgotten)])?;
    let mut see = transaction.prepare_cached("INSERT INTO dead_letters_seen (identity, seen_at) VALUES (?1, ?2) ON CONFLICT DO NOTHING")?;
    let mut insert = transaction.prepare_cached("INSERT INTO dead_letters (entry) VALUES (?1)")?;
    let mut pushed = 0;
    for letter in letters {
        if see.execute(params![letter.identity, Micros(now)])? == 1 {
            insert.execute([&letter.json])?;
            pushed += 1;
        }
    }
    Ok(pushed)
}

fn depth(connection: &Connection) -> Result<u64, Failure> {
    let mut count = connection.prepare_cached("SELECT count(*) FROM dead_letters WHERE claimed = 0")?;
    Ok(count.query_row([], |row| row.get::<_, i64>(0))?.unsigned_abs())
}

fn page(connection: &Connection, start: u64, count: u64) -> Result<Vec<String>, Failure> {
    let sql = "SELECT entry FROM dead_letters WHERE claimed = 0 ORDER BY number DESC LIMIT ?1 OFFSET ?2";
    let mut page = connection.prepare_cached(sql)?;
    let entries = page.query_map([limit(count), limit(start)], |row| row.get(0))?;
    Ok(entries.collect::<Result<_, _>>()?)
}
