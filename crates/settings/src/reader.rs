//! Asking for settings.

use std::fmt::Display;
use std::ops::RangeInclusive;
use std::str::FromStr;
use std::time::Duration;

use secrecy::SecretString;

use crate::layers::Layers;
use crate::near_miss::{is_setting, near_miss};
use crate::problem::{Problem, Problems};
use crate::source::Source;
use crate::span;
use crate::variable::Variable;

/// What is shown of a secret.
const HIDDEN: &str = "********";

/// Reads typed settings, notes what was asked for, and collects every problem until [`Reader::finish`].
pub struct Reader {
    source: Source,
    asked: Vec<Variable>,
    problems: Vec<Problem>,
}

impl Reader {
    /// Reads from the environment, beneath it from the `.env` file of the working directory, and from what the command line gave: see [`crate::Layers`].
    ///
    /// # Errors
    /// The file cannot be read; the text says where it breaks off.
    pub fn from_environment() -> Result<Self, String> {
        Source::environment(Layers::given()).map(Self::new)
    }

    /// Reads from these pairs alone; for tests, and, with none, for the documentation of the defaults.
    pub fn from_pairs<'p>(pairs: impl IntoIterator<Item = (&'p str, &'p str)>) -> Self {
        Self::new(Source::Pairs(pairs.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect()))
    }

    fn new(source: Source) -> Self {
        Self { source, asked: Vec::new(), problems: Vec::new() }
    }

    /// Whether a variable is set, without asking for it.
    pub fn is_set(&self, name: &str) -> bool {
        self.source.get(name).is_some()
    }

    /// A text.
    pub fn text(&mut self, name: &'static str, default: &str, help: &'static str) -> String {
        let value = self.source.get(name).unwrap_or_else(|| default.to_owned());
        self.note(name, Some(default.to_owned()), help, Some(value.clone()));
        value
    }

    /// A text that may be absent.
    pub fn optional(&mut self, name: &'static str, help: &'static str) -> Option<String> {
        let value = self.source.get(name);
        self.note(name, None, help, value.clone());
        value
    }

    /// The name or address of a host, without anything around it. A URL with a user and a password in it would be shown otherwise, since
    /// hosts are.
    pub fn host(&mut self, name: &'static str, default: &str, help: &'static str) -> String {
        let problem = "must be a host name or an IP address alone, without scheme, user, port or path";
        let host = |text: &str| if is_host(text) { Ok(text.to_owned()) } else { Err(problem) };
        self.parsed(name, default, help, host).unwrap_or_else(|| default.to_owned())
    }

    /// What a text means; `None` where it means nothing, which is a problem then, and the text is not shown: it may be a secret in the wrong
    /// place.
    pub fn parsed<T>(
        &mut self,
        name: &'static str,
        default: &str,
        help: &'static str,
        parse: impl FnOnce(&str) -> Result<T, &'static str>,
    ) -> Option<T> {
        let text = self.text(name, default, help);
        match parse(&text) {
            Ok(value) => Some(value),
            Err(problem) => {
                self.wrong(name, problem);
                self.hide(name);
                None
            }
        }
    }

    /// A secret that may be absent. It is never shown.
    pub fn secret(&mut self, name: &'static str, help: &'static str) -> Option<SecretString> {
        let value = self.source.get(name);
        self.refuse_on_command_line(name);
        let shown = value.as_ref().map(|_| HIDDEN.to_owned());
        if self.asked.iter().all(|variable| variable.name != name) {
            self.asked.push(Variable { name, default: None, help, secret: true, shown });
        }
        value.map(SecretString::from)
    }

    /// Every variable whose name begins so, with its value; `pattern` and `help` stand for all of them in documents. The values of those whose
    /// name `is_secret` says are never shown.
    pub fn prefixed(
        &mut self,
        prefix: &str,
        pattern: &'static str,
        help: &'static str,
        is_secret: impl Fn(&str) -> bool,
    ) -> Vec<(&'static str, String)> {
        self.note(pattern, None, help, None);
        let mut found = Vec::new();
        for name in self.source.names(prefix) {
            let Some(value) = self.source.get(&name) else { continue };
            // A name lives as long as the names that the code itself has: settings are read once, and an environment has few of these.
            let name: &'static str = Box::leak(name.into_boxed_str());
            let secret = is_secret(name);
            if secret {
                self.refuse_on_command_line(name);
            }
            let shown = Some(if secret { HIDDEN.to_owned() } else { value.clone() });
            self.asked.push(Variable { name, default: None, help, secret, shown });
            found.push((name, value));
        }
        found
    }

    /// A number within bounds.
    pub fn number<T>(&mut self, name: &'static str, default: T, bounds: RangeInclusive<T>, help: &'static str) -> T
    where
        T: FromStr + Display + PartialOrd + Copy,
    {
        let value = self.source.get(name).map(|text| text.parse().ok().filter(|number| bounds.contains(number)));
        if value == Some(None) {
            self.wrong(name, format!("must be a number from {} to {}", bounds.start(), bounds.end()));
        }
        let value = value.flatten().unwrap_or(default);
        self.note(name, Some(default.to_string()), help, Some(value.to_string()));
        value
    }

    /// A duration within bounds, such as `500ms`, `30s` or `15m`; a bare number is seconds.
    pub fn duration(&mut self, name: &'static str, default: Duration, bounds: RangeInclusive<Duration>, help: &'static str) -> Duration {
        let value = self.source.get(name).map(|text| span::parse(&text).filter(|duration| bounds.contains(duration)));
        if value == Some(None) {
            let (least, most) = (span::format(*bounds.start()), span::format(*bounds.end()));
            self.wrong(name, format!("must be a duration from {least} to {most}, such as 500ms, 30s, 15m or 24h"));
        }
        let value = value.flatten().unwrap_or(default);
        self.note(name, Some(span::format(default)), help, Some(span::format(value)));
        value
    }

    /// Yes or no: `true`, `yes`, `on`, `1` or `false`, `no`, `off`, `0`.
    pub fn flag(&mut self, name: &'static str, default: bool, help: &'static str) -> bool {
        let value = match self.source.get(name).map(|text| text.to_lowercase()).as_deref() {
            None => default,
            Some("true" | "yes" | "on" | "1") => true,
            Some("false" | "no" | "off" | "0") => false,
            Some(_) => {
                self.wrong(name, "must be true or false");
                default
            }
        };
        self.note(name, Some(default.to_string()), help, Some(value.to_string()));
        value
    }

    /// One of a few words, each standing for a value. The first is the default.
    pub fn choice<T: Copy>(&mut self, name: &'static str, choices: &[(&'static str, T)], help: &'static str) -> T {
        let (default, default_value) = choices[0];
        let text = self.source.get(name).unwrap_or_else(|| default.to_owned());
        let found = choices.iter().find(|(word, _)| word.eq_ignore_ascii_case(&text));
        if found.is_none() {
            let words: Vec<_> = choices.iter().map(|(word, _)| *word).collect();
            let shown = if is_meant_as_one(&text, &words) { format!(": it is {}", text.trim()) } else { String::new() };
            self.wrong(name, format!("must be one of {}{shown}", words.join(", ")));
        }
        let (word, value) = found.copied().unwrap_or((default, default_value));
        self.note(name, Some(default.to_owned()), help, Some(word.to_owned()));
        value
    }

    /// Notes a problem that only the struct can see, such as two settings that do not go together, with where the value comes from if there is
    /// one. The message completes "`NAME` …".
    pub fn problem(&mut self, name: &'static str, message: impl Display) {
        self.note_problem(name, message, None);
    }

    /// Notes that a value is wrong: with the value where it cannot be a password that stands in the wrong place.
    fn wrong(&mut self, name: &'static str, message: impl Display) {
        let value = self.source.get(name).filter(|value| is_numeric(value)).map(|value| format!("it is {value}"));
        self.note_problem(name, message, value);
    }

    fn note_problem(&mut self, name: &'static str, message: impl Display, value: Option<String>) {
        let facts: Vec<_> = value.into_iter().chain(self.source.origin(name)).collect();
        let facts = if facts.is_empty() { String::new() } else { format!(" ({})", facts.join(", ")) };
        self.problems.push(Problem { name, message: format!("{message}{facts}") });
    }

    /// For a secret.
    fn refuse_on_command_line(&mut self, name: &'static str) {
        if self.source.is_on_command_line(name) {
            self.problem(
                name,
                "is a secret, and a command line can be read by everyone on the machine: set it in the environment or in a file",
            );
        }
    }

    /// Shows another value of a variable than was read: the one that holds, where another variable says it.
    pub fn show(&mut self, name: &'static str, value: String) {
        let found = self.asked.iter_mut().find(|variable| variable.name == name);
        if let Some(variable) = found.filter(|variable| !variable.secret) {
            variable.shown = Some(value);
        }
    }

    /// Shows nothing of a variable: what it holds cannot be used, and may be a secret.
    pub fn hide(&mut self, name: &'static str) {
        self.asked.iter_mut().filter(|variable| variable.name == name).for_each(|variable| variable.shown = None);
    }

    /// What was asked for so far, in order, with the values as they may be shown; what is not set is not among it.
    pub fn shown(&self) -> Vec<(String, String)> {
        let shown = self.asked.iter().filter_map(|variable| Some((variable.name.to_owned(), variable.shown.clone()?)));
        shown.collect()
    }

    /// What was asked for, in order, each name once.
    pub fn variables(&self) -> &[Variable] {
        &self.asked
    }

    /// The settings with this beginning that are set, whether or not this program asks for them.
    pub fn set_settings(&self, prefix: &str) -> Vec<String> {
        self.source.names(prefix).into_iter().filter(|name| is_setting(name) && self.is_set(name)).collect()
    }

    /// Variables that are set and mean nothing, where they may have been meant for a setting that is not: a sentence each.
    pub fn near_misses(&self) -> Vec<String> {
        let meant = |name: String| near_miss(&name, |setting| self.is_set(setting)).map(|setting| (name, setting));
        let found = self.source.names("").into_iter().filter_map(meant);
        found.map(|(name, setting)| format!("{name} is set and is no setting: is {setting} meant?")).collect()
    }

    /// Whether a problem was found so far.
    pub fn has_problems(&self) -> bool {
        !self.problems.is_empty()
    }

    /// Reads some of the settings; `None` where something of these is wrong. What is wrong is noted as always.
    pub fn usable<T>(&mut self, read: impl FnOnce(&mut Self) -> T) -> Option<T> {
        let before = self.problems.len();
        let value = read(self);
        (self.problems.len() == before).then_some(value)
    }

    /// Ends the reading.
    ///
    /// # Errors
    /// Every problem, in the order in which the settings were asked for.
    pub fn finish(self) -> Result<Vec<Variable>, Problems> {
        if self.problems.is_empty() { Ok(self.asked) } else { Err(Problems(self.problems)) }
    }

    fn note(&mut self, name: &'static str, default: Option<String>, help: &'static str, shown: Option<String>) {
        if self.asked.iter().all(|variable| variable.name != name) {
            self.asked.push(Variable { name, default, help, secret: false, shown });
        }
    }
}

/// Whether a text was meant as a number or a duration: such a value tells more than it gives away.
fn is_numeric(text: &str) -> bool {
    let (digits, rest): (Vec<char>, Vec<char>) =
        text.chars().partition(|c| c.is_ascii_digit() || matches!(c, '.' | ',' | '-' | '+' | '_' | ' '));
    text.len() <= 24 && text.starts_with(|c: char| c.is_ascii_digit() || c == '-') && digits.len() >= rest.len() && rest.len() <= 3
}

/// Whether a text was meant as one of these words, and so is no password that stands in the wrong place: a letter or two away from one, or what other
/// programs call such a thing.
fn is_meant_as_one(text: &str, words: &[&str]) -> bool {
    const COMMON: [&str; 9] = ["true", "false", "yes", "no", "on", "off", "none", "enabled", "disabled"];
    let text = text.trim().to_ascii_lowercase();
    let near = |word: &str| {
        let letters = if word.len() < 5 { 1 } else { 2 };
        strsim::damerau_levenshtein(&text, &word.to_ascii_lowercase()) <= letters
    };
    COMMON.contains(&text.as_str()) || words.iter().any(|word| near(word))
}

/// Whether a text is a host name (also one of a container, with underscores) or an IP address.
pub fn is_host(text: &str) -> bool {
    let name = |c: char| c.is_alphanumeric() || matches!(c, '.' | '-' | '_');
    text.parse::<std::net::IpAddr>().is_ok() || (!text.is_empty() && text.chars().all(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reader() -> Reader {
        Reader::from_pairs([
            ("PORT", "70000"),
            ("WAIT", "soon"),
            ("TLS", "maybe"),
            ("MODE", "fast"),
            ("PASSWORD", "hunter2"),
            ("EMPTY", " "),
        ])
    }

    #[test]
    fn every_problem_is_reported_at_once_and_no_value_is_quoted_but_numbers() {
        let mut env = reader();
        assert_eq!(env.number("PORT", 80_u16, 1..=65535, ""), 80);
        assert_eq!(env.duration("WAIT", Duration::from_secs(5), Duration::ZERO..=Duration::from_secs(60), ""), Duration::from_secs(5));
        assert!(env.flag("TLS", true, ""));
        assert_eq!(env.choice("MODE", &[("safe", 1), ("risky", 2)], ""), 1);
        let text = env.finish().unwrap_err().to_string();
        for line in [
            "4 settings are wrong:",
            "PORT must be a number from 1 to 65535 (it is 70000)",
            "WAIT must be a duration from 0s to 1m",
            "TLS must be true or false",
            "MODE must be one of safe, risky",
        ] {
            assert!(text.contains(line), "{text}");
        }
        for value in ["soon", "maybe", "fast"] {
            assert!(!text.contains(value), "{text}");
        }
    }

    #[test]
    fn a_wrong_choice_is_quoted_where_it_was_meant_as_one() {
        let told = |value| {
            let mut env = Reader::from_pairs([("MODE", value)]);
            env.choice("MODE", &[("off", 0), ("SCRAM-SHA-256", 1)], "");
            env.finish().unwrap_err().to_string()
        };
        for value in ["scram-sha256", "SCRAM_SHA_256", "of", "on", "true"] {
            assert!(told(value).contains(&format!("MODE must be one of off, SCRAM-SHA-256: it is {value}")), "{}", told(value));
        }
        for secret in ["hunter2", "abc", "canary7f3a", "scram-hunter2"] {
            assert!(!told(secret).contains(secret), "{}", told(secret));
        }
    }

    #[test]
    fn a_value_is_quoted_where_it_was_meant_as_a_number() {
        for text in ["70000", "-1", "2", "1,5", "90 min", "10_000", "15x"] {
            assert!(is_numeric(text), "{text}");
        }
        for text in ["abc", "canary7f3a", "hunter2", "7f3acanary", "", "1234567890123456789012345"] {
            assert!(!is_numeric(text), "{text}");
        }
    }

    #[test]
    fn a_host_is_a_name_or_an_address_and_nothing_with_a_password_in_it() {
        for host in ["localhost", "sql_1.example.com", "10.0.0.1", "::1", "fe80::1"] {
            let mut env = Reader::from_pairs([("HOST", host)]);
            assert_eq!(env.host("HOST", "x", ""), host);
            assert!(env.finish().is_ok(), "{host}");
        }
        for host in ["redis://:hunter2@cache", "app:hunter2@cache", "cache:6379", "cache/0", "a b", "sql\\one", "sql,1433"] {
            let mut env = Reader::from_pairs([("HOST", host)]);
            assert_eq!(env.host("HOST", "x", ""), "x");
            assert!(!format!("{:?}", env.variables()).contains("hunter2"));
            let problems = env.finish().unwrap_err().to_string();
            assert!(problems.contains("HOST must be a host name") && !problems.contains(host), "{problems}");
        }
    }

    #[test]
    fn a_variable_is_shown_as_it_holds_and_not_where_it_cannot_be_used() {
        let mut env = Reader::from_pairs([("PLACE", "here,7"), ("OTHER", "hunter2@there"), ("PASSWORD", "hunter2")]);
        let place = |text: &str| text.split_once(',').map(|(_, port)| port.to_owned()).ok_or("must have a port");
        assert_eq!(env.parsed("PLACE", "x,1", "", place).as_deref(), Some("7"));
        assert_eq!(env.parsed("OTHER", "x,1", "", place), None);
        assert!(env.secret("PASSWORD", "").is_some());
        for name in ["PLACE", "PASSWORD"] {
            env.show(name, "elsewhere".to_owned());
        }
        let shown = [("PLACE", "elsewhere"), ("PASSWORD", "********")].map(|(name, value)| (name.to_owned(), value.to_owned()));
        assert_eq!(env.shown(), shown);
        assert_eq!(env.finish().unwrap_err().to_string(), "a setting is wrong:\n  OTHER must have a port");
    }

    #[test]
    fn variables_with_a_common_beginning_are_found_in_order_and_their_secrets_are_not_shown() {
        let pairs = [("PART_B", "2"), ("PART_KEY", "hunter2"), ("PART_A", "1"), ("PART_", "x"), ("PART_EMPTY", ""), ("APART_C", "3")];
        let mut env = Reader::from_pairs(pairs);
        let found = env.prefixed("PART_", "PART_<NAME>", "", |name| name.contains("KEY"));
        assert_eq!(found, [("PART_A", "1"), ("PART_B", "2"), ("PART_KEY", "hunter2")].map(|(name, value)| (name, value.to_owned())));
        assert!(!format!("{:?}", env.shown()).contains("hunter2"));
        assert_eq!(env.variables()[0].name, "PART_<NAME>");
    }

    #[test]
    fn a_secret_is_never_shown_and_an_empty_value_is_none() {
        let mut env = reader();
        assert!(env.secret("PASSWORD", "").is_some());
        assert_eq!(env.optional("EMPTY", ""), None);
        let variables = format!("{:?}", env.finish().unwrap());
        assert!(!variables.contains("hunter2"), "{variables}");
    }
}
