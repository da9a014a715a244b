//! The last verification of this process, as its metrics tell it.

use std::time::Duration;

use console::{DifferenceCount, Verification};
use events::Timestamp;

use super::words::problem;
use crate::verify::difference::Kind;

/// From the text of `/metrics`. `can_begin` says whether this process verifies.
pub(super) fn verification(metrics: &str, can_begin: bool) -> Verification {
    let value = |name: &str| samples(metrics, name).map(|(_, value)| value).next().filter(|value| *value > 0.0);
    let finished = value("pipeline_verify_last_success_timestamp_seconds");
    let finished = finished.and_then(|seconds| Timestamp::from_unix_millis((seconds * 1000.0) as i64));
    let difference = |(labels, count): (&str, f64)| {
        let kind = label(labels, "kind");
        let meaning = Kind::ALL.into_iter().find(|known| known.name() == kind).map(|known| problem(&known.meaning()));
        DifferenceCount {
            table: label(labels, "entity").to_owned(),
            kind: kind.to_owned(),
            meaning: meaning.unwrap_or_default(),
            count: count as u64,
        }
    };
    Verification {
        interval: value("pipeline_verify_interval_seconds").map(Duration::from_secs_f64).filter(|_| can_begin),
        finished: finished.map(|at| at.to_string()),
        offsets: value("pipeline_verify_verified_events").unwrap_or_default() as u64,
        differences: samples(metrics, "pipeline_verify_differences").filter(|(_, count)| *count > 0.0).map(difference).collect(),
        can_begin,
    }
}

/// Labels and value of each series of a metric.
fn samples<'m>(metrics: &'m str, name: &str) -> impl Iterator<Item = (&'m str, f64)> {
    let series = metrics.lines().filter_map(move |line| line.strip_prefix(name)?.rsplit_once(' '));
    let own = series.filter(|(labels, _)| labels.is_empty() || labels.starts_with('{'));
    own.filter_map(|(labels, value)| Some((labels, value.parse().ok()?)))
}

/// The value of a label, which holds no quotes: our own words alone are in it.
fn label<'m>(labels: &'m str, name: &str) -> &'m str {
    let value = labels.split(['{', ',', '}']).find_map(|label| label.strip_prefix(name)?.strip_prefix("=\"")?.strip_suffix('"'));
    value.unwrap_or_default()
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
