//! The findings for a person, and for a program.

use std::fmt;

use pipeline::audit::{AuditEntry, AuditRecord};
use pipeline::fault::Fault;
use pipeline::trace::{LedgerLine, ParkedRow, ShownRow, Trace};
use pipeline::{Entity, WaitsFor};
use serde_json::{Value, json};

use super::verdict::Awaited;
use super::{Changes, DeadLetters, Findings, Letter, Step};
use crate::dlq::printable::printable;
use crate::plural::plural;
use crate::reason::advice;

impl fmt::Display for Findings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{:<13} {}", "event", self.question.event_id)?;
        for (place, what) in self.lines() {
            writeln!(f, "{place:<13} {what}")?;
        }
        write_timeline(f, &self.timeline())?;
        write!(f, "{:<13} {}", "verdict", self.verdict())
    }
}

/// Why a part could not be asked, and what to do about it where that is known.
pub(super) fn trouble(fault: &Fault) -> String {
    let general = fault.advice().is_none().then(|| advice(fault)).flatten();
    general.map_or_else(|| fault.to_string(), |advice| format!("{fault}: {advice}"))
}

impl Findings {
    /// What each place says, in sentences: `rows`, `ledger`, `parking` and `dead letters`, or `tables` where they could not be asked.
    pub fn lines(&self) -> Vec<(&'static str, String)> {
        let mut lines = match &self.tables {
            Ok(trace) => trace_lines(trace),
            Err(fault) => vec![("tables", format!("could not be asked: {}", trouble(fault)))],
        };
        match &self.dead_letters {
            Ok(DeadLetters { found, examined, .. }) if found.is_empty() => {
                lines.push(("dead letters", format!("none of the {examined} in the list")));
            }
            Ok(DeadLetters { found, .. }) => {
                lines.extend(found.iter().map(|dead_letter| ("dead letters", DeadLetterLine(dead_letter).to_string())));
            }
            Err(fault) => lines.push(("dead letters", format!("could not be asked: {}", trouble(fault)))),
        }
        lines.push(("changes", changes_line(&self.changes)));
        lines
    }
}

/// How much of what operators have done is about it.
pub(super) fn changes_line(changes: &Result<Changes, Fault>) -> String {
    match changes {
        Ok(Changes { found, examined, complete }) => {
            let looked_at = match (*examined, complete) {
                (1, true) => "the one entry".to_owned(),
                (1, false) => "the last entry".to_owned(),
                (examined, true) => format!("the {examined} entries"),
                (examined, false) => format!("the last {examined} entries"),
            };
            match (found.len(), *examined) {
                (0, 1) => format!("{looked_at} of the audit log does not name it"),
                (0, _) => format!("none of {looked_at} of the audit log names it"),
                (_, 1) => format!("{looked_at} of the audit log"),
                (many, _) => format!("{many} of {looked_at} of the audit log"),
            }
        }
        Err(fault) => format!("the audit log could not be asked: {}", trouble(fault)),
    }
}

pub(super) fn changes_json(changes: &Result<Changes, Fault>) -> Value {
    let entry = |entry: &AuditEntry| {
        let AuditRecord { at, actor, origin, action, operation, subject, outcome, .. } = &entry.record;
        json!({
            "number": entry.number, "at": at, "actor": actor, "origin": origin, "action": action, "operation": operation, "subject": subject,
            "outcome": outcome,
        })
    };
    json!({
        "notAsked": changes.as_ref().err().map(trouble),
        "examined": changes.as_ref().ok().map(|changes| changes.examined),
        "found": changes.as_ref().ok().map(|changes| changes.found.iter().map(entry).collect::<Vec<_>>()),
    })
}

/// Each step on a line of its own.
pub(super) fn write_timeline(f: &mut fmt::Formatter<'_>, steps: &[Step]) -> fmt::Result {
    for Step { at, kind, sentence, .. } in steps {
        let at = at.map_or_else(|| "unknown".to_owned(), |at| at.to_string());
        writeln!(f, "  {at:<27} {:<11} {sentence}", kind.label())?;
    }
    Ok(())
}

fn trace_lines(trace: &Trace) -> Vec<(&'static str, String)> {
    let mut lines = Vec::new();
    for ShownRow { entity, event_at, updated_at, .. } in &trace.shown_by {
        lines.push(("rows", format!("{entity} shows it: event time {event_at}, written {updated_at}")));
    }
    if trace.shown_by.is_empty() {
        lines.push(("rows", "none shows it".to_owned()));
    }
    if let Some(row) = trace.entity.filter(|row| !trace.shown_by.contains(row)) {
        let ShownRow { entity, event_id, event_at, updated_at } = row;
        lines.push(("rows", format!("{entity} shows event {event_id}: event time {event_at}, written {updated_at}")));
    }
    lines.push((
        "ledger",
        match &trace.ledger {
            Some(LedgerLine { sku, delta, event_at, applied_at, .. }) => {
                format!("{delta:+} of {}: event time {event_at}, applied {applied_at}", printable(sku))
            }
            None => match trace.folded_before {
                Some(before) => format!("does not hold it; lines of events before {before} were folded into opening balances"),
                None => "does not hold it".to_owned(),
            },
        },
    ));
    for ParkedRow { position, waits_for, parked_at, expired, .. } in &trace.parked {
        let place = format!("{}/{}/{}", printable(&position.topic), position.partition, position.offset);
        let state = if *expired { "has waited in vain for" } else { "waits for" };
        lines.push(("parking", format!("{place} {state} {}, parked {parked_at}", Awaited(*waits_for))));
    }
    if trace.parked.is_empty() {
        lines.push(("parking", "does not hold it".to_owned()));
    }
    lines
}

/// A dead letter on one line. Its `error` is not shown: others may have put the data into it.
struct DeadLetterLine<'l>(&'l Letter);

impl fmt::Display for DeadLetterLine<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let listed = &self.0.listed;
        write!(f, "{}: {}", listed.id, printable(listed.reason()))?;
        let Some(entry) = &listed.entry else { return Ok(()) };
        if let (Some(topic), Some(partition), Some(offset)) = (&entry.topic, entry.partition, entry.offset) {
            write!(f, ", from {}/{partition}/{offset}", printable(topic))?;
        }
        if let Some(at) = entry.at() {
            write!(f, ", dead since {at}")?;
        }
        write!(f, ", redriven {} time{} before", entry.retry_count, plural(entry.retry_count.into()))
    }
}

impl Findings {
    /// All of it as JSON. What is not known is null.
    pub fn to_json(&self) -> Value {
        let (trace, dead_letters) = (self.tables.as_ref().ok(), self.dead_letters.as_ref().ok());
        json!({
            "eventId": self.question.event_id,
            "eventTime": self.question.event_at,
            "status": self.verdict().label(),
            "verdict": self.verdict().to_string(),
            "tables": {
                "notAsked": self.tables.as_ref().err().map(trouble),
                "shownBy": trace.map(|trace| trace.shown_by.iter().map(shown).collect::<Vec<_>>()),
                "entity": trace.and_then(|trace| trace.entity.as_ref()).map(shown),
                "ledger": trace.and_then(|trace| trace.ledger.as_ref()).map(counted),
                "foldedBefore": trace.and_then(|trace| trace.folded_before),
                "parked": trace.map(|trace| trace.parked.iter().map(parked).collect::<Vec<_>>()),
            },
            "deadLetters": {
                "notAsked": self.dead_letters.as_ref().err().map(trouble),
                "examined": dead_letters.map(|dead_letters| dead_letters.examined),
                "found": dead_letters.map(|dead_letters| dead_letters.found.iter().map(dead).collect::<Vec<_>>()),
            },
            "changes": changes_json(&self.changes),
            "timeline": self.timeline().iter().map(Step::to_json).collect::<Vec<_>>(),
        })
    }
}

pub(super) fn shown(row: &ShownRow) -> Value {
    let (kind, id) = match row.entity {
        Entity::User(id) => ("user", id),
        Entity::Order(id) => ("order", id),
        Entity::Payment(id) => ("payment", id),
    };
    json!({ "entity": kind, "id": id, "eventId": row.event_id, "eventTime": row.event_at, "updatedAt": row.updated_at })
}

pub(super) fn counted(line: &LedgerLine) -> Value {
    json!({ "eventId": line.event_id, "sku": line.sku, "delta": line.delta, "eventTime": line.event_at, "appliedAt": line.applied_at })
}

pub(super) fn parked(row: &ParkedRow) -> Value {
    let waits_for = match row.waits_for {
        WaitsFor::User(_) => "user",
        WaitsFor::Order(_) => "order",
        WaitsFor::Email => "email",
    };
    json!({
        "eventId": row.event_id, "topic": row.position.topic.as_ref(), "partition": row.position.partition, "offset": row.position.offset,
        "waitsFor": waits_for, "waitsForId": row.waits_for.parent_id(), "parkedAt": row.parked_at, "expired": row.expired,
    })
}

pub(super) fn dead(dead_letter: &Letter) -> Value {
    let entry = dead_letter.listed.entry.as_ref();
    json!({
        "id": dead_letter.listed.id, "reason": dead_letter.listed.reason(), "retryCount": dead_letter.listed.retries(),
        "timestamp": entry.and_then(pipeline::dead_letter::Entry::at),
        "topic": entry.and_then(|entry| entry.topic.as_deref()), "partition": entry.and_then(|entry| entry.partition),
        "offset": entry.and_then(|entry| entry.offset),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_log_of_one_entry_is_told_in_the_singular() {
        let told = |examined, complete| changes_line(&Ok(Changes { found: Vec::new(), examined, complete }));
        assert_eq!(told(1, true), "the one entry of the audit log does not name it");
        assert_eq!(told(3, false), "none of the last 3 entries of the audit log names it");
    }
}
