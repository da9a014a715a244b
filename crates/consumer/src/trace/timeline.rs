//! What became of an event, or of what events are about, in order of time.

use events::Timestamp;
use pipeline::audit::AuditEntry;
use pipeline::dead_letter::Entry;
use pipeline::fault::Fault;
use pipeline::ledger::opening_balance_id;
use pipeline::trace::{LedgerLine, ParkedRow, ShownRow};
use serde_json::{Value, json};
use uuid::Uuid;

use super::verdict::{Awaited, Verdict};
use super::{Changes, DeadLetters, Findings, Letter, SubjectFindings};
use crate::dlq::printable::printable;
use crate::plural::plural;

/// What a step is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StepKind {
    /// The time that an event tells of itself.
    Event,
    /// It is parked.
    Parked,
    /// Another event waits for it.
    Waiting,
    /// It was applied.
    Applied,
    /// Another event has taken its place.
    Superseded,
    /// It became a dead letter.
    DeadLetter,
    /// An operator has done something to it.
    Change,
}

impl StepKind {
    /// In a word or two.
    pub const fn label(self) -> &'static str {
        match self {
            Self::Event => "event",
            Self::Parked => "parked",
            Self::Waiting => "waiting",
            Self::Applied => "applied",
            Self::Superseded => "superseded",
            Self::DeadLetter => "dead letter",
            Self::Change => "change",
        }
    }
}

/// A step of a timeline.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// When, as far as it is told.
    pub at: Option<Timestamp>,
    /// What it is.
    pub kind: StepKind,
    /// What happened; quotes no value of an event but its ids.
    pub sentence: String,
    /// The event of it.
    pub event_id: Option<Uuid>,
    /// The dead letter of it, where that is in the list.
    pub letter: Option<String>,
}

impl Step {
    fn new(at: Timestamp, kind: StepKind, event_id: Uuid, sentence: String) -> Self {
        Self { at: Some(at), kind, sentence, event_id: Some(event_id), letter: None }
    }

    /// As JSON. What is not known is null.
    pub fn to_json(&self) -> Value {
        json!({ "at": self.at, "kind": self.kind.label(), "what": self.sentence, "eventId": self.event_id, "deadLetterId": self.letter })
    }
}

/// In order of time, and what has none last.
fn sorted(mut steps: Vec<Step>) -> Vec<Step> {
    steps.sort_by_key(|step| (step.at.is_none(), step.at));
    steps
}

impl Findings {
    /// The steps of the event that are known. When it was taken from the log is not kept anywhere; when it was released, the row or line tells that it
    /// has left then.
    pub fn timeline(&self) -> Vec<Step> {
        let event_id = self.question.event_id;
        let trace = self.tables.as_ref().ok();
        let mut steps = Vec::new();
        let own =
            trace.and_then(|trace| trace.shown_by.first().map(|row| row.event_at).or(trace.ledger.as_ref().map(|line| line.event_at)));
        if let Some(at) = self.question.event_at.or(own) {
            steps.push(Step::new(at, StepKind::Event, event_id, "its own time".to_owned()));
        }
        if let Some(trace) = trace {
            steps.extend(trace.shown_by.iter().map(row));
            steps.extend(trace.ledger.as_ref().map(line));
            steps.extend(trace.parked.iter().map(|row| parked(row, "it")));
        }
        if let Some(other) = self.superseded_by() {
            let ShownRow { entity, event_id, event_at, updated_at } = other;
            let sentence = format!("{entity} was written by the newer event {event_id} of {event_at}");
            steps.push(Step::new(*updated_at, StepKind::Superseded, *event_id, sentence));
        }
        steps.extend(letters(self.dead_letters.as_ref()));
        steps.extend(changes(self.changes.as_ref()));
        sorted(steps)
    }

    /// The row that shows a newer event than this one.
    fn superseded_by(&self) -> Option<&ShownRow> {
        let row = self.tables.as_ref().ok()?.entity.as_ref().filter(|row| row.event_id != self.question.event_id)?;
        let is_shown = matches!(self.verdict(), Verdict::Shown(_));
        let at = self.question.event_at?;
        (!is_shown && (row.event_at, row.event_id) > (at, self.question.event_id)).then_some(row)
    }
}

impl SubjectFindings {
    /// The steps of all events about it that have left something.
    pub fn timeline(&self) -> Vec<Step> {
        let mut steps = Vec::new();
        if let Ok(history) = &self.tables {
            steps.extend(history.row.as_ref().map(row));
            steps.extend(history.ledger.iter().map(line));
            steps.extend(history.parked.iter().map(|row| parked(row, &format!("event {}", row.event_id))));
            steps.extend(history.children.iter().map(waiting));
        }
        steps.extend(letters(self.dead_letters.as_ref()));
        steps.extend(changes(self.changes.as_ref()));
        sorted(steps)
    }
}

fn row(row: &ShownRow) -> Step {
    let ShownRow { entity, event_id, event_at, updated_at } = row;
    Step::new(*updated_at, StepKind::Applied, *event_id, format!("{entity} was written by event {event_id} of {event_at}, which it shows"))
}

fn line(line: &LedgerLine) -> Step {
    let LedgerLine { event_id, sku, delta, event_at, applied_at } = line;
    let article = printable(sku);
    let sentence = if *event_id == opening_balance_id(sku) {
        format!("{delta:+} of {article}: the opening balance, into which older lines of the ledger were folded")
    } else {
        format!("{delta:+} of {article} by event {event_id} of {event_at}")
    };
    Step::new(*applied_at, StepKind::Applied, *event_id, sentence)
}

fn place(row: &ParkedRow) -> String {
    format!("{}/{}/{}", printable(&row.position.topic), row.position.partition, row.position.offset)
}

fn parked(row: &ParkedRow, who: &str) -> Step {
    let state = if row.expired { "has waited in vain for" } else { "waits for" };
    let sentence = format!("{who} is parked and {state} {} ({})", Awaited(row.waits_for), place(row));
    Step::new(row.parked_at, StepKind::Parked, row.event_id, sentence)
}

fn waiting(row: &ParkedRow) -> Step {
    let what = row.about.and_then(|about| about.entity).map(|entity| format!(", {entity},")).unwrap_or_default();
    let sentence = format!("event {}{what} waits for it ({})", row.event_id, place(row));
    Step::new(row.parked_at, StepKind::Waiting, row.event_id, sentence)
}

fn letters(letters: Result<&DeadLetters, &Fault>) -> impl Iterator<Item = Step> {
    letters.into_iter().flat_map(|letters| &letters.found).map(|Letter { listed, .. }| {
        let entry = listed.entry.as_ref();
        let event_id = entry.and_then(Entry::event_uuid);
        let times = match listed.retries() {
            0 => String::new(),
            retries => format!(", after {retries} redrive{}", plural(u64::from(retries))),
        };
        let place = entry.and_then(|entry| Some(format!("{}/{}/{}", printable(entry.topic.as_deref()?), entry.partition?, entry.offset?)));
        let place = place.map(|place| format!(" ({place})")).unwrap_or_default();
        let sentence = format!("it is dead letter {}: {}{times}{place}", listed.id, printable(listed.reason()));
        Step { at: entry.and_then(|entry| entry.at()), kind: StepKind::DeadLetter, sentence, event_id, letter: Some(listed.id.clone()) }
    })
}

fn changes(changes: Result<&Changes, &Fault>) -> impl Iterator<Item = Step> {
    changes.into_iter().flat_map(|changes| &changes.found).map(|AuditEntry { record, number, .. }| {
        let (actor, action) = (printable(&record.actor), printable(&record.action));
        let sentence = format!(
            "{action} by {actor}: {}: {} (entry {number} of the audit log)",
            printable(&record.subject),
            printable(&record.outcome)
        );
        Step { at: Some(record.at), kind: StepKind::Change, sentence, event_id: None, letter: None }
    })
}
