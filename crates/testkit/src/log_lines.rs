//! What this thread logs, kept for a test to read.

use std::fmt::Debug;
use std::sync::{Arc, Mutex};

use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::subscriber::{DefaultGuard, set_default};
use tracing::{Event, Metadata, Subscriber};

/// Every line of every level. Clones hold the same.
#[derive(Clone, Default)]
pub struct LogLines(Arc<Mutex<Vec<String>>>);

/// Keeps what is logged on this thread, as long as the guard lives.
pub fn log_lines() -> (LogLines, DefaultGuard) {
    let lines = LogLines::default();
    let guard = set_default(lines.clone());
    (lines, guard)
}

impl LogLines {
    /// Each with its level, its message and its fields: `WARN waiting: … dependency="database"`.
    pub fn all(&self) -> Vec<String> {
        self.0.lock().unwrap().clone()
    }

    /// Those that have this in them.
    pub fn with(&self, words: &str) -> Vec<String> {
        self.all().into_iter().filter(|line| line.contains(words)).collect()
    }
}

/// A line that is being written: the message, and the fields behind it.
#[derive(Default)]
struct Line {
    message: String,
    fields: String,
}

impl Visit for Line {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        if field.name() == "message" {
            self.message = format!("{value:?}");
        } else {
            self.fields.push_str(&format!(" {}={value:?}", field.name()));
        }
    }
}

impl Subscriber for LogLines {
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        true
    }

    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, event: &Event<'_>) {
        let mut line = Line::default();
        event.record(&mut line);
        let Line { message, fields } = line;
        self.0.lock().unwrap().push(format!("{} {message}{fields}", event.metadata().level()));
    }

    fn enter(&self, _: &Id) {}

    fn exit(&self, _: &Id) {}
}
