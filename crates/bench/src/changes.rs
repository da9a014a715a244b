//! Newer events about what earlier events made.

use events::{Body, Event};
use rand::rngs::Xoshiro256PlusPlus;
use rand::{RngExt, SeedableRng};
use uuid::Uuid;

/// Makes events with ids and times of their own. The same seed gives the same events.
pub struct Changes {
    rng: Xoshiro256PlusPlus,
    made: u32,
}

impl Changes {
    /// Nothing made yet.
    pub fn new(seed: u64) -> Self {
        Self { rng: Xoshiro256PlusPlus::seed_from_u64(seed.rotate_left(32)), made: 0 }
    }

    /// A random place below `end`, which must not be 0.
    pub fn place(&mut self, end: usize) -> usize {
        self.rng.random_range(0..end)
    }

    /// An id that no other event has.
    pub fn id(&mut self) -> Uuid {
        uuid::Builder::from_random_bytes(self.rng.random()).into_uuid()
    }

    /// An event about the same user, order or payment with something else in it, newer than those made of it before. Stock movements
    /// have no newer version.
    pub fn newer(&mut self, event: &Event<'static>) -> Event<'static> {
        self.made += 1;
        let mut body = event.body.clone();
        match &mut body {
            Body::UserCreated(user) => user.last_name = format!("{} {}", user.last_name, self.made).into(),
            Body::OrderPlaced(order) => order.items.iter_mut().for_each(|item| item.quantity += 1),
            Body::PaymentSettled(payment) => payment.status = "refunded".into(),
            Body::InventoryAdjusted(_) => {}
        }
        Event { id: self.id(), at: event.at.plus_micros(60_000_000 + i64::from(self.made)), body }
    }
}

/// Whether an event has newer versions.
pub const fn can_change(event: &Event<'_>) -> bool {
    !matches!(event.body, Body::InventoryAdjusted(_))
}

#[cfg(test)]
mod tests {
    use events::{EventType, samples};

    use super::*;

    #[test]
    fn a_newer_event_is_about_the_same_and_keeps_the_contract() {
        let mut changes = Changes::new(1);
        for event_type in [EventType::UserCreated, EventType::OrderPlaced, EventType::PaymentSettled] {
            let old = samples::of(event_type);
            let (first, second) = (changes.newer(&old), changes.newer(&old));
            assert_eq!((first.key(), first.event_type()), (old.key(), event_type));
            assert!(old.at < first.at && first.at < second.at && first.body != old.body);
            assert_eq!(events::decode(&first.to_json()), Ok(first.clone()));
            assert_ne!(first.id, second.id);
        }
    }
}
