//! What metrics and health checks ask of a consumer.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use pipeline::Fault;

use crate::health::Health;
use crate::membership::Membership;

/// A view of a source from outside its task. It stays valid after the source is closed, and then shows its last state.
#[derive(Clone)]
pub struct Monitor {
    pub(crate) membership: Arc<Membership>,
    pub(crate) health: Arc<Health>,
    pub(crate) last_poll: Arc<LastPoll>,
}

/// When the client was polled last.
pub(crate) struct LastPoll(Mutex<Instant>);

impl LastPoll {
    pub(crate) fn now() -> Self {
        Self(Mutex::new(Instant::now()))
    }

    pub(crate) fn touch(&self) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Instant::now();
    }
}

impl Monitor {
    /// The partitions that this member owns.
    pub fn assigned(&self) -> BTreeSet<i32> {
        self.membership.assigned()
    }

    /// When the client was polled last. Kafka takes the partitions from a member that does not poll for five minutes.
    pub fn last_poll(&self) -> Instant {
        *self.last_poll.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What keeps the source from Kafka now. Noticed while polling, so a little late.
    pub fn trouble(&self) -> Option<Fault> {
        self.health.trouble()
    }

    /// How many records the embedded broker had dropped before they were consumed; 0 on a real Kafka, where offsets may have gaps.
    pub fn missing(&self) -> u64 {
        self.membership.missing()
    }
}
