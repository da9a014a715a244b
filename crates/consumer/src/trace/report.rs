//! The findings for a person, and for a program.

use std::fmt;

use pipeline::fault::Fault;
use pipeline::trace::{LedgerLine, ParkedRow, ShownRow, Trace};
use pipeline::{Entity, WaitsFor};
use serde_json::{Value, json};

use super::verdict::Awaited;
use super::{DeadLetters, Findings, Letter};
use crate::dlq::printable::printable;
use crate::reason::advice;

impl fmt::Display for Findings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        line(f, "event", &self.question.event_id)?;
        match &self.tables {
            Ok(trace) => write_trace(f, trace)?,
            Err(fault) => line(f, "tables", &format_args!("could not be asked: {}", trouble(fault)))?,
        }
        match &self.dead_letters {
            Ok(DeadLetters { found, examined }) if found.is_empty() => {
                line(f, "dead letters", &format_args!("none of the {examined} in the list"))?;
            }
            Ok(DeadLetters { found, .. }) => {
                found.iter().try_for_each(|dead_letter| line(f, "dead letters", &DeadLetterLine(dead_letter)))?;
            }
            Err(fault) => line(f, "dead letters", &format_args!("could not be asked: {}", trouble(fault)))?,
        }
        write!(f, "{:<13} {}", "verdict", self.verdict())
    }
}

fn line(f: &mut fmt::Formatter<'_>, part: &str, what: &dyn fmt::Display) -> fmt::Result {
    writeln!(f, "{part:<13} {what}")
}

/// Why a part could not be asked, and what to do about it where that is known.
fn trouble(fault: &Fault) -> String {
    advice(fault).map_or_else(|| fault.to_string(), |advice| format!("{fault}: {advice}"))
}

fn write_trace(f: &mut fmt::Formatter<'_>, trace: &Trace) -> fmt::Result {
    for ShownRow { entity, event_at, updated_at, .. } in &trace.shown_by {
        line(f, "rows", &format_args!("{entity} shows it: event time {event_at}, written {updated_at}"))?;
    }
    if trace.shown_by.is_empty() {
        line(f, "rows", &"none shows it")?;
    }
    if let Some(row) = trace.entity.filter(|row| !trace.shown_by.contains(row)) {
        let ShownRow { entity, event_id, event_at, updated_at } = row;
        line(f, "rows", &format_args!("{entity} shows event {event_id}: event time {event_at}, written {updated_at}"))?;
    }
    match &trace.ledger {
        Some(LedgerLine { sku, delta, event_at, applied_at }) => {
            line(f, "ledger", &format_args!("{delta:+} of {}: event time {event_at}, applied {applied_at}", printable(sku)))?;
        }
        None => line(f, "ledger", &"does not hold it")?,
    }
    for ParkedRow { position, waits_for, parked_at, expired, .. } in &trace.parked {
        let place = format!("{}/{}/{}", printable(&position.topic), position.partition, position.offset);
        let state = if *expired { "has waited in vain for" } else { "waits for" };
        line(f, "parking", &format_args!("{place} {state} {}, parked {parked_at}", Awaited(*waits_for)))?;
    }
    if trace.parked.is_empty() {
        line(f, "parking", &"does not hold it")?;
    }
    Ok(())
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
        write!(f, ", redriven {} times before", entry.retry_count)
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
                "parked": trace.map(|trace| trace.parked.iter().map(parked).collect::<Vec<_>>()),
            },
            "deadLetters": {
                "notAsked": self.dead_letters.as_ref().err().map(trouble),
                "examined": dead_letters.map(|dead_letters| dead_letters.examined),
                "found": dead_letters.map(|dead_letters| dead_letters.found.iter().map(dead).collect::<Vec<_>>()),
            },
        })
    }
}

fn shown(row: &ShownRow) -> Value {
    let (kind, id) = match row.entity {
        Entity::User(id) => ("user", id),
        Entity::Order(id) => ("order", id),
        Entity::Payment(id) => ("payment", id),
    };
    json!({ "entity": kind, "id": id, "eventId": row.event_id, "eventTime": row.event_at, "updatedAt": row.updated_at })
}

fn counted(line: &LedgerLine) -> Value {
    json!({ "sku": line.sku, "delta": line.delta, "eventTime": line.event_at, "appliedAt": line.applied_at })
}

fn parked(row: &ParkedRow) -> Value {
    let waits_for = match row.waits_for {
        WaitsFor::User(_) => "user",
        WaitsFor::Order(_) => "order",
        WaitsFor::Email => "email",
    };
    json!({
        "topic": row.position.topic.as_ref(), "partition": row.position.partition, "offset": row.position.offset,
        "waitsFor": waits_for, "waitsForId": row.waits_for.parent_id(), "parkedAt": row.parked_at, "expired": row.expired,
    })
}

fn dead(dead_letter: &Letter) -> Value {
    let entry = dead_letter.listed.entry.as_ref();
    json!({
        "id": dead_letter.listed.id, "reason": dead_letter.listed.reason(), "retryCount": dead_letter.listed.retries(),
        "timestamp": entry.and_then(pipeline::dead_letter::Entry::at),
        "topic": entry.and_then(|entry| entry.topic.as_deref()), "partition": entry.and_then(|entry| entry.partition),
        "offset": entry.and_then(|entry| entry.offset),
    })
}
