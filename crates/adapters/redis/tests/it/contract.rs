//! What every dead letter queue does.

use pipeline::ports::{DeadLetterQueue, DeadLetterReader, FloodPermits, Permit, RedriveQueue};
use pipeline::{DeadLetter, Fault};
use redis_dlq::RedisDlq;

use crate::place::Place;

/// The queue, with the place that goes when it goes.
struct Placed {
    queue: RedisDlq,
    _place: Place,
}

async fn placed() -> Option<Placed> {
    Place::any().map(|place| Placed { queue: place.queue(), _place: place })
}

testkit::dlq_contract!(placed);

impl DeadLetterQueue for Placed {
    async fn push(&self, letters: &[DeadLetter]) -> Result<usize, Fault> {
        self.queue.push(letters).await
    }
}

impl DeadLetterReader for Placed {
    async fn depth(&self) -> Result<u64, Fault> {
        self.queue.depth().await
    }

    async fn page(&self, start: u64, limit: u64) -> Result<Vec<String>, Fault> {
        self.queue.page(start, limit).await
    }
}

impl RedriveQueue for Placed {
    async fn claim(&self, entry: &str) -> Result<bool, Fault> {
        self.queue.claim(entry).await
    }

    async fn settle(&self, entry: &str) -> Result<(), Fault> {
        self.queue.settle(entry).await
    }

    async fn give_back(&self) -> Result<usize, Fault> {
        self.queue.give_back().await
    }
}

impl FloodPermits for Placed {
    async fn spend(&self, records: u64) -> Result<bool, Fault> {
        self.queue.spend(records).await
    }

    async fn permit(&self, permit: Permit) -> Result<(), Fault> {
        self.queue.permit(permit).await
    }
}
