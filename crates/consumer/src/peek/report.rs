//! What was seen of the records that wait, as text or JSON.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;

use events::{EventType, Timestamp};
use pipeline::fault::Fault;
use serde::{Serialize, Serializer};

use super::{Seen, Verdict};
use crate::dlq::dry_run_outcome::DryRunOutcome;
use crate::dlq::printable::printable;
use crate::plural::plural;

/// Characters of a key that a line shows.
const KEY: usize = 40;

/// Records that the group has not consumed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Peeked {
    /// Offsets that it has not consumed, of the partitions that were meant.
    pub unconsumed: u64,
    /// Whether all that were asked for came, in time and within what is kept of large ones.
    pub is_complete: bool,
    /// Those that were looked at, the oldest first.
    pub seen: Vec<Seen>,
    /// Whether the tables could be asked what the events would come to.
    pub tables: Result<(), Fault>,
    /// Whether only those that cannot be written are shown.
    pub only_broken: bool,
}

/// A record, as JSON tells it. No payload is in it.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Row<'a> {
    partition: i32,
    offset: i64,
    timestamp: Option<Timestamp>,
    key: Option<Cow<'a, str>>,
    bytes: Option<usize>,
    headers: &'a [String],
    event_id: Option<uuid::Uuid>,
    event_type: Option<&'static str>,
    outcome: &'static str,
    detail: Option<String>,
    fingerprint: Option<String>,
}

/// All of it, as JSON tells it.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Document<'a> {
    unconsumed: u64,
    complete: bool,
    examined: usize,
    outcomes: BTreeMap<&'static str, u64>,
    fingerprints: BTreeMap<String, u64>,
    problem: Option<String>,
    records: Vec<Row<'a>>,
}

impl Seen {
    /// The fingerprint of the dead letter that it would become.
    pub(crate) fn fingerprint(&self) -> Option<String> {
        self.verdict.fingerprint(self.event_type)
    }

    fn outcome(&self) -> &'static str {
        match &self.verdict {
            Verdict::Event => "event",
            Verdict::Ended(outcome) => DryRunOutcome::Ended(outcome.clone()).label(),
            Verdict::Broken(_) => "dead letter",
            Verdict::Tombstone => "skipped",
        }
    }

    /// What there is to say of that, as half a sentence that quotes no value.
    pub(crate) fn detail(&self) -> Option<String> {
        match &self.verdict {
            Verdict::Event => None,
            Verdict::Ended(outcome) => DryRunOutcome::Ended(outcome.clone()).detail(),
            Verdict::Broken(diagnosis) => Some(diagnosis.error.clone()),
            Verdict::Tombstone => Some("it has no value".to_owned()),
        }
    }

    fn row(&self) -> Row<'_> {
        Row {
            partition: self.position.partition,
            offset: self.position.offset,
            timestamp: self.at,
            key: self.key.as_deref().map(String::from_utf8_lossy),
            bytes: self.size,
            headers: &self.headers,
            event_id: self.event_id,
            event_type: self.event_type.map(EventType::as_str),
            outcome: self.outcome(),
            detail: self.detail(),
            fingerprint: self.fingerprint(),
        }
    }
}

impl Peeked {
    /// The same without keys, which may be personal data.
    pub fn without_keys(mut self) -> Self {
        self.seen.iter_mut().for_each(|seen| seen.key = None);
        self
    }

    fn shown(&self) -> impl Iterator<Item = &Seen> {
        self.seen.iter().filter(|seen| !self.only_broken || seen.fingerprint().is_some())
    }

    fn outcomes(&self) -> BTreeMap<&'static str, u64> {
        let mut counts = BTreeMap::new();
        self.seen.iter().for_each(|seen| *counts.entry(seen.outcome()).or_default() += 1);
        counts
    }

    fn fingerprints(&self) -> BTreeMap<String, u64> {
        let mut counts = BTreeMap::new();
        self.seen.iter().filter_map(Seen::fingerprint).for_each(|fingerprint| *counts.entry(fingerprint).or_default() += 1);
        counts
    }

    /// What was not looked at, or not asked, as sentences without their ends.
    pub(crate) fn caveats(&self) -> Vec<String> {
        let incomplete = "not all came in time: a transaction of a producer is open, a broker is slow, or they are very large";
        let unasked =
            |fault: &Fault| format!("the tables could not be asked, so that only the contract was checked: {}", fault.without_advice());
        let incomplete = (!self.is_complete).then(|| incomplete.to_owned());
        incomplete.into_iter().chain(self.tables.as_ref().err().map(unasked)).collect()
    }

    /// As JSON.
    pub fn to_json(&self) -> String {
        // Text, numbers and lists can be written.
        serde_json::to_string(self).unwrap_or_default()
    }
}

/// The records that are shown, and all that were looked at in numbers.
impl Serialize for Peeked {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let document = Document {
            unconsumed: self.unconsumed,
            complete: self.is_complete,
            examined: self.seen.len(),
            outcomes: self.outcomes(),
            fingerprints: self.fingerprints(),
            problem: self.tables.as_ref().err().map(Fault::without_advice),
            records: self.shown().map(Seen::row).collect(),
        };
        document.serialize(serializer)
    }
}

impl fmt::Display for Peeked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (unconsumed, examined) = (self.unconsumed, self.seen.len());
        writeln!(f, "{unconsumed} offset{} not consumed, {examined} record{} looked at", plural(unconsumed), plural(examined as u64))?;
        for caveat in self.caveats() {
            writeln!(f, "{caveat}")?;
        }
        for seen in self.shown() {
            line(f, seen)?;
        }
        for (outcome, count) in self.outcomes() {
            writeln!(f, "{outcome:<12} {count:>9}")?;
        }
        for (fingerprint, count) in self.fingerprints() {
            writeln!(f, "  {count:>9}  {}", printable(&fingerprint))?;
        }
        match self.fingerprints().values().sum::<u64>() {
            0 => Ok(()),
            bad => writeln!(f, "where they are held, `resume --records {bad}` lets these {bad} become dead letters"),
        }
    }
}

fn line(f: &mut fmt::Formatter<'_>, seen: &Seen) -> fmt::Result {
    let place = format!("{}@{}", seen.position.partition, seen.position.offset);
    let at = seen.at.map_or_else(|| "-".to_owned(), |at| at.to_string());
    let event_type = seen.event_type.map_or("unknown", EventType::as_str);
    writeln!(f, "{place:<14} {at:<24} {:<12} {event_type}", seen.outcome())?;
    if let Some(detail) = seen.detail() {
        writeln!(f, "    {}", printable(&detail))?;
    }
    if let Some(id) = seen.event_id {
        writeln!(f, "    event {id}")?;
    }
    if let Some(key) = &seen.key {
        let text = String::from_utf8_lossy(key);
        let shortened: String = text.chars().take(KEY).collect();
        writeln!(f, "    key {}{}", printable(&shortened), if shortened.len() < text.len() { "…" } else { "" })?;
    }
    Ok(())
}
