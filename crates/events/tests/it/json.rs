//! What is and what is not one JSON object: bytes, depth, fields that stand twice.

use events::{EventType, Rule, decode, samples};

use crate::messages::{accepted, refused, with, with_at_the_end, with_in_item};

/// Deeper than the two mebibytes of a test thread's stack are for a reader that calls itself.
const DEEP: usize = 100_000;

fn deep(open: &str, close: &str) -> String {
    format!("{}{}", open.repeat(DEEP), close.repeat(DEEP))
}

#[test]
fn bytes_around_the_object_are_refused_and_blanks_are_not() {
    let good = samples::of(EventType::UserCreated).to_json();
    let between = |before: &[u8], after: &[u8]| [before, &good, after].concat();
    accepted(&between(b" \r\n\t", b"\n\n"));
    for message in [
        Vec::new(),
        b" ".to_vec(),
        between(b"\xef\xbb\xbf", b""),
        between(b"", b"\0"),
        between(b"", b"x"),
        between(b"", b","),
        between(b"\0", b""),
        between(b"", &good),
        good[..good.len() - 1].to_vec(),
    ] {
        let (field, rule) = refused(&message);
        assert!(matches!(rule, Rule::NotJson { .. }) && field.is_empty(), "{rule:?} for {}", String::from_utf8_lossy(&message));
    }
    let utf16: Vec<u8> =
        std::iter::once(0xfeff).chain(String::from_utf8(good.clone()).unwrap().encode_utf16()).flat_map(u16::to_le_bytes).collect();
    assert_eq!(refused(&utf16).1, Rule::NotUtf8);
    assert_eq!(refused(&between(b"", b"\xff")).1, Rule::NotUtf8);
    // A surrogate as three bytes and an overlong letter are no UTF-8 either.
    for bytes in [&b"\xed\xa0\x80"[..], b"\xc1\x81"] {
        let message = [&good[..good.len() - 2], bytes, b"\"}"].concat();
        assert_eq!(refused(&message).1, Rule::NotUtf8);
    }
}

#[test]
fn every_beginning_of_a_good_message_is_refused() {
    for event_type in EventType::ALL {
        let good = samples::of(event_type).to_json();
        for length in 0..good.len() {
            assert!(matches!(refused(&good[..length]).1, Rule::NotJson { .. }), "the first {length} bytes of {event_type}");
        }
    }
}

#[test]
fn depth_costs_no_stack_in_a_field_that_is_not_ours() {
    for json in [deep("[", "]"), deep("{\"a\":", "}").replace("\"a\":}", "\"a\":1}"), deep("[{\"a\":", "}]").replace("\"a\":}", "\"a\":1}")]
    {
        accepted(&with_at_the_end(EventType::InventoryAdjusted, &format!(",\"later\":{json}")));
        accepted(&with_in_item("later", &json));
    }
}

#[test]
fn depth_costs_no_stack_in_any_field_of_ours() {
    let (array, object) = (deep("[", "]"), deep("{\"a\":", "}").replace("\"a\":}", "\"a\":1}"));
    for event_type in EventType::ALL {
        let names: serde_json::Map<String, serde_json::Value> = serde_json::from_slice(&samples::of(event_type).to_json()).unwrap();
        for field in names.keys() {
            for json in [&array, &object] {
                let (at, rule) = refused(&with(event_type, field, json));
                assert!(matches!(rule, Rule::WrongType { .. }), "{event_type}.{field}: {rule:?}");
                // An array in an array of items is an item that is no object.
                let expected = if field == "items" && json.starts_with('[') { "items[0]" } else { field };
                assert_eq!(at, expected);
            }
        }
    }
    for field in ["sku", "quantity", "price"] {
        let (at, rule) = refused(&with_in_item(field, &array));
        assert!(matches!(rule, Rule::WrongType { .. }), "{rule:?}");
        assert_eq!(at, format!("items[0].{field}"));
    }
}

#[test]
fn depth_costs_no_stack_where_nothing_is_closed_or_nothing_is_an_object() {
    for message in ["[".repeat(2 * DEEP), "{\"a\":".repeat(DEEP), "{\"items\":".repeat(DEEP), "{\"items\":[".repeat(DEEP)] {
        assert!(matches!(refused(message.as_bytes()).1, Rule::NotJson { .. }));
    }
    assert!(matches!(refused(deep("[", "]").as_bytes()).1, Rule::WrongType { .. }));
}

#[test]
fn a_field_of_ours_that_stands_twice_is_refused_even_with_the_same_value_or_in_escapes() {
    let message = samples::of(EventType::UserCreated).to_json();
    let names: serde_json::Map<String, serde_json::Value> = serde_json::from_slice(&message).unwrap();
    for (field, value) in &names {
        assert_eq!(refused(&with_at_the_end(EventType::UserCreated, &format!(",\"{field}\":{value}"))), (field.clone(), Rule::Duplicate));
    }
    let (field, rule) = refused(&with_at_the_end(EventType::UserCreated, ",\"\\u0065mail\":\"other@example.com\""));
    assert_eq!((field.as_str(), rule), ("email", Rule::Duplicate));
    for field in ["sku", "quantity", "price"] {
        let items = format!(r#"[{{"sku":"A","quantity":1,"price":1}},{{"sku":"B","quantity":1,"price":1,"{field}":1}}]"#);
        assert_eq!(refused(&with(EventType::OrderPlaced, "items", &items)), (format!("items[1].{field}"), Rule::Duplicate));
    }
}

#[test]
fn a_field_that_is_not_ours_may_hold_anything_and_stand_twice() {
    let sample = samples::of(EventType::UserCreated);
    for json in ["1e400", "-0", "null", "\"\\ud800\"", "\"\\u0000\"", "12345678901234567890123456789", "{\"eventId\":1,\"eventId\":2}"] {
        let message = with_at_the_end(EventType::UserCreated, &format!(",\"later\":{json},\"later\":{json},\"\":{json}"));
        assert_eq!(accepted(&message), sample);
    }
}

#[test]
fn a_name_that_is_not_ours_may_be_any_that_json_can_write() {
    let sample = samples::of(EventType::UserCreated);
    for name in ["\\ud800", "\\udc00\\ud800", "email\\ud83d", "\\u0000", "\u{feff}email", "\\\"email\\\""] {
        assert_eq!(accepted(&with_at_the_end(EventType::UserCreated, &format!(",\"{name}\":1"))), sample);
    }
    for name in ["\n", "\\x", "\\ud80"] {
        assert!(matches!(refused(&with_at_the_end(EventType::UserCreated, &format!(",\"{name}\":1"))).1, Rule::NotJson { .. }));
    }
    for key in ["email", "1", "null", "[]"] {
        assert!(matches!(refused(&with_at_the_end(EventType::UserCreated, &format!(",{key}:1"))).1, Rule::NotJson { .. }));
    }
}

#[test]
fn what_is_json_and_no_object_is_never_taken_for_no_json() {
    for message in ["1e400", "-1e999999", " \"\\ud800\"\n", "[1e400,\"\\udfff\"]", "12345678901234567890123"] {
        assert_eq!(refused(message.as_bytes()), (String::new(), Rule::WrongType { expected: "a JSON object" }), "{message}");
    }
}

#[test]
fn names_and_types_are_exact_to_the_letter() {
    for name in ["usercreated", "USERCREATED", "userCreated", "UserCreated ", "User_Created", "UserUpdated", ""] {
        let message = with(EventType::UserCreated, "eventType", &format!("\"{name}\""));
        assert_eq!(refused(&message), ("eventType".to_owned(), Rule::UnknownEventType), "{name}");
    }
    for name in ["ADD", "Add", "add ", "remove", "orderFulfilled", ""] {
        let message = with(EventType::InventoryAdjusted, "adjustmentType", &format!("\"{name}\""));
        assert_eq!(refused(&message), ("adjustmentType".to_owned(), Rule::UnknownAdjustmentType), "{name}");
        assert_eq!(decode(&message).unwrap_err().rule.label(), "unknown_adjustment_type");
    }
    // A name in other case is a field that is not ours.
    let message = String::from_utf8(samples::of(EventType::UserCreated).to_json()).unwrap().replace("\"email\"", "\"Email\"");
    assert_eq!(refused(message.as_bytes()), ("email".to_owned(), Rule::Missing));
}
