//! Chance, which keeps consumers that wait for the same thing from coming back at the same moment.

use std::cell::RefCell;

use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};

thread_local! {
    /// The choices that are to be repeated on this thread, where somebody wants that.
    static REPEATED: RefCell<Option<StdRng>> = const { RefCell::new(None) };
}

/// From now on, what is left to chance on this thread follows from this number: a simulation can be repeated.
pub fn repeat(seed: u64) {
    REPEATED.with_borrow_mut(|choices| *choices = Some(StdRng::seed_from_u64(seed)));
}

/// A number in 0..1.
pub(crate) fn fraction() -> f64 {
    REPEATED.with_borrow_mut(|choices| choices.as_mut().map_or_else(rand::random, |choices| choices.random()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_repeats_its_choices_and_choices_differ() {
        let choices = |seed| {
            repeat(seed);
            [fraction(), fraction()]
        };
        let first = choices(7);
        assert_eq!(first, choices(7));
        assert_ne!(first, choices(8));
        assert!(first[0] != first[1] && first.iter().all(|choice| (0.0..1.0).contains(choice)));
    }
}
