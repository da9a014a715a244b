//! A record's value: it is an event that survives being sent again, or a dead letter that says what is wrong and quotes nothing of it.

use std::time::Duration;

use events::{CloudEventData, ComparedWith, Event, Rule, Timestamp, Violation};
use pipeline::Header;
use pipeline::dead_letter::{DeadLetter, Diagnosis, Entry};
use pipeline::decoded::{Decoded, decode_record};
use pipeline::headers::RETRY_COUNT_HEADER;
use pipeline::outcome::WaitsFor;
use pipeline::parking::ParkedEvent;
use pipeline::record::{Position, Record};
use pipeline::trace::{About, Entity};

const SKEW: Duration = Duration::from_millis(SKEW_MS.unsigned_abs());
const SKEW_MS: i64 = 3_600_000;

/// Longer than any text of ours about a message.
const LONGEST_TEXT: usize = 200;

/// A value of this record that anybody may have sent.
pub fn holds(value: &[u8]) {
    let record = record(value, None);
    let decoded = decode_record(&record, far_future(), SKEW);
    assert_eq!(decoded, decode_record(&record, far_future(), SKEW), "the same bytes, another answer");
    match &decoded {
        Decoded::Valid(event) => is_an_event(value, event),
        Decoded::Broken(violation) => is_a_dead_letter(&record, violation),
        Decoded::Tombstone => panic!("it has a value"),
    }
}

/// A record at one place of the log.
pub fn record(value: &[u8], timestamp_ms: Option<i64>) -> Record {
    let position = Position { topic: "events".into(), partition: 3, offset: 42 };
    Record {
        position,
        assignment: 1,
        timestamp_ms,
        timestamp_type: None,
        key: Some(vec![0xff, 0]),
        value: Some(value.to_vec()),
        headers: vec![Header::text(RETRY_COUNT_HEADER, "2")],
    }
}

/// A clock for which no event lies in the future.
fn far_future() -> Timestamp {
    Timestamp::UNIX_EPOCH.plus_micros(i64::MAX)
}

fn is_an_event(value: &[u8], event: &Event<'_>) {
    let written = event.to_json();
    assert_eq!(events::decode(&written).as_ref(), Ok(event), "it does not survive being sent again");
    assert!(!event.key().is_empty(), "it has no key, so no order among its kin");
    let about = About::read(value).expect("it is an event");
    assert_eq!((about.entity, about.event_at), (Entity::of(&event.body), event.at));
    let parent = WaitsFor::parent_of(&event.body);
    let parked = ParkedEvent::new(&record(value, Some(7)), event.id, parent.unwrap_or(WaitsFor::Email));
    let json = events::unframed(value).expect("it is an event");
    assert_eq!(parked.to_record(), Record { assignment: 0, ..record(json, Some(7)) }, "parking changes more than its frame");
    the_future_begins_where_it_should(value, event);
}

/// Refused one millisecond after what clocks may differ by, and taken until then, by either clock.
fn the_future_begins_where_it_should(value: &[u8], event: &Event<'_>) {
    let at_ms = event.at.unix_millis();
    let clock = |ms: i64| Timestamp::from_unix_millis(at_ms - SKEW_MS + ms);
    let (Some(just), Some(earlier)) = (clock(0), clock(-1)) else { return };
    for (record_ms, now, ahead_of) in [
        (None, just, None),
        (Some(just.unix_millis()), far_future(), None),
        (Some(i64::MAX), just, None),
        (None, earlier, Some(ComparedWith::Consumer)),
        (Some(i64::MAX), earlier, Some(ComparedWith::Consumer)),
        (Some(earlier.unix_millis()), far_future(), Some(ComparedWith::Record)),
        (Some(i64::MIN), far_future(), Some(ComparedWith::Record)),
    ] {
        let record = record(value, record_ms);
        match (decode_record(&record, now, SKEW), ahead_of) {
            (Decoded::Valid(taken), None) => assert_eq!(&taken, event),
            (Decoded::Broken(violation), Some(of)) => {
                let Rule::TimestampInFuture(ahead) = violation.rule else { panic!("{violation}") };
                assert_eq!((ahead.of, violation.event_id), (of, Some(event.id)));
                is_a_dead_letter(&record, &violation);
            }
            (decoded, _) => panic!("{record_ms:?}, now {now}: {decoded:?}"),
        }
    }
}

fn is_a_dead_letter(record: &Record, violation: &Violation) {
    let value = record.value.as_deref().unwrap_or_default();
    says_where(value, violation);
    quotes_nothing(violation);
    let diagnosis = Diagnosis::from(violation);
    let dead_letter = DeadLetter::new(record, &diagnosis, Timestamp::UNIX_EPOCH);
    assert_eq!((dead_letter.reason, &dead_letter.identity), (violation.rule.label(), &record.id().to_string()));
    let entry = Entry::parse(&dead_letter.json).expect("an entry of ours");
    assert_eq!((entry.value(), entry.key(), entry.retry_count), (record.value.clone(), record.key.clone(), record.redriven().retry_count));
    assert_eq!(entry.reason_label(), violation.rule.label());
    assert_eq!(entry.event_type(), violation.event_type.map_or("unknown", |event_type| event_type.as_str()));
    assert_eq!(entry.event_id, violation.event_id.map(|id| id.to_string()));
    assert_eq!(entry.error, violation.to_string());
    assert_eq!(entry.fingerprint_label(), format!("{}:{}:{}", violation.rule.label(), entry.event_type(), diagnosis.subject));
    // Labels of metrics and groups are few, whatever is sent.
    assert!(!diagnosis.subject.contains(|c: char| !c.is_ascii_alphabetic() && !"[].".contains(c)), "{}", diagnosis.subject);
}

/// The place that is named is there in the message.
fn says_where(value: &[u8], violation: &Violation) {
    let value = events::unframed(value).unwrap_or(value);
    let count = |byte: u8| value.iter().filter(|other| **other == byte).count();
    match (violation.field, violation.rule) {
        (None, Rule::RegistryFramed) => assert!(value.len() > 5 && value[0] == 0),
        (None, Rule::NotUtf8) => assert!(std::str::from_utf8(value).is_err()),
        (None, Rule::NotJson { line, column }) => {
            assert!(std::str::from_utf8(value).is_ok_and(|text| serde_json::from_str::<serde::de::IgnoredAny>(text).is_err()));
            assert!((1..=count(b'\n') + 1).contains(&line) && column <= value.len() + 1, "line {line}, column {column}");
        }
        (None, Rule::WrongType { expected }) => assert!(expected == "a JSON object", "{expected}"),
        (None, Rule::CloudEventData(_)) => assert!(String::from_utf8_lossy(value).contains("specversion")),
        (None, rule) => panic!("{rule:?} is of a field"),
        (Some(path), rule) => {
            assert!(!matches!(rule, Rule::NotUtf8 | Rule::NotJson { .. }), "{rule:?} is of no field");
            assert!(path.item.is_none_or(|item| item <= count(b',')), "there are not so many items: {path}");
            assert!(!path.to_string().is_empty() && !path.group().is_empty(), "{path:?} has no name");
        }
    }
}

/// The text is `[Type.]path rule` or `the message rule`, and none of the parts is the message's.
fn quotes_nothing(violation: &Violation) {
    let text = violation.to_string();
    assert!(text.len() <= LONGEST_TEXT && text.bytes().all(|byte| (b' '..=b'~').contains(&byte)), "{text}");
    let subject = match (violation.event_type, violation.field) {
        (Some(event_type), Some(field)) => format!("{event_type}.{field}"),
        (None, Some(field)) => field.to_string(),
        (_, None) => "the message".to_owned(),
    };
    let said = text.strip_prefix(&subject).unwrap_or_else(|| panic!("{text}"));
    // Numbers apart, which are limits and places.
    let said = said.trim_start().replace(|c: char| c.is_ascii_digit(), "");
    match sentence(violation.rule) {
        Some(sentence) => assert_eq!(said, sentence, "{text}"),
        None => assert!(said.starts_with("is further in the future than clocks may differ: "), "{text}"),
    }
}

/// The one sentence that a rule has, without its numbers; `None` for the clocks, whose end depends on them.
fn sentence(rule: Rule) -> Option<&'static str> {
    Some(match rule {
        Rule::NotUtf8 => "is not UTF-",
        Rule::RegistryFramed => {
            "begins with a schema registry's frame and holds no JSON: Avro and Protobuf are not read here, so let the producer write JSON"
        }
        Rule::CloudEventData(data) => match data {
            CloudEventData::Absent => "is a CloudEvent without `data`: the event must be a JSON object in its `data`",
            CloudEventData::Base64 => "is a CloudEvent with `data_base` alone: the event must be a JSON object in its `data`",
            CloudEventData::NoObject => "is a CloudEvent whose `data` is no object: the event must be a JSON object in its `data`",
        },
        Rule::NotJson { .. } => "is not one JSON text: it breaks off at line , column ",
        Rule::Missing => "is missing",
        Rule::Duplicate => "is there more than once",
        Rule::WrongType { expected } => match expected {
            "a JSON object" => "must be a JSON object",
            "a string" => "must be a string",
            "an array" => "must be an array",
            "a whole number" => "must be a whole number",
            "a number, or a string that holds one" => "must be a number, or a string that holds one",
            other => panic!("nobody said that something may have to be {other}"),
        },
        Rule::InvalidText => "holds a lone surrogate",
        Rule::InvalidUuid => "must be a UUID with hyphens",
        Rule::InvalidTimestamp => "must be a time as RFC  writes it, with a zone",
        Rule::TimestampOutOfRange => "must lie in the years  to  in UTC",
        Rule::TimestampInFuture(_) => return None,
        Rule::InvalidMoney => "must be a decimal number, or a string that holds one",
        Rule::MoneyTooPrecise => "has more than  decimals",
        Rule::MoneyOutOfRange => "has more than  digits before the point",
        Rule::QuantityOutOfRange => "must fit in  bits",
        Rule::Empty => "must not be empty",
        Rule::TooLong { .. } => "is longer than  UTF- code units",
        Rule::SurroundingWhiteSpace => "must not begin or end with white space",
        Rule::NulCharacter => "must not hold U+",
        Rule::InvalidCurrency => "must be three upper-case letters",
        Rule::UnknownEventType => "must be UserCreated, OrderPlaced, PaymentSettled or InventoryAdjusted",
        Rule::UnknownAdjustmentType => "must be add, subtract, order_fulfilled or returned",
    })
}
