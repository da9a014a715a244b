//! Medians, spreads and percentiles.

use std::time::Duration;

/// What several runs gave.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Samples(Vec<f64>);

impl Samples {
    /// Adds what one run gave.
    pub fn add(&mut self, value: f64) {
        self.0.push(value);
    }

    /// How many runs.
    pub const fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there was none.
    pub const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The value in the middle; of an even number the mean of the two. `None` without any.
    pub fn median(&self) -> Option<f64> {
        let sorted = self.sorted();
        let upper = *sorted.get(sorted.len() / 2)?;
        if sorted.len() % 2 == 1 {
            return Some(upper);
        }
        sorted.get(sorted.len() / 2 - 1).map(|lower| f64::midpoint(*lower, upper))
    }

    /// The smallest and the largest.
    pub fn spread(&self) -> Option<(f64, f64)> {
        let sorted = self.sorted();
        Some((*sorted.first()?, *sorted.last()?))
    }

    /// Run by run, this divided by that. Runs that only one of them has are left out.
    #[must_use]
    pub fn over(&self, that: &Self) -> Self {
        self.0.iter().zip(&that.0).map(|(this, that)| this / that).collect()
    }

    fn sorted(&self) -> Vec<f64> {
        let mut sorted = self.0.clone();
        sorted.sort_unstable_by(f64::total_cmp);
        sorted
    }
}

impl IntoIterator for Samples {
    type Item = f64;
    type IntoIter = std::vec::IntoIter<f64>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}

impl FromIterator<f64> for Samples {
    fn from_iter<I: IntoIterator<Item = f64>>(values: I) -> Self {
        Self(values.into_iter().collect())
    }
}

/// The smallest of these durations that is at least as long as this share of them, from 0 to 1 (nearest rank). `None` without any.
pub fn percentile(durations: &[Duration], share: f64) -> Option<Duration> {
    let mut sorted = durations.to_vec();
    sorted.sort_unstable();
    let rank = (share * sorted.len() as f64).ceil() as usize;
    sorted.get(rank.max(1) - 1).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn samples(values: &[f64]) -> Samples {
        values.iter().copied().collect()
    }

    #[test]
    fn the_median_is_the_middle_or_the_mean_of_the_two_in_the_middle() {
        assert_eq!(samples(&[9.0, 1.0, 5.0]).median(), Some(5.0));
        assert_eq!(samples(&[9.0, 1.0, 5.0, 6.0]).median(), Some(5.5));
        assert_eq!(samples(&[]).median(), None);
    }

    #[test]
    fn the_spread_reaches_from_the_smallest_to_the_largest() {
        assert_eq!(samples(&[3.0, 1.0, 2.0]).spread(), Some((1.0, 3.0)));
        assert_eq!(samples(&[]).spread(), None);
    }

    #[test]
    fn a_ratio_is_taken_run_by_run_so_that_noise_common_to_both_cancels() {
        let (quiet_then_noisy, floor) = (samples(&[90.0, 45.0]), samples(&[100.0, 50.0]));
        assert_eq!(quiet_then_noisy.over(&floor), samples(&[0.9, 0.9]));
        assert_eq!(samples(&[1.0, 2.0]).over(&samples(&[1.0])).len(), 1);
    }

    #[test]
    fn a_percentile_is_the_nearest_rank() {
        let hundred: Vec<_> = (1..=100).rev().map(Duration::from_millis).collect();
        assert_eq!(percentile(&hundred, 0.5), Some(Duration::from_millis(50)));
        assert_eq!(percentile(&hundred, 0.99), Some(Duration::from_millis(99)));
        assert_eq!(percentile(&hundred, 1.0), Some(Duration::from_millis(100)));
        assert_eq!(percentile(&hundred[..1], 0.5), Some(Duration::from_millis(100)));
        assert_eq!(percentile(&[], 0.5), None);
    }
}
