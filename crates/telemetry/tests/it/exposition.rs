//! What is served, held to the rules of `promtool check metrics`: by the same rules here, and by promtool itself where it is installed.
//!
//! The rules are those of `promlint` (<https://github.com/prometheus/client_golang>); their reasons: <https://prometheus.io/docs/practices/naming/>.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::process::{Command, Stdio};
use std::time::Duration;

use telemetry::{Metrics, Part, Status};

#[derive(Default)]
struct Family {
    help: String,
    kind: String,
    labels: Vec<String>,
}

/// The families of an exposition, by name.
fn families(text: &str) -> BTreeMap<String, Family> {
    let mut families: BTreeMap<String, Family> = BTreeMap::new();
    let mut current = String::new();
    for line in text.lines() {
        if let Some((name, help)) = line.strip_prefix("# HELP ").and_then(|rest| rest.split_once(' ')) {
            current = name.to_owned();
            families.entry(current.clone()).or_default().help = help.to_owned();
        } else if let Some((name, kind)) = line.strip_prefix("# TYPE ").and_then(|rest| rest.split_once(' ')) {
            current = name.to_owned();
            families.entry(current.clone()).or_default().kind = kind.to_owned();
        } else {
            let labels = line.split_once('{').map_or("", |(_, rest)| rest.rsplit_once('}').map_or("", |(labels, _)| labels));
            let names = labels.split("\",").filter_map(|pair| pair.split_once("=\"").map(|(name, _)| name.to_owned()));
            families.entry(current.clone()).or_default().labels.extend(names);
        }
    }
    families
}

const BASE_UNITS: [&str; 11] =
    ["amperes", "bytes", "celsius", "grams", "joules", "kelvin", "meters", "metres", "moles", "seconds", "volts"];
const OTHER_UNITS: [&str; 14] = [
    "minutes",
    "hours",
    "days",
    "weeks",
    "kelvins",
    "fahrenheit",
    "rankine",
    "inches",
    "yards",
    "miles",
    "bits",
    "calories",
    "pounds",
    "ounces",
];
const PREFIXES: [&str; 16] =
    ["pico", "nano", "micro", "milli", "centi", "deci", "deca", "hecto", "kilo", "kibi", "mega", "mibi", "giga", "tera", "peta", "pebi"];
const ABBREVIATIONS: [&str; 14] = ["s", "ms", "us", "ns", "sec", "b", "kb", "mb", "gb", "tb", "pb", "m", "h", "d"];

/// What the rules object to.
fn objections(text: &str) -> Vec<String> {
    families(text).iter().flat_map(|(name, family)| family.objections(name)).collect()
}

impl Family {
    fn objections(&self, name: &str) -> Vec<String> {
        let words: Vec<_> = name.split('_').collect();
        let is_counter = self.kind == "counter";
        let is_histogram = self.kind == "histogram";
        let is_unit = |word: &str| BASE_UNITS.contains(&word) || OTHER_UNITS.contains(&word);
        let prefixed = |word: &str| PREFIXES.iter().any(|prefix| word.strip_prefix(prefix).is_some_and(is_unit));
        let reserved = ["_bucket", "_count", "_sum"].iter().any(|suffix| name.ends_with(suffix));
        let camel = |text: &str| text.contains(|c: char| c.is_ascii_uppercase());
        let rules = [
            ("no help text", self.help.trim().is_empty()),
            ("a counter ends in _total", is_counter && !name.ends_with("_total")),
            ("only a counter ends in _total", !is_counter && name.ends_with("_total")),
            ("a suffix of histograms", !is_histogram && reserved),
            ("a label of histograms", !is_histogram && self.labels.iter().any(|label| label == "le")),
            ("a label of summaries", self.labels.iter().any(|label| label == "quantile")),
            ("the type in the name", ["counter", "gauge", "histogram", "summary"].iter().any(|kind| words.contains(kind))),
            ("no base unit", words.iter().any(|word| OTHER_UNITS.contains(word) || prefixed(word))),
            ("an abbreviated unit", words.iter().any(|word| ABBREVIATIONS.contains(word))),
            ("a reserved character", name.contains(':')),
            ("not in snake_case", camel(name) || self.labels.iter().any(|label| camel(label))),
        ];
        rules.into_iter().filter(|(_, broken)| *broken).map(|(rule, _)| format!("{name}: {rule}")).collect()
    }
}

/// What promtool objects to, if it is installed.
fn promtool(text: &str) -> Option<Vec<String>> {
    let started =
        Command::new("promtool").args(["check", "metrics"]).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn();
    let Ok(mut promtool) = started else {
        // Not `eprintln`: the harness would swallow it.
        let mut stderr = std::io::stderr();
        writeln!(stderr, "NOT RUN: promtool is not installed, only the same rules in Rust were checked").unwrap();
        return None;
    };
    promtool.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
    let output = promtool.wait_with_output().unwrap();
    let said = [output.stdout, output.stderr].concat();
    let lines: Vec<_> = String::from_utf8(said).unwrap().lines().map(str::to_owned).collect();
    assert_eq!(output.status.success(), lines.is_empty(), "{lines:?}");
    Some(lines)
}

/// Each metric has at least one series.
fn everything() -> String {
    let metrics = Metrics::new(Part::ALL).unwrap();
    metrics.events_processed("OrderPlaced", Status::Parked, 3);
    metrics.db_operation("apply", Duration::from_millis(3));
    metrics.lags([(3, 10)]);
    metrics.held_back(&[(3, 10)].into());
    metrics.stalled([(3, Duration::ZERO)]);
    metrics.verified(1, [(("users", "missing"), 1)]);
    metrics.http_request("/orders/{id}", "GET", 404, Duration::ZERO);
    metrics.data_age(Some(Duration::ZERO));
    metrics.encode()
}

#[test]
fn what_is_served_keeps_the_rules_of_promtool() {
    let text = everything();
    for metric in telemetry::catalog::ALL {
        assert!(families(&text).contains_key(metric.name), "{}", metric.name);
    }
    assert_eq!(objections(&text), [""; 0]);
    assert_eq!(promtool(&text).unwrap_or_default(), [""; 0]);
}

#[test]
fn the_rules_here_object_to_what_promtool_objects_to() {
    let broken = [
        ("things", "counter", "Things.", "things 1"),
        ("things_total", "gauge", "Things.", "things_total 1"),
        ("things_count", "gauge", "Things.", "things_count 1"),
        ("wait_milliseconds", "gauge", "A wait.", "wait_milliseconds 1"),
        ("wait_minutes", "gauge", "A wait.", "wait_minutes 1"),
        ("wait_ms", "gauge", "A wait.", "wait_ms 1"),
        ("wait_gauge", "gauge", "A wait.", "wait_gauge 1"),
        ("oneWait", "gauge", "A wait.", "oneWait 1"),
        ("wait", "gauge", "A wait.", "wait{oneLabel=\"x\"} 1"),
        ("wait", "gauge", "A wait.", "wait{le=\"1\"} 1"),
    ];
    for (name, kind, help, series) in broken {
        let text = format!("# HELP {name} {help}\n# TYPE {name} {kind}\n{series}\n");
        assert!(!objections(&text).is_empty(), "{text}");
        assert!(promtool(&text).is_none_or(|lines| !lines.is_empty()), "{text}");
    }
}
