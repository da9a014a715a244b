//! The AsyncAPI document tells of the messages as they are.

use std::collections::{BTreeMap, BTreeSet};

use events::{EventType, samples};
use serde_json::Value;

use crate::schemas::{file, files, validator};

fn document() -> Value {
    serde_json::from_str(include_str!("../../asyncapi.json")).unwrap()
}

/// Every `$ref` beneath this value.
fn references(value: &Value) -> Vec<&str> {
    match value {
        Value::Object(fields) => {
            let own = fields.get("$ref").and_then(Value::as_str);
            own.into_iter().chain(fields.values().flat_map(references)).collect()
        }
        Value::Array(elements) => elements.iter().flat_map(references).collect(),
        _ => Vec::new(),
    }
}

#[test]
fn every_reference_resolves_and_every_schema_is_referred_to() {
    let mut documents: BTreeMap<_, _> = files().into_iter().map(|(name, schema)| (format!("schemas/{name}"), schema)).collect();
    let schemas: BTreeSet<_> = documents.keys().cloned().collect();
    documents.insert("asyncapi.json".to_owned(), document());
    let mut referred = BTreeSet::new();
    for (name, document) in &documents {
        for reference in references(document) {
            let (target, pointer) = reference.split_once('#').unwrap_or((reference, ""));
            // The schemas refer to their neighbours.
            let target = match (target, name.strip_prefix("schemas/")) {
                ("", _) => name.clone(),
                (target, Some(_)) => format!("schemas/{target}"),
                (target, None) => target.to_owned(),
            };
            let found = documents.get(&target).and_then(|document| document.pointer(pointer));
            assert!(found.is_some(), "{name} refers to {reference}, which is not there");
            referred.insert(target);
        }
    }
    assert_eq!(referred.into_iter().filter(|name| schemas.contains(name)).collect::<BTreeSet<_>>(), schemas);
}

#[test]
fn the_messages_are_the_four_events_with_their_samples_and_keys() {
    let document = document();
    let messages = document["components"]["messages"].as_object().unwrap();
    let names: BTreeSet<_> = EventType::ALL.into_iter().map(EventType::as_str).collect();
    for listed in [messages, document["channels"]["events"]["messages"].as_object().unwrap()] {
        assert_eq!(listed.keys().map(String::as_str).collect::<BTreeSet<_>>(), names);
    }
    for event_type in EventType::ALL {
        let (message, sample) = (&messages[event_type.as_str()], samples::of(event_type));
        assert_eq!(message["payload"]["$ref"], format!("schemas/{}", file(event_type)));
        let shown: Value = serde_json::from_slice(&sample.to_json()).unwrap();
        assert_eq!(message["examples"][0]["payload"], shown, "{event_type}");
        let key = message["bindings"]["kafka"]["key"]["$ref"].as_str().unwrap();
        let field = key.rsplit('/').next().unwrap();
        assert_eq!(shown[field], sample.key(), "the key of {event_type}");
        assert!(validator(key.strip_prefix("schemas/").unwrap(), true).is_valid(&sample.key().into()), "the key of {event_type}");
        assert!(message["description"].as_str().unwrap().contains(&format!("is {field},")), "{event_type}");
    }
    for operation in document["operations"].as_object().unwrap().values() {
        assert_eq!(operation["messages"].as_array().unwrap().len(), EventType::ALL.len());
    }
}

#[test]
fn the_document_has_the_version_of_this_crate() {
    assert_eq!(document()["info"]["version"], env!("CARGO_PKG_VERSION"));
}
