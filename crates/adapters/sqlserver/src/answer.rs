//! What the batch statement answers: what became of each event.

use std::collections::HashMap;

use events::Body;
use pipeline::{Applied, Batch, Fault, FaultClass, Outcome, Reason, WaitsFor};

use crate::connection::ResultSets;
use crate::faults;
use crate::row::columns_of;
use crate::statement::APPLY_BATCH;

/// One row of the answer.
pub(crate) struct Word<'r> {
    ord: i32,
    outcome: &'r str,
}

/// Under which `ord` the statement says how it ended, and how many words there are beside this one.
const LAST_WORD: i32 = -1;
/// Under which `ord` it says that children wait.
const CHILDREN_WAIT: i32 = -2;
/// Under which `ord` it says that an address is free that is waited for.
const ADDRESS_FREE: i32 = -3;

/// An answer without its last word, or one that makes no sense: tried once more, then held.
const NOT_BELIEVED: Fault = faults::fault(FaultClass::UnknownState, "apply_batch");

/// The words of an answer.
///
/// # Errors
/// The answer has another shape.
pub(crate) fn words(sets: &ResultSets) -> Result<Vec<Word<'_>>, Fault> {
    // Without a result set there is no last word either, and the connection is as doubtful.
    if sets.is_empty() {
        return Ok(Vec::new());
    }
    columns_of(sets, &APPLY_BATCH)?.map(|columns| Ok(Word { ord: columns.get("ord")?, outcome: columns.get("outcome")? })).collect()
}

/// What became of the batch: every event that the answer does not mention was applied, so nothing of the answer may be missing. `None` if nothing
/// was written, because a released event had been taken by someone else.
///
/// # Errors
/// The answer cannot be believed.
pub(crate) fn read(batch: Batch<'_>, words: &[Word<'_>]) -> Result<Option<Applied>, Fault> {
    let mut by_number: HashMap<i32, &str> = words.iter().map(|word| (word.ord, word.outcome)).collect();
    if by_number.len() != words.len() {
        return Err(NOT_BELIEVED);
    }
    match by_number.remove(&LAST_WORD).and_then(|last| last.split_once(' ').or(Some((last, "")))) {
        Some(("end", others)) if others.parse() == Ok(by_number.len()) => {}
        Some(("taken", "")) if by_number.is_empty() => return Ok(None),
        _ => return Err(NOT_BELIEVED),
    }
    let mut is_said = |ord, expected| match by_number.remove(&ord) {
        None => Ok(false),
        Some(word) if word == expected => Ok(true),
        Some(_) => Err(NOT_BELIEVED),
    };
    let (children_wait, addresses_free) = (is_said(CHILDREN_WAIT, "waiting")?, is_said(ADDRESS_FREE, "free")?);
    let mut outcomes = vec![Outcome::Applied; batch.len()];
    for (ord, outcome) in by_number {
        let number = usize::try_from(ord).map_err(|_| NOT_BELIEVED)?;
        let item = batch.items().get(number).ok_or(NOT_BELIEVED)?;
        outcomes[number] = meaning(outcome, &item.event.body).ok_or(NOT_BELIEVED)?;
    }
    Ok(Some(Applied { outcomes, children_wait, addresses_free }))
}

/// What a word says of an event of this body; `None` where it is not said of such an event.
fn meaning(word: &str, body: &Body<'_>) -> Option<Outcome> {
    let is_stock = matches!(body, Body::InventoryAdjusted(_));
    match word {
        "duplicate" => Some(Outcome::Duplicate),
        "stale" if !is_stock => Some(Outcome::Stale),
        "parked" => awaited(body).map(Outcome::Parked),
        "folded" if is_stock => Some(Outcome::Rejected { reason: Reason::LedgerCompacted, code: None }),
        "conflict" if is_stock => Some(Outcome::Rejected { reason: Reason::EventIdConflict, code: None }),
        _ => None,
    }
}

/// What an event of this body waits for when it is parked.
const fn awaited(body: &Body<'_>) -> Option<WaitsFor> {
    match body {
        Body::UserCreated(_) => Some(WaitsFor::Email),
        Body::OrderPlaced(_) | Body::PaymentSettled(_) | Body::InventoryAdjusted(_) => WaitsFor::parent_of(body),
    }
}

#[cfg(test)]
mod tests {
    use events::{EventType, samples};
    use pipeline::Item;

    use super::*;

    fn all_four() -> Vec<Item<'static>> {
        let events = EventType::ALL.map(samples::of);
        events.into_iter().map(|event| Item { event: Box::leak(Box::new(event)), releases: Vec::new() }).collect()
    }

    fn word(ord: i32, outcome: &str) -> Word<'_> {
        Word { ord, outcome }
    }

    #[test]
    fn what_the_answer_does_not_mention_was_applied() {
        let items = all_four();
        let parent = WaitsFor::parent_of(&items[1].event.body).unwrap();
        let answer = [word(-2, "waiting"), word(-1, "end 4"), word(0, "stale"), word(1, "parked"), word(3, "conflict")];
        let applied = read(Batch::new(&items), &answer).unwrap().unwrap();
        let conflict = Outcome::Rejected { reason: Reason::EventIdConflict, code: None };
        assert_eq!(applied.outcomes, [Outcome::Stale, Outcome::Parked(parent), Outcome::Applied, conflict]);
        assert!(applied.children_wait);
    }

    #[test]
    fn a_user_without_its_address_waits_for_it() {
        let items = all_four();
        let applied = read(Batch::new(&items), &[word(-1, "end 1"), word(0, "parked")]).unwrap().unwrap();
        assert_eq!(applied.outcomes[..2], [Outcome::Parked(WaitsFor::Email), Outcome::Applied]);
    }

    #[test]
    fn children_wait_only_when_the_answer_says_so() {
        let items = all_four();
        let applied = read(Batch::new(&items), &[word(-1, "end 1"), word(2, "duplicate")]).unwrap().unwrap();
        assert_eq!(applied.outcomes[2], Outcome::Duplicate);
        assert_eq!((applied.children_wait, applied.addresses_free), (false, false));
        let applied = read(Batch::new(&items), &[word(-3, "free"), word(-1, "end 1")]).unwrap().unwrap();
        assert_eq!((applied.children_wait, applied.addresses_free), (false, true));
    }

    #[test]
    fn without_its_last_word_nothing_of_an_answer_is_believed() {
        let items = all_four();
        for answer in [vec![], vec![word(0, "stale")], vec![word(-1, "open"), word(-2, "waiting")]] {
            assert_eq!(read(Batch::new(&items), &answer).unwrap_err().class, FaultClass::UnknownState);
        }
    }

    #[test]
    fn an_answer_that_makes_no_sense_is_not_believed_either() {
        let items = all_four();
        let strange = [(4, "stale"), (3, "parked"), (3, "stale"), (0, "conflict"), (0, "lost"), (1, "eaten"), (-4, "stale")];
        for (ord, outcome) in strange {
            let answer = [word(-1, "end 1"), word(ord, outcome)];
            assert_eq!(read(Batch::new(&items), &answer).unwrap_err().class, FaultClass::UnknownState, "{ord} {outcome}");
        }
    }

    #[test]
    fn a_batch_whose_release_was_taken_is_told_apart() {
        let items = all_four();
        assert_eq!(read(Batch::new(&items), &[word(-1, "taken")]), Ok(None));
    }

    #[test]
    fn an_answer_that_says_less_or_more_than_its_last_word_counts_is_not_believed() {
        let items = all_four();
        let less = || vec![word(-1, "end 2"), word(1, "parked")];
        let more = || vec![word(-1, "end 1"), word(1, "parked"), word(-2, "waiting")];
        let twice = || vec![word(-1, "end 2"), word(1, "parked"), word(1, "stale")];
        let uncounted = || vec![word(-1, "end"), word(1, "parked")];
        let taken = || vec![word(-1, "taken"), word(1, "parked")];
        for answer in [less(), more(), twice(), uncounted(), taken()] {
            assert_eq!(read(Batch::new(&items), &answer).unwrap_err().class, FaultClass::UnknownState);
        }
    }
}
