//! The tables in the README and the example of a `.env` file say what the code says.
//!
//! With `UPDATE_DOCS=1` the test writes them instead.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use settings::{Reader, Variable};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// Every variable of every program, each once, in the order in which they are read.
fn variables() -> Vec<Variable> {
    let mut env = Reader::from_pairs([]);
    consumer::wiring::Settings::read(&mut env);
    telemetry::LoggingConfig::read(&mut env);
    api::ApiConfig::read(&mut env);
    // Not `finish`: that there is no password without an environment is a problem for a program, not for its documentation.
    env.variables().to_vec()
}

fn settings_table() -> String {
    let mut table = "| variable | default | meaning |\n|---|---|---|\n".to_owned();
    for Variable { name, default, help, .. } in variables() {
        let default = default.filter(|default| !default.is_empty()).map_or_else(String::new, |default| format!("`{default}`"));
        writeln!(table, "| `{name}` | {default} | {help} |").unwrap();
    }
    table
}

fn env_example() -> String {
    let mut text =
        "# Settings of all programs, with their defaults. Copy to .env and change what differs; a line that begins with # is not set.\n\
                    # Written from the code: see \"Settings\" in README.md.\n"
            .to_owned();
    for Variable { name, default, help, .. } in variables() {
        writeln!(text, "\n# {help}\n#{name}={}", default.unwrap_or_default()).unwrap();
    }
    text
}

/// The text with what stands between the markers of this name replaced.
fn with_block(text: &str, name: &str, block: &str) -> String {
    let (begin, end) = (format!("<!-- generated: {name} -->\n"), "<!-- end -->");
    let (before, rest) = text.split_once(&begin).expect("the marker is there");
    let (_, after) = rest.split_once(end).expect("the end marker is there");
    format!("{before}{begin}{block}{end}{after}")
}

fn hold(path: &Path, expected: &str) {
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::write(path, expected).unwrap();
    }
    let found = std::fs::read_to_string(path).unwrap_or_default().replace("\r\n", "\n");
    assert!(found == expected, "{} does not say what the code says: run this test with UPDATE_DOCS=1", path.display());
}

#[test]
fn the_tables_of_the_readme_are_those_of_the_code() {
    let path = root().join("README.md");
    let text = std::fs::read_to_string(&path).unwrap().replace("\r\n", "\n");
    let text = with_block(&text, "settings", &settings_table());
    let text = with_block(&text, "metrics", &telemetry::catalog::markdown_table());
    hold(&path, &text);
}

#[test]
fn the_example_of_an_env_file_lists_every_setting() {
    hold(&root().join(".env.example"), &env_example());
}

#[test]
fn every_file_that_a_document_points_to_exists() {
    for document in ["README.md", "crates/README.md"] {
        let path = root().join(document);
        let text = std::fs::read_to_string(&path).unwrap();
        for link in text.split("](").skip(1).filter_map(|rest| rest.split_once(')').map(|(link, _)| link)) {
            let file = link.split('#').next().unwrap_or_default();
            if file.is_empty() || file.contains("://") {
                continue;
            }
            assert!(path.parent().unwrap().join(file).exists(), "{document} points to {file}");
        }
    }
}
