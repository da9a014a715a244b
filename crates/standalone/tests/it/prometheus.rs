//! Dashboard and alert rules in Prometheus itself: its own tool tests the rules, and its server scrapes a running pipeline.
//!
//! Both run where `promtool` and `prometheus` are on the `PATH`, as `.ci/run` puts them there.

use std::io::{BufRead as _, BufReader, Read};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use clap::Parser as _;
use kafka::{KafkaConfig, KafkaPublisher};
use producer::{Exit, Target};
use serde_json::{Value, json};
use settings::Reader;
use testkit::eventually;

use crate::monitoring::{alerts, dashboard_queries};
use crate::process::{Running, standalone};
use crate::repository::{root, yaml};

const FOLDER: &str = "crates/telemetry/monitoring";
/// How long the two programs may take to show something.
const BOUND: Duration = Duration::from_secs(60);

/// The program, where it is installed.
fn program(name: &str) -> Option<Command> {
    let found = std::env::split_paths(&std::env::var_os("PATH")?).map(|folder| folder.join(name)).find(|path| path.is_file());
    if found.is_none() {
        eprintln!("did not run: {name} is not on the PATH");
    }
    found.map(Command::new)
}

#[test]
fn promtool_passes_the_configuration_the_rules_and_their_tests() {
    for arguments in [["check", "config", "prometheus.yml"], ["check", "rules", "alerts.yml"], ["test", "rules", "alerts_test.yml"]] {
        let Some(mut promtool) = program("promtool") else { return };
        let output = promtool.args(arguments).current_dir(root().join(FOLDER)).output().unwrap();
        let said = [output.stdout, output.stderr].map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).concat();
        assert!(output.status.success(), "promtool {}: {said}", arguments.join(" "));
    }
}

/// Starts a program and waits for a line of its output that holds this text. What it says later is read and dropped.
fn start(mut command: Command, output: impl FnOnce(&mut Running) -> Box<dyn Read + Send>, awaited: &str) -> (Running, Vec<String>) {
    let mut running = Running(command.stdin(Stdio::null()).spawn().unwrap());
    let mut lines = BufReader::new(output(&mut running)).lines().map_while(Result::ok);
    let mut said = Vec::new();
    while said.last().is_none_or(|line: &String| !line.contains(awaited)) {
        said.push(lines.next().unwrap_or_else(|| panic!("it ended without saying {awaited}: {said:?}")));
    }
    std::thread::spawn(move || lines.for_each(drop));
    (running, said)
}

/// The pipeline in one process: where its API and its broker are.
fn start_pipeline(folder: &Path) -> (Running, String, String) {
    let mut command = standalone(folder, &[]);
    command.env("API_PORT", "0").stdout(Stdio::piped()).stderr(Stdio::null());
    let (running, said) = start(command, |running| Box::new(running.0.stdout.take().unwrap()), "Ctrl-C stops");
    let row = |part: &str| said.iter().find(|line| line.trim_start().starts_with(part)).unwrap_or_else(|| panic!("{part}: {said:?}"));
    let api = row("read API").rsplit_once("http://").unwrap().1.to_owned();
    let broker = row("Kafka").split_whitespace().nth(2).unwrap().trim_end_matches(',').to_owned();
    (running, api, broker)
}

/// Our own configuration and rules, every second and with this target instead of names that only the stack knows.
fn start_prometheus(mut command: Command, folder: &Path, target: &str) -> (Running, String) {
    let mut config = yaml(&format!("{FOLDER}/prometheus.yml"));
    config["global"] = json!({ "scrape_interval": "1s", "evaluation_interval": "1s" });
    for job in config["scrape_configs"].as_array_mut().unwrap() {
        let job = job.as_object_mut().unwrap();
        job.remove("dns_sd_configs");
        job.insert("static_configs".to_owned(), json!([{ "targets": [target] }]));
    }
    // JSON is YAML.
    std::fs::write(folder.join("prometheus.yml"), config.to_string()).unwrap();
    std::fs::copy(root().join(FOLDER).join("alerts.yml"), folder.join("alerts.yml")).unwrap();
    command.args(["--config.file=prometheus.yml", "--storage.tsdb.path=data", "--web.listen-address=127.0.0.1:0"]).current_dir(folder);
    command.stdout(Stdio::null()).stderr(Stdio::piped());
    let (running, said) = start(command, |running| Box::new(running.0.stderr.take().unwrap()), "Listening on");
    let line = said.last().unwrap();
    let address = line.split("address=").nth(1).and_then(|rest| rest.split_whitespace().next()).unwrap_or_else(|| panic!("{line}"));
    (running, format!("http://{address}/api/v1"))
}

async fn generate(broker: &str, events: &str) {
    let config = KafkaConfig::read(&mut Reader::from_pairs([("KAFKA_BROKERS", broker)]));
    let publisher = KafkaPublisher::open(&config).unwrap();
    let cli = producer::cli::Cli::try_parse_from(["producer", "generate", "--poison-every", "50", "--events", events]).unwrap();
    let target = Target { brokers: config.brokers.clone(), topic: config.topic.clone() };
    assert_eq!(producer::run(cli.command, &publisher, target).await, Exit::Delivered);
    publisher.close(BOUND).await.unwrap();
}

/// What Prometheus answers; `null` for an answer that is none.
async fn ask(url: &str, parameters: &[(&str, &str)]) -> Value {
    let url = reqwest::Url::parse_with_params(url, parameters).unwrap();
    let Ok(answer) = reqwest::get(url).await else { return Value::Null };
    answer
        .json::<Value>()
        .await
        .map_or(Value::Null, |body| if body["status"] == "success" { body["data"].clone() } else { body["error"].clone() })
}

#[tokio::test(flavor = "multi_thread")]
async fn prometheus_scrapes_a_running_pipeline_loads_the_rules_and_answers_every_query_of_the_dashboard() {
    let Some(prometheus) = program("prometheus") else { return };
    let folder = tempfile::tempdir().unwrap();
    let (_pipeline, target, broker) = start_pipeline(folder.path());
    let (_prometheus, api) = start_prometheus(prometheus, folder.path(), &target);

    eventually(BOUND, "both targets are up", async || {
        let targets = ask(&format!("{api}/targets"), &[]).await;
        let up = targets["activeTargets"].as_array().into_iter().flatten().filter(|target| target["health"] == "up").count();
        up == yaml(&format!("{FOLDER}/prometheus.yml"))["scrape_configs"].as_array().unwrap().len()
    })
    .await;
    eventually(BOUND, "every rule is evaluated without an error", async || {
        let rules = ask(&format!("{api}/rules"), &[]).await;
        let groups = rules["groups"].as_array().into_iter().flatten();
        groups.flat_map(|group| group["rules"].as_array().unwrap()).filter(|rule| rule["health"] == "ok").count() == alerts().len()
    })
    .await;

    generate(&broker, "3000").await;
    let query = format!("{api}/query");
    eventually(BOUND, "a rate of what was consumed", async || {
        let answer = ask(&query, &[("query", "sum(rate(events_processed_total[1m]))")]).await;
        answer["result"][0]["value"][1].as_str().is_some_and(|rate| rate.parse::<f64>().unwrap() > 0.0)
    })
    .await;
    for (expression, _) in dashboard_queries() {
        let expression = expression.replace("$__rate_interval", "1m");
        eventually(BOUND, &format!("something to show of {expression}"), async || {
            let answer = ask(&query, &[("query", &expression)]).await;
            let series = answer["result"].as_array().unwrap_or_else(|| panic!("{expression}: {answer}"));
            // What is above zero may be nothing.
            !series.is_empty() || expression.ends_with(" > 0")
        })
        .await;
    }
    let firing = ask(&query, &[("query", "count by (alertname) (ALERTS{alertstate=\"firing\"})")]).await;
    let names: Vec<_> = firing["result"].as_array().unwrap().iter().map(|alert| &alert["metric"]["alertname"]).collect();
    assert!(names.iter().all(|name| *name == "NewDeadLetters"), "{names:?}");
}
