//! Keeping to a rate.

use std::time::Duration;

/// Above every run; far enough below the range of clocks that it can be added to any instant.
const LONGEST: Duration = Duration::from_secs(100 * 365 * 86_400);

/// How long after the start the next one is due, after so many, at `rate` per second; at once without a rate. Late ones are caught up
/// with, so that the rate holds over the whole run.
pub fn due(rate: Option<f64>, done: u64) -> Duration {
    let seconds = rate.map_or(0.0, |rate| done as f64 / rate);
    Duration::try_from_secs_f64(seconds).unwrap_or(LONGEST).min(LONGEST)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longest_pause_outlasts_every_run_and_is_in_the_range_of_clocks() {
        assert!(LONGEST > Duration::from_secs(10 * 366 * 86_400), "ten years");
        assert!(std::time::Instant::now().checked_add(LONGEST).is_some());
    }

    #[test]
    fn they_are_due_at_the_rate_and_at_once_without_one() {
        assert_eq!(due(Some(100.0), 250), Duration::from_millis(2500));
        assert_eq!(due(None, 1_000_000), Duration::ZERO);
        assert_eq!(due(Some(1e-300), 1), LONGEST);
    }
}
