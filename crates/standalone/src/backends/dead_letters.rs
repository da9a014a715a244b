//! The dead letter queue: Redis where it is configured, a table of SQLite otherwise.

use std::collections::BTreeMap;
use std::time::Duration;

use pipeline::ports::{Claim, ClaimQueue, DeadLetterArchive, DeadLetterReader, End, FloodPermits, ListState, Permit};
use pipeline::{DeadLetter, DeadLetterQueue, Fault};
use redis_dlq::RedisDlq;
use sqlite::Sqlite;

use super::either;

/// One of the two.
#[derive(Clone)]
pub enum DeadLetters {
    /// `REDIS_HOST` is set.
    Real(RedisDlq),
    /// It is not.
    Embedded(Sqlite),
}

impl DeadLetterQueue for DeadLetters {
    async fn push(&self, dead_letters: &[DeadLetter]) -> Result<usize, Fault> {
        either!(self, queue => queue.push(dead_letters))
    }

    async fn known(&self, dead_letters: &[DeadLetter]) -> Result<Vec<bool>, Fault> {
        either!(self, queue => queue.known(dead_letters))
    }
}

impl DeadLetterReader for DeadLetters {
    async fn list_state(&self) -> Result<ListState, Fault> {
        either!(self, queue => queue.list_state())
    }

    async fn depth(&self) -> Result<u64, Fault> {
        either!(self, queue => queue.depth())
    }

    async fn claimed(&self) -> Result<u64, Fault> {
        either!(self, queue => queue.claimed())
    }

    async fn reasons(&self) -> Result<BTreeMap<String, u64>, Fault> {
        either!(self, queue => queue.reasons())
    }

    async fn page(&self, end: End, start: u64, limit: u64) -> Result<Vec<String>, Fault> {
        either!(self, queue => queue.page(end, start, limit))
    }
}

impl FloodPermits for DeadLetters {
    async fn spend(&self, records: u64) -> Result<u64, Fault> {
        either!(self, queue => queue.spend(records))
    }

    async fn permit(&self, permit: Permit) -> Result<(), Fault> {
        either!(self, queue => queue.permit(permit))
    }
}

impl ClaimQueue for DeadLetters {
    async fn claim(&self, entries: &[String], lease: Duration) -> Result<Vec<Option<Claim>>, Fault> {
        either!(self, queue => queue.claim(entries, lease))
    }

    async fn settle(&self, claims: &[Claim]) -> Result<usize, Fault> {
        either!(self, queue => queue.settle(claims))
    }

    async fn give_back(&self, claims: &[Claim]) -> Result<usize, Fault> {
        either!(self, queue => queue.give_back(claims))
    }

    async fn give_back_overdue(&self) -> Result<usize, Fault> {
        either!(self, queue => queue.give_back_overdue())
    }
}

impl DeadLetterArchive for DeadLetters {
    async fn restore(&self, entries: &[String]) -> Result<(), Fault> {
        either!(self, queue => queue.restore(entries))
    }
}
