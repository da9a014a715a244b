//! The tables in the documents and the example of a `.env` file say what the code says.
//!
//! With `UPDATE_DOCS=1` the test writes them instead.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use settings::{Reader, Variable};

use crate::repository::{root, text};

/// Every variable of every program, each once, in the order in which they are read.
fn variables() -> Vec<Variable> {
    let mut env = Reader::from_pairs([]);
    consumer::wiring::Settings::read(&mut env);
    telemetry::LoggingConfig::read(&mut env);
    api::Config::read(&mut env);
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
                    # A value with a `$` stands in single quotes: elsewhere it begins the name of a variable.\n\
                    # Written from the code: see crates/settings/README.md.\n"
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
fn the_tables_of_the_documents_are_those_of_the_code() {
    let tables = [
        ("crates/settings/README.md", "settings", settings_table()),
        ("crates/telemetry/README.md", "metrics", telemetry::catalog::markdown_table()),
        ("crates/consumer/README.md", "commands", consumer::admin::commands::markdown_table()),
    ];
    for (document, name, table) in tables {
        hold(&root().join(document), &with_block(&text(document), name, &table));
    }
}

#[test]
fn the_example_of_an_env_file_lists_every_setting() {
    hold(&root().join(".env.example"), &env_example());
}

/// Every document of the repository, as a path from its top.
fn documents() -> Vec<String> {
    let mut found = Vec::new();
    let mut folders = vec![PathBuf::new()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(root().join(&folder)).unwrap() {
            let entry = entry.unwrap();
            let (path, name) = (folder.join(entry.file_name()), entry.file_name().into_string().unwrap());
            if entry.file_type().unwrap().is_dir() {
                if ![".git", "target"].contains(&name.as_str()) {
                    folders.push(path);
                }
            } else if path.extension().is_some_and(|extension| extension == "md") {
                found.push(path.to_str().unwrap().to_owned());
            }
        }
    }
    found
}

/// The anchors of a document's headings, as GitHub makes them.
pub fn anchors(document: &str) -> BTreeSet<String> {
    let headings = document.lines().filter_map(|line| line.strip_prefix('#')).map(|line| line.trim_start_matches('#').trim());
    let slug = |heading: &str| {
        let kept = heading.to_lowercase().chars().filter(|c| c.is_alphanumeric() || [' ', '-', '_'].contains(c)).collect::<String>();
        kept.replace(' ', "-")
    };
    headings.map(slug).collect()
}

#[test]
fn every_file_and_heading_that_a_document_points_to_exists() {
    let documents = documents();
    assert!(documents.len() > 20, "{documents:?}");
    for document in documents {
        let (path, content) = (root().join(&document), text(&document));
        for link in content.split("](").skip(1).filter_map(|rest| rest.split_once(')').map(|(link, _)| link)) {
            if link.contains("://") {
                continue;
            }
            let (file, anchor) = link.split_once('#').unwrap_or((link, ""));
            let target = if file.is_empty() { path.clone() } else { path.parent().unwrap().join(file) };
            assert!(target.exists(), "{document} points to {file}");
            if !anchor.is_empty() {
                let content = std::fs::read_to_string(&target).unwrap();
                assert!(anchors(&content).contains(anchor), "{document} points to {link}, which has no such heading");
            }
        }
    }
}

#[test]
fn the_first_document_can_be_read_in_five_minutes() {
    assert!(text("README.md").lines().count() <= 250);
}
