//! The OpenAPI document and the answers are held to each other: [`check`] sees every answer that a test of this binary gets to a GET.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use serde_json::Value;
use testkit::openapi::{self, Check, Described};

use crate::ask::Answer;

pub const TEXT: &str = include_str!("../../openapi.json");

pub static DOCUMENT: LazyLock<Value> = LazyLock::new(|| serde_json::from_str(TEXT).unwrap());

/// What is described, by template and status.
pub static DESCRIBED: LazyLock<BTreeMap<(&str, u16), Described>> = LazyLock::new(|| {
    let mut described = BTreeMap::new();
    for (template, methods) in paths() {
        for (status, response) in methods["get"]["responses"].as_object().unwrap() {
            described.insert((template, status.parse().unwrap()), Described::new(&DOCUMENT, response, compiled));
        }
    }
    described
});

/// By a validator of JSON Schema, which looks at formats too.
fn compiled(schema: &Value) -> Check {
    let validator = jsonschema::options().offline().should_validate_formats(true).build(schema).unwrap();
    Box::new(move |value| validator.validate(value).map_err(|error| format!("{error} at {}", error.instance_path())))
}

/// Each path with its operations by method.
pub fn paths() -> impl Iterator<Item = (&'static str, &'static Value)> {
    DOCUMENT["paths"].as_object().unwrap().iter().map(|(template, methods)| (template.as_str(), methods))
}

/// The template that a path matches.
pub fn template_of(path: &str) -> Option<&'static str> {
    openapi::template_of(paths().map(|(template, _)| template), path)
}

/// Fails unless the document describes this answer to a GET of this path. Paths that are not in it are none of the API's.
pub fn check(path: &str, answer: &Answer) {
    let Some(template) = template_of(path) else { return };
    let status = answer.status.as_u16();
    let described = DESCRIBED.get(&(template, status)).unwrap_or_else(|| panic!("{template} does not describe {status}"));
    let body = described.check(&format!("{template} {status}"), |name| answer.header(name), &answer.body);
    if described.media_type == "application/problem+json" {
        assert!(described.examples.contains(&&body), "{template} {status}: the sentences are fixed, and {body} is not among the examples");
    }
}
