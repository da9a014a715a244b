//! `ClaimQueue`: taking dead letters out of the list until their lease ends by the machine's clock.

use std::time::Duration;

use pipeline::ports::{Claim, ClaimQueue};
use pipeline::{Dependency, Fault};
use rusqlite::{Connection, params};
use uuid::Uuid;

use crate::database::{Sqlite, now};
use crate::faults::Failure;
use crate::values::{Id, Micros, id, limit};

const PART: Dependency = Dependency::DeadLetterQueue;

/// To the old end of the list. The token stays.
const GIVE_BACK: &str = "UPDATE dead_letters SET lease_ends = NULL, number = (SELECT min(number) FROM dead_letters) - 1
                         WHERE token = ?1 AND lease_ends IS NOT NULL";

impl ClaimQueue for Sqlite {
    async fn claim(&self, entries: &[String], lease: Duration) -> Result<Vec<Option<Claim>>, Fault> {
        self.write(PART, "claim", |transaction| claim(transaction, entries, lease)).await
    }

    async fn settle(&self, claims: &[Claim]) -> Result<usize, Fault> {
        // With a lease or without: a token stays with its entry until another claim replaces it.
        self.write(PART, "settle", |transaction| {
            of_each(transaction, "DELETE FROM dead_letters WHERE token = ?1", claims.iter().map(|claim| claim.token))
        })
        .await
    }

    async fn give_back(&self, claims: &[Claim]) -> Result<usize, Fault> {
        // The first one last, so that it becomes the oldest.
        self.write(PART, "give_back", |transaction| of_each(transaction, GIVE_BACK, claims.iter().rev().map(|claim| claim.token))).await
    }

    async fn give_back_overdue(&self) -> Result<usize, Fault> {
        self.write(PART, "give_back_overdue", give_back_overdue).await
    }
}

fn claim(transaction: &Connection, entries: &[String], lease: Duration) -> Result<Vec<Option<Claim>>, Failure> {
    // Of entries that look alike, the oldest.
    let sql = "UPDATE dead_letters SET token = ?2, lease_ends = ?3
               WHERE number = (SELECT min(number) FROM dead_letters WHERE entry = ?1 AND lease_ends IS NULL)";
    let mut take = transaction.prepare_cached(sql)?;
    let lease_ends = now().unix_micros().saturating_add(limit(lease.as_micros()));
    let claims = entries.iter().map(|entry| {
        let claim = Claim { token: Uuid::now_v7(), entry: entry.clone() };
        let taken = take.execute(params![entry, Id(&claim.token), lease_ends])? == 1;
        Ok(taken.then_some(claim))
    });
    claims.collect()
}

fn of_each(transaction: &Connection, sql: &str, tokens: impl IntoIterator<Item = Uuid>) -> Result<usize, Failure> {
    let mut statement = transaction.prepare_cached(sql)?;
    let mut changed = 0;
    for token in tokens {
        changed += statement.execute([Id(&token)])?;
    }
    Ok(changed)
}

fn give_back_overdue(transaction: &Connection) -> Result<usize, Failure> {
    // Tokens sort by time: the first that was claimed becomes the oldest.
    let sql = "SELECT token FROM dead_letters WHERE lease_ends <= ?1 ORDER BY lease_ends DESC, token DESC";
    let mut overdue = transaction.prepare_cached(sql)?;
    let tokens = overdue.query_map([Micros(now())], |row| id(row, 0))?.collect::<Result<Vec<_>, _>>()?;
    of_each(transaction, GIVE_BACK, tokens)
}
