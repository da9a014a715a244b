//! What every dead letter queue does.

use std::any::Any;
use std::collections::BTreeMap;
use std::time::Duration;

use pipeline::ports::{Claim, ClaimQueue, DeadLetterArchive, DeadLetterQueue, DeadLetterReader, End, FloodPermits, ListState, Permit};
use pipeline::{DeadLetter, Fault};
use redis_dlq::RedisDlq;

use crate::place::Place;

/// The queue, with the place that goes when it goes.
pub struct Placed {
    queue: RedisDlq,
    _place: Box<dyn Any + Send + Sync>,
}

impl Placed {
    /// This queue, whose place is kept as long as it is.
    pub fn new(queue: RedisDlq, place: impl Any + Send + Sync) -> Self {
        Self { queue, _place: Box::new(place) }
    }
}

async fn placed() -> Option<Placed> {
    Place::any().map(|place| Placed::new(place.queue(), place))
}

testkit::dlq_contract!(placed);

impl DeadLetterQueue for Placed {
    async fn push(&self, dead_letters: &[DeadLetter]) -> Result<usize, Fault> {
        self.queue.push(dead_letters).await
    }

    async fn known(&self, dead_letters: &[DeadLetter]) -> Result<Vec<bool>, Fault> {
        self.queue.known(dead_letters).await
    }
}

impl DeadLetterReader for Placed {
    async fn list_state(&self) -> Result<ListState, Fault> {
        self.queue.list_state().await
    }

    async fn depth(&self) -> Result<u64, Fault> {
        self.queue.depth().await
    }

    async fn claimed(&self) -> Result<u64, Fault> {
        self.queue.claimed().await
    }

    async fn reasons(&self) -> Result<BTreeMap<String, u64>, Fault> {
        self.queue.reasons().await
    }

    async fn page(&self, end: End, start: u64, limit: u64) -> Result<Vec<String>, Fault> {
        self.queue.page(end, start, limit).await
    }
}

impl ClaimQueue for Placed {
    async fn claim(&self, entries: &[String], lease: Duration) -> Result<Vec<Option<Claim>>, Fault> {
        self.queue.claim(entries, lease).await
    }

    async fn settle(&self, claims: &[Claim]) -> Result<usize, Fault> {
        self.queue.settle(claims).await
    }

    async fn give_back(&self, claims: &[Claim]) -> Result<usize, Fault> {
        self.queue.give_back(claims).await
    }

    async fn give_back_overdue(&self) -> Result<usize, Fault> {
        self.queue.give_back_overdue().await
    }
}

impl DeadLetterArchive for Placed {
    async fn restore(&self, entries: &[String]) -> Result<(), Fault> {
        self.queue.restore(entries).await
    }
}

impl FloodPermits for Placed {
    async fn spend(&self, records: u64) -> Result<u64, Fault> {
        self.queue.spend(records).await
    }

    async fn permit(&self, permit: Permit) -> Result<(), Fault> {
        self.queue.permit(permit).await
    }
}
