//! The OpenAPI document and the answers are held to each other: [`check`] sees every answer that a test of this binary gets to a GET.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use jsonschema::Validator;
use serde_json::{Value, json};

use crate::ask::Answer;

pub const TEXT: &str = include_str!("../../openapi.json");

pub static DOCUMENT: LazyLock<Value> = LazyLock::new(|| serde_json::from_str(TEXT).unwrap());

/// What is described, by template and status.
pub static DESCRIBED: LazyLock<BTreeMap<(&str, u16), Described>> = LazyLock::new(|| {
    let mut described = BTreeMap::new();
    for (template, methods) in paths() {
        for (status, response) in methods["get"]["responses"].as_object().unwrap() {
            described.insert((template, status.parse().unwrap()), Described::new(resolved(response)));
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
        let named = content.get("examples").and_then(Value::as_object).into_iter().flatten();
        let headers = response.get("headers").and_then(Value::as_object).into_iter().flatten();
        Self {
            media_type,
            validator: validator(&content["schema"]),
            examples: content.get("example").into_iter().chain(named.map(|(_, named)| &named["value"])).collect(),
            headers: headers.map(|(name, header)| (name.as_str(), validator(&header["schema"]))).collect(),
        }
    }
}

/// Each path with its operations by method.
pub fn paths() -> impl Iterator<Item = (&'static str, &'static Value)> {
    DOCUMENT["paths"].as_object().unwrap().iter().map(|(template, methods)| (template.as_str(), methods))
}

fn resolved(value: &'static Value) -> &'static Value {
    let reference = value.get("$ref").map(|reference| reference.as_str().unwrap().strip_prefix('#').unwrap());
    reference.map_or(value, |pointer| DOCUMENT.pointer(pointer).unwrap_or_else(|| panic!("{pointer} is not there")))
}

/// For our own answers the schemas are closed: a field that the document does not name is a failure.
fn validator(schema: &Value) -> Validator {
    let mut components = DOCUMENT["components"].clone();
    for schema in components["schemas"].as_object_mut().unwrap().values_mut().filter(|schema| schema.get("properties").is_some()) {
        schema["additionalProperties"] = false.into();
    }
    let schema = json!({ "allOf": [schema], "components": components });
    jsonschema::options().offline().should_validate_formats(true).build(&schema).unwrap()
}

/// The template that a path matches; fixed words come before parameters.
pub fn template_of(path: &str) -> Option<&'static str> {
    let path: Vec<_> = path.split('?').next().unwrap().split('/').collect();
    let matches = |template: &str| {
        let template: Vec<_> = template.split('/').collect();
        let fits = |(word, part): (&&str, &&str)| word == part || (word.starts_with('{') && !part.is_empty());
        template.len() == path.len() && template.iter().zip(&path).all(fits)
    };
    paths().map(|(template, _)| template).filter(|template| matches(template)).min_by_key(|template| template.contains('{'))
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
