//! A bounded set to draw from at random.

use rand::{Rng, RngExt};

/// Members beyond this replace a random one: memory stays bounded however many events are generated.
const CAPACITY: usize = 10_000;

/// Things that later events refer to.
pub(super) struct Pool<T>(Vec<T>);

impl<T> Pool<T> {
    pub(super) const fn new() -> Self {
        Self(Vec::new())
    }

    pub(super) fn put(&mut self, member: T, rng: &mut impl Rng) {
        if self.0.len() < CAPACITY {
            self.0.push(member);
        } else {
            self.0[rng.random_range(0..CAPACITY)] = member;
        }
    }

    /// A member, which stays.
    pub(super) fn any(&self, rng: &mut impl Rng) -> Option<&T> {
        if self.0.is_empty() { None } else { self.0.get(rng.random_range(0..self.0.len())) }
    }

    /// A member, which leaves.
    pub(super) fn take(&mut self, rng: &mut impl Rng) -> Option<T> {
        if self.0.is_empty() { None } else { Some(self.0.swap_remove(rng.random_range(0..self.0.len()))) }
    }
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng;
    use rand::rngs::Xoshiro256PlusPlus;

    use super::*;

    #[test]
    fn a_pool_never_outgrows_its_capacity() {
        let mut rng = Xoshiro256PlusPlus::seed_from_u64(1);
        let mut pool = Pool::new();
        (0..CAPACITY + 100).for_each(|member| pool.put(member, &mut rng));
        assert_eq!(pool.0.len(), CAPACITY);
        assert!(pool.any(&mut rng).is_some());
        assert_eq!(std::iter::from_fn(|| pool.take(&mut rng)).count(), CAPACITY);
    }
}
