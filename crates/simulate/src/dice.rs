//! Every choice of a run, from its seed.
//!
//! A choice is drawn from a stream, and each stream counts by itself: whether the third commit of one consumer is refused does not depend on how
//! often another one asked the store. So a fault can be taken out of a run, and the choices of the others stay what they were.

use std::collections::HashMap;

use uuid::Uuid;

/// The seeded choices.
#[derive(Debug)]
pub struct Dice {
    seed: u64,
    drawn: HashMap<u64, u64>,
}

impl Dice {
    /// The choices of this seed.
    pub fn new(seed: u64) -> Self {
        Self { seed: mix(seed ^ 0x005e_ed0f_a5ee_d000), drawn: HashMap::new() }
    }

    /// The next number of a stream.
    pub fn roll(&mut self, stream: u64) -> u64 {
        let drawn = self.drawn.entry(stream).or_default();
        *drawn += 1;
        at(self.seed, stream, *drawn)
    }

    /// The `nth` number of a stream, which does not move it.
    pub fn nth(&self, stream: u64, nth: u64) -> u64 {
        at(self.seed, stream, nth)
    }

    /// A number in `0..bound`; 0 where there is none.
    pub fn below(&mut self, stream: u64, bound: u64) -> u64 {
        self.roll(stream).checked_rem(bound).unwrap_or_default()
    }

    /// A number of this range, its end included.
    pub fn between(&mut self, stream: u64, least: u64, most: u64) -> u64 {
        least + self.below(stream, most - least + 1)
    }

    /// True so often.
    pub fn chance(&mut self, stream: u64, probability: f64) -> bool {
        fraction(self.roll(stream)) < probability
    }

    /// One of these; there must be one.
    pub fn pick<'a, T>(&mut self, stream: u64, of: &'a [T]) -> &'a T {
        &of[self.below(stream, of.len() as u64) as usize]
    }

    /// An identity.
    pub fn id(&mut self, stream: u64) -> Uuid {
        Uuid::from_u64_pair(self.roll(stream), self.roll(stream))
    }
}

/// A number as a fraction in 0..1.
pub fn fraction(number: u64) -> f64 {
    (number >> 11) as f64 / (1_u64 << 53) as f64
}

/// The stream of this name.
pub const fn stream(name: &str) -> u64 {
    // FNV-1a.
    let (mut hash, mut place) = (0xcbf2_9ce4_8422_2325_u64, 0);
    let bytes = name.as_bytes();
    while place < bytes.len() {
        hash = (hash ^ bytes[place] as u64).wrapping_mul(0x0100_0000_01b3);
        place += 1;
    }
    hash
}

fn at(seed: u64, stream: u64, nth: u64) -> u64 {
    mix(mix(seed ^ stream).wrapping_add(nth.wrapping_mul(0x9e37_79b9_7f4a_7c15)))
}

/// The finish of splitmix64: each bit of the input changes half of the output.
const fn mix(number: u64) -> u64 {
    let number = (number ^ (number >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let number = (number ^ (number >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    number ^ (number >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn streams_count_by_themselves() {
        let (mut first, mut second) = (Dice::new(1), Dice::new(1));
        first.roll(stream("other"));
        assert_eq!(first.roll(stream("one")), second.roll(stream("one")));
        assert_ne!(first.roll(stream("one")), Dice::new(2).roll(stream("one")));
    }

    #[test]
    fn chances_are_about_what_they_are_said_to_be() {
        let mut dice = Dice::new(3);
        let hits = (0..10_000).filter(|_| dice.chance(stream("coin"), 0.2)).count();
        assert!((1_800..2_200).contains(&hits), "{hits}");
    }
}
