//! The OpenAPI document and the answers are held to each other: [`check`] sees every answer that a test of this binary gets to a GET.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use jsonschema::Validator;
use serde_json::Value;
use testkit::openapi;

use crate::ask::Answer;

pub const TEXT: &str = include_str!("../../openapi.json");

pub static DOCUMENT: LazyLock<Value> = LazyLock::new(|| serde_json::from_str(TEXT).unwrap());

/// What is described, by template and status.
pub static DESCRIBED: LazyLock<BTreeMap<(&str, u16), Described>> = LazyLock::new(|| {
    let mut described = BTreeMap::new();
    for (template, methods) in paths() {
        for (status, response) in methods["get"]["responses"].as_object().unwrap() {
            described.insert((template, status.parse().unwrap()), Described::new(openapi::resolved(&DOCUMENT, response)));
        }
    }
    described
});

/// One answer, as described.
pub struct Described {
    pub media_type: &'static str,
    pub validator: Validator,
    pub examples: Vec<&'static Value>,
    pub headers: Vec<(&'static str, Validator)>,
}

impl Described {
    fn new(response: &'static Value) -> Self {
        let (media_type, content) = response["content"].as_object().unwrap().iter().next().unwrap();
        let headers = response.get("headers").and_then(Value::as_object).into_iter().flatten();
        Self {
            media_type,
            validator: validator(&content["schema"]),
            examples: openapi::examples(content),
            headers: headers.map(|(name, header)| (name.as_str(), validator(&header["schema"]))).collect(),
        }
    }
}

/// Each path with its operations by method.
pub fn paths() -> impl Iterator<Item = (&'static str, &'static Value)> {
    DOCUMENT["paths"].as_object().unwrap().iter().map(|(template, methods)| (template.as_str(), methods))
}

fn validator(schema: &Value) -> Validator {
    jsonschema::options().offline().should_validate_formats(true).build(&openapi::closed(&DOCUMENT, schema)).unwrap()
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
    let media_type = answer.header("content-type").and_then(|full| full.split(';').next());
    assert_eq!(media_type, Some(described.media_type), "{template} {status}");
    let body = if described.media_type.ends_with("json") { answer.json() } else { answer.body.as_str().into() };
    if let Err(error) = described.validator.validate(&body) {
        panic!("{template} {status}: {error} at {}: {body}", error.instance_path());
    }
    if described.media_type == "application/problem+json" {
        assert!(described.examples.contains(&&body), "{template} {status}: the sentences are fixed, and {body} is not among the examples");
    }
    for (name, validator) in &described.headers {
        let value = answer.header(name).unwrap_or_else(|| panic!("{template} {status} has no {name}"));
        assert!(validator.is_valid(&serde_json::from_str(value).unwrap()), "{template} {status}: {name}: {value}");
    }
}
