//! What the pipeline is to reach, and whether it did.

use std::time::Duration;

use crate::comparison::Method;
use crate::results::Results;
use crate::scenarios::Scenario;
use crate::statistics::{Samples, percentile};
use crate::table::{Table, millis, percent, ratio, with_spread};

/// End to end, as a share of the floor, at least.
const OF_FLOOR: f64 = 0.90;
/// End to end against one statement and one commit per event, at least.
const OVER_ONE_BY_ONE: f64 = 15.0;
/// The rate that is left with poison that decoding finds, at least.
const WITH_POISON: f64 = 0.90;
/// The 99th percentile from sending to seeing, below this.
const VISIBLE: Duration = Duration::from_millis(100);
/// The 95th percentile of the slowest screen of the console, below this.
const SCREEN: Duration = Duration::from_millis(100);
/// The rate that is left beside ten open consoles, at least.
const BESIDE_CONSOLES: f64 = 0.97;
/// The rate of the last million of ten against that of the first, at least.
const AT_SIZE: f64 = 0.5;
/// Memory at the end of a backlog may lie so far above that of its second quarter.
const GROWTH: f64 = 0.05;

/// The goals, each with what was measured.
pub fn table(results: &Results) -> Table {
    let mut table = Table::new(["goal", "wanted", "measured", "reached"]);
    for Goal { what, wanted, measured, reached } in goals(results) {
        let verdict = match (reached, wanted.is_empty()) {
            (Some(true), _) => "yes",
            (Some(false), _) => "NO",
            (None, true) => "stated",
            (None, false) => "not measured",
        };
        table.row([what, if wanted.is_empty() { "–" } else { &wanted }, &measured, verdict]);
    }
    table
}

struct Goal {
    what: &'static str,
    /// Empty where a figure is only stated.
    wanted: String,
    measured: String,
    /// `None` where it was not measured, or nothing is wanted.
    reached: Option<bool>,
}

impl Goal {
    /// That the median of some ratios is at least so large.
    fn at_least(what: &'static str, least: f64, ratios: Option<&Samples>) -> Self {
        let reached = ratios.and_then(Samples::median).map(|median| median >= least);
        Self { what, wanted: format!("at least {}", ratio(least)), measured: with_spread(ratios, ratio), reached }
    }

    fn stated(what: &'static str, ratios: Option<&Samples>) -> Self {
        Self { what, wanted: String::new(), measured: with_spread(ratios, ratio), reached: None }
    }
}

fn goals(results: &Results) -> Vec<Goal> {
    let rates = &results.rates;
    let clean = (Scenario::InsertOnly, Method::EndToEnd);
    let against_clean = |scenario| rates.ratio((scenario, Method::EndToEnd), clean);
    let floor = rates.ratio(clean, (Scenario::InsertOnly, Method::Floor));
    let one_by_one = rates.ratio(clean, (Scenario::InsertOnly, Method::OneByOne));
    vec![
        Goal::at_least("insert-only, end to end / floor", OF_FLOOR, floor.as_ref()),
        Goal::at_least("insert-only, end to end / one by one", OVER_ONE_BY_ONE, one_by_one.as_ref()),
        Goal::at_least("1 % poison that decoding finds / clean, end to end", WITH_POISON, against_clean(Scenario::PoisonDecode).as_ref()),
        Goal::stated("1 % poison that a constraint finds / clean, end to end", against_clean(Scenario::PoisonAddress).as_ref()),
        Goal::stated("1 % poison that the ledger finds / clean, end to end", against_clean(Scenario::PoisonLedger).as_ref()),
        Goal::at_least("replay / first pass, end to end", 1.0, against_clean(Scenario::Replay).as_ref()),
        visible(results),
        flat(results),
        at_size(results),
        screens(results),
        Goal::at_least("beside ten open consoles / alone", BESIDE_CONSOLES, beside_consoles(results).as_ref()),
    ]
}

fn visible(results: &Results) -> Goal {
    let p99 = results.latency.as_ref().and_then(|latency| percentile(&latency.visible, 0.99));
    Goal {
        what: "from sending to seeing it in the API at a tenth of the peak rate, p99",
        wanted: format!("under {}", millis(Some(VISIBLE))),
        measured: millis(p99),
        reached: p99.map(|p99| p99 < VISIBLE),
    }
}

fn screens(results: &Results) -> Goal {
    let all = results.screens.iter().flat_map(|screens| &screens.screens);
    let slowest = all.filter_map(|(_, times)| percentile(times, 0.95)).max();
    Goal {
        what: "the slowest screen of the console over 100 000 dead letters, p95",
        wanted: format!("under {}", millis(Some(SCREEN))),
        measured: millis(slowest),
        reached: slowest.map(|slowest| slowest < SCREEN),
    }
}

/// Turn by turn, for all queues that were measured.
fn beside_consoles(results: &Results) -> Option<Samples> {
    let mut queues = results.screens.iter().map(|screens| screens.watched.over(&screens.alone)).peekable();
    queues.peek()?;
    Some(queues.flat_map(Samples::into_iter).collect())
}

fn at_size(results: &Results) -> Goal {
    let kept = results.table_sizes.as_ref().and_then(crate::curve::Curve::kept);
    Goal {
        what: "the last part of a log along which the tables grow / the first",
        wanted: format!("at least {}", ratio(AT_SIZE)),
        measured: kept.map_or_else(|| "–".to_owned(), ratio),
        reached: kept.map(|kept| kept >= AT_SIZE),
    }
}

fn flat(results: &Results) -> Goal {
    let growth = results.memory.as_ref().and_then(|memory| memory.resident).map(|resident| resident.growth());
    Goal {
        what: "memory at the end of a long backlog, above its second quarter",
        wanted: format!("at most {}", percent(GROWTH)),
        measured: growth.map_or_else(|| "–".to_owned(), percent),
        reached: growth.map(|growth| growth <= GROWTH),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::latency::Latency;
    use crate::stage::Pace;

    fn measured(rates: &[(Scenario, Method, f64)]) -> Results {
        let mut results = Results::default();
        for (scenario, method, rate) in rates {
            results.rates.note(*scenario, *method, Pace { rate: *rate, in_store: 0.9, parked: 0.0 });
        }
        results
    }

    #[test]
    fn a_goal_is_reached_missed_or_not_measured() {
        let clean = (Scenario::InsertOnly, Method::EndToEnd, 900.0);
        let results = measured(&[clean, (Scenario::InsertOnly, Method::Floor, 1000.0), (Scenario::Replay, Method::EndToEnd, 800.0)]);
        let text = table(&results).to_string();
        assert!(text.contains("| insert-only, end to end / floor | at least 0.90 | 0.90 (0.90 – 0.90) | yes |"), "{text}");
        assert!(text.contains("| replay / first pass, end to end | at least 1.00 | 0.89 (0.89 – 0.89) | NO |"), "{text}");
        assert!(text.contains("| insert-only, end to end / one by one | at least 15.00 | – | not measured |"), "{text}");
        assert!(text.contains("| 1 % poison that a constraint finds / clean, end to end | – | – | stated |"), "{text}");
    }

    #[test]
    fn one_slow_event_in_a_hundred_is_allowed_and_two_are_not() {
        let mut visible = vec![Duration::from_millis(20); 100];
        for (slow, verdict) in [(1, "yes"), (2, "NO")] {
            visible[slow] = Duration::from_secs(1);
            let results = Results { latency: Some(Latency { rate: 100.0, visible: visible.clone() }), ..Results::default() };
            let text = table(&results).to_string();
            assert_eq!(text.lines().filter(|line| line.contains("p99") && line.ends_with(&format!("| {verdict} |"))).count(), 1, "{text}");
        }
    }
}
