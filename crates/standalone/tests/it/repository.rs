//! The files at the top of the repository, as a test reads them.

use std::path::{Path, PathBuf};

use serde_json::Value;

/// The top of the repository.
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// A file's text, with the line ends of Unix.
pub fn text(path: &str) -> String {
    std::fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}")).replace("\r\n", "\n")
}

/// A YAML file, anchors and merges resolved.
pub fn yaml(path: &str) -> Value {
    serde_saphyr::from_str(&text(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// A JSON file.
pub fn json(path: &str) -> Value {
    serde_json::from_str(&text(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// The elements of a list of texts.
pub fn texts(list: &Value) -> Vec<&str> {
    list.as_array().map(|elements| elements.iter().map(|element| element.as_str().unwrap()).collect()).unwrap_or_default()
}
