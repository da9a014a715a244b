//! The schema of a dead letter, and what the AsyncAPI document says of redriven records.

use events::{EventType, Timestamp};
use pipeline::Header;
use pipeline::dead_letter::{DeadLetter, Diagnosis, Entry, Reason};
use pipeline::headers::{DEAD_LETTER_ID_HEADER, DEAD_LETTER_SINCE_HEADER, RETRY_COUNT_HEADER, Redriven};
use pipeline::record::{Position, Record, TimestampType};
use serde_json::{Map, Value};
use uuid::Uuid;

fn schema() -> Value {
    serde_json::from_str(include_str!("../../schemas/dead-letter.json")).unwrap()
}

fn is_valid(json: &str) -> bool {
    let validator = jsonschema::options().offline().should_validate_formats(true).build(&schema()).unwrap();
    validator.is_valid(&serde_json::from_str(json).unwrap())
}

fn record(key: Option<&[u8]>, value: Option<&[u8]>) -> Record {
    Record {
        position: Position { topic: "events".into(), partition: 3, offset: 42 },
        assignment: 1,
        timestamp_ms: Some(1_768_471_200_123),
        timestamp_type: Some(TimestampType::LogAppendTime),
        key: key.map(<[u8]>::to_vec),
        value: value.map(<[u8]>::to_vec),
        headers: [
            vec![Header::text("traceparent", "00-1"), Header { name: "bytes".to_owned(), value: Some(vec![0xff]) }],
            Redriven { retry_count: 2, id: Some("0123456789ab".to_owned()), since: Some(Timestamp::UNIX_EPOCH) }.headers(),
        ]
        .concat(),
    }
}

fn names(object: &Value) -> Vec<&String> {
    object.as_object().unwrap().keys().collect()
}

#[test]
fn the_schema_of_a_dead_letter_names_its_fields_and_finds_it_valid() {
    let schema = schema();
    jsonschema::meta::validate(&schema).unwrap();
    let refused = Diagnosis::rejected(Uuid::from_u128(1), EventType::OrderPlaced, Reason::Constraint("CK_orders"), Some(547));
    let unreadable = |bytes: &[u8]| Diagnosis::from(&events::decode(bytes).unwrap_err());
    for (record, diagnosis) in [
        (record(Some(b"k"), Some(b"{")), unreadable(b"{")),
        (record(Some(b"\xff"), Some(b"\xff")), unreadable(b"\xff")),
        (record(None, Some(b"{}")), refused),
    ] {
        let json = DeadLetter::new(&record, &diagnosis, Timestamp::UNIX_EPOCH).json;
        assert!(is_valid(&json), "{json}");
        assert_eq!(names(&serde_json::from_str(&json).unwrap()), names(&schema["properties"]));
        // One that has no headers and no time, and is a dead letter for the first time, names only the others.
        let plain = DeadLetter::new(&Record { headers: Vec::new(), timestamp_ms: None, ..record }, &diagnosis, Timestamp::UNIX_EPOCH).json;
        assert!(is_valid(&plain), "{plain}");
        let of_few = ["recordTimestamp", "recordTimestampType", "recordHeaders", "deadLetterId", "firstTimestamp"];
        let mut of_all = names(&schema["properties"]);
        of_all.retain(|name| !of_few.contains(&name.as_str()));
        assert_eq!(names(&serde_json::from_str(&plain).unwrap()), of_all);
    }
}

#[test]
fn the_schema_and_the_reader_agree_on_what_a_dead_letter_of_others_is() {
    let five = r#"{"eventId":"x","originalData":"{}","error":"boom","timestamp":"2025-01-01T00:00:00Z","retryCount":0}"#;
    assert!(is_valid(five) && Entry::parse(five).is_ok());
    let fields: Map<String, Value> = serde_json::from_str(five).unwrap();
    assert_eq!(schema()["required"].as_array().unwrap().len(), fields.len());
    for (field, value) in [
        ("eventId", "7"),
        ("originalData", "{}"),
        ("error", "null"),
        ("timestamp", "0"),
        ("retryCount", "-1"),
        ("retryCount", "4294967296"),
        ("topic", "1"),
        ("partition", "2147483648"),
        ("offset", "\"1\""),
        ("recordTimestamp", "1"),
        ("recordTimestampType", "1"),
        ("key", "[]"),
        ("reason", "true"),
        ("fingerprint", "1"),
        ("encoding", "\"hex\""),
        ("keyEncoding", "null"),
        ("recordHeaders", "{}"),
        ("recordHeaders", r#"[{"name":"a","value":1}]"#),
        ("deadLetterId", "1"),
        ("firstTimestamp", "1"),
    ] {
        let mut dead_letter = fields.clone();
        dead_letter.insert(field.to_owned(), serde_json::from_str(value).unwrap());
        let json = serde_json::to_string(&dead_letter).unwrap();
        assert!(!is_valid(&json) && Entry::parse(&json).is_err(), "{json}");
    }
}

#[test]
fn the_asyncapi_document_names_the_headers_that_a_redrive_sets() {
    let document: Value = serde_json::from_str(include_str!("../../../events/asyncapi.json")).unwrap();
    assert_eq!(
        names(&document["components"]["schemas"]["headers"]["properties"]),
        [DEAD_LETTER_ID_HEADER, DEAD_LETTER_SINCE_HEADER, RETRY_COUNT_HEADER]
    );
}
