//! Nothing of an event, and no secret, is in anything that the program says; and no field of an event forges a line of its log.

mod records;
mod servers;

use std::net::SocketAddr;
use std::time::Duration;

use kafka::{EmbeddedBroker, KafkaConfig, KafkaProgress, KafkaPublisher};
use pipeline::Publisher as _;
use pipeline::ports::{GroupProgress as _, Message};
use serde_json::Value;
use testkit::canary::{CANARY, SECRETS, TRACE, assert_setting_told, assert_silent, log_lines, secret};
use testkit::eventually;
use testkit::watched::{Watched, address_in, get};

use crate::process::standalone;
use records::Journey;

const BOUND: Duration = Duration::from_secs(60);
const GROUP: &str = "canaries";
const TOPIC: &str = "events";

/// The program on this broker, with everything logged and every secret set that it would read.
fn program(folder: &tempfile::TempDir, broker: &EmbeddedBroker, further: &[(&str, &str)]) -> Watched {
    let mut command = standalone(folder.path(), &[]);
    let settings = [
        ("KAFKA_BROKERS", broker.bootstrap_servers()),
        ("KAFKA_CONSUMER_GROUP", GROUP),
        ("API_HOST", "127.0.0.1"),
        ("API_PORT", "0"),
        ("LOG_LEVEL", TRACE),
        ("LOG_FORMAT", "json"),
        ("MONITOR_INTERVAL", "100ms"),
        ("PARKING_DEADLINE", "1s"),
        ("PARKING_SWEEP_INTERVAL", "100ms"),
        ("DLQ_MAX_RATIO", "1"),
        secret("ADMIN_TOKEN"),
    ];
    Watched::start(command.envs(settings).envs(further.iter().copied()))
}

async fn api(program: &Watched) -> SocketAddr {
    let mut address = None;
    eventually(BOUND, "the program says where its API is", async || {
        let [table, _] = program.said();
        address = table.lines().find(|line| line.trim().starts_with("read API")).and_then(address_in);
        address.is_some()
    })
    .await;
    address.unwrap()
}

async fn send(broker: &EmbeddedBroker, messages: Vec<Message>) {
    let publisher = KafkaPublisher::open(&KafkaConfig::embedded(broker)).unwrap();
    for message in messages {
        publisher.publish(TOPIC, message).await.unwrap();
    }
}

/// What anyone may ask, whose answers concern no user in particular.
fn assert_endpoints_silent(api: SocketAddr) {
    let (_, token) = secret("ADMIN_TOKEN");
    for path in ["/metrics", "/health", "/health/live", "/health/ready", "/no-such-route", "/users/recent?limit=x", "/openapi.json"] {
        let answer = get(api, path, token);
        assert!(answer.starts_with("HTTP/1.1 "), "{path} answers");
        assert_silent(path, &answer);
    }
    get(api, "/admin/dlq", &format!("wrong-{CANARY}"));
}

fn dead_letters(lines: &[Value]) -> Vec<&Value> {
    let is_one = |line: &&Value| line["message"].as_str().is_some_and(|text| text.starts_with("dead letter:"));
    lines.iter().filter(is_one).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_of_an_event_is_in_any_output_whatever_becomes_of_it() {
    let broker = EmbeddedBroker::start(TOPIC, 4).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let journey = Journey::new();
    let program = program(&folder, &broker, &[]);
    let api = api(&program).await;
    send(&broker, journey.messages()).await;

    let config = KafkaConfig { group: GROUP.to_owned(), ..KafkaConfig::embedded(&broker) };
    let (progress, total) = (KafkaProgress::open(&config).unwrap(), journey.messages().len() as i64);
    eventually(BOUND, "the whole log is committed", async || progress.committed().await.unwrap().values().sum::<i64>() == total).await;
    let ended = |program: &Watched| {
        let [_, log] = program.said();
        journey.reasons().iter().all(|reason| log.contains(&format!("\"reason\":\"{reason}\"")))
    };
    eventually(BOUND, "everything is decided", async || ended(&program)).await;
    assert_endpoints_silent(api);
    let about_a_user = get(api, &format!("/users/{}", journey.user), "");
    assert!(about_a_user.contains(CANARY), "the events came through: {about_a_user}");

    let (code, [stdout, stderr]) = program.stopped();
    assert_eq!(code, Some(0));
    assert_silent("standard output", &stdout);
    assert_silent("standard error", &stderr);
    let lines = log_lines(&stderr);
    assert_setting_told(&lines, "PARKING_DEADLINE", "1s");
    let dead_letters = dead_letters(&lines);
    assert_eq!(dead_letters.len(), journey.unwritable(), "one line where the decision is taken");
    let warnings = dead_letters.iter().filter(|line| line["level"] == "WARN").count() as u64;
    let more: u64 = lines.iter().filter_map(|line| line["more"].as_u64()).sum();
    assert!(more > 0 && warnings + more == journey.unwritable() as u64, "{warnings} one by one, and {more} more");
    for dead_letter in dead_letters {
        for field in ["eventType", "partition", "offset", "reason"] {
            assert!(!dead_letter[field].is_null(), "{field}: {dead_letter}");
        }
    }
    for (event, status) in journey.decisions() {
        let of_event = lines.iter().filter(|line| line["eventId"] == event.to_string().as_str());
        let decided: Vec<_> = of_event.filter(|line| line["status"] == status).collect();
        assert_eq!(decided.len(), 1, "{event}: {status}, once");
        assert!(decided[0]["eventType"].is_string() && decided[0]["partition"].is_number() && decided[0]["offset"].is_number());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_of_an_event_and_no_secret_is_in_any_output_while_the_queue_refuses_the_login() {
    let broker = EmbeddedBroker::start(TOPIC, 4).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let redis = servers::refusing_redis().to_string();
    let further = [("REDIS_HOST", "127.0.0.1"), ("REDIS_PORT", redis.as_str()), secret("REDIS_PASSWORD")];
    let program = program(&folder, &broker, &further);
    let api = api(&program).await;
    send(&broker, Journey::new().messages()).await;
    let held = "pipeline_held{cause=\"operator\"} 1";
    eventually(BOUND, "the consumer waits for an operator", async || get(api, "/metrics", "").contains(held)).await;
    let ready = get(api, "/health/ready", "");
    assert!(ready.contains("and a person must mend it"), "{ready}");
    assert_endpoints_silent(api);
    let (code, [stdout, stderr]) = program.stopped();
    assert_eq!(code, Some(0));
    assert_silent("standard output", &stdout);
    assert_silent("standard error", &stderr);
    assert!(log_lines(&stderr).iter().any(|line| line["message"].as_str().is_some_and(|text| text.contains("waiting for an operator"))));
}

#[test]
fn a_refused_login_of_the_database_ends_with_a_number_and_no_secret() {
    let folder = tempfile::tempdir().unwrap();
    let port = servers::refusing_sql_server().to_string();
    let (password, string) = (secret("MSSQL_PASSWORD"), format!("Server=127.0.0.1,{port};User ID=canary7f3a;Password='canary7f3a;'"));
    for place in [
        [("MSSQL_SERVER", "127.0.0.1"), ("MSSQL_PORT", &port), password],
        [("MSSQL_CONNECTION_STRING", &string), ("MSSQL_SERVER", ""), ("MSSQL_PASSWORD", "")],
    ] {
        let mut command = standalone(folder.path(), &[]);
        let settings = [("API_PORT", "0"), ("LOG_LEVEL", TRACE), ("LOG_FORMAT", "json"), ("MSSQL_ENCRYPT", "off")];
        let (code, [stdout, stderr]) = Watched::start(command.envs(settings).envs(place)).ended(BOUND);
        assert_eq!(code, Some(1), "{stderr}");
        assert!(stderr.contains("18456"), "{stderr}");
        assert_silent("standard output", &stdout);
        assert_silent("standard error", &stderr);
    }
}

#[test]
fn a_secret_in_the_wrong_place_is_not_shown() {
    let folder = tempfile::tempdir().unwrap();
    let misplaced = [
        ("KAFKA_BROKERS", "ada:canary7f3a@kafka:9092"),
        ("MSSQL_SERVER", "sa:canary7f3a@db"),
        ("MSSQL_DATABASE", "canary7f3a;Password=canary7f3a"),
        ("MSSQL_CONNECTION_STRING", "Server=canary7f3a/;Password=x;canary7f3a=canary7f3a;Encrypt=canary7f3a"),
        ("MSSQL_ENCRYPT", "canary7f3a"),
        ("MSSQL_CA_FILE", "/canary7f3a"),
        ("REDIS_HOST", "redis://:canary7f3a@cache"),
        ("REDIS_URL", "redis://ada:canary7f3a@"),
        ("REDIS_DB", "canary7f3a"),
        ("REDIS_TLS", "canary7f3a"),
        ("KAFKA_TOPIC", "canary7f3a\r\nFORGED"),
        ("KAFKA_SECURITY_PROTOCOL", "canary7f3a"),
        ("KAFKA_SASL_MECHANISM", "canary7f3a"),
        ("KAFKA_SSL_CA_FILE", "/canary7f3a"),
        ("API_HOST", "canary7f3a"),
        ("API_PORT", "canary7f3a"),
        ("BATCH_MAX_EVENTS", "canary7f3a"),
        ("PARKING_DEADLINE", "canary7f3a"),
        ("LOG_LEVEL", "canary7f3a"),
        ("LOG_FORMAT", "canary7f3a"),
    ];
    let mut command = standalone(folder.path(), &[]);
    let (code, [stdout, stderr]) = Watched::start(command.envs(misplaced).envs(SECRETS)).ended(BOUND);
    assert_eq!(code, Some(2), "{stderr}");
    assert_silent("standard output", &stdout);
    assert_silent("standard error", &stderr);
    assert!(!stderr.contains("FORGED"), "{stderr}");
    for (name, _) in misplaced {
        assert!(stderr.contains(name), "{name} is reported: {stderr}");
    }
}
