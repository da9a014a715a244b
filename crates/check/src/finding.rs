//! One line of the answer.

use pipeline::Fault;
use serde::Serialize;

/// How something stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum State {
    /// As it should be.
    Ok,
    /// It works, and somebody will regret it.
    Warn,
    /// The program cannot work, or events would be lost.
    Fail,
}

impl State {
    /// The word in the table; what must be seen stands out.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Warn => "warn",
            Self::Fail => "FAIL",
        }
    }
}

/// What was found about one thing, and what to do about it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// Of whom: settings, Kafka, database, Redis.
    pub part: &'static str,
    /// What was looked at.
    pub check: &'static str,
    /// How it stands.
    pub state: State,
    /// What was found: names and numbers, never a secret or a server's text.
    pub found: String,
    /// What to do; `None` where nothing is.
    pub advice: Option<String>,
}

impl Finding {
    /// Looks at whether a server can be reached and lets us in.
    pub const LOGIN: &str = "server and login";

    /// As it should be.
    pub fn ok(part: &'static str, check: &'static str, found: impl Into<String>) -> Self {
        Self { part, check, state: State::Ok, found: found.into(), advice: None }
    }

    /// It works, and somebody will regret it.
    pub fn warn(part: &'static str, check: &'static str, found: impl Into<String>, advice: impl Into<String>) -> Self {
        Self { part, check, state: State::Warn, found: found.into(), advice: Some(advice.into()) }
    }

    /// It does not work.
    pub fn fail(part: &'static str, check: &'static str, found: impl Into<String>, advice: impl Into<String>) -> Self {
        Self { part, check, state: State::Fail, found: found.into(), advice: Some(advice.into()) }
    }

    /// The question was answered with a fault. What the adapter says to look at comes before `advice`.
    pub fn fault(part: &'static str, check: &'static str, fault: &Fault, advice: &str) -> Self {
        Self::fail(part, check, fault.without_advice(), fault.advice().unwrap_or(advice))
    }
}
