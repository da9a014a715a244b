//! All findings, as a table or as JSON.

use std::fmt;

use serde::Serialize;

use crate::{Finding, State};

/// Columns of text after which a line is continued on the next.
const WIDTH: usize = 110;

/// Everything that was found.
#[derive(Clone, Debug, Serialize)]
pub struct Report {
    /// Whether nothing failed.
    pub ok: bool,
    /// In the order of the table.
    pub findings: Vec<Finding>,
}

impl Report {
    /// Of these findings.
    pub fn of(findings: Vec<Finding>) -> Self {
        Self { ok: findings.iter().all(|finding| finding.state != State::Fail), findings }
    }

    /// How many stand how, in a line.
    pub fn summary(&self) -> String {
        let (all, ok) = (self.findings.len(), self.count(State::Ok));
        format!("{all} looked at: {ok} ok, {} to know about, {} failed", self.count(State::Warn), self.count(State::Fail))
    }

    fn count(&self, state: State) -> usize {
        self.findings.iter().filter(|finding| finding.state == state).count()
    }
}

/// The table: a line per finding, what to do beneath it.
impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let width = |text: fn(&Finding) -> &str| self.findings.iter().map(|finding| text(finding).chars().count()).max().unwrap_or(0) + 2;
        let (part, check) = (width(|finding| finding.part), width(|finding| finding.check));
        let indent = "state ".len() + part + check;
        for finding in &self.findings {
            write!(f, "{:<6}{:<part$}{:<check$}", finding.state.word(), finding.part, finding.check)?;
            writeln!(f, "{}", wrapped(&finding.found, room(indent)).join(&format!("\n{:indent$}", "")))?;
            if let Some(advice) = &finding.advice {
                writeln!(f, "{:indent$}-> {}", "", wrapped(advice, room(indent + 3)).join(&format!("\n{:indent$}   ", "")))?;
            }
        }
        write!(f, "\n{}", self.summary())
    }
}

/// Columns of text in a line that begins there.
fn room(indent: usize) -> usize {
    WIDTH.saturating_sub(indent).max(30)
}

/// The text in lines of so many columns, broken between words; one that is longer by itself stays whole.
pub fn wrapped(text: &str, room: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in text.split_whitespace() {
        let last = lines.len() - 1;
        if !lines[last].is_empty() && lines[last].chars().count() + 1 + word.chars().count() > room {
            lines.push(word.to_owned());
        } else {
            if !lines[last].is_empty() {
                lines[last].push(' ');
            }
            lines[last].push_str(word);
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_for_each_finding_and_what_to_do_beneath_it() {
        let report = Report::of(vec![
            Finding::ok("Kafka", "partitions", "events has 6 partitions"),
            Finding::warn("Kafka", "replicas", "replication factor 1", "use 3"),
            Finding::fail("database", "schema", "missing", "run `consumer migrate`"),
        ]);
        assert!(!report.ok);
        assert_eq!(
            report.to_string(),
            "ok    Kafka     partitions  events has 6 partitions\n\
             warn  Kafka     replicas    replication factor 1\n\
             \x20                           -> use 3\n\
             FAIL  database  schema      missing\n\
             \x20                           -> run `consumer migrate`\n\n\
             3 looked at: 1 ok, 1 to know about, 1 failed"
        );
    }

    #[test]
    fn json_has_the_same_and_warnings_are_no_failure() {
        let report = Report::of(vec![Finding::warn("Redis", "eviction", "not told", "ask")]);
        assert_eq!(
            serde_json::to_string(&report).unwrap(),
            r#"{"ok":true,"findings":[{"part":"Redis","check":"eviction","state":"warn","found":"not told","advice":"ask"}]}"#
        );
    }

    #[test]
    fn long_texts_are_continued_on_the_next_line() {
        let lines = wrapped(&"word ".repeat(40), room(30));
        assert!(lines.len() == 3 && lines.iter().all(|line| line.chars().count() <= 80), "{lines:?}");
    }
}
