//! Dashboard and alert rules: no query names a metric, a label or a value that the catalog does not have, and every alert says what to do.

use std::collections::BTreeSet;

use serde_json::Value;
use telemetry::catalog;
use telemetry::metrics::metric::{Kind, Metric, Values};

use crate::promql::{Names, Selector, names};
use crate::repository::{json, text, yaml};

const FOLDER: &str = "crates/telemetry/monitoring";
/// Metrics of Prometheus itself, and their labels.
const FOREIGN: [(&str, &[&str]); 2] = [("up", &[]), ("ALERTS", &["alertname", "alertstate"])];
/// Labels that Prometheus gives to everything it scrapes.
const OF_TARGETS: [&str; 2] = ["job", "instance"];

/// Every query of the dashboard, with what its legend says.
pub fn dashboard_queries() -> Vec<(String, String)> {
    let dashboard = json(&format!("{FOLDER}/grafana/event-pipeline.json"));
    let targets = dashboard["panels"].as_array().unwrap().iter().flat_map(|panel| panel["targets"].as_array().into_iter().flatten());
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    targets.map(|target| (text(&target["expr"]), text(&target["legendFormat"]))).collect()
}

/// Every alert rule.
pub fn alerts() -> Vec<Value> {
    let rules = yaml(&format!("{FOLDER}/alerts.yml"));
    rules["groups"].as_array().unwrap().iter().flat_map(|group| group["rules"].as_array().unwrap().clone()).collect()
}

/// The metric of the catalog that a query names; a histogram only by one of its series.
fn find(name: &str) -> Option<&'static Metric> {
    catalog::ALL.iter().find(|metric| match metric.kind {
        Kind::Histogram(_) => name.strip_prefix(metric.name).is_some_and(|suffix| ["_bucket", "_sum", "_count"].contains(&suffix)),
        Kind::Counter | Kind::Gauge => metric.name == name,
    })
}

/// The labels of what is named, those of Prometheus included. Wrong names and values fail.
fn labels(Selector { metric: name, matchers }: &Selector, query: &str) -> BTreeSet<&'static str> {
    let mut labels = BTreeSet::from(OF_TARGETS);
    let metric = find(name);
    match (metric, FOREIGN.iter().find(|(foreign, _)| foreign == name)) {
        (Some(metric), _) => labels.extend(metric.labels.iter().map(|label| label.name)),
        (None, Some((_, own))) => labels.extend(*own),
        (None, None) => panic!("{name} is not in the catalog: {query}"),
    }
    if name.ends_with("_bucket") {
        labels.insert("le");
    }
    for (label, operator, value) in matchers {
        assert!(labels.contains(label.as_str()), "{name} has no label {label}: {query}");
        let known = metric.and_then(|metric| metric.labels.iter().find(|declared| declared.name == label));
        if let Some(Values::Known(known)) = known.map(|label| label.values) {
            let asked: Vec<_> = if operator.ends_with('~') { value.split('|').collect() } else { vec![value.as_str()] };
            assert!(asked.iter().all(|value| known.contains(value)), "{label} of {name} is never {value}: {query}");
        }
    }
    labels
}

/// Checks a query, and gives the labels that its result has.
fn result_labels(query: &str) -> BTreeSet<String> {
    let Names { selectors, groupings } = names(query);
    assert!(!selectors.is_empty(), "{query}");
    let labels: BTreeSet<_> = selectors.iter().flat_map(|selector| labels(selector, query)).collect();
    for label in &groupings {
        assert!(labels.contains(label.as_str()), "nothing here has the label {label}: {query}");
    }
    if groupings.is_empty() && !query.contains('(') { labels.into_iter().map(str::to_owned).collect() } else { groupings }
}

#[test]
fn the_dashboard_asks_only_for_what_is_served() {
    let queries = dashboard_queries();
    assert!(queries.len() > 20, "{}", queries.len());
    for (query, legend) in queries {
        let labels = result_labels(&query);
        for label in legend.split("{{").skip(1).filter_map(|rest| rest.split("}}").next()) {
            assert!(labels.contains(label), "{legend}: the result has no label {label}: {query}");
        }
    }
}

#[test]
fn the_dashboard_shows_every_metric_of_the_pipeline() {
    let shown: BTreeSet<_> = dashboard_queries().iter().flat_map(|(query, _)| names(query).selectors).map(|one| one.metric).collect();
    for metric in catalog::ALL {
        assert!(shown.iter().filter_map(|name| find(name)).any(|one| one.name == metric.name), "{} is on no panel", metric.name);
    }
}

#[test]
fn panels_lie_beside_each_other_and_say_what_they_show() {
    let dashboard = json(&format!("{FOLDER}/grafana/event-pipeline.json"));
    let datasource = yaml(&format!("{FOLDER}/grafana/datasource.yml"));
    let uid = &datasource["datasources"][0]["uid"];
    let mut taken = BTreeSet::new();
    for panel in dashboard["panels"].as_array().unwrap() {
        let (title, place) = (&panel["title"], &panel["gridPos"]);
        let number = |name: &str| place[name].as_u64().unwrap();
        assert!(number("x") + number("w") <= 24, "{title}");
        for (x, y) in (number("x")..number("x") + number("w")).flat_map(|x| (number("y")..number("y") + number("h")).map(move |y| (x, y))) {
            assert!(taken.insert((x, y)), "{title} lies on another panel");
        }
        if panel["type"] != "row" {
            assert!(panel["description"].as_str().unwrap().ends_with('.'), "{title}");
            assert_eq!(&panel["datasource"]["uid"], uid, "{title}");
        }
    }
}

/// The page that runbooks stand on.
const RUNBOOKS: &str = "crates/consumer/README.md";

/// The anchors of its headings.
fn anchors() -> BTreeSet<String> {
    crate::docs::anchors(&text(RUNBOOKS))
}

#[test]
fn every_alert_names_metrics_that_exist_and_says_what_to_do() {
    let (anchors, mut seen) = (anchors(), BTreeSet::new());
    for rule in alerts() {
        let name = rule["alert"].as_str().unwrap().to_owned();
        let labels = result_labels(rule["expr"].as_str().unwrap());
        assert!(["page", "ticket"].contains(&rule["labels"]["severity"].as_str().unwrap()), "{name}");
        let annotation = |key: &str| rule["annotations"][key].as_str().unwrap_or_else(|| panic!("{name} has no {key}")).to_owned();
        for used in annotation("summary").split("$labels.").skip(1) {
            let label: String = used.chars().take_while(|c| c.is_ascii_alphanumeric() || *c == '_').collect();
            assert!(labels.contains(&label), "{name}: the alert has no label {label}");
        }
        assert!(annotation("action").ends_with('.'), "{name}: a sentence says what to do");
        let runbook = annotation("runbook");
        let anchor = runbook.strip_prefix(RUNBOOKS).and_then(|rest| rest.strip_prefix('#')).unwrap_or_else(|| panic!("{name}: {runbook}"));
        assert!(anchors.contains(anchor), "{name}: {RUNBOOKS} has no heading for {anchor}");
        assert!(seen.insert(name.clone()), "{name} is there twice");
    }
}

#[test]
fn every_alert_has_a_test_in_which_it_fires() {
    let tests = text(&format!("{FOLDER}/alerts_test.yml"));
    for rule in alerts() {
        let name = rule["alert"].as_str().unwrap();
        assert!(tests.contains(&format!("alertname=\"{name}\"")), "{FOLDER}/alerts_test.yml: {name}");
    }
}

#[test]
fn prometheus_scrapes_the_services_on_the_ports_on_which_they_serve() {
    let (config, stack) = (yaml(&format!("{FOLDER}/prometheus.yml")), yaml("docker-compose.yml"));
    for job in config["scrape_configs"].as_array().unwrap() {
        let (name, target) = (job["job_name"].as_str().unwrap(), &job["dns_sd_configs"][0]);
        assert_eq!(target["names"][0], name, "a service's own name");
        let environment = &stack["services"][name]["environment"];
        let port = [&environment["METRICS_PORT"], &environment["API_PORT"]].into_iter().find_map(Value::as_str).unwrap();
        assert_eq!(target["port"].to_string(), port, "{name}");
    }
}
