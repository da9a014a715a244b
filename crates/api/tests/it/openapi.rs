//! The OpenAPI document describes what is there: routes, answers, bounds, examples.

use std::collections::BTreeSet;
use std::time::Duration;

use api::{HealthTells, READ_STORE};
use events::{Money, rules};
use readmodel::views::ORDERS_SHOWN;
use telemetry::{Health, Metrics, Part};

use crate::ask::{get, send};
use crate::document::{DESCRIBED, DOCUMENT, TEXT, paths, template_of};
use crate::fake::{FakeStore, Mode, ORDER, Rig, SKU, USER, fault};

/// A path of this template, of a row that the fake store has.
fn example(template: &str) -> String {
    let id = if template.starts_with("/orders") { ORDER } else { USER };
    template.replace("{id}", &id.to_string()).replace("{sku}", SKU)
}

#[tokio::test]
async fn the_document_is_served_as_it_is_without_asking_the_store() {
    let rig = Rig::in_mode(Mode::Hangs);
    let answer = get(&rig.router, "/openapi.json").await;
    assert_eq!((answer.status.as_u16(), answer.header("content-type")), (200, Some("application/json")));
    assert_eq!(answer.body, TEXT);
    assert_eq!(DOCUMENT["info"]["version"], env!("CARGO_PKG_VERSION"));
    assert!(rig.store.calls().is_empty());
}

#[tokio::test]
async fn the_methods_of_a_path_are_those_that_its_route_answers() {
    let rig = Rig::new();
    for (template, methods) in paths() {
        let refused = send(&rig.router, "BREW", &example(template)).await;
        assert_eq!(refused.status, 405, "{template} is no route");
        let allowed: BTreeSet<_> =
            refused.header("allow").unwrap().split(',').filter(|method| *method != "HEAD").map(str::to_lowercase).collect();
        assert_eq!(methods.as_object().unwrap().keys().cloned().collect::<BTreeSet<_>>(), allowed, "{template}");
    }
}

#[tokio::test]
async fn every_answer_that_is_described_is_given() {
    let mut given = BTreeSet::new();
    for mode in [Mode::Answers, Mode::Panics, fault("unavailable", None)] {
        let rig = Rig::in_mode(mode);
        for (template, _) in paths() {
            given.insert((template, get(&rig.router, &example(template)).await.status.as_u16()));
        }
    }
    let rig = Rig::new();
    for path in ["/users/nobody", "/orders/none", "/inventory/NONE", "/users/recent?limit=0"] {
        given.insert((template_of(path).unwrap(), get(&rig.router, path).await.status.as_u16()));
    }
    let stuck = Health::new(&[READ_STORE], Some(Duration::ZERO));
    let router = api::router(FakeStore::default(), Metrics::new(&[Part::Api]).unwrap(), stuck, HealthTells::Kind);
    given.insert(("/health/live", get(&router, "/health/live").await.status.as_u16()));
    assert_eq!(given, DESCRIBED.keys().copied().collect());
}

#[test]
fn every_example_is_valid() {
    for ((template, status), described) in DESCRIBED.iter() {
        for example in &described.examples {
            (described.schema)(example).unwrap_or_else(|error| panic!("{template} {status}: {error}"));
        }
        assert!(!described.examples.is_empty() || *template == "/openapi.json", "{template} {status} has no example");
    }
}

#[tokio::test]
async fn the_bounds_and_the_default_of_the_limit_are_the_real_ones() {
    let rig = Rig::new();
    let limit = &DOCUMENT["paths"]["/users/recent"]["get"]["parameters"][0];
    let bound = |name: &str| limit["schema"][name].as_u64().unwrap();
    for (value, status) in [(bound("minimum") - 1, 400), (bound("minimum"), 200), (bound("maximum"), 200), (bound("maximum") + 1, 400)] {
        assert_eq!(get(&rig.router, &format!("/users/recent?limit={value}")).await.status.as_u16(), status, "{value}");
    }
    get(&rig.router, "/users/recent").await;
    assert_eq!(rig.store.calls().last().unwrap(), &format!("recent_users {}", bound("default")));
}

#[test]
fn the_limits_of_the_fields_are_those_of_the_events() {
    let schemas = &DOCUMENT["components"]["schemas"];
    for (schema, field, max) in [
        ("RecentUser", "email", rules::EMAIL_MAX),
        ("User", "email", rules::EMAIL_MAX),
        ("User", "firstName", rules::NAME_MAX),
        ("User", "lastName", rules::NAME_MAX),
        ("OrderItem", "sku", rules::SKU_MAX),
        ("Inventory", "sku", rules::SKU_MAX),
        ("Payment", "paymentMethod", rules::PAYMENT_METHOD_MAX),
        ("Payment", "status", rules::STATUS_MAX),
    ] {
        assert_eq!(schemas[schema]["properties"][field]["maxLength"], max, "{schema}.{field}");
    }
    let most = Money::from_units(10_i128.pow(19) - 1).unwrap();
    assert_eq!(schemas["Money"]["maximum"], serde_json::to_value(most.to_string().parse::<f64>().unwrap()).unwrap());
    assert_eq!(schemas["User"]["properties"]["orders"]["maxItems"], ORDERS_SHOWN);
}

#[test]
fn every_field_is_always_there() {
    for (name, schema) in DOCUMENT["components"]["schemas"].as_object().unwrap() {
        if let Some(properties) = schema.get("properties") {
            let mut required: BTreeSet<_> = schema["required"].as_array().unwrap().iter().map(|field| field.as_str().unwrap()).collect();
            if name == "Report" {
                // What nobody knows has no age, and `/health/live` asks no database.
                assert!(required.insert("data"));
            }
            assert_eq!(properties.as_object().unwrap().keys().map(String::as_str).collect::<BTreeSet<_>>(), required, "{name}");
        }
    }
}
