//! How letters ended that were sent, by the list of dead letters and the tables.

use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use futures_util::stream::{self, StreamExt as _};
use pipeline::dead_letter::Entry;
use pipeline::fault::Fault;
use pipeline::landed::Landed;
use pipeline::ports::{DeadLetterReader, EventTrace};
use pipeline::trace::ParkedRow;
use serde::Serialize;
use tokio::time::{Instant, sleep_until};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::listed::Listed;
use super::printable::printable;
use super::scan::Scan;
use crate::reason::reason;
use crate::trace::{Changes, DeadLetters, Findings, Question, Verdict};

/// How long the list and the tables are asked how letters ended: so long, and for each letter so much longer.
const ASKING: (Duration, Duration) = (Duration::from_secs(30), Duration::from_millis(5));
/// Letters that the tables are asked about at one time: no more than a pool of connections has.
const ASKED_AT_ONCE: usize = 8;

/// How a letter ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Ended {
    /// It is a dead letter again.
    FailedAgain,
    /// The consumer has passed it, and nothing that could be asked knows it.
    NotKnown,
    /// The consumer has not come to it.
    NotYet,
    /// It waits for a parent, or for an e-mail address.
    Parked,
    /// A newer event has taken its place: it has no effect.
    Stale,
    /// It had been applied before.
    Duplicate,
    /// It was applied.
    Applied,
}

impl Ended {
    /// All of them, those that need somebody first.
    pub const ALL: [Self; 7] = [Self::FailedAgain, Self::NotKnown, Self::NotYet, Self::Parked, Self::Stale, Self::Duplicate, Self::Applied];

    /// In words.
    pub const fn words(self) -> &'static str {
        match self {
            Self::FailedAgain => "failed again",
            Self::NotKnown => "not known",
            Self::NotYet => "not yet",
            Self::Parked => "parked",
            Self::Stale => "stale",
            Self::Duplicate => "duplicate",
            Self::Applied => "applied",
        }
    }

    /// Whether nobody has to look at it again: what is parked is applied when what it waits for is there, or comes back as a dead letter.
    pub const fn is_good(self) -> bool {
        matches!(self, Self::Applied | Self::Duplicate | Self::Stale | Self::Parked)
    }
}

/// A letter that was sent, and how it ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct EndedLetter {
    /// Its id.
    pub id: String,
    /// Its event's id, as far as it is one.
    pub event_id: Option<Uuid>,
    /// How it ended.
    pub ended: Ended,
    /// More of it, in a sentence that quotes no value of the event but its ids.
    pub why: String,
}

/// How many letters ended how.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct EndedCounts {
    sent: usize,
    applied: usize,
    duplicate: usize,
    stale: usize,
    parked: usize,
    failed_again: usize,
    not_known: usize,
    not_yet: usize,
}

impl EndedCounts {
    /// Of these letters.
    pub fn of(letters: &[EndedLetter]) -> Self {
        let of = |ended| letters.iter().filter(|letter| letter.ended == ended).count();
        Self {
            sent: letters.len(),
            applied: of(Ended::Applied),
            duplicate: of(Ended::Duplicate),
            stale: of(Ended::Stale),
            parked: of(Ended::Parked),
            failed_again: of(Ended::FailedAgain),
            not_known: of(Ended::NotKnown),
            not_yet: of(Ended::NotYet),
        }
    }
}

/// Letters that were sent, by id: the event's id, as far as it is one, and where each was put.
pub(super) type Sent = BTreeMap<String, (Option<Uuid>, Landed)>;

/// How letters ended that the consumer has passed: first the list of dead letters is asked, for a letter that comes back has its id again.
pub(super) async fn judge<Q: DeadLetterReader, T: EventTrace>(
    (queue, tables): (&Q, &T),
    passed: Sent,
    stop: &CancellationToken,
) -> Vec<EndedLetter> {
    let until = Instant::now() + ASKING.0 + ASKING.1.saturating_mul(u32::try_from(passed.len()).unwrap_or(u32::MAX));
    let broken_off = async {
        tokio::select! {
            () = sleep_until(until) => "asking for all of them takes too long: `trace` tells",
            () = stop.cancelled() => "asking was broken off: `trace` tells",
        }
    };
    tokio::pin!(broken_off);
    let again = tokio::select! {
        again = dead_again(queue, &passed) => again.map_err(|fault| format!("the list of dead letters cannot be asked: {}", reason(&fault))),
        why = &mut broken_off => Err(why.to_owned()),
    };
    let again = match again {
        Ok(again) => again,
        Err(why) => return passed.into_iter().map(|(id, (event_id, _))| not_known(id, event_id, &why)).collect(),
    };
    let (found, left): (Sent, Sent) = passed.into_iter().partition(|(id, _)| again.contains_key(id));
    let mut ended: Vec<_> = found
        .into_iter()
        .map(|(id, (event_id, _))| EndedLetter {
            event_id,
            ended: Ended::FailedAgain,
            why: format!("it is dead letter {id} again: {}", again[&id]),
            id,
        })
        .collect();
    let mut unasked: BTreeMap<_, _> = left.iter().map(|(id, (event_id, _))| (id.clone(), *event_id)).collect();
    let mut asked = stream::iter(left)
        .map(|(id, (event_id, landed))| async move {
            let (ended, why) = by_the_tables(tables, event_id, &landed).await;
            EndedLetter { id, event_id, ended, why }
        })
        .buffer_unordered(ASKED_AT_ONCE);
    loop {
        tokio::select! {
            letter = asked.next() => match letter {
                Some(letter) => {
                    unasked.remove(&letter.id);
                    ended.push(letter);
                }
                None => return ended,
            },
            why = &mut broken_off => {
                ended.extend(unasked.into_iter().map(|(id, event_id)| not_known(id, event_id, why)));
                return ended;
            }
        }
    }
}

/// Sorts them: those that need somebody first.
pub(super) fn need_first(letters: &mut [EndedLetter]) {
    letters.sort_by(|one, other| (one.ended, &one.id).cmp(&(other.ended, &other.id)));
}

pub(super) fn not_known(id: String, event_id: Option<Uuid>, why: &str) -> EndedLetter {
    EndedLetter { id, event_id, ended: Ended::NotKnown, why: why.to_owned() }
}

/// Of these letters, those that are in the list (again), and why.
async fn dead_again<Q: DeadLetterReader>(queue: &Q, letters: &Sent) -> Result<HashMap<String, String>, Fault> {
    let mut again = HashMap::new();
    if letters.is_empty() {
        return Ok(again);
    }
    let mut scan = Scan::start(queue).await?;
    loop {
        let page = scan.look().await?;
        if page.is_empty() {
            return Ok(again);
        }
        again.extend(page.into_iter().filter(|listed| letters.contains_key(&listed.id)).map(|listed| (listed.id.clone(), why(&listed))));
    }
}

/// What another program wrote of it may hold personal data, and is not told.
fn why(listed: &Listed) -> String {
    let entry = listed.entry.as_ref().filter(|_| listed.is_ours());
    let error = entry.map(|entry: &Entry| printable(&entry.error).into_owned()).filter(|error| !error.is_empty());
    let reason = printable(listed.reason());
    error.map_or_else(|| reason.to_string(), |error| format!("{reason}: {error}"))
}

async fn by_the_tables(tables: &impl EventTrace, event_id: Option<Uuid>, landed: &Landed) -> (Ended, String) {
    let Some(event_id) = event_id else {
        return (
            Ended::NotKnown,
            "it is not in the list of dead letters, and it has no event id by which the tables would know it".to_owned(),
        );
    };
    let (entity, event_at) = (landed.about.and_then(|about| about.entity), landed.about.map(|about| about.event_at));
    let answer = tables.trace(event_id, entity).await;
    if let Err(fault) = &answer {
        return (Ended::NotKnown, format!("the tables cannot be asked: {}", reason(fault)));
    }
    let findings = Findings {
        question: Question { event_id, entity, event_at },
        tables: answer,
        dead_letters: Ok(DeadLetters::default()),
        changes: Ok(Changes { found: Vec::new(), examined: 0, complete: true }),
    };
    let verdict = findings.verdict();
    let applied_at = match verdict {
        Verdict::Shown(row) => Some(row.updated_at),
        Verdict::Counted(line) => Some(line.applied_at),
        _ => None,
    };
    match (verdict, applied_at) {
        (verdict, Some(at)) => match &landed.before {
            Some(before) if at < before.since => (Ended::Duplicate, format!("it was applied before, at {at}")),
            Some(_) => (Ended::Applied, verdict.to_string()),
            None => (Ended::Applied, format!("{verdict}; whether it was so before the letter was sent is not known")),
        },
        (Verdict::Parked(ParkedRow { expired: false, .. }, _), _) => (Ended::Parked, verdict.to_string()),
        // It becomes a dead letter at this moment.
        (Verdict::Parked(..), _) => (Ended::NotYet, verdict.to_string()),
        (verdict, _) if verdict.label() == "superseded" => (Ended::Stale, verdict.to_string()),
        (verdict, _) => (Ended::NotKnown, verdict.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_end_has_words_and_those_that_need_somebody_come_first() {
        assert!(Ended::ALL.is_sorted());
        assert_eq!(Ended::ALL.iter().filter(|ended| !ended.is_good()).count(), 3);
        assert_eq!(serde_json::to_value(Ended::FailedAgain).unwrap(), "failed_again");
    }
}
