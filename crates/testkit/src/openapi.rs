//! Reading an OpenAPI document, to hold answers to it.

use serde_json::{Value, json};

/// The value itself, or what it refers to.
pub fn resolved(document: &'static Value, value: &'static Value) -> &'static Value {
    let reference = value.get("$ref").map(|reference| reference.as_str().unwrap().strip_prefix('#').unwrap());
    reference.map_or(value, |pointer| document.pointer(pointer).unwrap_or_else(|| panic!("{pointer} is not there")))
}

/// A schema that stands alone, closed for our own answers: a field that the document does not name is a failure.
pub fn closed(document: &Value, schema: &Value) -> Value {
    let mut components = document["components"].clone();
    for schema in components["schemas"].as_object_mut().unwrap().values_mut().filter(|schema| schema.get("properties").is_some()) {
        schema["additionalProperties"] = false.into();
    }
    json!({ "allOf": [schema], "components": components })
}

/// The examples of a content or a parameter.
pub fn examples(described: &'static Value) -> Vec<&'static Value> {
    let named = described.get("examples").and_then(Value::as_object).into_iter().flatten();
    described.get("example").into_iter().chain(named.map(|(_, named)| &named["value"])).collect()
}

/// The template that a path matches; fixed words come before parameters.
pub fn template_of(templates: impl Iterator<Item = &'static str>, path: &str) -> Option<&'static str> {
    let path: Vec<_> = path.split('?').next().unwrap().split('/').collect();
    let matches = |template: &str| {
        let template: Vec<_> = template.split('/').collect();
        let fits = |(word, part): (&&str, &&str)| word == part || (word.starts_with('{') && !part.is_empty());
        template.len() == path.len() && template.iter().zip(&path).all(fits)
    };
    templates.filter(|template| matches(template)).min_by_key(|template| template.contains('{'))
}
