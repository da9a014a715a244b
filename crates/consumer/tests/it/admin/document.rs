//! The OpenAPI document and the answers are held to each other: [`check`] sees every answer that a test gets from an office.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use jsonschema::Validator;
use serde_json::Value;
use testkit::openapi;
pub use testkit::openapi::examples;

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
            described.insert((template, method, status.parse().unwrap()), Described::new(resolved(response)));
        }
    }
    described
});

/// One answer, as described.
pub struct Described {
    pub media_type: &'static str,
    pub validator: Validator,
    pub examples: Vec<&'static Value>,
    pub headers: Vec<(&'static str, &'static Value)>,
}

impl Described {
    fn new(response: &'static Value) -> Self {
        let (media_type, content) = response["content"].as_object().unwrap().iter().next().unwrap();
        let headers = response.get("headers").and_then(Value::as_object).into_iter().flatten();
        Self {
            media_type,
            validator: validator(&content["schema"]),
            examples: examples(content),
            headers: headers.map(|(name, header)| (name.as_str(), &header["schema"])).collect(),
        }
    }
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

/// Of this schema, closed.
pub fn validator(schema: &Value) -> Validator {
    jsonschema::options().offline().should_validate_formats(true).build(&openapi::closed(&DOCUMENT, schema)).unwrap()
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
    let header = |name: &str| answer.headers.get(name).map(|value| value.to_str().unwrap());
    assert_eq!(header("content-type"), Some(described.media_type), "{place:?}");
    let body = if described.media_type.ends_with("json") && !described.media_type.ends_with("ndjson") {
        answer.json()
    } else {
        answer.body.as_str().into()
    };
    if let Err(error) = described.validator.validate(&body) {
        panic!("{place:?}: {error} at {}: {body}", error.instance_path());
    }
    for (name, schema) in &described.headers {
        let value = header(name).unwrap_or_else(|| panic!("{place:?} has no {name}"));
        let value = if schema["type"] == "integer" { serde_json::from_str(value).unwrap() } else { value.into() };
        assert!(validator(schema).is_valid(&value), "{place:?}: {name}: {value}");
    }
}
