//! The dead letter queue: Redis where it is configured, a table of SQLite otherwise.

use pipeline::ports::{DeadLetterReader, FloodPermits, Permit, RedriveQueue};
use pipeline::{DeadLetter, DeadLetterQueue, Fault};
use redis_dlq::RedisDlq;
use sqlite::Sqlite;

use super::either;

/// One of the two.
#[derive(Clone)]
pub enum Letters {
    /// `REDIS_HOST` is set.
    Real(RedisDlq),
    /// It is not.
    Embedded(Sqlite),
}

impl DeadLetterQueue for Letters {
    async fn push(&self, letters: &[DeadLetter]) -> Result<usize, Fault> {
        either!(self, queue => queue.push(letters))
    }
}

impl DeadLetterReader for Letters {
    async fn depth(&self) -> Result<u64, Fault> {
        either!(self, queue => queue.depth())
    }

    async fn page(&self, start: u64, limit: u64) -> Result<Vec<String>, Fault> {
        either!(self, queue => queue.page(start, limit))
    }
}

impl FloodPermits for Letters {
    async fn spend(&self, records: u64) -> Result<bool, Fault> {
        either!(self, queue => queue.spend(records))
    }

    async fn permit(&self, permit: Permit) -> Result<(), Fault> {
        either!(self, queue => queue.permit(permit))
    }
}

impl RedriveQueue for Letters {
    async fn claim(&self, entry: &str) -> Result<bool, Fault> {
        either!(self, queue => queue.claim(entry))
    }

    async fn settle(&self, entry: &str) -> Result<(), Fault> {
        either!(self, queue => queue.settle(entry))
    }

    async fn give_back(&self) -> Result<usize, Fault> {
        either!(self, queue => queue.give_back())
    }
}
