//! A payload field by field, as the console shows it.

use console::PayloadField;
use events::Violation;
use pipeline::Position;
use pipeline::dead_letter::Entry;
use pipeline::decoded::{Decoded, decode_record};
use pipeline::ports::Clock as _;
use pipeline::record::Record;

use super::sentences::shortened;
use crate::backends::SystemClock;
use crate::dlq::dry_run::Rules;

/// What the decoder stopped at when it read the record of this entry.
pub(super) fn stopped(entry: &Entry, value: &[u8], rules: Rules) -> Option<Violation> {
    let record = Record {
        position: Position { topic: "".into(), partition: 0, offset: 0 },
        assignment: 0,
        timestamp_ms: entry.record_at().map(|at| at.unix_millis()),
        timestamp_type: None,
        key: None,
        value: Some(value.to_vec()),
        headers: Vec::new(),
    };
    // As it was then: what lay in the future may be in the past by now.
    match decode_record(&record, entry.at().unwrap_or_else(|| SystemClock.now()), rules.max_clock_skew) {
        Decoded::Broken(violation) => Some(violation),
        Decoded::Valid(_) | Decoded::Tombstone => None,
    }
}

/// The fields of a payload; none where it breaks a rule as a whole. `stopped` is what the decoder of the consumer stopped at: it knows the clocks too.
pub(super) fn fields(payload: &[u8], stopped: Option<&Violation>) -> Vec<PayloadField> {
    let fields = events::fields(payload).unwrap_or_default();
    let field = |field: events::FieldReading<'_>| {
        let by_a_clock = stopped.filter(|violation| violation.field == Some(field.path)).map(|violation| violation.rule);
        PayloadField {
            path: field.path.to_string(),
            value: field.json.map(shortened),
            problem: field.broken.or(by_a_clock).map(|rule| rule.to_string()),
        }
    };
    fields.into_iter().map(field).collect()
}

/// Those that are wrong.
pub(super) fn wrong(payload: &[u8], stopped: &Violation) -> Vec<PayloadField> {
    fields(payload, Some(stopped)).into_iter().filter(|field| field.problem.is_some()).collect()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use events::{EventType, samples};
    use serde_json::json;

    use super::*;

    const RULES: Rules = Rules { max_rows: 100, max_clock_skew: Duration::from_secs(60) };

    /// `path problem` of each field that is wrong in the payload of an entry that became a dead letter an hour before its event's time.
    fn told(payload: &str) -> Vec<String> {
        let entry = json!({ "originalData": payload, "timestamp": "2026-01-15T09:01:00Z", "recordTimestamp": "2026-01-15T09:00:59Z" });
        let stopped = stopped(&Entry::parse(&entry.to_string()).unwrap(), payload.as_bytes(), RULES).unwrap();
        let wrong = wrong(payload.as_bytes(), &stopped);
        wrong.into_iter().map(|field| format!("{} {}", field.path, field.problem.unwrap())).collect()
    }

    #[test]
    fn what_a_clock_alone_can_tell_is_told_at_its_field() {
        let good = String::from_utf8(samples::of(EventType::UserCreated).to_json()).unwrap();
        let future = "timestamp is further in the future than clocks may differ: 1 h after the record's own time (2026-01-15T09:00:59Z)";
        assert_eq!(told(&good), [future]);
        let broken = good.replace("\"firstName\"", "\"first\"").replace("ada.lovelace@example.com", " ");
        assert_eq!(told(&broken), ["email must not begin or end with white space", "firstName is missing"]);
        assert_eq!(told("{").len(), 0, "it has no fields");
    }

    #[test]
    fn a_value_is_shown_as_it_is_written_and_no_longer_than_a_page_bears() {
        let payload = format!(r#"{{"eventType":"UserCreated","email":"{}\u001b"}}"#, "x".repeat(1000));
        let fields = fields(payload.as_bytes(), None);
        let value = |path: &str| fields.iter().find(|field| field.path == path).unwrap().value.clone();
        assert_eq!(value("eventType").as_deref(), Some("\"UserCreated\""));
        assert!(value("email").is_some_and(|value| value.ends_with('…') && value.chars().count() <= 301));
        assert_eq!(value("userId"), None);
    }
}
