//! Reading an OpenAPI document, to hold answers to it.

use serde_json::{Value, json};

/// Says what is wrong with a value, and where, by a schema.
pub type Check = Box<dyn Fn(&Value) -> Result<(), String> + Send + Sync>;

/// Makes the check of a schema that stands alone. Tests bring it: their validator of JSON Schema is no part of this crate, which programs that measure and
/// simulate are made of too.
pub type Compile = fn(&Value) -> Check;

/// One answer, as a document describes it.
pub struct Described {
    /// Of its body.
    pub media_type: &'static str,
    /// Of its body.
    pub schema: Check,
    /// Of its body.
    pub examples: Vec<&'static Value>,
    headers: Vec<Header>,
}

struct Header {
    name: &'static str,
    is_number: bool,
    schema: Check,
}

impl Described {
    /// As this response of the document says.
    pub fn new(document: &'static Value, response: &'static Value, compile: Compile) -> Self {
        let response = resolved(document, response);
        let (media_type, content) = response["content"].as_object().unwrap().iter().next().unwrap();
        let headers = response.get("headers").and_then(Value::as_object).into_iter().flatten();
        let header = |(name, header): (&'static String, &'static Value)| {
            let schema = &header["schema"];
            Header { name, is_number: schema["type"] == "integer", schema: compile(&closed(document, schema)) }
        };
        Self {
            media_type,
            schema: compile(&closed(document, &content["schema"])),
            examples: examples(content),
            headers: headers.map(header).collect(),
        }
    }

    /// Fails unless an answer is as described; `place` says which one it is. Returns the body; as a text where it is no JSON.
    pub fn check<'a>(&self, place: &str, header: impl Fn(&str) -> Option<&'a str>, body: &str) -> Value {
        let media_type = header("content-type").and_then(|full| full.split(';').next());
        assert_eq!(media_type, Some(self.media_type), "{place}");
        let is_json = self.media_type.ends_with("json") && !self.media_type.ends_with("ndjson");
        let body = if is_json { serde_json::from_str(body).unwrap() } else { Value::from(body) };
        (self.schema)(&body).unwrap_or_else(|wrong| panic!("{place}: {wrong}: {body}"));
        for Header { name, is_number, schema } in &self.headers {
            let value = header(name).unwrap_or_else(|| panic!("{place} has no {name}"));
            let value = if *is_number { serde_json::from_str(value).unwrap() } else { value.into() };
            schema(&value).unwrap_or_else(|wrong| panic!("{place}: {name}: {wrong}: {value}"));
        }
        body
    }
}

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
