//! The last verification of this process, as its metrics tell it.

use std::time::Duration;

use console::{DifferenceCount, Verification};
use events::Timestamp;
use telemetry::exposition::{Sample, samples};

use super::words::problem;
use crate::verify::difference::Kind;

/// From the text of `/metrics`. `can_begin` says whether this process verifies.
pub(super) fn verification(metrics: &str, can_begin: bool) -> Verification {
    let value = |name: &str| samples(metrics, name).map(|sample| sample.value).next().filter(|value| *value > 0.0);
    let finished = value("pipeline_verify_last_success_timestamp_seconds");
    let finished = finished.and_then(|seconds| Timestamp::from_unix_millis((seconds * 1000.0) as i64));
    let difference = |sample: Sample<'_>| {
        let kind = sample.label("kind").unwrap_or_default();
        let meaning = Kind::ALL.into_iter().find(|known| known.name() == kind).map(|known| problem(&known.meaning()));
        DifferenceCount {
            table: sample.label("entity").unwrap_or_default().to_owned(),
            kind: kind.to_owned(),
            meaning: meaning.unwrap_or_default(),
            count: sample.value as u64,
        }
    };
    Verification {
        interval: value("pipeline_verify_interval_seconds").map(Duration::from_secs_f64).filter(|_| can_begin),
        finished: finished.map(|at| at.to_string()),
        offsets: value("pipeline_verify_verified_events").unwrap_or_default() as u64,
        differences: samples(metrics, "pipeline_verify_differences").filter(|sample| sample.value > 0.0).map(difference).collect(),
        can_begin,
    }
}

#[cfg(test)]
mod tests {
    use telemetry::{Metrics, Part};

    use super::*;

    #[test]
    fn it_is_read_from_the_metrics_of_the_process() {
        let metrics = Metrics::new(&[Part::Consumer]).unwrap();
        assert_eq!(verification(&metrics.encode(), false), Verification::default());
        metrics.verify_interval(Duration::from_secs(3600));
        metrics.verified(41, [(("users", "missing"), 3), (("payments", "changed"), 1)]);
        let told = verification(&metrics.encode(), true);
        assert_eq!((told.interval, told.offsets, told.can_begin), (Some(Duration::from_secs(3600)), 41, true));
        assert!(told.finished.unwrap().starts_with("20"));
        let differences: Vec<_> = told.differences.iter().map(|told| (&*told.table, &*told.kind, told.count)).collect();
        assert_eq!(differences, [("payments", "changed", 1), ("users", "missing", 3)]);
        assert_eq!(told.differences[1].meaning, "The log makes this row, and it is not there.");
    }
}
