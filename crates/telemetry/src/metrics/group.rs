//! Where the group is, and whether it moves.

use std::collections::BTreeMap;
use std::sync::PoisonError;
use std::time::Duration;

use prometheus::GaugeVec;

use super::{Metrics, NONE};

impl Metrics {
    /// A batch went from the first take to the commit of its offsets.
    pub fn consumed(&self, took: Duration) {
        self.0.collectors.consume.with_label_values(NONE).observe(took.as_secs_f64());
    }

    /// The broker was polled.
    pub fn polled(&self) {
        self.0.last_poll.set(Some(Duration::ZERO));
    }

    /// How old the last poll may become before the loop counts as standing still.
    pub fn poll_age_limit(&self, limit: Duration) {
        self.0.collectors.poll_age_limit.with_label_values(NONE).set(limit.as_secs_f64());
    }

    /// Offsets were committed.
    pub fn committed(&self) {
        self.0.collectors.commits.with_label_values(&["ok"]).inc();
        self.0.last_commit.set(Some(Duration::ZERO));
    }

    /// How long ago offsets were committed last; `None` where this process has committed none.
    pub fn last_commit(&self) -> Option<Duration> {
        let has_committed = self.0.collectors.commits.with_label_values(&["ok"]).get() > 0;
        self.0.last_commit.seconds().filter(|_| has_committed).map(Duration::from_secs_f64)
    }

    /// A commit of offsets failed.
    pub fn commit_failed(&self) {
        self.0.collectors.commits.with_label_values(&["failed"]).inc();
    }

    /// How many records of each partition of the topic the group has still to consume, whoever owns it. Partitions that are not named are gone.
    pub fn lags(&self, lags: impl IntoIterator<Item = (i32, u64)>) {
        set_partitions(&self.0.collectors.partition_lag, lags);
    }

    /// How long each partition of the topic has stood still although it has records, whoever owns it.
    pub fn stalled(&self, ages: impl IntoIterator<Item = (i32, Duration)>) {
        set_partitions(&self.0.collectors.partition_stalled, ages.into_iter().map(|(partition, age)| (partition, age.as_secs())));
    }

    /// How many records stand behind an open transaction in each partition that this process owns.
    pub fn held_back(&self, records: &BTreeMap<i32, u64>) {
        set_partitions(&self.0.collectors.partition_held_back, records.iter().map(|(partition, records)| (*partition, *records)));
    }

    /// So many records were deleted before they were consumed.
    pub fn log_gap(&self, records: u64) {
        self.0.collectors.log_gap.with_label_values(NONE).inc_by(records);
    }

    /// How many partitions this process owns.
    pub fn assigned(&self, partitions: usize) {
        self.0.collectors.assigned_partitions.with_label_values(NONE).set(partitions as f64);
    }

    /// Nothing is consumed for this cause, or (`None`) work goes on. A new cause does not start the clock again.
    pub fn held(&self, cause: Option<&'static str>) {
        let mut held = self.0.held.lock().unwrap_or_else(PoisonError::into_inner);
        if *held == cause {
            return;
        }
        let gauge = &self.0.collectors.held;
        held.into_iter().for_each(|before| gauge.with_label_values(&[before]).set(0.0));
        cause.into_iter().for_each(|now| gauge.with_label_values(&[now]).set(1.0));
        if held.is_none() || cause.is_none() {
            self.0.held_since.set(cause.map(|_| Duration::ZERO));
        }
        *held = cause;
    }
}

/// Sets the series of these partitions, and drops all others.
fn set_partitions(gauge: &GaugeVec, values: impl IntoIterator<Item = (i32, u64)>) {
    gauge.reset();
    for (partition, value) in values {
        gauge.with_label_values(&[partition.to_string()]).set(value as f64);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics::tests::{all, value};

    #[tokio::test(start_paused = true)]
    async fn ages_grow_between_scrapes() {
        let metrics = all();
        metrics.parked(2, Some(Duration::from_secs(100)));
        tokio::time::advance(Duration::from_secs(7)).await;
        assert_eq!(value(&metrics, "pipeline_parked_oldest_age_seconds"), Some(107.0));
        assert_eq!(value(&metrics, "pipeline_last_poll_age_seconds"), Some(7.0), "from the start on");
        metrics.polled();
        metrics.commit_failed();
        tokio::time::advance(Duration::from_secs(2)).await;
        assert_eq!(value(&metrics, "pipeline_last_poll_age_seconds"), Some(2.0));
        assert_eq!(value(&metrics, "pipeline_last_commit_age_seconds"), Some(9.0), "a failed commit is none");
        assert_eq!(metrics.last_commit(), None);
        metrics.committed();
        assert_eq!(metrics.last_commit(), Some(Duration::ZERO));
        metrics.parked(0, None);
        assert_eq!(value(&metrics, "pipeline_last_commit_age_seconds"), Some(0.0));
        assert_eq!(value(&metrics, "pipeline_parked_oldest_age_seconds"), Some(0.0));
    }

    #[tokio::test(start_paused = true)]
    async fn a_hold_has_one_cause_at_a_time_and_is_as_old_as_its_first() {
        let metrics = all();
        metrics.held(Some("outage"));
        tokio::time::advance(Duration::from_secs(5)).await;
        metrics.held(Some("operator"));
        tokio::time::advance(Duration::from_secs(5)).await;
        metrics.held(Some("operator"));
        assert_eq!(value(&metrics, "pipeline_held{cause=\"outage\"}"), Some(0.0));
        assert_eq!(value(&metrics, "pipeline_held{cause=\"operator\"}"), Some(1.0));
        assert_eq!(value(&metrics, "pipeline_held_seconds"), Some(10.0));
        metrics.held(None);
        assert_eq!(value(&metrics, "pipeline_held{cause=\"operator\"}"), Some(0.0));
        assert_eq!(value(&metrics, "pipeline_held_seconds"), Some(0.0));
    }

    #[test]
    fn each_partition_has_a_lag_of_its_own() {
        let metrics = all();
        metrics.lags([(0, 5), (1, 6), (2, 7)]);
        metrics.lags([(0, 0), (1, 6)]);
        assert_eq!(value(&metrics, "pipeline_partition_lag{partition=\"0\"}"), Some(0.0));
        assert_eq!(value(&metrics, "pipeline_partition_lag{partition=\"1\"}"), Some(6.0));
        assert_eq!(value(&metrics, "pipeline_partition_lag{partition=\"2\"}"), None, "a partition that is gone has no series");
    }
}
