//! Messages that differ from a good one in a single place, as raw JSON text.

use std::collections::BTreeMap;

use events::{Event, EventType, Rule, decode, samples};
use serde_json::value::RawValue;

/// A good message of this type, in which a field holds this JSON text. A field that is not there is added.
pub fn with(event_type: EventType, field: &str, json: &str) -> Vec<u8> {
    let mut fields = fields(&samples::of(event_type).to_json());
    fields.insert(field.to_owned(), raw(json));
    serde_json::to_vec(&fields).unwrap()
}

/// A good order whose only item holds this JSON text in one of its fields.
pub fn with_in_item(field: &str, json: &str) -> Vec<u8> {
    let mut item = fields(br#"{"sku":"A","quantity":1,"price":1}"#);
    item.insert(field.to_owned(), raw(json));
    with(EventType::OrderPlaced, "items", &format!("[{}]", serde_json::to_string(&item).unwrap()))
}

/// A good message of this type with some text before its closing brace.
pub fn with_at_the_end(event_type: EventType, text: &str) -> Vec<u8> {
    let mut message = samples::of(event_type).to_json();
    assert_eq!(message.pop(), Some(b'}'));
    message.extend_from_slice(text.as_bytes());
    message.push(b'}');
    message
}

/// The event, which the message must hold.
#[track_caller]
pub fn accepted(message: &[u8]) -> Event<'_> {
    match decode(message) {
        Ok(event) => event,
        Err(violation) => panic!("refused: {violation}"),
    }
}

/// Which field breaks which rule.
#[track_caller]
pub fn refused(message: &[u8]) -> (String, Rule) {
    match decode(message) {
        Ok(event) => panic!("accepted: {event:?}"),
        Err(violation) => (violation.field.map_or_else(String::new, |field| field.to_string()), violation.rule),
    }
}

fn fields(json: &[u8]) -> BTreeMap<String, Box<RawValue>> {
    serde_json::from_slice(json).unwrap()
}

fn raw(json: &str) -> Box<RawValue> {
    RawValue::from_string(json.to_owned()).unwrap()
}
