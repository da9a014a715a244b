//! `consumer check`, as an operator runs it.

use std::net::TcpListener;
use std::process::Command;
use std::time::{Duration, Instant};

use serde_json::Value;

/// The answer as JSON, with these variables and none else of ours, and the exit code.
fn check(variables: &[(&str, &str)]) -> (Value, Option<i32>) {
    let folder = std::env::temp_dir();
    let mut command = Command::new(env!("CARGO_BIN_EXE_consumer"));
    command.args(["check", "--json"]).current_dir(folder);
    for (name, _) in std::env::vars_os() {
        if ["KAFKA_", "MSSQL_", "REDIS_", "LOG_", "DLQ_", "METRICS_"].iter().any(|prefix| name.to_string_lossy().starts_with(prefix)) {
            command.env_remove(name);
        }
    }
    // Nothing listens there.
    let output = command.env("METRICS_PORT", "1").envs(variables.iter().copied()).output().unwrap();
    let stdout = String::from_utf8(output.stdout).unwrap();
    (serde_json::from_str(&stdout).unwrap(), output.status.code())
}

/// The state of a finding.
fn state<'a>(report: &'a Value, part: &str, check: &str) -> Option<&'a str> {
    let findings = report["findings"].as_array().unwrap();
    findings.iter().find(|finding| finding["part"] == part && finding["check"] == check)?["state"].as_str()
}

const NOBODY: [(&str, &str); 7] = [
    ("KAFKA_BROKERS", "127.0.0.1:1"),
    ("MSSQL_SERVER", "127.0.0.1"),
    ("MSSQL_PORT", "1"),
    ("MSSQL_PASSWORD", "hunter2"),
    ("REDIS_HOST", "127.0.0.1"),
    ("REDIS_PORT", "1"),
    ("REDIS_PASSWORD", "hunter2"),
];

#[test]
fn wrong_settings_are_all_named_and_nobody_is_asked() {
    let (report, code) = check(&[("KAFKA_BROKERS", "nowhere"), ("REDIS_HOST", "redis://:hunter2@cache")]);
    assert_eq!(code, Some(2));
    for name in ["KAFKA_BROKERS", "MSSQL_PASSWORD", "REDIS_HOST"] {
        assert_eq!(state(&report, "settings", name), Some("fail"), "{report}");
    }
    assert!(
        report["findings"].as_array().unwrap().iter().all(|finding| ["settings", "process"].contains(&finding["part"].as_str().unwrap()))
    );
    assert!(!report.to_string().contains("hunter2"), "{report}");
}

#[test]
fn each_part_that_is_away_fails_by_itself() {
    let (report, code) = check(&NOBODY);
    assert_eq!((code, &report["ok"]), (Some(1), &Value::Bool(false)));
    assert_eq!(state(&report, "settings", "all"), Some("ok"));
    assert_eq!(state(&report, "Kafka", "broker and login"), Some("fail"), "{report}");
    assert_eq!(state(&report, "database", "server and login"), Some("fail"), "{report}");
    assert_eq!(state(&report, "Redis", "server and login"), Some("fail"), "{report}");
    assert!(report["findings"].as_array().unwrap().iter().all(|finding| finding["state"] == "ok" || finding["advice"].is_string()));
    assert!(!report.to_string().contains("hunter2"), "{report}");
}

#[test]
fn parts_that_hang_are_given_up_together() {
    // They let everyone in and say nothing.
    let mute: Vec<_> = (0..3).map(|_| TcpListener::bind("127.0.0.1:0").unwrap()).collect();
    let ports: Vec<_> = mute.iter().map(|listener| listener.local_addr().unwrap().port().to_string()).collect();
    let brokers = format!("127.0.0.1:{}", ports[0]);
    let mut variables = NOBODY.to_vec();
    let slow = [("KAFKA_BROKERS", brokers.as_str()), ("MSSQL_PORT", &ports[1]), ("REDIS_PORT", &ports[2])];
    variables.extend(slow.into_iter().chain([("MSSQL_CONNECT_TIMEOUT", "60s"), ("REDIS_TIMEOUT", "60s")]));
    let began = Instant::now();
    let (report, code) = check(&variables);
    assert_eq!(code, Some(1));
    for (part, check) in [("Kafka", "broker and login"), ("database", "server and login"), ("Redis", "server and login")] {
        assert_eq!(state(&report, part, check), Some("fail"), "{report}");
    }
    assert!(began.elapsed() < Duration::from_secs(25), "one after the other takes longer");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_there_is_looked_at_whatever_else_is_away() {
    let variable = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
    let (Some(brokers), Some(redis)) = (variable("KAFKA_BROKERS"), variable("REDIS_HOST")) else {
        // Not `eprintln`: the harness would swallow it.
        use std::io::Write as _;
        let mut stderr = std::io::stderr();
        writeln!(stderr, "NOT RUN: `consumer check` on real parts; set KAFKA_BROKERS and REDIS_HOST").unwrap();
        return;
    };
    let port = variable("REDIS_PORT").unwrap_or_else(|| "6379".to_owned());
    let topic = format!("test-{}", uuid::Uuid::new_v4());
    let mut kafka = kafka::KafkaConfig::read(&mut settings::Reader::from_environment().unwrap());
    kafka.topic.clone_from(&topic);
    assert_eq!(kafka::ensure_topic(&kafka, 1, 1, Duration::from_secs(60)).await, Ok(1));
    let mut variables = NOBODY.to_vec();
    variables.retain(|(name, _)| *name != "REDIS_PASSWORD");
    variables.extend([("KAFKA_BROKERS", brokers.as_str()), ("KAFKA_TOPIC", &topic), ("REDIS_HOST", &redis), ("REDIS_PORT", &port)]);
    variables.push(("REDIS_DLQ_KEY", &topic));
    let (report, code) = tokio::task::block_in_place(|| check(&variables));
    assert_eq!(code, Some(1), "{report}");
    assert_eq!(state(&report, "database", "server and login"), Some("fail"), "{report}");
    for (part, check, expected) in [
        ("Kafka", "broker and login", "ok"),
        ("Kafka", "partitions", "warn"),
        ("Kafka", "replicas", "warn"),
        ("Kafka", "cleanup.policy", "ok"),
        ("Kafka", "retention", "ok"),
        ("Kafka", "group", "ok"),
        ("Redis", "server and login", "ok"),
        ("Redis", "key", "ok"),
        ("Redis", "writes", "ok"),
        ("Redis", "clock", "ok"),
    ] {
        assert_eq!(state(&report, part, check), Some(expected), "{part}, {check}: {report}");
    }
}

#[test]
fn what_can_be_asked_is_asked_although_other_settings_are_wrong() {
    let mut variables = NOBODY.to_vec();
    variables.extend([("KAFKA_BROKERS", "nowhere"), ("MSSQL_PASSWORD", ""), ("PARKING_DEADLINE", "soon")]);
    let (report, code) = check(&variables);
    assert_eq!(code, Some(2));
    for name in ["KAFKA_BROKERS", "MSSQL_PASSWORD", "PARKING_DEADLINE"] {
        assert_eq!(state(&report, "settings", name), Some("fail"), "{report}");
    }
    assert_eq!(state(&report, "Redis", "server and login"), Some("fail"), "{report}");
    assert_eq!(state(&report, "Kafka", "broker and login").or(state(&report, "database", "server and login")), None, "{report}");
    assert_eq!(state(&report, "process", "consumer here"), Some("ok"), "{report}");
}
