//! Times as RFC 3339 can write them, and what is none.

use events::{EventType, Rule};

use crate::messages::with;

/// Every time of every event.
const FIELDS: [(EventType, &str); 5] = [
    (EventType::UserCreated, "timestamp"),
    (EventType::UserCreated, "createdAt"),
    (EventType::OrderPlaced, "placedAt"),
    (EventType::PaymentSettled, "settledAt"),
    (EventType::InventoryAdjusted, "adjustedAt"),
];

/// The time that the event writes after it was read with this one, the same in whichever field.
#[track_caller]
fn utc(text: &str) -> Result<String, Rule> {
    let read = |(event_type, field): (EventType, &str)| {
        let message = with(event_type, field, &format!("\"{text}\""));
        let event = events::decode(&message).map_err(|violation| {
            assert_eq!(violation.field.unwrap().to_string(), field);
            violation.rule
        })?;
        let written: serde_json::Value = serde_json::from_slice(&event.to_json()).unwrap();
        Ok(written[field].as_str().unwrap().to_owned())
    };
    let first = read(FIELDS[0]);
    for field in FIELDS {
        assert_eq!(read(field), first, "{field:?}");
    }
    first
}

#[test]
fn any_offset_is_converted_to_utc() {
    for (text, shown) in [
        ("2026-01-15T10:30:00Z", "2026-01-15T10:30:00Z"),
        ("2026-01-15t10:30:00z", "2026-01-15T10:30:00Z"),
        ("2026-01-15T10:30:00+00:00", "2026-01-15T10:30:00Z"),
        ("2026-01-15T10:30:00-00:00", "2026-01-15T10:30:00Z"),
        ("2026-01-15T10:30:00+05:30", "2026-01-15T05:00:00Z"),
        ("2026-01-01T00:30:00+14:00", "2025-12-31T10:30:00Z"),
        ("2025-12-31T23:30:00-12:00", "2026-01-01T11:30:00Z"),
        ("2024-02-29T23:59:59-23:59", "2024-03-01T23:58:59Z"),
    ] {
        assert_eq!(utc(text), Ok(shown.to_owned()), "{text}");
    }
}

#[test]
fn what_has_no_zone_or_is_no_time_is_refused() {
    for text in [
        "2026-01-15T10:30:00",
        "2026-01-15",
        "10:30:00Z",
        "2026-01-15T10:30Z",
        "2026-01-15T10:30:00+0530",
        "2026-01-15T10:30:00+05",
        "2026-01-15T10:30:00+24:00",
        "2026-01-15T10:30:00+05:60",
        "2026-01-15T24:00:00Z",
        "2026-01-15T10:60:00Z",
        "2026-01-15T10:30:61Z",
        "2026-01-15T10:30:00.Z",
        "2026-13-01T00:00:00Z",
        "2026-02-29T00:00:00Z",
        "2026-00-10T00:00:00Z",
        "10000-01-01T00:00:00Z",
        "+2026-01-15T10:30:00Z",
        "-0001-01-01T00:00:00Z",
        "26-01-15T10:30:00Z",
        " 2026-01-15T10:30:00Z",
        "2026-01-15T10:30:00Z ",
        "2026-01-15T10:30:00ZZ",
        "1768473000",
        "yesterday",
        "",
    ] {
        assert_eq!(utc(text), Err(Rule::InvalidTimestamp), "{text}");
    }
    let number = with(EventType::UserCreated, "timestamp", "1768473000");
    assert_eq!(events::decode(&number).unwrap_err().rule, Rule::WrongType { expected: "a string" });
}

#[test]
fn the_years_1_to_9999_count_after_the_conversion() {
    for (text, shown) in [
        ("0001-01-01T00:00:00Z", "0001-01-01T00:00:00Z"),
        ("0001-01-01T01:00:00+01:00", "0001-01-01T00:00:00Z"),
        ("0000-12-31T23:00:00-01:00", "0001-01-01T00:00:00Z"),
        ("9999-12-31T23:59:59.999999999Z", "9999-12-31T23:59:59.999999Z"),
        ("9999-12-31T22:59:59.999999-01:00", "9999-12-31T23:59:59.999999Z"),
    ] {
        assert_eq!(utc(text), Ok(shown.to_owned()), "{text}");
    }
    for text in [
        "0000-01-01T00:00:00Z",
        "0001-01-01T00:00:00+00:01",
        "0001-01-01T00:59:59.999999+01:00",
        "9999-12-31T23:59:59-00:01",
        "9999-12-31T23:00:00-01:00",
        "9999-12-31T23:59:60Z",
    ] {
        assert_eq!(utc(text), Err(Rule::TimestampOutOfRange), "{text}");
    }
}

#[test]
fn decimals_beyond_the_sixth_are_cut_and_not_rounded() {
    for (text, shown) in [
        ("2026-01-15T10:30:00.1Z", "2026-01-15T10:30:00.100Z"),
        ("2026-01-15T10:30:00.000000999Z", "2026-01-15T10:30:00Z"),
        ("2026-01-15T10:30:59.999999999Z", "2026-01-15T10:30:59.999999Z"),
        ("2026-01-15T10:30:00.123456789012345678Z", "2026-01-15T10:30:00.123456Z"),
        ("1969-12-31T23:59:59.999999999Z", "1969-12-31T23:59:59.999999Z"),
        ("0001-01-01T00:00:00.000000999Z", "0001-01-01T00:00:00Z"),
    ] {
        assert_eq!(utc(text), Ok(shown.to_owned()), "{text}");
    }
}

#[test]
fn a_leap_second_is_the_first_second_of_the_next_minute() {
    for (text, shown) in [
        ("2016-12-31T23:59:60Z", "2017-01-01T00:00:00Z"),
        ("2016-12-31T23:59:60.999999999Z", "2017-01-01T00:00:00.999999Z"),
        ("2017-01-01T05:29:60+05:30", "2017-01-01T00:00:00Z"),
    ] {
        assert_eq!(utc(text), Ok(shown.to_owned()), "{text}");
    }
}
