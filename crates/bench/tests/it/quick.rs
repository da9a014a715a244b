//! A short run on embedded parts: the rows are right, and the report has every line. No figure is asserted.

use bench::cli::Options;
use bench::program::{Settings, run};
use bench::scenarios::Scenario;
use clap::Parser as _;
use settings::Reader;

/// The report of a short run of these parts.
async fn report_of(only: impl IntoIterator<Item = &'static str>) -> String {
    let arguments = ["bench", "--quick", "--no-sync"].into_iter().chain(only.into_iter().flat_map(|name| ["--only", name]));
    let options = Options::try_parse_from(arguments).unwrap();
    run(&options, &Settings::read(Reader::from_pairs([])).unwrap()).await.unwrap().text
}

/// The cells of the only line that begins with this one, after the first table of a section.
fn cells<'r>(report: &'r str, section: &str, first: &str) -> Vec<&'r str> {
    let (_, rest) = report.split_once(&format!("\n## {section}\n")).unwrap_or_else(|| panic!("no section {section}: {report}"));
    let body = rest.split_once("\n## ").map_or(rest, |(body, _)| body);
    let line = body.lines().find(|line| line.starts_with(&format!("| {first} |")));
    let line = line.unwrap_or_else(|| panic!("no line {first} in {section}: {body}"));
    line.trim_matches('|').split('|').map(str::trim).skip(1).collect()
}

/// A line of figures without a gap.
fn assert_measured(report: &str, section: &str, first: &str) {
    let cells = cells(report, section, first);
    assert!(!cells.is_empty() && cells.iter().all(|cell| cell.starts_with(|c: char| c.is_ascii_digit())), "{section}, {first}: {cells:?}");
}

fn assert_compared(report: &str, scenarios: &[Scenario]) {
    for scenario in scenarios {
        let name = scenario.name();
        assert_measured(report, "Comparison", name);
        assert!(report.contains(&format!("- `{name}`: ")), "it is said how {name} is made");
    }
}

fn assert_growth(report: &str) {
    for (section, points) in [("Batch size", ["1", "10", "100"].as_slice()), ("Partitions", &["1", "2"]), ("Table size", &["1 000"])] {
        points.iter().for_each(|point| assert_measured(report, section, point));
    }
}

fn assert_watched(report: &str) {
    assert_eq!(cells(report, "Memory", "1 000").len(), 6);
    assert_eq!(cells(report, "API", "100")[0], "30");
    for step in ["first pass", "verify", "compare alone", "again after 1000 events", "first pass beside it"] {
        assert_measured(report, "Verify", step);
    }
    assert_measured(report, "Pure parts", "plan a batch of 1000");
    assert_eq!(report.matches("| decode and validate `").count(), 4);
    assert!(report.contains("under 100.0 ms") && report.contains("\n## Latency\n") && report.contains("| p99 |"), "{report}");
    assert!(report.contains("REDIS_HOST"), "Redis is not configured, and the report says so");
    for fact in ["processor", "libraries", "compiler", "store", "log"] {
        assert!(report.contains(&format!("| {fact} | ")), "{fact}: {report}");
    }
}

/// Side by side, since a short run is mostly waiting for brokers.
#[tokio::test(flavor = "multi_thread")]
async fn a_short_run_has_right_rows_and_a_report_with_every_line() {
    let (all_new, changed) = ([Scenario::InsertOnly, Scenario::Replay], [Scenario::HalfUpdate, Scenario::HotKey]);
    let (early, refused) = ([Scenario::ChildrenFirst, Scenario::PoisonDecode], [Scenario::PoisonAddress, Scenario::PoisonLedger]);
    let reports = tokio::join!(
        report_of(all_new.map(Scenario::name)),
        report_of(changed.map(Scenario::name)),
        report_of(early.map(Scenario::name)),
        report_of(refused.map(Scenario::name)),
        report_of(["batch-size", "partitions", "table-size"]),
        report_of(["memory", "verify", "latency", "api", "pure", "redis"]),
        report_of(["console"]),
    );
    assert_compared(&reports.0, &all_new);
    assert_compared(&reports.1, &changed);
    assert_compared(&reports.2, &early);
    assert_compared(&reports.3, &refused);
    assert_growth(&reports.4);
    assert_watched(&reports.5);
    for screen in ["flow", "dead letters: groups and list", "one dead letter, the oldest", "parked", "beside ten consoles"] {
        assert_measured(&reports.6, "Console", screen);
    }
}
