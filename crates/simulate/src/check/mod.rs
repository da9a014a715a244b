//! Whoever sees to it that the promises are kept.
//!
//! | module | what it holds |
//! |---|---|
//! | `settled` | whether a record has come to something: promise 1 |
//! | `steps` | what must hold after each step |
//! | [`end`] | what must hold when everything is consumed |
//! | [`fold`] | what the tables must show, by the records alone |

pub mod end;
pub mod fold;
mod settled;
mod steps;

use std::time::Duration;

/// A promise that was broken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// At which step.
    pub step: u64,
    /// At which time of the run.
    pub at: Duration,
    /// Which, and how.
    pub what: String,
}

/// What is known of the promises.
#[derive(Debug, Default)]
pub struct Watcher {
    violation: Option<Violation>,
    /// How long an event waits before it may be expired.
    pub deadline: Duration,
    /// Texts of dead letters that were sent back and settled.
    pub(crate) sent_back: Vec<String>,
}

impl Watcher {
    /// The first promise that was broken.
    pub const fn violation(&self) -> Option<&Violation> {
        self.violation.as_ref()
    }

    /// A promise is broken. The first one counts: what follows may follow from it.
    pub fn violated(&mut self, step: u64, at: Duration, what: String) {
        self.violation.get_or_insert(Violation { step, at, what });
    }
}
