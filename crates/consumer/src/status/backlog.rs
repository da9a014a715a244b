//! What waits in the tables and in the queue by the process's own count: all that is known of them where they are embedded in it.

use std::collections::BTreeMap;

use serde::Serialize;
use telemetry::exposition::samples;

/// Counted by the process, as its metrics tell.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Backlog {
    /// Dead letters in the list.
    pub dead_letters: u64,
    /// How many there are of each reason, as far as they have been counted: that happens every half minute.
    pub by_reason: BTreeMap<String, u64>,
    /// Events that wait for a parent.
    pub parked: u64,
    /// How long the oldest of them has waited.
    pub oldest_parked_seconds: u64,
}

impl Backlog {
    /// From the text of `/metrics`; `None` where it does not tell.
    pub(super) fn read(metrics: &str) -> Option<Self> {
        let value = |name| samples(metrics, name).next().map(|sample| sample.value as u64);
        let reasons = samples(metrics, "pipeline_dlq_depth_by_reason").filter(|sample| sample.value > 0.0);
        Some(Self {
            dead_letters: value("pipeline_dlq_depth")?,
            by_reason: reasons.filter_map(|sample| Some((sample.label("reason")?.to_owned(), sample.value as u64))).collect(),
            parked: value("pipeline_parked_events")?,
            oldest_parked_seconds: value("pipeline_parked_oldest_age_seconds").unwrap_or_default(),
        })
    }

    /// The reasons with their numbers, the most frequent first: `28 not_json, 2 missing_field`.
    pub(super) fn reasons(&self) -> String {
        let mut reasons: Vec<_> = self.by_reason.iter().collect();
        reasons.sort_by_key(|(_, count)| std::cmp::Reverse(**count));
        reasons.into_iter().map(|(reason, count)| format!("{count} {reason}")).collect::<Vec<_>>().join(", ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_what_the_metrics_of_a_consumer_tell() {
        let metrics = "pipeline_dlq_depth 30\npipeline_dlq_depth_by_reason{reason=\"not_json\"} 28\n\
             pipeline_dlq_depth_by_reason{reason=\"too_long\"} 0\npipeline_dlq_depth_by_reason{reason=\"missing_field\"} 2\n\
             pipeline_parked_events 3\npipeline_parked_oldest_age_seconds 61.5\n";
        let backlog = Backlog::read(metrics).unwrap();
        assert_eq!((backlog.dead_letters, backlog.parked, backlog.oldest_parked_seconds), (30, 3, 61));
        assert_eq!(backlog.reasons(), "28 not_json, 2 missing_field");
        assert_eq!(Backlog::read("other 1\n"), None, "an API without a consumer");
    }
}
