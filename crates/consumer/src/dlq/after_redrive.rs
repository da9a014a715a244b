//! How letters ended that were sent: the consumer has taken them, and the tables and the list of dead letters tell what came of it.

use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use events::Timestamp;
use futures_util::stream::{self, StreamExt as _};
use pipeline::LogPosition;
use pipeline::dead_letter::Entry;
use pipeline::fault::Fault;
use pipeline::ports::{DeadLetterReader, EventTrace, LogPositions};
use pipeline::trace::ParkedRow;
use serde::Serialize;
use tokio::time::{Instant, sleep_until};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::listed::Listed;
use super::printable::printable;
use super::scan::Scan;
use super::send::Landed;
use crate::audit::Handled;
use crate::reason::reason;
use crate::trace::{Changes, DeadLetters, Findings, Question, Verdict};

/// How soon it is looked again how far the consumer is, at first and in the end.
const LOOKS: [Duration; 2] = [Duration::from_millis(100), Duration::from_secs(2)];
/// How long the list and the tables are asked how letters ended, after the wait: so long, and for each letter so much longer.
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

/// How things stand before letters are sent: what comes after them is told apart by it.
#[derive(Clone, Debug, Default)]
pub struct Before {
    /// By topic, how far the tables hold its logs. A log that is further than where a letter lands is not the one that it lands in.
    positions: HashMap<String, Vec<LogPosition>>,
    /// What was applied from here on, by the database's clock, was not applied before; `None` where that is not known.
    since: Option<Timestamp>,
}

impl Before {
    /// As it is now, at this time of the database's clock. Where the tables do not answer, less is told apart.
    pub async fn look(tables: &impl LogPositions, topics: impl IntoIterator<Item = &String>, since: Option<Timestamp>) -> Self {
        let mut positions = HashMap::new();
        for topic in topics {
            positions.insert(topic.clone(), tables.positions(topic).await.unwrap_or_default());
        }
        Self { positions, since }
    }

    /// Whether the tables hold what was put there, by these positions: a log has come beyond it that had not before.
    fn is_passed(&self, landed: &Landed, now: &[LogPosition]) -> bool {
        let (partition, offset) = (landed.place.partition, landed.place.offset);
        let before = self.positions.get(&landed.topic).map_or(&[][..], Vec::as_slice);
        now.iter().filter(|position| position.partition == partition && position.next_offset > offset).any(|position| {
            let was = LogPosition::find(before, position.log, partition);
            was.is_none_or(|was| was <= offset)
        })
    }
}

/// Waits until the consumer has passed all of these letters, at most so long, and tells how each ended, those that need somebody first. Asking how they
/// ended comes on top of the wait. Both end early when `stop` is cancelled.
pub async fn after_redrive<Q, T>(
    (queue, tables): (&Q, &T),
    before: &Before,
    letters: Vec<Handled>,
    bound: Duration,
    stop: &CancellationToken,
) -> Vec<EndedLetter>
where
    Q: DeadLetterReader,
    T: EventTrace + LogPositions,
{
    // A letter that the list held twice was sent twice, and ended as the one that was sent last.
    let mut waiting: BTreeMap<String, (Option<Uuid>, Landed)> = BTreeMap::new();
    for Handled { id, event_id, landed, .. } in letters {
        if let Some(landed) = landed {
            // What was sent says best which event it is; a letter may be from a program that could not read it.
            let event_id = landed.about.map(|about| about.event_id).or(event_id);
            waiting.insert(id, (event_id, landed));
        }
    }
    let (passed, problem) = wait(tables, before, &mut waiting, bound, stop).await;
    let mut ended = judge((queue, tables), before, passed, stop).await;
    ended.extend(waiting.into_iter().map(|(id, (event_id, landed))| {
        let Landed { topic, place, .. } = landed;
        let place = format!("{}, partition {}, offset {}", printable(&topic), place.partition, place.offset);
        let why = match &problem {
            Some(problem) => format!("how far the consumer is cannot be said: {problem}"),
            None => format!("the consumer has not come to {place}"),
        };
        EndedLetter { id, event_id, ended: Ended::NotYet, why }
    }));
    ended.sort_by(|one, other| (one.ended, &one.id).cmp(&(other.ended, &other.id)));
    ended
}

type OnTheWay = BTreeMap<String, (Option<Uuid>, Landed)>;

/// Takes out of `waiting` what the consumer passes. With the last problem of looking, where the last look failed.
async fn wait(
    tables: &impl LogPositions,
    before: &Before,
    waiting: &mut OnTheWay,
    bound: Duration,
    stop: &CancellationToken,
) -> (OnTheWay, Option<String>) {
    let until = Instant::now() + bound;
    let [mut patience, longest] = LOOKS;
    let mut passed = OnTheWay::new();
    loop {
        let mut problem = None;
        let mut topics: Vec<String> = waiting.values().map(|(_, landed)| landed.topic.clone()).collect();
        topics.sort_unstable();
        topics.dedup();
        for topic in topics {
            match tables.positions(&topic).await {
                Ok(now) => {
                    let is_passed = |landed: &Landed| landed.topic == topic && before.is_passed(landed, &now);
                    let (behind, ahead) =
                        std::mem::take(waiting).into_iter().partition::<OnTheWay, _>(|(_, (_, landed))| is_passed(landed));
                    passed.extend(behind);
                    *waiting = ahead;
                }
                Err(fault) => problem = Some(reason(&fault)),
            }
        }
        if waiting.is_empty() || stop.is_cancelled() || Instant::now() >= until {
            return (passed, problem);
        }
        tokio::select! {
            () = sleep_until(until.min(Instant::now() + patience)) => {}
            () = stop.cancelled() => {}
        }
        patience = (patience * 2).min(longest);
    }
}

/// How letters ended that the consumer has passed: first the list of dead letters is asked, for a letter that comes back has its id again.
async fn judge<Q: DeadLetterReader, T: EventTrace>(
    (queue, tables): (&Q, &T),
    before: &Before,
    passed: OnTheWay,
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
    let (found, left): (OnTheWay, OnTheWay) = passed.into_iter().partition(|(id, _)| again.contains_key(id));
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
            let (ended, why) = by_the_tables(tables, before, event_id, &landed).await;
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

fn not_known(id: String, event_id: Option<Uuid>, why: &str) -> EndedLetter {
    EndedLetter { id, event_id, ended: Ended::NotKnown, why: why.to_owned() }
}

/// Of these letters, those that are in the list (again), and why.
async fn dead_again<Q: DeadLetterReader>(queue: &Q, letters: &OnTheWay) -> Result<HashMap<String, String>, Fault> {
    let mut again = HashMap::new();
    let mut scan = Scan::start(queue).await?;
    while !letters.is_empty() {
        let page = scan.look().await?;
        if page.is_empty() {
            break;
        }
        again.extend(page.into_iter().filter(|listed| letters.contains_key(&listed.id)).map(|listed| (listed.id.clone(), why(&listed))));
    }
    Ok(again)
}

fn why(listed: &Listed) -> String {
    let error = listed.entry.as_ref().map(|entry: &Entry| printable(&entry.error).into_owned()).filter(|error| !error.is_empty());
    let reason = printable(listed.reason());
    error.map_or_else(|| reason.to_string(), |error| format!("{reason}: {error}"))
}

async fn by_the_tables(tables: &impl EventTrace, before: &Before, event_id: Option<Uuid>, landed: &Landed) -> (Ended, String) {
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
        (_, Some(at)) if before.since.is_some_and(|since| at < since) => (Ended::Duplicate, format!("it was applied before, at {at}")),
        (verdict, Some(_)) => (Ended::Applied, verdict.to_string()),
        (Verdict::Parked(ParkedRow { expired: false, .. }, _), _) => (Ended::Parked, verdict.to_string()),
        // It becomes a dead letter at this moment.
        (Verdict::Parked(..), _) => (Ended::NotYet, verdict.to_string()),
        (verdict, _) if verdict.label() == "superseded" => (Ended::Stale, verdict.to_string()),
        (verdict, _) => (Ended::NotKnown, verdict.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use pipeline::LogId;
    use pipeline::ports::Delivered;

    use super::*;

    #[test]
    fn a_log_that_was_beyond_a_place_before_is_not_the_one_that_a_letter_landed_in() {
        let position =
            |log, partition, next_offset| LogPosition { log: LogId(Uuid::from_u128(log)), topic: "events".into(), partition, next_offset };
        let before =
            Before { positions: HashMap::from([("events".to_owned(), vec![position(1, 0, 900), position(2, 0, 7)])]), since: None };
        let landed = Landed { topic: "events".to_owned(), place: Delivered { partition: 0, offset: 7 }, about: None };
        let passed = |now: &[LogPosition]| before.is_passed(&landed, now);
        assert!(!passed(&[position(1, 0, 900), position(2, 0, 7)]), "the first log is one that was deleted");
        assert!(!passed(&[position(1, 0, 900), position(2, 0, 7), position(2, 1, 20)]), "another partition");
        assert!(passed(&[position(1, 0, 900), position(2, 0, 8)]));
        assert!(passed(&[position(1, 0, 900), position(3, 0, 8)]), "a log that is new");
    }

    #[test]
    fn each_end_has_words_and_those_that_need_somebody_come_first() {
        assert!(Ended::ALL.is_sorted());
        assert_eq!(Ended::ALL.iter().filter(|ended| !ended.is_good()).count(), 3);
        assert_eq!(serde_json::to_value(Ended::FailedAgain).unwrap(), "failed_again");
    }
}
