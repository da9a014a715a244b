//! The `consumer` binary says no secret, whatever is wrong.

use std::net::SocketAddr;
use std::time::Duration;

use testkit::canary::{SECRETS, TRACE, assert_setting_told, assert_silent, log_lines, secret};
use testkit::eventually;
use testkit::watched::{Watched, address_in, get, program};

const BOUND: Duration = Duration::from_secs(60);

/// Everything is at ports where nobody listens; a user name for Kafka, so that it has to log in.
fn away() -> Vec<(&'static str, &'static str)> {
    let mut settings = vec![
        ("KAFKA_BROKERS", "127.0.0.1:1"),
        ("KAFKA_SECURITY_PROTOCOL", "SASL_PLAINTEXT"),
        ("KAFKA_SASL_USERNAME", "ada"),
        ("MSSQL_SERVER", "127.0.0.1"),
        ("MSSQL_PORT", "1"),
        ("REDIS_HOST", "127.0.0.1"),
        ("REDIS_PORT", "1"),
        ("LOG_LEVEL", TRACE),
        ("LOG_FORMAT", "json"),
        ("METRICS_HOST", "127.0.0.1"),
        ("METRICS_PORT", "0"),
        ("MONITOR_INTERVAL", "100ms"),
    ];
    settings.extend(["MSSQL_PASSWORD", "REDIS_PASSWORD", "KAFKA_SASL_PASSWORD", "ADMIN_TOKEN"].map(secret));
    settings
}

fn consumer(folder: &tempfile::TempDir, arguments: &[&str], settings: Vec<(&str, &str)>) -> Watched {
    Watched::start(program(env!("CARGO_BIN_EXE_consumer")).args(arguments).current_dir(folder.path()).envs(settings))
}

fn assert_said_nothing(said: &[String; 2]) {
    assert_silent("standard output", &said[0]);
    assert_silent("standard error", &said[1]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_consumer_without_any_of_its_parts_shows_no_secret() {
    let folder = tempfile::tempdir().unwrap();
    let running = consumer(&folder, &[], away());
    let mut address: Option<SocketAddr> = None;
    eventually(BOUND, "it says where it serves", async || {
        let [_, log] = running.said();
        address = log.lines().find(|line| line.contains("serving /metrics")).and_then(address_in);
        address.is_some()
    })
    .await;
    let ready = || get(address.unwrap(), "/health/ready", secret("ADMIN_TOKEN").1);
    eventually(BOUND, "it says what is away", async || ready().contains("the database at 127.0.0.1:1 cannot be reached")).await;
    for path in ["/metrics", "/health/live", "/health/ready", "/admin/dlq", "/no-such-route"] {
        assert_silent(path, &get(address.unwrap(), path, "wrong-canary7f3a"));
    }
    let (code, said) = running.stopped();
    assert_eq!(code, Some(0), "{}", said[1]);
    assert_said_nothing(&said);
    assert_setting_told(&log_lines(&said[1]), "METRICS_PORT", "0");
}

#[test]
fn each_command_without_its_parts_shows_no_secret() {
    let folder = tempfile::tempdir().unwrap();
    for arguments in [&["check"][..], &["check", "--json"], &["migrate"], &["resume", "--never"], &["healthcheck"], &["dlq", "list"]] {
        let (code, said) = consumer(&folder, arguments, away()).ended(BOUND);
        assert_eq!(code, Some(1), "{arguments:?}: {}", said[1]);
        assert_said_nothing(&said);
    }
}

#[test]
fn a_secret_in_the_wrong_place_is_not_shown() {
    let folder = tempfile::tempdir().unwrap();
    let misplaced = [
        ("KAFKA_BROKERS", "ada:canary7f3a@kafka:9092"),
        ("MSSQL_SERVER", "sa:canary7f3a@db"),
        ("REDIS_HOST", "redis://:canary7f3a@cache"),
        ("REDIS_URL", "redis://canary7f3a/ada"),
        ("KAFKA_SECURITY_PROTOCOL", "canary7f3a"),
        ("METRICS_HOST", "canary7f3a"),
        ("MONITOR_INTERVAL", "canary7f3a"),
        ("DLQ_MAX_RATIO", "canary7f3a"),
    ];
    for arguments in [&["run"][..], &["check"]] {
        let settings = misplaced.into_iter().chain(SECRETS).chain([("LOG_LEVEL", TRACE)]).collect();
        let (code, said) = consumer(&folder, arguments, settings).ended(BOUND);
        assert_eq!(code, Some(2), "{}", said[1]);
        assert_said_nothing(&said);
        for (name, _) in misplaced {
            assert!(said.concat().contains(name), "{name} is reported: {}", said.concat());
        }
    }
}
