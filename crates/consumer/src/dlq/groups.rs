//! Dead letters counted by what they have in common.

use std::cmp::Ordering;

use events::Timestamp;

/// What is counted of dead letters with one fingerprint.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// How many.
    pub count: u64,
    /// When the first of them became a dead letter, as the entries tell it.
    pub first_seen: Option<Timestamp>,
    /// And the last.
    pub last_seen: Option<Timestamp>,
}

impl Tally {
    /// Counts one more, which became a dead letter then, where it tells.
    pub fn note(&mut self, at: Option<Timestamp>) {
        self.count += 1;
        if let Some(at) = at {
            self.first_seen = Some(self.first_seen.map_or(at, |first| first.min(at)));
            self.last_seen = Some(self.last_seen.map_or(at, |last| last.max(at)));
        }
    }
}

/// The order of groups, each told by its count and its fingerprint: the most frequent first.
pub fn by_frequency((one, its): (u64, &str), (other, others): (u64, &str)) -> Ordering {
    other.cmp(&one).then_with(|| its.cmp(others))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tally_knows_its_first_and_last_whatever_their_order() {
        let at = |micros| Timestamp::from_unix_micros(micros);
        let mut tally = Tally::default();
        [None, at(5), at(2), None, at(9), at(7)].into_iter().for_each(|at| tally.note(at));
        assert_eq!(tally, Tally { count: 6, first_seen: at(2), last_seen: at(9) });
    }

    #[test]
    fn groups_come_by_how_many_and_then_by_name() {
        let mut groups = [(1, "b"), (3, "c"), (1, "a")];
        groups.sort_by(|one, other| by_frequency(*one, *other));
        assert_eq!(groups, [(3, "c"), (1, "a"), (1, "b")]);
    }
}
