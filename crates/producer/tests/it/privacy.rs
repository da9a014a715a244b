//! The `producer` binary says no secret, whatever is wrong.

use std::time::Duration;

use testkit::canary::{TRACE, assert_setting_told, assert_silent, secret};
use testkit::watched::{Watched, program};

const BOUND: Duration = Duration::from_secs(60);

fn producer(arguments: &[&str], settings: &[(&str, &str)]) -> (Option<i32>, String) {
    // A folder without a `.env` file.
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests");
    let mut program = program(env!("CARGO_BIN_EXE_producer"));
    program.current_dir(folder).args(arguments).env("LOG_LEVEL", TRACE).envs(settings.iter().copied());
    let (code, said) = Watched::start(&mut program).ended(BOUND);
    let text = said.concat();
    assert_silent("the program", &text);
    (code, text)
}

#[test]
fn a_producer_whose_broker_is_away_shows_no_secret() {
    let settings = [
        ("KAFKA_BROKERS", "127.0.0.1:1"),
        ("KAFKA_SECURITY_PROTOCOL", "SASL_PLAINTEXT"),
        ("KAFKA_SASL_USERNAME", "ada"),
        ("KAFKA_DELIVERY_TIMEOUT", "1s"),
        secret("KAFKA_SASL_PASSWORD"),
    ];
    let (code, text) = producer(&["generate", "--events", "3"], &settings);
    assert_eq!(code, Some(1), "{text}");
    let log: Vec<_> = text.lines().filter_map(|line| serde_json::from_str(line).ok()).collect();
    assert_setting_told(&log, "KAFKA_DELIVERY_TIMEOUT", "1s");
}

#[test]
fn a_secret_in_the_wrong_place_is_not_shown() {
    let settings = [("KAFKA_BROKERS", "ada:canary7f3a@kafka:9092"), ("KAFKA_SASL_MECHANISM", "canary7f3a"), secret("KAFKA_SASL_PASSWORD")];
    let (code, text) = producer(&["generate", "--events", "3"], &settings);
    assert_eq!(code, Some(2), "{text}");
    for name in ["KAFKA_BROKERS", "KAFKA_SASL_MECHANISM"] {
        assert!(text.contains(name), "{name} is reported: {text}");
    }
}
