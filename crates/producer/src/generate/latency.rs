//! Percentiles of durations in little memory.

use std::time::Duration;

/// Buckets per doubling: a percentile is at most an eighth too high.
const STEPS: u64 = 8;
const BUCKETS: usize = 64 * STEPS as usize;

/// Counts durations in buckets that grow with them.
pub(super) struct Latencies {
    counts: Vec<u64>,
    total: u64,
}

impl Latencies {
    pub(super) fn new() -> Self {
        Self { counts: vec![0; BUCKETS], total: 0 }
    }

    pub(super) fn note(&mut self, took: Duration) {
        let micros = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
        self.counts[bucket(micros)] += 1;
        self.total += 1;
    }

    /// The duration that this share of all does not exceed; `None` where nothing was noted.
    pub(super) fn percentile(&self, share: f64) -> Option<Duration> {
        let rank = ((self.total as f64 * share).ceil() as u64).max(1);
        let mut below = 0;
        let bucket = self.counts.iter().position(|count| {
            below += count;
            below >= rank
        })?;
        Some(Duration::from_micros(upper_bound(bucket as u64)))
    }
}

/// Exact up to 15, then eight buckets per power of two.
fn bucket(micros: u64) -> usize {
    let exponent = u64::from(micros.max(1).ilog2()).saturating_sub(3);
    (exponent * STEPS + (micros >> exponent)) as usize
}

/// The largest duration in a bucket, in microseconds.
fn upper_bound(bucket: u64) -> u64 {
    let exponent = (bucket / STEPS).saturating_sub(1);
    let mantissa = bucket - exponent * STEPS;
    u64::try_from(((u128::from(mantissa) + 1) << exponent) - 1).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_duration_lies_in_a_bucket_whose_bound_is_at_most_an_eighth_above() {
        for micros in (0..10_000).chain([123_456_789, u64::MAX / 3, u64::MAX]) {
            let bound = upper_bound(bucket(micros) as u64);
            assert!(bound >= micros && bound - micros <= micros / 8, "{micros}: {bound}");
        }
    }

    #[test]
    fn percentiles_are_taken_over_what_was_noted() {
        let mut latencies = Latencies::new();
        assert_eq!(latencies.percentile(0.5), None);
        (0..98).for_each(|_| latencies.note(Duration::from_micros(10)));
        (0..2).for_each(|_| latencies.note(Duration::from_millis(5)));
        assert_eq!(latencies.percentile(0.5), Some(Duration::from_micros(10)));
        assert!(latencies.percentile(0.99).is_some_and(|p99| p99 >= Duration::from_millis(5)));
    }
}
