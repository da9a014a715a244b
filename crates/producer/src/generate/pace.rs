//! Keeping to a rate.

use std::time::Duration;

use tokio::time::Instant;

/// When the next record is due, for a rate in records per second.
pub(super) struct Pace {
    start: Instant,
    rate: Option<f64>,
}

impl Pace {
    pub(super) const fn new(start: Instant, rate: Option<f64>) -> Self {
        Self { start, rate }
    }

    /// When the record after so many may be sent. Late ones are caught up with, so that the rate holds over the whole run.
    pub(super) fn due(&self, sent: u64) -> Instant {
        let seconds = self.rate.map_or(0.0, |rate| sent as f64 / rate);
        let wait = Duration::try_from_secs_f64(seconds).unwrap_or(Duration::MAX);
        // A rate so low that its next record lies beyond the clock's range: a day at a time.
        self.start.checked_add(wait).unwrap_or(self.start + Duration::from_secs(86_400))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_are_due_at_the_rate_and_at_once_without_one() {
        let start = Instant::now();
        assert_eq!(Pace::new(start, Some(100.0)).due(250), start + Duration::from_millis(2500));
        assert_eq!(Pace::new(start, None).due(1_000_000), start);
    }
}
