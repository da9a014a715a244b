//! What a running pipeline holds, and in which group it reads.

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use serde_json::Value;
use testkit::eventually;

use crate::dlq::Place;
#[cfg(target_os = "linux")]
use crate::output::full;
use crate::output::{closed, told_to};
use crate::process::{Running, run, standalone};

const BOUND: Duration = Duration::from_secs(60);

/// Runs a command beside a pipeline; the exit code and the standard output, or what it says instead.
async fn ask(folder: &Path, arguments: &[&str], settings: &[(&str, &str)]) -> (Option<i32>, String) {
    let mut command = standalone(folder, &[&["--data-dir", "data"], arguments].concat());
    command.envs(settings.iter().copied());
    let (output, stdout, stderr) = tokio::task::spawn_blocking(move || run(command)).await.unwrap();
    (output.status.code(), if stdout.is_empty() { stderr } else { stdout })
}

#[tokio::test(flavor = "multi_thread")]
async fn a_flood_that_is_held_is_described_looked_at_and_let_pass() {
    let place = Place::start(&[]);
    for number in 0..150 {
        place.send(format!("boom {number}")).await;
    }
    let settings =
        [("KAFKA_BROKERS", place.brokers()), ("KAFKA_CONSUMER_GROUP", "dlq"), ("API_PORT", place.api.rsplit_once(':').unwrap().1)];
    let mut screen = String::new();
    eventually(BOUND, "the flood is held", async || {
        screen = ask(place.folder(), &["status"], &settings).await.1;
        screen.contains("\nSTOPPED ")
    })
    .await;
    println!("{screen}");
    let (verdict, rest) = screen.split_once("\nconsumer      ").unwrap();
    let verdict = verdict.split_whitespace().collect::<Vec<_>>().join(" ");
    for told in [
        "more than DLQ_MAX_RATIO lets pass: 100 % are not_json:unknown:, in partition",
        "where topic events; DLQ_MAX_RATIO of the consumer at http://",
        "look at them with `consumer peek`",
        "since 2",
    ] {
        assert!(verdict.contains(told), "{told}: {screen}");
    }
    assert!(rest.contains("  pipeline           down ") && !screen.contains("boom"), "{screen}");

    let (code, json) = ask(place.folder(), &["peek", "--broken", "--records", "500", "--json"], &settings).await;
    let seen: Value = serde_json::from_str(&json).unwrap();
    let held = seen["fingerprints"]["not_json:unknown:"].as_u64().unwrap();
    assert_eq!((code, seen["complete"].as_bool(), seen["examined"].as_u64()), (Some(0), Some(true), Some(held)), "{json}");
    assert!(held > 0 && !json.contains("boom"), "no payload is shown: {json}");
    let (code, text) = ask(place.folder(), &["peek", "--records", "3"], &settings).await;
    assert!(code == Some(0) && text.contains("3 records looked at") && text.contains("`resume --records 3`"), "{text}");
    assert_eq!(ask(place.folder(), &["peek", "--partition", "9"], &settings).await.0, Some(2));
    let mut nowhere = vec![closed()];
    #[cfg(target_os = "linux")]
    nowhere.push(full());
    for stdout in nowhere {
        let mut command = standalone(place.folder(), &["--data-dir", "data", "peek"]);
        command.envs(settings);
        let (code, said) = tokio::task::spawn_blocking(move || told_to(command, stdout)).await.unwrap();
        assert!(matches!(code, Some(0 | 1)) && !said.contains("panicked"), "{said}");
    }

    assert_eq!(ask(place.folder(), &["resume", "--records", &held.to_string()], &settings).await.0, Some(0));
    eventually(BOUND, "all are dead letters", async || {
        let (_, stats) = ask(place.folder(), &["dlq", "stats", "--json"], &settings).await;
        serde_json::from_str::<Value>(&stats).unwrap()["entries"] == 150
    })
    .await;
    let (_, shown) = ask(place.folder(), &["status"], &settings).await;
    assert!(shown.contains("(command_line): resume") && shown.contains("may pass.: done"), "{shown}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_lag_of_an_embedded_pipeline_is_that_of_its_own_group() {
    let folder = tempfile::tempdir().unwrap();
    let mut command = standalone(folder.path(), &["--data-dir", "data"]);
    let mut running = Running(command.env("API_PORT", "0").stdout(Stdio::piped()).spawn().unwrap());
    let mut lines = BufReader::new(running.0.stdout.take().unwrap()).lines().map(Result::unwrap);
    let line = lines.find(|line| line.contains("embedded") && line.contains("topic events")).unwrap();
    let broker = line.split_whitespace().nth(2).unwrap().trim_end_matches(',').to_owned();
    let api = lines.find_map(|line| line.split_once("http://").map(|(_, api)| api.to_owned())).unwrap();
    std::thread::spawn(move || lines.for_each(drop));
    let publisher = kafka::KafkaPublisher::open(&kafka_of(&broker)).unwrap();
    let message = pipeline::ports::Message { key: None, value: Some(b"boom".to_vec()), headers: Vec::new() };
    pipeline::Publisher::publish(&publisher, "events", message).await.unwrap();
    let port = api.rsplit_once(':').unwrap().1.to_owned();
    let mut shown = String::new();
    eventually(BOUND, "the record is consumed, and shown to be", async || {
        shown = ask(folder.path(), &["status"], &[("KAFKA_BROKERS", &broker), ("API_PORT", &port)]).await.1;
        shown.contains("dead letters  1") && shown.contains("lag           0 of topic events, group event-pipeline-embedded")
    })
    .await;
}

fn kafka_of(broker: &str) -> kafka::KafkaConfig {
    let mut env = settings::Reader::from_pairs([("KAFKA_BROKERS", broker)]);
    kafka::KafkaConfig::read(&mut env)
}
