//! The fewest mishaps that still break a promise.

use std::collections::BTreeSet;

use telemetry::Metrics;

use crate::mishap::{Allowed, Kind, Mishap};
use crate::run::{Report, run};
use crate::world::Terms;

/// Runs that shrinking may take.
const MOST: u32 = 400;

/// Switches off whole kinds of mishaps first, then one at a time, as long as a promise is still broken. Returns what is left, and its run.
///
/// # Errors
/// No runtime can be made.
pub fn shrink(terms: &Terms, failing: Report, metrics: &Metrics) -> std::io::Result<(Vec<Mishap>, Report)> {
    let mut left: BTreeSet<Mishap> = failing.struck.iter().copied().collect();
    let mut best = failing;
    let mut runs = 0;
    let mut attempt = |fewer: &BTreeSet<Mishap>| {
        runs += 1;
        let terms = Terms { allowed: Allowed::Only(fewer.clone()), told: false, ..terms.clone() };
        if runs > MOST { Ok(None) } else { run(&terms, metrics).map(|report| report.violation.is_some().then_some(report)) }
    };
    let kinds: BTreeSet<Kind> = left.iter().map(|(kind, _)| *kind).collect();
    for kind in kinds {
        let fewer = left.iter().copied().filter(|(other, _)| *other != kind).collect();
        if let Some(report) = attempt(&fewer)? {
            (left, best) = (fewer, report);
        }
    }
    loop {
        let before = left.len();
        for mishap in left.clone() {
            let mut fewer = left.clone();
            fewer.remove(&mishap);
            if let Some(report) = attempt(&fewer)? {
                (left, best) = (fewer, report);
            }
        }
        if left.len() == before {
            break;
        }
    }
    // Without others, some may not be met any more.
    let met: Vec<Mishap> = best.struck.clone();
    Ok((met, best))
}
