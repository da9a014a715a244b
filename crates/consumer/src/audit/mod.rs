//! What operators change, noted in the database before it is done and after.
//!
//! | module | what it holds |
//! |---|---|
//! | `operation` | one operation: its beginning, each dead letter, its end |
//! | [`command`] | looking at the log, and verifying it |
//!
//! An operation whose beginning cannot be noted is not begun. One that has a beginning and no end was broken off: by a crash, by a client that went
//! away, or because its end could not be noted, which the program's own log then tells.

pub mod command;
mod operation;

use std::env;
use std::fmt;

use pipeline::audit::{AuditAction, Origin, Sha256Digest};
use pipeline::ports::AuditLog;

use crate::dlq::Refusal;

pub use operation::{Handled, Operation, Unwitnessed, Witness};

/// What an operating system's user is called that tells no name.
const UNKNOWN: &str = "unknown";

/// Who acts, and from where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Who {
    actor: String,
    origin: Origin,
}

impl Who {
    /// Whoever has logged in to the console with the token of this name.
    pub fn console(token: &str) -> Self {
        Self { actor: token.to_owned(), origin: Origin::Console }
    }

    /// Whoever has sent the token of this name over HTTP.
    pub fn http(token: &str) -> Self {
        Self { actor: token.to_owned(), origin: Origin::Http }
    }

    /// Whoever has begun an operation that another process goes on with. From where, where only a newer program knows that, is a command line.
    pub(crate) fn again(actor: &str, origin: &str) -> Self {
        let known = [Origin::Console, Origin::Http, Origin::CommandLine].into_iter().find(|known| known.label() == origin);
        Self { actor: actor.to_owned(), origin: known.unwrap_or(Origin::CommandLine) }
    }

    /// Their name.
    pub(crate) fn actor(&self) -> &str {
        &self.actor
    }

    /// From where.
    pub(crate) const fn origin(&self) -> Origin {
        self.origin
    }

    /// The user who has started this process, as the environment names them (`USER`, `LOGNAME`; `USERNAME` on Windows). Whoever starts a process can
    /// name themselves otherwise.
    pub fn command_line() -> Self {
        let named = ["USER", "LOGNAME", "USERNAME"].into_iter().filter_map(|name| env::var(name).ok());
        let actor = named.map(|name| name.trim().to_owned()).find(|name| !name.is_empty());
        Self { actor: actor.unwrap_or_else(|| UNKNOWN.to_owned()), origin: Origin::CommandLine }
    }
}

/// What an operation is done to: no value of an event is in it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Subject {
    text: String,
    before: Option<Sha256Digest>,
    after: Option<Sha256Digest>,
}

impl Subject {
    /// In these words.
    pub fn new(text: impl fmt::Display) -> Self {
        Self { text: text.to_string(), ..Self::default() }
    }

    /// A payload that has this digest, and is to have that one.
    pub fn edited(self, before: Sha256Digest, after: Sha256Digest) -> Self {
        Self { before: Some(before), after: Some(after), ..self }
    }
}

/// The log of this database. Clones write to one log.
#[derive(Clone, Copy, Debug)]
pub struct Audit<L>(pub L);

impl<L: AuditLog> Audit<L> {
    /// Notes that an operation begins.
    ///
    /// # Errors
    /// It cannot be noted: the operation must not be done.
    pub async fn begin(self, who: Who, action: AuditAction, subject: Subject) -> Result<Operation<L>, Refusal> {
        Operation::begin(self.0, who, action, subject).await.map_err(Refusal::Unaudited)
    }
}

/// What came of something, for the end of an operation.
pub fn outcome<T, E: fmt::Display>(result: &Result<T, E>, done: impl FnOnce(&T) -> String) -> String {
    result.as_ref().map_or_else(|why| format!("failed: {why}"), done)
}
