//! A kind of world: a crowd waits for one user, several consumers release it at the same time, and nothing goes wrong.
//!
//! What a release forgets, the next sweep finds, and so does whoever starts again after a mishap. So it shows only where nobody sweeps and nothing
//! goes wrong; and consumers that are at the same events within milliseconds, in a release of several transactions, need many children of few
//! parents, whose own children wait already. Worlds that are drawn freely are almost never so.

use std::time::Duration;

use consumer::ConsumerConfig;
use events::{Body, Event, Timestamp};
use pipeline::ports::PollLimits;
use uuid::Uuid;

use crate::bodies::{self, Message};
use crate::dice::{Dice, stream};

const CROWD: u64 = stream("a crowd");
const PLAN: u64 = stream("crowd's plan");

/// One world in so many.
const ONE_IN: u64 = 8;

/// Whether the world of these dice is one. Moves no stream: what other seeds draw stays what it was.
pub(crate) fn is_crowd(dice: &Dice) -> bool {
    dice.nth(CROWD, 0).is_multiple_of(ONE_IN)
}

/// Partitions, consumers, and how they work: a few events at a time, and one to three of them in a transaction.
pub(crate) fn plan(dice: &mut Dice) -> (usize, u64, ConsumerConfig) {
    let config = ConsumerConfig {
        batch: PollLimits { records: *dice.pick(PLAN, &[1, 2, 4]), bytes: 4 << 20 },
        batches_per_take: *dice.pick(PLAN, &[1, 2]),
        max_rows: *dice.pick(PLAN, &[2, 4, 6]),
        parking_deadline: Duration::from_secs(30),
        sweep_interval: Duration::from_secs(40),
        monitor_interval: Duration::from_secs(2),
        ..ConsumerConfig::default()
    };
    (dice.between(PLAN, 2, 4) as usize, dice.between(PLAN, 2, 3), config)
}

/// Payments first, then the orders that they wait for, and among the later of these the user that all of them wait for. Each once.
pub(crate) fn history(dice: &mut Dice, beginning: Timestamp) -> Vec<Message> {
    let mut bodies = Vec::new();
    for _ in 0..dice.between(CROWD, 1, 2) {
        let user_id = dice.id(CROWD);
        let orders: Vec<Uuid> = (0..dice.between(CROWD, 4, 12)).map(|_| dice.id(CROWD)).collect();
        let payments = orders.iter().filter(|_| dice.chance(CROWD, 0.7)).copied().collect::<Vec<_>>();
        bodies.extend(payments.into_iter().map(|order_id| bodies::payment(dice.id(CROWD), order_id, beginning)));
        let user_comes_after = dice.between(CROWD, orders.len() as u64 / 2, orders.len() as u64) as usize;
        let mut parents: Vec<Body<'static>> = orders.into_iter().map(|order_id| bodies::order(order_id, user_id, 1, beginning)).collect();
        parents.insert(user_comes_after, bodies::user(user_id, &bodies::name_of(user_id), beginning));
        bodies.extend(parents);
    }
    bodies.into_iter().map(|body| message(dice, beginning, body)).collect()
}

fn message(dice: &mut Dice, at: Timestamp, body: Body<'static>) -> Message {
    let event = Event { id: dice.id(CROWD), at, body };
    (event.key().into_bytes(), Some(event.to_json()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_world_in_eight_is_a_crowd() {
        let crowds = (0..8_000).filter(|seed| is_crowd(&Dice::new(*seed))).count();
        assert!((900..1_100).contains(&crowds), "{crowds}");
    }

    /// What they have shown, they show in a world that is drawn freely.
    #[test]
    fn seeds_that_failed_before_there_were_crowds_are_none() {
        for seed in [1_049_340_723_406, 306_910_055_865, 902_727_852_387, 106_726, 129_570, 146_356] {
            assert!(!is_crowd(&Dice::new(seed)), "{seed}");
        }
    }
}
