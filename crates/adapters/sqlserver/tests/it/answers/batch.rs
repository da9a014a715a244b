//! What the batch statement answers: an answer that does not account for each event of the batch, once, is an error.

use std::collections::BTreeMap;

use events::{Body, Event, EventType, samples};
use pipeline::{Applied, Batch, EventStore as _, FaultClass, Item, Outcome, Reason, WaitsFor};
use proptest::prelude::*;
use proptest::sample::select;

use super::{Answer, Change, Ending, asked, changes, ending, holds};
use crate::scripted::{Column, Value};

const ORD: Column = Column::Int("ord");
const OUTCOME: Column = Column::Text("outcome");

fn events() -> Vec<Event<'static>> {
    [EventType::ALL, EventType::ALL].concat().into_iter().map(samples::of).collect()
}

/// What may be said of an event; the empty word where nothing is.
fn words_for(event: &Event<'_>) -> &'static [&'static str] {
    match event.body {
        Body::InventoryAdjusted(_) => &["", "duplicate", "folded", "conflict"],
        _ => &["", "duplicate", "stale", "parked"],
    }
}

/// An answer as the server gives it.
fn answers() -> impl Strategy<Value = Answer> {
    let said: Vec<_> = events().iter().map(|event| select(words_for(event))).collect();
    (said, any::<bool>(), any::<bool>()).prop_map(|(said, children, address)| {
        let word = |ord: i32, outcome: &'static str| vec![Value::Int(ord), Value::Text(outcome)];
        let mut rows = Vec::new();
        rows.extend(address.then(|| word(-3, "free")));
        rows.extend(children.then(|| word(-2, "waiting")));
        let end = rows.len();
        rows.extend((0..).zip(said).filter(|(_, outcome)| !outcome.is_empty()).map(|(ord, outcome)| word(ord, outcome)));
        rows.insert(end, word(-1, ENDS[rows.len()]));
        Answer { sets: 1, columns: vec![ORD, OUTCOME], rows }
    })
}

/// The last word with so many others.
const ENDS: [&str; 11] = ["end 0", "end 1", "end 2", "end 3", "end 4", "end 5", "end 6", "end 7", "end 8", "end 9", "end 10"];

/// What an answer says: what became of each event, or that a release was taken; `None` where it does not account for each event, once.
fn said(answer: &Answer, events: &[Event<'_>]) -> Option<Option<Applied>> {
    let numbers = answer.column(&ORD).filter(|_| answer.sets == 1)?;
    let mut words = BTreeMap::new();
    for pair in numbers.into_iter().zip(answer.column(&OUTCOME)?) {
        let (Value::Int(ord), Value::Text(word)) = pair else { return None };
        if words.insert(ord, word).is_some() {
            return None;
        }
    }
    let last = words.remove(&-1)?;
    if last == "taken" && words.is_empty() {
        return Some(None);
    }
    if last != format!("end {}", words.len()) {
        return None;
    }
    let mut is_said = |ord, word| words.remove(&ord).map_or(Some(false), |said| (said == word).then_some(true));
    let (children_wait, addresses_free) = (is_said(-2, "waiting")?, is_said(-3, "free")?);
    let mut outcomes = vec![Outcome::Applied; events.len()];
    for (ord, word) in words {
        let number = usize::try_from(ord).ok()?;
        let event = events.get(number)?;
        if word.is_empty() || !words_for(event).contains(&word) {
            return None;
        }
        let parent = WaitsFor::parent_of(&event.body).unwrap_or(WaitsFor::Email);
        outcomes[number] = match word {
            "duplicate" => Outcome::Duplicate,
            "stale" => Outcome::Stale,
            "parked" => Outcome::Parked(parent),
            "folded" => Outcome::Rejected { reason: Reason::LedgerCompacted, code: None },
            _ => Outcome::Rejected { reason: Reason::EventIdConflict, code: None },
        };
    }
    Some(Some(Applied { outcomes, children_wait, addresses_free }))
}

const fn leaves_it_open(class: FaultClass) -> bool {
    matches!(class, FaultClass::UnknownState | FaultClass::Bug | FaultClass::Unavailable { .. })
}

#[test]
fn an_answer_that_does_not_account_for_each_event_once_is_an_error() {
    let events = events();
    let items: Vec<_> = events.iter().map(|event| Item { event, releases: Vec::new() }).collect();
    holds((answers(), changes(), ending()), |runtime, (mut answer, changes, ending)| {
        changes.iter().for_each(|change: &Change| answer.change(change));
        let is_silent = matches!(ending, Ending::Silent(_));
        let step = answer.step(&ending);
        let told = runtime.block_on(asked(step, is_silent, async |store| store.apply(Batch::new(&items)).await))?;
        match (said(&answer, &events).filter(|_| matches!(ending, Ending::Whole)), told) {
            (Some(Some(expected)), Ok(applied)) => prop_assert_eq!(applied, expected),
            (Some(None), Err(fault)) => prop_assert_eq!(fault.class, FaultClass::ReleaseLost),
            // Nobody may conclude from it that something was written, or that nothing was.
            (None, Err(fault)) if fault.code.is_none() => prop_assert!(leaves_it_open(fault.class), "{fault:?}"),
            (None, Err(fault)) => prop_assert!(matches!(ending, Ending::Error(..)), "{fault:?}"),
            (expected, told) => prop_assert!(false, "it says {expected:?}, and {told:?} was read"),
        }
        Ok(())
    });
}
