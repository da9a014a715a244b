//! Random choices that a number repeats.

use std::ops::RangeInclusive;

use events::Event;
use rand::rngs::StdRng;
use rand::seq::{IndexedRandom as _, SliceRandom as _};
use rand::{RngExt as _, SeedableRng as _};
use uuid::Uuid;

/// The variable that repeats the choices of an earlier run.
pub const SEED_VARIABLE: &str = "TESTKIT_SEED";

/// Random choices that a printed number repeats.
#[derive(Debug)]
pub struct Seed(StdRng);

impl Seed {
    /// The choices of this test by the seed in [`SEED_VARIABLE`], or by a new one; printed on stderr, which shows it where a test fails.
    ///
    /// # Panics
    /// The variable holds no number.
    pub fn of_test(name: &str) -> Self {
        let number: u64 = match std::env::var(SEED_VARIABLE) {
            Ok(text) => text.parse().expect("the seed is a number"),
            Err(_) => rand::random(),
        };
        eprintln!("{name}: {SEED_VARIABLE}={number}");
        Self::numbered(number, name)
    }

    /// The choices of this number. The name keeps tests apart that run with one.
    pub fn numbered(number: u64, name: &str) -> Self {
        let mut bytes = [0; 32];
        bytes[..8].copy_from_slice(&number.to_le_bytes());
        bytes[8..].iter_mut().zip(name.bytes()).for_each(|(byte, dead_letter)| *byte = dead_letter);
        Self(StdRng::from_seed(bytes))
    }

    /// An identity.
    pub fn id(&mut self) -> Uuid {
        uuid::Builder::from_random_bytes(self.0.random()).into_uuid()
    }

    /// True so often.
    pub fn chance(&mut self, probability: f64) -> bool {
        self.0.random_bool(probability)
    }

    /// A number of these.
    pub fn number(&mut self, range: RangeInclusive<i32>) -> i32 {
        self.0.random_range(range)
    }

    /// One of these, of which there must be some.
    pub fn pick<'a, T>(&mut self, of: &'a [T]) -> &'a T {
        of.choose(&mut self.0).expect("there is one")
    }

    /// Puts these into any order.
    pub fn shuffle<T>(&mut self, these: &mut [T]) {
        these.shuffle(&mut self.0);
    }

    /// The events in any order, about a third of them more than once.
    pub fn shuffled_with_duplicates(&mut self, events: &[Event<'static>]) -> Vec<Event<'static>> {
        let mut delivered = events.to_vec();
        delivered.extend(events.iter().filter(|_| self.chance(0.3)).cloned());
        delivered.extend(events.iter().filter(|_| self.chance(0.1)).cloned());
        self.shuffle(&mut delivered);
        delivered
    }

    /// The events as several deliveries of random size, in their order.
    pub fn parts(&mut self, events: &[Event<'static>]) -> Vec<Vec<Event<'static>>> {
        let mut rest = events;
        let mut parts = Vec::new();
        while !rest.is_empty() {
            let size = usize::try_from(self.number(1..=40)).unwrap_or(1).min(rest.len());
            let (part, later) = rest.split_at(size);
            parts.push(part.to_vec());
            rest = later;
        }
        parts
    }
}
