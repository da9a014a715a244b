//! Whether the tables are what the log says.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use super::{Metrics, NONE};

impl Metrics {
    /// How often the tables are compared with the log.
    pub fn verify_interval(&self, interval: Duration) {
        self.0.collectors.verify_interval.with_label_values(NONE).set(interval.as_secs_f64());
    }

    /// A verification was finished now. It covered so many offsets of the log, and found so many differences of each kind in each table.
    pub fn verified(&self, offsets: u64, differences: impl IntoIterator<Item = ((&'static str, &'static str), u64)>) {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let collectors = &self.0.collectors;
        collectors.verify_last_success.with_label_values(NONE).set(now.as_secs_f64());
        collectors.verify_verified.with_label_values(NONE).set(offsets as f64);
        collectors.verify_differences.reset();
        for ((entity, kind), count) in differences {
            collectors.verify_differences.with_label_values(&[entity, kind]).set(count as f64);
        }
    }

    /// Another process verifies: what this one found is not known to be so any more.
    pub fn verified_by_another(&self) {
        self.0.collectors.verify_differences.reset();
    }
}

#[cfg(test)]
mod tests {
    use crate::metrics::tests::{all, value};

    #[test]
    fn a_verification_tells_what_it_found_and_the_next_one_what_is_left() {
        const MISSING: &str = "pipeline_verify_differences{entity=\"users\",kind=\"missing\"}";
        let metrics = all();
        assert_eq!(value(&metrics, "pipeline_verify_last_success_timestamp_seconds"), Some(0.0));
        metrics.verified(100, [(("users", "missing"), 3)]);
        assert_eq!((value(&metrics, MISSING), value(&metrics, "pipeline_verify_verified_events")), (Some(3.0), Some(100.0)));
        assert!(value(&metrics, "pipeline_verify_last_success_timestamp_seconds") > Some(1.7e9));
        metrics.verified(101, []);
        assert_eq!(value(&metrics, MISSING), None);
        metrics.verified(102, [(("users", "missing"), 1)]);
        metrics.verified_by_another();
        assert_eq!(value(&metrics, MISSING), None);
    }
}
