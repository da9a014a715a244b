//! Events and how they ended.

use std::collections::BTreeMap;
use std::sync::PoisonError;
use std::time::Duration;

use super::{Metrics, NONE, catalog};

/// Stands for the reasons of others.
const OTHER: &str = "other";

/// How an event ended, as `events_processed_total` tells it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// It was applied.
    Success,
    /// It was applied before.
    Duplicate,
    /// Something newer was applied.
    Stale,
    /// It waits for its parent.
    Parked,
    /// It became a dead letter.
    Error,
}

impl Status {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Success, Self::Duplicate, Self::Stale, Self::Parked, Self::Error];

    /// The label.
    pub const fn label(self) -> &'static str {
        match self {
            Self::Success => "success",
            Self::Duplicate => "duplicate",
            Self::Stale => "stale",
            Self::Parked => "parked",
            Self::Error => "error",
        }
    }
}

impl Metrics {
    /// Events of one type that ended in one way. A type that is not one of the four counts as `unknown`.
    pub fn events_processed(&self, event_type: &'static str, status: Status, count: u64) {
        let types = catalog::EVENT_TYPES;
        let index = types.iter().position(|known| *known == event_type).unwrap_or(types.len() - 1);
        self.0.collectors.events_processed.with_label_values(&[types[index], status.label()]).inc_by(count);
        let second = self.0.second();
        self.0.rates.lock().unwrap_or_else(PoisonError::into_inner)[index].add(second, count);
    }

    /// How many events have ended in this way, of whatever type.
    pub fn ended(&self, status: Status) -> u64 {
        let counter = &self.0.collectors.events_processed;
        catalog::EVENT_TYPES.iter().map(|event_type| counter.with_label_values(&[*event_type, status.label()]).get()).sum()
    }

    /// Events of all types that ended in each of the last ten seconds, on average.
    pub fn events_per_second(&self) -> f64 {
        let second = self.0.second();
        self.0.rates.lock().unwrap_or_else(PoisonError::into_inner).iter().map(|rate| rate.per_second(second)).sum()
    }

    /// Dead letters that became durable, without those that the queue held before.
    pub fn dlq_entries(&self, count: u64) {
        self.0.collectors.dlq_entries.with_label_values(NONE).inc_by(count);
    }

    /// Records that the dead letter queue accepted, by the stable label of their reason.
    pub fn dead_letters(&self, reason: &'static str, count: u64) {
        self.0.collectors.dead_letters.with_label_values(&[reason]).inc_by(count);
    }

    /// How many entries the dead letter queue holds.
    pub fn dlq_depth(&self, entries: u64) {
        self.0.collectors.dlq_depth.with_label_values(NONE).set(entries as f64);
    }

    /// How many entries are claimed beside those of the list.
    pub fn dlq_claimed(&self, entries: u64) {
        self.0.collectors.dlq_claimed.with_label_values(NONE).set(entries as f64);
    }

    /// How many entries of each reason the dead letter queue holds; a reason that is not here has none. Reasons that are no label of ours
    /// are counted together.
    pub fn dlq_reasons(&self, entries: &BTreeMap<String, u64>) {
        let gauge = &self.0.collectors.dlq_depth_by_reason;
        let all: u64 = entries.values().sum();
        let mut known = 0;
        for reason in catalog::DLQ_REASONS.iter().filter(|reason| **reason != OTHER) {
            let count = entries.get(*reason).copied().unwrap_or(0);
            gauge.with_label_values(&[*reason]).set(count as f64);
            known += count;
        }
        gauge.with_label_values(&[OTHER]).set((all - known) as f64);
    }

    /// An event was taken whose time lies so far in the future.
    pub fn ahead_of_clock(&self, by: Duration) {
        self.0.collectors.ahead_of_clock.with_label_values(NONE).observe(by.as_secs_f64());
    }

    /// An event is in the tables, so long after its own time.
    pub fn event_time_lag(&self, lag: Duration) {
        self.0.collectors.event_time_lag.with_label_values(NONE).observe(lag.as_secs_f64());
    }

    /// Records without a value that were skipped.
    pub fn tombstones(&self, count: u64) {
        self.0.collectors.tombstones.with_label_values(NONE).inc_by(count);
    }

    /// A batch of so many events is given to the database.
    pub fn batch(&self, events: usize) {
        self.0.collectors.batch_events.with_label_values(NONE).observe(events as f64);
    }

    /// How many events are parked, and how old the oldest is now.
    pub fn parked(&self, events: u64, oldest_age: Option<Duration>) {
        self.0.collectors.parked_events.with_label_values(NONE).set(events as f64);
        self.0.parked_since.set(oldest_age);
    }

    /// Parked events that were applied.
    pub fn released(&self, count: u64) {
        self.0.collectors.released.with_label_values(NONE).inc_by(count);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics::tests::{all, value};

    #[test]
    fn reasons_are_bounded_and_one_that_is_gone_falls_to_zero() {
        let metrics = all();
        let shown = |reason| value(&metrics, &format!("pipeline_dlq_depth_by_reason{{reason=\"{reason}\"}}"));
        let count = |entries: &[(&str, u64)]| {
            metrics.dlq_reasons(&entries.iter().map(|(reason, count)| ((*reason).to_owned(), *count)).collect());
        };
        count(&[("not_json", 3), ("unknown", 2), ("other", 1), ("out of memory", 4), ("", 5)]);
        assert_eq!(["not_json", "unknown", "other", "too_long"].map(shown), [Some(3.0), Some(2.0), Some(10.0), Some(0.0)]);
        assert_eq!(shown("out of memory"), None);
        count(&[("too_long", 1)]);
        assert_eq!(["not_json", "unknown", "other", "too_long"].map(shown), [Some(0.0), Some(0.0), Some(0.0), Some(1.0)]);
    }

    #[tokio::test(start_paused = true)]
    async fn the_rate_is_computed_when_scraped_and_falls_to_zero() {
        let metrics = all();
        let rate = "events_processed_per_second{event_type=\"UserCreated\"}";
        metrics.events_processed("UserCreated", Status::Success, 30);
        metrics.events_processed("UserCreated", Status::Duplicate, 20);
        tokio::time::advance(Duration::from_secs(1)).await;
        assert_eq!(value(&metrics, rate), Some(5.0));
        assert_eq!(value(&metrics, "events_processed_per_second{event_type=\"OrderPlaced\"}"), Some(0.0));
        tokio::time::advance(Duration::from_secs(10)).await;
        assert_eq!(value(&metrics, rate), Some(0.0));
    }

    #[test]
    fn statuses_are_those_of_the_catalog() {
        assert_eq!(Status::ALL.map(Status::label), catalog::STATUSES);
    }
}
