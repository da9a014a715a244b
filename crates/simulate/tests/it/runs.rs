//! Runs of the simulation.

use simulate::mishap::{Allowed, Kind};
use simulate::{Defect, Report, Terms, run, shrink};
use telemetry::{Metrics, Part};

/// Seeds that failed once, each for a defect that is mended.
const PAST: &str = include_str!("../../past-seeds.txt");

fn metrics() -> Metrics {
    Metrics::new(&[Part::Consumer]).unwrap()
}

fn report(terms: &Terms) -> Report {
    run(terms, &metrics()).unwrap()
}

fn keeps_its_promises(seeds: impl IntoIterator<Item = u64>) {
    let metrics = metrics();
    for seed in seeds {
        let report = run(&Terms { seed, ..Terms::default() }, &metrics).unwrap();
        assert_eq!(report.violation, None, "simulate --seed {seed}");
    }
}

#[test]
fn the_first_seeds_keep_every_promise() {
    keeps_its_promises(0..50);
}

#[test]
fn seeds_that_failed_once_keep_every_promise() {
    let seeds = PAST.lines().filter(|line| !line.starts_with('#'));
    keeps_its_promises(seeds.filter_map(|line| line.split_whitespace().next()).map(|seed| seed.parse().unwrap()));
}

#[test]
fn a_seed_repeats_every_step() {
    for seed in 500..508 {
        let terms = Terms { seed, ..Terms::default() };
        let (first, second) = (report(&terms), report(&Terms { told: true, ..terms }));
        assert_eq!((first.steps, first.digest, &first.struck), (second.steps, second.digest, &second.struck), "seed {seed}");
        assert_eq!(second.lines.len() as u64, second.steps);
    }
}

#[test]
fn every_kind_of_mishap_strikes() {
    let metrics = metrics();
    let mut missing: std::collections::BTreeSet<Kind> = Kind::ALL.iter().copied().collect();
    // The rarest need some hundred runs: a crash has to meet a statement that is under way.
    let mut seeds = 1000..2000;
    while let (false, Some(seed)) = (missing.is_empty(), seeds.next()) {
        let report = run(&Terms { seed, ..Terms::default() }, &metrics).unwrap();
        for (kind, _) in &report.struck {
            missing.remove(kind);
        }
    }
    assert!(missing.is_empty(), "{missing:?}");
}

/// A claim and a release meet within milliseconds, or not at all: they do because they are driven to the same rows.
#[test]
fn a_claim_and_a_release_that_meet_show_what_is_wrong_with_either() {
    let metrics = metrics();
    for (defect, from) in [(Defect::ReleaseIgnoresTaken, 30), (Defect::GivenUpIsReleased, 30), (Defect::ClaimIgnoresParent, 90)] {
        let terms = |seed| Terms { seed, defect: Some(defect), ..Terms::default() };
        let found = (from..from + 300).find_map(|seed| run(&terms(seed), &metrics).unwrap().violation);
        assert!(found.unwrap_or_else(|| panic!("{}", defect.name())).what.contains("given up"));
    }
}

#[test]
fn a_planted_defect_is_found_replayed_and_shrunk() {
    let metrics = metrics();
    let terms = |seed| Terms { seed, defect: Some(Defect::LedgerIgnored), ..Terms::default() };
    let failing = (0..200).find_map(|seed| run(&terms(seed), &metrics).ok().filter(|report| report.violation.is_some()));
    let failing = failing.expect("it is found");
    let again = report(&terms(failing.seed));
    assert_eq!(again.violation, failing.violation, "to the same step");
    let before = failing.struck.len();
    let (mishaps, shrunk) = shrink::shrink(&terms(failing.seed), failing, &metrics).unwrap();
    assert!(mishaps.len() <= before);
    let allowed = Allowed::Only(mishaps.into_iter().collect());
    assert_eq!(report(&Terms { allowed, ..terms(shrunk.seed) }).violation, shrunk.violation);
}
