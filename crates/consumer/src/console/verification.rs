//! The last verification of this process, as its metrics tell it.

use std::time::Duration;

use console::{DifferenceCount, Verification};

use super::words::problem;
use crate::verify::last::{self, LastVerification};

/// From the text of `/metrics`. `can_begin` says whether this process verifies.
pub(super) fn verification(metrics: &str, can_begin: bool) -> Verification {
    let LastVerification { can_begin, interval_seconds, finished, offsets, differences } = LastVerification::read(metrics, can_begin);
    let difference = |last::DifferenceCount { table, kind, meaning, count }| {
        let meaning = if meaning.is_empty() { String::new() } else { problem(&meaning) };
        DifferenceCount { table, kind, meaning, count }
    };
    Verification {
        interval: interval_seconds.map(Duration::from_secs),
        finished: finished.map(|at| at.to_string()),
        offsets,
        differences: differences.into_iter().map(difference).collect(),
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
