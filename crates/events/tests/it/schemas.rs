//! The JSON Schemas have the fields and the limits of the contract.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use events::{AdjustmentType, EventType, Money, decode, rules, samples};
use jsonschema::{Registry, Validator};
use serde_json::{Value, json};

use crate::messages::with;

/// The schemas refer to each other by file name; this is where those names lie for the tests.
const BASE: &str = "file:///schemas/";

/// The file of this event's schema.
pub const fn file(event_type: EventType) -> &'static str {
    match event_type {
        EventType::UserCreated => "user-created.json",
        EventType::OrderPlaced => "order-placed.json",
        EventType::PaymentSettled => "payment-settled.json",
        EventType::InventoryAdjusted => "inventory-adjusted.json",
    }
}

/// Every file of the folder, by name.
pub fn files() -> Vec<(String, Value)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("schemas");
    let files = fs::read_dir(folder).unwrap().map(Result::unwrap);
    files.map(|file| (file.file_name().into_string().unwrap(), read(&fs::read_to_string(file.path()).unwrap()))).collect()
}

/// The schema of this event.
pub fn schema(event_type: EventType) -> Value {
    files().into_iter().find(|(name, _)| name == file(event_type)).unwrap().1
}

fn read(text: &str) -> Value {
    serde_json::from_str(text).unwrap()
}

/// Checks against a place in a file. Formats are notes for readers unless they are asserted: then RFC 3339 is taken to the letter.
pub fn validator(place: &str, assert_formats: bool) -> Validator {
    let mut registry = Registry::new();
    for (name, schema) in files() {
        jsonschema::meta::validate(&schema).unwrap_or_else(|error| panic!("{name}: {error}"));
        registry = registry.add(format!("{BASE}{name}"), schema).unwrap();
    }
    let registry = registry.prepare().unwrap();
    let options = jsonschema::options().offline().should_validate_formats(assert_formats).with_registry(&registry);
    options.build(&json!({ "$ref": format!("{BASE}{place}") })).unwrap()
}

/// Checks events of this type, as a consumer of the schema would.
pub fn of(event_type: EventType) -> Validator {
    validator(file(event_type), false)
}

/// Both refuse the message, which is JSON.
#[track_caller]
pub fn refused_by_both(validator: &Validator, message: &[u8]) {
    let text = String::from_utf8_lossy(message);
    assert!(decode(message).is_err(), "decoded: {text}");
    assert!(!validator.is_valid(&serde_json::from_slice(message).unwrap()), "valid: {text}");
}

pub fn keys(object: &Value) -> BTreeSet<&str> {
    object.as_object().unwrap().keys().map(String::as_str).collect()
}

fn strings(array: &Value) -> BTreeSet<&str> {
    array.as_array().unwrap().iter().map(|name| name.as_str().unwrap()).collect()
}

#[test]
fn every_sample_is_valid_by_the_schema_of_its_type_and_by_no_other() {
    for event_type in EventType::ALL {
        let validator = validator(file(event_type), true);
        for other in EventType::ALL {
            let sample = serde_json::from_slice(&samples::of(other).to_json()).unwrap();
            assert_eq!(validator.is_valid(&sample), other == event_type, "{other} by the schema of {event_type}");
        }
    }
}

#[test]
fn the_fields_of_a_schema_are_those_that_the_decoder_demands() {
    for event_type in EventType::ALL {
        let (schema, sample) = (schema(event_type), samples::of(event_type).to_json());
        let sample: Value = serde_json::from_slice(&sample).unwrap();
        assert_eq!(strings(&schema["required"]), keys(&sample), "{event_type}");
        assert_eq!(keys(&schema["properties"]), keys(&sample), "{event_type}");
        for field in keys(&sample) {
            let mut without = sample.clone();
            without.as_object_mut().unwrap().remove(field);
            refused_by_both(&of(event_type), without.to_string().as_bytes());
        }
    }
    let item = &schema(EventType::OrderPlaced)["$defs"]["item"];
    let fields = BTreeSet::from(["sku", "quantity", "price"]);
    assert_eq!((strings(&item["required"]), keys(&item["properties"])), (fields.clone(), fields.clone()));
    for field in fields {
        let mut item = json!({"sku": "A", "quantity": 1, "price": 1});
        item.as_object_mut().unwrap().remove(field);
        refused_by_both(&of(EventType::OrderPlaced), &with(EventType::OrderPlaced, "items", &format!("[{item}]")));
    }
}

#[test]
fn the_limits_are_those_of_the_rules() {
    let fields = &files().into_iter().find(|(name, _)| name == "fields.json").unwrap().1["$defs"];
    for (schema, max) in [
        (&fields["email"], rules::EMAIL_MAX),
        (&fields["name"], rules::NAME_MAX),
        (&fields["sku"], rules::SKU_MAX),
        (&schema(EventType::PaymentSettled)["properties"]["paymentMethod"], rules::PAYMENT_METHOD_MAX),
        (&schema(EventType::PaymentSettled)["properties"]["status"], rules::STATUS_MAX),
        (&schema(EventType::InventoryAdjusted)["properties"]["reason"], rules::REASON_MAX),
    ] {
        assert_eq!(schema["maxLength"], max, "{schema}");
    }
    assert_eq!((&fields["quantity"]["minimum"], &fields["quantity"]["maximum"]), (&json!(i32::MIN), &json!(i32::MAX)));
    let most = Money::from_units(10_i128.pow(19) - 1).unwrap().to_string();
    assert_eq!((fields["money"]["maximum"].clone(), fields["money"]["minimum"].clone()), (read(&most), read(&format!("-{most}"))));
    let kinds = &schema(EventType::InventoryAdjusted)["properties"]["adjustmentType"]["enum"];
    assert_eq!(strings(kinds), AdjustmentType::ALL.into_iter().map(AdjustmentType::as_str).collect());
}
