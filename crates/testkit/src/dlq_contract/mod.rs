//! What every dead letter queue does.
#![allow(missing_docs, reason = "the name of a case says what it checks")]

mod claims;
mod leases;
mod permits;
mod pushing;
mod reading;

use std::time::Duration;

use pipeline::DeadLetter;
use pipeline::ports::{Claim, ClaimQueue, DeadLetterArchive, DeadLetterQueue, DeadLetterReader, End, FloodPermits};

use crate::builders::dead_letter;

pub use claims::*;
pub use leases::*;
pub use permits::*;
pub use pushing::*;
pub use reading::*;

/// All the ports of a dead letter queue.
pub trait Queue: DeadLetterQueue + DeadLetterReader + ClaimQueue + DeadLetterArchive + FloodPermits {}

impl<Q: DeadLetterQueue + DeadLetterReader + ClaimQueue + DeadLetterArchive + FloodPermits> Queue for Q {}

/// Makes a test of each case of the contract of dead letter queues.
///
/// The argument is the name of an `async fn() -> Option<Q>` in scope that opens an empty queue of its own for one case. Where it gives none,
/// it has said why on stderr, and the case does not run. The calling crate needs `tokio` with its macros.
#[macro_export]
macro_rules! dlq_contract {
    ($factory:ident) => {
        $crate::dlq_contract! { @cases $factory:
            an_empty_queue_has_nothing
            letters_are_listed_from_either_end
            a_page_begins_where_it_is_asked_to
            places_counted_from_the_old_end_stay_while_letters_come
            a_letter_that_is_pushed_again_is_there_once
            letters_that_look_alike_are_each_kept
            the_bytes_of_an_entry_are_unchanged
            an_identity_outlives_its_entry
            many_letters_are_pushed_at_once
            entries_are_counted_by_the_reason_that_they_tell
            what_stands_inside_the_data_is_no_reason
            claimed_entries_are_not_counted
            many_entries_are_counted
            the_state_of_the_list_tells_whether_it_only_grew
            entries_are_put_back_in_order_whether_or_not_they_are_there
            an_entry_of_others_is_like_any
            claimed_entries_leave_the_list_and_are_gone_when_settled
            claims_that_are_given_back_stand_at_the_old_end
            only_an_entry_of_the_list_can_be_claimed
            look_alikes_are_claimed_one_by_one
            one_claim_settles_one_of_two_look_alikes
            many_entries_are_claimed_settled_and_given_back
            two_operators_do_not_take_each_others_claims
            only_one_of_two_operators_gets_an_entry
            an_overdue_claim_comes_back
            overdue_claims_come_back_in_the_order_in_which_they_were_claimed
            settling_an_overdue_claim_removes_it_from_the_list
            settling_what_someone_else_has_claimed_since_leaves_theirs
            giving_back_what_someone_else_has_claimed_since_leaves_theirs
            a_lease_longer_than_any_life_is_a_lease
            a_flood_passes_as_far_as_it_is_permitted
            letters_that_were_pushed_before_are_known
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

/// A lease that does not end while a case runs.
const LONG: Duration = Duration::from_secs(3600);
/// A lease that is over at once.
const OVER: Duration = Duration::ZERO;

async fn push<Q: Queue>(queue: &Q, dead_letters: &[DeadLetter]) -> usize {
    queue.push(dead_letters).await.expect("the queue takes letters")
}

/// All entries, the newest first.
async fn all<Q: Queue>(queue: &Q) -> Vec<String> {
    let mut entries = Vec::new();
    loop {
        let page = queue.page(End::Newest, entries.len() as u64, 10_000).await.expect("the queue lists entries");
        if page.is_empty() {
            break;
        }
        entries.extend(page);
    }
    assert_eq!(queue.depth().await.expect("the queue counts entries"), entries.len() as u64);
    entries
}

/// Claims entries that are in the list.
async fn claim<Q: Queue>(queue: &Q, entries: &[String], lease: Duration) -> Vec<Claim> {
    let claims = queue.claim(entries, lease).await.expect("the queue gives claims");
    claims.into_iter().map(|claim| claim.expect("it is in the list")).collect()
}

async fn settle<Q: Queue>(queue: &Q, claims: &[Claim]) -> usize {
    queue.settle(claims).await.expect("the queue settles")
}

async fn give_back<Q: Queue>(queue: &Q, claims: &[Claim]) -> usize {
    queue.give_back(claims).await.expect("the queue takes back")
}

async fn give_back_overdue<Q: Queue>(queue: &Q) -> usize {
    queue.give_back_overdue().await.expect("the queue takes back")
}

fn json<'l>(dead_letters: impl IntoIterator<Item = &'l DeadLetter>) -> Vec<String> {
    dead_letters.into_iter().map(|dead_letter| dead_letter.json.clone()).collect()
}
