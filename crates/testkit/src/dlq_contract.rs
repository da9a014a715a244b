//! What every dead letter queue does.
#![allow(missing_docs, reason = "the name of a case says what it checks")]

use pipeline::DeadLetter;
use pipeline::dead_letter::Entry;
use pipeline::ports::{DeadLetterQueue, DeadLetterReader, FloodPermits, Permit, RedriveQueue};

use crate::builders::dead_letter;

/// All the ports of a dead letter queue.
pub trait Queue: DeadLetterQueue + DeadLetterReader + RedriveQueue + FloodPermits {}

impl<Q: DeadLetterQueue + DeadLetterReader + RedriveQueue + FloodPermits> Queue for Q {}

/// Makes a test of each case of the contract of dead letter queues.
///
/// The argument is the name of an `async fn() -> Option<Q>` in scope that opens an empty queue of its own for one case. Where it gives none,
/// it has said why on stderr, and the case does not run. The calling crate needs `tokio` with its macros.
#[macro_export]
macro_rules! dlq_contract {
    ($factory:ident) => {
        $crate::dlq_contract! { @cases $factory:
            an_empty_queue_has_nothing
            letters_are_listed_newest_first
            a_page_begins_where_it_is_asked_to
            a_letter_that_is_pushed_again_is_there_once
            letters_that_look_alike_are_each_kept
            the_bytes_of_an_entry_are_unchanged
            a_claimed_entry_leaves_the_list_and_is_gone_when_settled
            a_claimed_entry_that_was_not_settled_is_given_back
            only_an_entry_of_the_list_can_be_claimed
            an_identity_outlives_its_entry
            many_letters_are_pushed_at_once
            a_flood_passes_as_far_as_it_is_permitted
        }
    };
    (@cases $factory:ident: $($case:ident)+) => {
        mod dlq {
            $(
                #[::tokio::test(flavor = "multi_thread")]
                async fn $case() {
                    if let Some(queue) = super::$factory().await {
                        $crate::dlq_contract::$case(&queue).await;
                    }
                }
            )+
        }
    };
}

/// A letter whose original data is this text.
fn letter(text: &str) -> DeadLetter {
    dead_letter(text.as_bytes())
}

async fn push<Q: Queue>(queue: &Q, letters: &[DeadLetter]) -> usize {
    queue.push(letters).await.expect("the queue takes letters")
}

async fn all<Q: Queue>(queue: &Q) -> Vec<String> {
    let entries = queue.page(0, 10_000).await.expect("the queue lists entries");
    assert_eq!(queue.depth().await.expect("the queue counts entries"), entries.len() as u64);
    entries
}

fn json(letters: &[&DeadLetter]) -> Vec<String> {
    letters.iter().map(|letter| letter.json.clone()).collect()
}

pub async fn an_empty_queue_has_nothing<Q: Queue>(queue: &Q) {
    assert_eq!(all(queue).await, Vec::<String>::new());
    assert_eq!(push(queue, &[]).await, 0);
    assert_eq!(queue.give_back().await.unwrap(), 0);
}

pub async fn letters_are_listed_newest_first<Q: Queue>(queue: &Q) {
    let [a, b, c] = ["a", "b", "c"].map(letter);
    assert_eq!(push(queue, &[a.clone(), b.clone()]).await, 2);
    assert_eq!(push(queue, std::slice::from_ref(&c)).await, 1);
    assert_eq!(all(queue).await, json(&[&c, &b, &a]));
}

pub async fn a_page_begins_where_it_is_asked_to<Q: Queue>(queue: &Q) {
    let letters = ["a", "b", "c", "d", "e"].map(letter);
    push(queue, &letters).await;
    assert_eq!(queue.page(1, 2).await.unwrap(), json(&[&letters[3], &letters[2]]));
    assert_eq!(queue.page(4, 2).await.unwrap(), json(&[&letters[0]]));
    assert_eq!(queue.page(5, 2).await.unwrap(), Vec::<String>::new());
    assert_eq!(queue.page(0, 0).await.unwrap(), Vec::<String>::new());
}

pub async fn a_letter_that_is_pushed_again_is_there_once<Q: Queue>(queue: &Q) {
    let [a, b, c] = ["a", "b", "c"].map(letter);
    assert_eq!(push(queue, &[a.clone(), a.clone(), b.clone()]).await, 2, "also inside one push");
    // Consumed again, the record becomes a letter with another time, and still the same.
    let again = DeadLetter { json: b.json.replace("2026", "2027"), ..b.clone() };
    assert_ne!(again.json, b.json);
    assert_eq!(push(queue, &[again, c.clone(), a.clone()]).await, 1);
    assert_eq!(all(queue).await, json(&[&c, &b, &a]));
}

pub async fn letters_that_look_alike_are_each_kept<Q: Queue>(queue: &Q) {
    let first = letter("a");
    let second = DeadLetter { identity: letter("b").identity, ..first.clone() };
    assert_eq!(push(queue, &[first.clone(), second]).await, 2);
    assert!(queue.claim(&first.json).await.unwrap());
    assert_eq!(all(queue).await, json(&[&first]), "one claim takes one of them");
    assert!(queue.claim(&first.json).await.unwrap());
    queue.settle(&first.json).await.unwrap();
    assert_eq!(queue.give_back().await.unwrap(), 1, "one settlement settles one of them");
    assert_eq!(all(queue).await, json(&[&first]));
}

pub async fn the_bytes_of_an_entry_are_unchanged<Q: Queue>(queue: &Q) {
    let values: [&[u8]; 6] =
        [b"", b"{\"a\": \"\\u0000\", \"b\"", "👩‍👩‍👧‍👦 \u{2028}\r\n'\"\\%s".as_bytes(), b"\xff\xfe\x00", b"\0", &[b'x'; 100_000]];
    for value in values {
        let letter = dead_letter(value);
        push(queue, std::slice::from_ref(&letter)).await;
        let shown = queue.page(0, 1).await.unwrap().remove(0);
        assert_eq!(shown, letter.json);
        assert_eq!(Entry::parse(&shown).unwrap().value().as_deref(), Some(value));
        assert!(queue.claim(&shown).await.unwrap(), "it is found by its text");
        assert_eq!(queue.give_back().await.unwrap(), 1);
    }
}

pub async fn a_claimed_entry_leaves_the_list_and_is_gone_when_settled<Q: Queue>(queue: &Q) {
    let [a, b, c] = ["a", "b", "c"].map(letter);
    push(queue, &[a.clone(), b.clone(), c.clone()]).await;
    assert!(queue.claim(&b.json).await.unwrap());
    assert_eq!(all(queue).await, json(&[&c, &a]));
    assert!(!queue.claim(&b.json).await.unwrap(), "it is claimed already");
    queue.settle(&b.json).await.unwrap();
    assert_eq!(queue.give_back().await.unwrap(), 0);
    assert_eq!(all(queue).await, json(&[&c, &a]));
    queue.settle(&b.json).await.expect("once more is harmless");
}

pub async fn a_claimed_entry_that_was_not_settled_is_given_back<Q: Queue>(queue: &Q) {
    let letters = ["a", "b", "c"].map(letter);
    push(queue, &letters).await;
    for letter in &letters[..2] {
        assert!(queue.claim(&letter.json).await.unwrap());
    }
    // Here the redrive crashes: one of its records was acknowledged, the other may have been or not.
    queue.settle(&letters[0].json).await.unwrap();
    assert_eq!(queue.give_back().await.unwrap(), 1);
    let mut entries = all(queue).await;
    entries.sort_unstable();
    let mut expected = json(&[&letters[1], &letters[2]]);
    expected.sort_unstable();
    assert_eq!(entries, expected);
    assert!(queue.claim(&letters[1].json).await.unwrap(), "it can be claimed again");
    assert_eq!(queue.give_back().await.unwrap(), 1);
}

pub async fn only_an_entry_of_the_list_can_be_claimed<Q: Queue>(queue: &Q) {
    let [a, b] = ["a", "b"].map(letter);
    push(queue, std::slice::from_ref(&a)).await;
    for absent in [b.json.as_str(), "", &a.json[1..], &a.json.to_uppercase()] {
        assert!(!queue.claim(absent).await.unwrap());
        queue.settle(absent).await.unwrap();
    }
    queue.settle(&a.json).await.unwrap();
    assert_eq!(all(queue).await, json(&[&a]), "only a claimed entry is settled");
}

pub async fn an_identity_outlives_its_entry<Q: Queue>(queue: &Q) {
    let a = letter("a");
    push(queue, std::slice::from_ref(&a)).await;
    assert!(queue.claim(&a.json).await.unwrap());
    assert_eq!(push(queue, std::slice::from_ref(&a)).await, 0, "a claimed letter is known");
    queue.settle(&a.json).await.unwrap();
    assert_eq!(push(queue, std::slice::from_ref(&a)).await, 0, "a replay does not list solved letters again");
    assert_eq!(all(queue).await, Vec::<String>::new());
}

pub async fn many_letters_are_pushed_at_once<Q: Queue>(queue: &Q) {
    let letters: Vec<_> = (0..2000).map(|number| letter(&format!("letter {number}"))).collect();
    assert_eq!(push(queue, &letters).await, 2000);
    let newest_first: Vec<_> = letters.iter().rev().map(|letter| letter.json.clone()).collect();
    assert_eq!(all(queue).await, newest_first);
}

pub async fn a_flood_passes_as_far_as_it_is_permitted<Q: Queue>(queue: &Q) {
    let spend = async |records| queue.spend(records).await.expect("the queue knows its permit");
    assert!(!spend(1).await, "nothing is permitted at first");
    queue.permit(Permit::Records(150)).await.unwrap();
    assert!(spend(100).await);
    assert!(spend(100).await, "the rest lets a whole batch through");
    assert!(!spend(1).await);
    queue.permit(Permit::Everything).await.unwrap();
    for _ in 0..3 {
        assert!(spend(1_000_000).await);
    }
    queue.permit(Permit::Nothing).await.unwrap();
    assert!(!spend(1).await);
}
