//! The OpenAPI document and the answers are held to each other: [`check`] sees every answer that a test gets from an office.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use serde_json::Value;
pub use testkit::openapi::examples;
use testkit::openapi::{self, Check, Described};

use super::office::Answer;

pub const TEXT: &str = include_str!("../../../admin-openapi.json");

pub static DOCUMENT: LazyLock<Value> = LazyLock::new(|| serde_json::from_str(TEXT).unwrap());

/// An answer: template, method, and status.
pub type Place = (&'static str, &'static str, u16);

/// What is described.
pub static DESCRIBED: LazyLock<BTreeMap<Place, Described>> = LazyLock::new(|| {
    let mut described = BTreeMap::new();
    for (template, method, operation) in operations() {
        for (status, response) in operation["responses"].as_object().unwrap() {
            described.insert((template, method, status.parse().unwrap()), Described::new(&DOCUMENT, response, compiled));
        }
    }
    described
});

/// By a validator of JSON Schema, which looks at formats too.
fn compiled(schema: &Value) -> Check {
    let validator = jsonschema::options().offline().should_validate_formats(true).build(schema).unwrap();
    Box::new(move |value| validator.validate(value).map_err(|error| format!("{error} at {}", error.instance_path())))
}

/// Of this schema, closed.
pub fn schema(of: &Value) -> Check {
    compiled(&openapi::closed(&DOCUMENT, of))
}

/// Each template with a method and what is described there.
pub fn operations() -> impl Iterator<Item = (&'static str, &'static str, &'static Value)> {
    let paths = DOCUMENT["paths"].as_object().unwrap().iter();
    paths.flat_map(|(template, methods)| {
        methods.as_object().unwrap().iter().map(|(method, operation)| (template.as_str(), method.as_str(), operation))
    })
}

/// The value itself, or what it refers to.
pub fn resolved(value: &'static Value) -> &'static Value {
    openapi::resolved(&DOCUMENT, value)
}

/// The template that a path matches.
pub fn template_of(path: &str) -> Option<&'static str> {
    openapi::template_of(operations().map(|(template, ..)| template), path)
}

/// The place in the document of an answer, where the document speaks of it: of what no path or method is meant by, it speaks as a whole.
pub fn place_of(method: &str, path: &str, answer: &Answer) -> Option<Place> {
    let template = template_of(path)?;
    let (_, method, _) = operations().find(|(of, known, _)| *of == template && known.eq_ignore_ascii_case(method))?;
    Some((template, method, answer.status.as_u16()))
}

/// Fails unless the document describes this answer.
pub fn check(method: &str, path: &str, answer: &Answer) {
    let Some(place) = place_of(method, path, answer) else { return };
    let described = DESCRIBED.get(&place).unwrap_or_else(|| panic!("{place:?} is not described: {}", answer.body));
    described.check(&format!("{place:?}"), |name| Some(answer.headers.get(name)?.to_str().unwrap()), &answer.body);
}
