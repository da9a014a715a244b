//! The JSON Schemas and the decoder agree: what one accepts the other does, as far as a schema can say it.

use events::{EventType, Rule, decode};
use jsonschema::Validator;
use proptest::prelude::*;
use proptest::sample::Index;
use serde_json::{Value, json};

use crate::arbitrary::{event, field_value, sample};
use crate::messages::{with, with_in_item};
use crate::schemas::{file, keys, of, refused_by_both, schema, validator};

/// Whether both refuse the message; that one accepts it and the other does not is a failure.
#[track_caller]
fn agree(validator: &Validator, message: &[u8], field: &str) -> bool {
    let refused = decode(message).is_err();
    assert_eq!(!validator.is_valid(&serde_json::from_slice(message).unwrap()), refused, "{field}: {}", String::from_utf8_lossy(message));
    refused
}

/// A JSON text of each type.
const TYPES: [&str; 6] = ["null", "true", "1.5", "\"?\"", "[]", "{}"];

#[test]
fn both_refuse_a_field_of_another_type() {
    for event_type in EventType::ALL {
        let (validator, schema) = (of(event_type), schema(event_type));
        for field in keys(&schema["properties"]) {
            let accepted: Vec<_> = TYPES
                .into_iter()
                .filter(|json| !agree(&validator, &with(event_type, field, json), &format!("{event_type}.{field}")))
                .collect();
            // Text that is only kept, an empty list of items, an amount.
            assert!(accepted.len() <= 1 && ["\"?\"", "[]", "1.5"].contains(accepted.first().unwrap_or(&"[]")), "{field}: {accepted:?}");
        }
    }
    let order = of(EventType::OrderPlaced);
    for json in TYPES {
        refused_by_both(&order, &with(EventType::OrderPlaced, "items", &format!("[{json}]")));
        refused_by_both(&order, &with_in_item("quantity", json));
        agree(&order, &with_in_item("sku", json), "items[].sku");
        agree(&order, &with_in_item("price", json), "items[].price");
    }
    for message in TYPES {
        refused_by_both(&order, message.as_bytes());
    }
}

#[test]
fn at_a_limit_both_accept_and_one_beyond_both_refuse() {
    use EventType::{InventoryAdjusted, OrderPlaced, PaymentSettled, UserCreated};
    for (event_type, field, max) in [
        (UserCreated, "email", 255),
        (UserCreated, "firstName", 100),
        (UserCreated, "lastName", 100),
        (PaymentSettled, "paymentMethod", 50),
        (PaymentSettled, "status", 20),
        (InventoryAdjusted, "sku", 50),
        (InventoryAdjusted, "reason", 255),
    ] {
        let text = |length: usize| with(event_type, field, &format!("\"{}\"", "é".repeat(length)));
        assert!(!agree(&of(event_type), &text(max), field), "{max}");
        assert!(agree(&of(event_type), &text(max + 1), field), "{max} and one");
    }
    let order = of(OrderPlaced);
    for (field, good, bad) in [
        ("totalAmount", "\"999999999999999.9999\"", "\"1000000000000000\""),
        ("totalAmount", "-999999999999999.9999", "-1000000000000001"),
        ("totalAmount", "\"-0.10000\"", "\"-0.00001\""),
        ("totalAmount", "\"29999e-2\"", "\"29999e\""),
        ("totalAmount", "\"0.00029999E+6\"", "\"0.00029999\""),
    ] {
        assert!(!agree(&order, &with(OrderPlaced, field, good), good) && agree(&order, &with(OrderPlaced, field, bad), bad));
    }
    for (good, bad) in [("2147483647", "2147483648"), ("-2147483648", "-2147483649")] {
        assert!(!agree(&order, &with_in_item("quantity", good), good) && agree(&order, &with_in_item("quantity", bad), bad));
    }
}

#[test]
fn both_refuse_what_breaks_a_rule() {
    use EventType::{InventoryAdjusted, OrderPlaced, PaymentSettled, UserCreated};
    let broken: [(EventType, &str, &[&str]); 8] = [
        (
            UserCreated,
            "eventId",
            &["", "2f1c7d5e00014000800000000000000a", "{2f1c7d5e-0001-4000-8000-00000000000a}", "2f1c7d5e-0001-4000-8000-00000000000g"],
        ),
        (UserCreated, "eventType", &["", "usercreated", "OrderShipped"]),
        (
            UserCreated,
            "timestamp",
            &[
                "",
                "2026-01-15",
                "2026-01-15T10:30:00",
                "2026-01-15T10:30Z",
                "2026-01-15T24:00:00Z",
                "2026-13-01T00:00:00Z",
                "2026-01-15T10:30:61Z",
                "2026-01-15T10:30:00+24:00",
                "2026-01-15T10:30:00Z\\n",
            ],
        ),
        (UserCreated, "email", &["", "a\\u0000b", "\\u0000"]),
        (OrderPlaced, "totalAmount", &["", "1 ", "+1", "01", ".5", "5.", "1e", "0x10", "1_000", "1,5", "NaN", "１"]),
        (PaymentSettled, "currency", &["", "eur", "EU", "EURO", "E1R", "ÉUR"]),
        (InventoryAdjusted, "sku", &["", "A\\u0000"]),
        (InventoryAdjusted, "adjustmentType", &["", "ADD", "remove"]),
    ];
    for (event_type, field, texts) in broken {
        let validator = of(event_type);
        for text in texts {
            refused_by_both(&validator, &with(event_type, field, &format!("\"{text}\"")));
        }
    }
}

#[test]
fn both_refuse_white_space_at_the_ends_of_what_is_compared_and_nothing_else_there() {
    for (event_type, field) in [(EventType::UserCreated, "email"), (EventType::InventoryAdjusted, "sku")] {
        let validator = of(event_type);
        let blanks: Vec<char> = ('\0'..=char::MAX).filter(|character| character.is_whitespace()).collect();
        for blank in blanks {
            for text in [format!("{blank}a"), format!("a{blank}"), blank.to_string()] {
                refused_by_both(&validator, &with(event_type, field, &json!(text).to_string()));
            }
            assert!(!agree(&validator, &with(event_type, field, &json!(format!("a{blank}b")).to_string()), field));
        }
        for other in ['\u{1}', '\u{1b}', '\u{180e}', '\u{200b}', '\u{2060}', '\u{feff}', '😀'] {
            assert!(!agree(&validator, &with(event_type, field, &json!(other.to_string()).to_string()), field));
        }
    }
}

#[test]
fn both_accept_what_looks_odd_and_is_within_the_rules() {
    use EventType::{InventoryAdjusted, OrderPlaced, UserCreated};
    for (event_type, field, json) in [
        (UserCreated, "userId", "\"2F1C7D5E-0001-0000-0000-00000000000A\""),
        (UserCreated, "createdAt", "\"2026-01-15t10:30:00.123456789012z\""),
        (UserCreated, "createdAt", "\"2016-12-31T23:59:60Z\""),
        (UserCreated, "createdAt", "\"2016-12-31 23:59:59\u{2212}05:30\""),
        (UserCreated, "createdAt", "\"0000-12-31T23:00:00-01:00\""),
        (UserCreated, "firstName", "\" \\u0000\\n\""),
        (UserCreated, "email", "\"\u{feff}a \\n\u{2003}b\u{feff}\""),
        (UserCreated, "later", "{\"eventId\": 1}"),
        (OrderPlaced, "items", "[]"),
        (OrderPlaced, "totalAmount", "-0"),
        (InventoryAdjusted, "quantity", "-0"),
    ] {
        assert!(!agree(&of(event_type), &with(event_type, field, json), field), "{field}: {json}");
    }
    assert!(!agree(&of(OrderPlaced), &with_in_item("later", "null"), "items[].later"));
}

/// Whether a schema cannot say that this rule is broken. Each stands in the description of its field.
fn beyond_a_schema(rule: Rule) -> bool {
    matches!(
        rule,
        // UTF-16 code units · days of a month, years in UTC · decimals and exponents · 1.0 and 1e2 · fields that stand twice.
        Rule::TooLong { .. }
            | Rule::InvalidTimestamp
            | Rule::TimestampOutOfRange
            | Rule::MoneyTooPrecise
            | Rule::MoneyOutOfRange
            | Rule::WrongType { expected: "a whole number" }
            | Rule::Duplicate
    )
}

#[test]
fn what_a_schema_cannot_say_is_known() {
    use EventType::{InventoryAdjusted, OrderPlaced, UserCreated};
    let emoji = format!("\"{}\"", "😀".repeat(51));
    for (event_type, field, json) in [
        (UserCreated, "firstName", emoji.as_str()),
        (UserCreated, "createdAt", "\"2026-02-30T00:00:00Z\""),
        (UserCreated, "createdAt", "\"0000-01-01T00:00:00Z\""),
        (OrderPlaced, "totalAmount", "0.00001"),
        (OrderPlaced, "totalAmount", "\"1e15\""),
        (InventoryAdjusted, "quantity", "1.0"),
    ] {
        let message = with(event_type, field, json);
        assert!(of(event_type).is_valid(&serde_json::from_slice(&message).unwrap()), "{json}");
        assert!(beyond_a_schema(decode(&message).unwrap_err().rule), "{json}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1000))]

    #[test]
    fn every_event_of_the_contract_is_valid(event in event()) {
        thread_local!(static VALIDATORS: [Validator; 4] = EventType::ALL.map(|event_type| validator(file(event_type), true)));
        let message = serde_json::from_slice(&event.to_json()).unwrap();
        VALIDATORS.with(|validators| {
            prop_assert!(validators[event.event_type() as usize].is_valid(&message), "{}", message);
            Ok(())
        })?;
    }

    #[test]
    fn what_is_decoded_is_valid_and_what_is_valid_is_decoded_unless_a_schema_cannot_say_why_not(
        message in sample(),
        place in any::<Index>(),
        json in field_value(),
    ) {
        thread_local!(static VALIDATORS: [Validator; 4] = EventType::ALL.map(of));
        let event_type = decode(&message).unwrap().event_type();
        let fields: Value = serde_json::from_slice(&message).unwrap();
        let name = *keys(&fields).iter().nth(place.index(fields.as_object().unwrap().len())).unwrap();
        // What is no JSON for one reader need not be a value for the other: lone surrogates, numbers beyond any float.
        prop_assume!(serde_json::from_str::<Value>(&json).is_ok());
        let message = with(event_type, name, &json);
        let valid = VALIDATORS.with(|validators| validators[event_type as usize].is_valid(&serde_json::from_slice(&message).unwrap()));
        match decode(&message) {
            Ok(_) => prop_assert!(valid, "decoded, but not valid: {} {}", name, json),
            Err(violation) => prop_assert!(!valid || beyond_a_schema(violation.rule), "valid, but {}: {}", violation, json),
        }
    }
}
