//! What the demo prints, and the checks it keeps: plain text that reads the same on any terminal.

use std::fmt::Display;

use serde_json::Value;

/// Prints steps and remembers every check.
#[derive(Default)]
pub struct Report {
    checks: Vec<Check>,
}

struct Check {
    what: String,
    expected: String,
    actual: String,
}

impl Check {
    fn holds(&self) -> bool {
        self.expected == self.actual
    }
}

impl Report {
    /// The headline of a step.
    pub fn step(&self, number: u8, title: &str) {
        say!("\n--- Step {number} of 6: {title} ---");
    }

    /// A line of the story.
    pub fn say(&self, text: impl Display) {
        say!("  {text}");
    }

    /// A check: shown at once, counted at the end.
    pub fn check(&mut self, what: impl Into<String>, expected: impl Display, actual: impl Display) {
        let check = Check { what: what.into(), expected: expected.to_string(), actual: actual.to_string() };
        say!("  {}", line(&check));
        self.checks.push(check);
    }

    /// A check of a value in a JSON answer.
    pub fn check_json(&mut self, what: impl Into<String>, expected: &Value, actual: &Value) {
        self.check(what, words(expected), words(actual));
    }

    /// The verdict: every check again, and whether all hold.
    pub fn verdict(&self) -> bool {
        let failed: Vec<&Check> = self.checks.iter().filter(|check| !check.holds()).collect();
        say!("\n{} checks, {} hold, {} do not.", self.checks.len(), self.checks.len() - failed.len(), failed.len());
        for check in &failed {
            say!("  {}", line(check));
        }
        say!("{}", if failed.is_empty() { "VERDICT: everything is as it must be." } else { "VERDICT: FAILED." });
        failed.is_empty()
    }
}

/// A value of an answer, as a person would say it.
pub fn words(value: &Value) -> String {
    match value {
        Value::Null => "not there".to_owned(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

fn line(check: &Check) -> String {
    if check.holds() {
        format!("[ok]     {}: {}", check.what, check.actual)
    } else {
        format!("[FAILED] {}: expected {}, found {}", check.what, check.expected, check.actual)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn values_are_said_without_the_signs_of_json() {
        let said = [Value::Null, json!("ok"), json!(299.99)].map(|value| words(&value));
        assert_eq!(said, ["not there", "ok", "299.99"]);
    }
}
