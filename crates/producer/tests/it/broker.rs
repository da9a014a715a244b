//! The program itself, as a process of its own, against a broker in this one.

use std::io::Write;
use std::process::{Command, Output, Stdio};

use kafka::{EmbeddedBroker, KafkaConfig, KafkaProgress};
use pipeline::ports::GroupProgress;

/// The program with nothing in its environment but these variables, and no `.env` file.
fn producer(variables: &[(&str, &str)], arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_producer"));
    command.env_clear().envs(variables.iter().copied()).args(arguments).current_dir(env!("CARGO_TARGET_TMPDIR")).stdin(Stdio::null());
    command
}

fn text(output: &Output) -> (String, String) {
    (String::from_utf8(output.stdout.clone()).unwrap(), String::from_utf8(output.stderr.clone()).unwrap())
}

#[tokio::test]
async fn generated_events_arrive_and_the_summary_counts_them() {
    let broker = EmbeddedBroker::start("events", 4).unwrap();
    let variables = [("KAFKA_BROKERS", broker.bootstrap_servers())];
    let output = producer(&variables, &["generate", "--events", "2000", "--seed", "7", "--poison-every", "50"]).output().unwrap();
    let (stdout, stderr) = text(&output);
    assert_eq!((output.status.code(), stderr.as_str()), (Some(0), ""), "{stdout}");
    assert!(stdout.contains("UserCreated                 200        200          0"), "{stdout}");
    assert!(stdout.contains("unwritable                   40         40          0"), "{stdout}");
    let progress = KafkaProgress::open(&KafkaConfig::embedded(&broker)).unwrap();
    let arrived: i64 = progress.high_watermarks().await.unwrap().values().sum();
    assert_eq!(arrived, 2040);
}

#[test]
fn generated_events_are_counted_in_json_too_with_the_command_that_makes_the_same_again() {
    let broker = EmbeddedBroker::start("events", 1).unwrap();
    let variables = [("KAFKA_BROKERS", broker.bootstrap_servers())];
    let output =
        producer(&variables, &["generate", "--events", "20", "--seed", "7", "--poison-every", "5", "--output", "json"]).output().unwrap();
    let (stdout, stderr) = text(&output);
    assert_eq!((output.status.code(), stderr.as_str(), stdout.lines().count()), (Some(0), "", 1), "{stdout}");
    let told: serde_json::Value = serde_json::from_str(&stdout).unwrap();
    let count = |sent: u64| serde_json::json!({ "sent": sent, "delivered": sent, "failed": 0 });
    assert_eq!((&told["of"]["UserCreated"], &told["of"]["unwritable"], &told["total"]), (&count(2), &count(5), &count(25)));
    assert_eq!((&told["end"], &told["seed"]), (&"whole".into(), &7.into()));
    assert!(told["recordsPerSecond"].as_f64().unwrap() > 0.0 && told["acknowledgedAfterMs"]["p99"].is_number(), "{told}");
    assert!(told["again"].as_str().unwrap().starts_with("producer generate --events 20 --seed 7 "), "{told}");
}

#[test]
fn one_event_from_the_standard_input_is_answered_with_its_place() {
    let broker = EmbeddedBroker::start("events", 1).unwrap();
    let variables = [("KAFKA_BROKERS", broker.bootstrap_servers())];
    let event = events::samples::of(events::EventType::OrderPlaced);
    for (arguments, offset) in [(["send", "--json", "-", "--output", "json"], 0), (["send", "--output", "json", "--json", "-"], 1)] {
        let mut child = producer(&variables, &arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        child.stdin.take().unwrap().write_all(&event.to_json()).unwrap();
        let output = child.wait_with_output().unwrap();
        assert_eq!(output.status.code(), Some(0));
        let receipt: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
        let expected = serde_json::json!({
            "topic": "events", "partition": 0, "offset": offset, "eventId": event.id, "eventType": "OrderPlaced"
        });
        assert_eq!(receipt, expected);
    }
}

#[test]
fn without_a_broker_it_says_so_within_the_delivery_timeout_and_in_one_line() {
    // Port 1 of the loopback address: nothing listens there.
    let variables = [("KAFKA_BROKERS", "127.0.0.1:1"), ("KAFKA_DELIVERY_TIMEOUT", "1s")];
    let output = producer(&variables, &["send", "user-created"]).output().unwrap();
    let (stdout, stderr) = text(&output);
    assert_eq!((output.status.code(), stdout.as_str()), (Some(1), ""));
    assert!(stderr.contains("127.0.0.1:1") && stderr.contains("KAFKA_BROKERS") && stderr.lines().count() == 1, "{stderr}");
}

#[test]
fn every_wrong_setting_is_named_at_once() {
    let variables = [("KAFKA_BROKERS", "nowhere"), ("KAFKA_TOPIC", "two words"), ("LOG_LEVEL", "loud")];
    let output = producer(&variables, &["send", "user-created"]).output().unwrap();
    let (_, stderr) = text(&output);
    assert_eq!(output.status.code(), Some(2));
    assert!(variables.iter().all(|(name, value)| stderr.contains(name) && !stderr.contains(value)), "{stderr}");
}

#[test]
fn without_a_terminal_the_menu_names_the_commands_that_need_none() {
    let output = producer(&[], &[]).output().unwrap();
    let (_, stderr) = text(&output);
    assert_eq!(output.status.code(), Some(2));
    assert!(stderr.contains("producer send") && stderr.contains("producer generate"), "{stderr}");
}

#[test]
fn help_explains_each_level_with_examples() {
    for level in [&["--help"][..], &["send", "--help"], &["send-raw", "--help"], &["generate", "--help"]] {
        let output = producer(&[], level).output().unwrap();
        assert_eq!(output.status.code(), Some(0));
        assert!(text(&output).0.contains("Examples:"), "{level:?}");
    }
}

#[test]
fn an_event_whose_receipt_nobody_can_read_was_delivered_all_the_same() {
    let broker = EmbeddedBroker::start("events", 1).unwrap();
    let variables = [("KAFKA_BROKERS", broker.bootstrap_servers())];
    for arguments in [&["send", "user-created"][..], &["send", "user-created", "--output", "json"], &["generate", "--events", "3"]] {
        let mut child = producer(&variables, arguments).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        drop(child.stdout.take());
        let (_, stderr) = text(&child.wait_with_output().unwrap());
        assert!(!stderr.contains("panicked"), "{arguments:?}: {stderr}");
        #[cfg(target_os = "linux")]
        {
            let full = std::fs::File::options().write(true).open("/dev/full").unwrap();
            let output = producer(&variables, arguments).stdout(full).stderr(Stdio::piped()).spawn().unwrap().wait_with_output().unwrap();
            let (_, stderr) = text(&output);
            assert_eq!(output.status.code(), Some(0), "it was delivered: {stderr}");
            assert!(stderr.contains("the result cannot be written to the standard output: No space left"), "{arguments:?}: {stderr}");
        }
    }
}
