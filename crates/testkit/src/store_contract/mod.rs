//! What every database does with a batch.
//!
//! | module | what it holds |
//! |---|---|
//! | [`rows`] | applied, duplicate, stale, tie; what a row holds |
//! | [`orders`] | an order's items |
//! | [`emails`] | whose an e-mail address is |
//! | [`claims`] | waiting for an e-mail address |
//! | [`stock`] | the ledger and its sum |
//! | [`parking`] | waiting for a parent, and release |
//! | [`expiry`] | giving up |
//! | [`positions`] | how far the tables hold the log |
//! | [`reads`] | the views |
//! | [`dry_run`] | a batch that is tried and taken back |
//! | [`dry_run_first`] | why every batch of every case is also dry-run |
//! | [`table_rows`] | the tables row by row |
//! | [`traces`] | what the tables know of one event, and of what events are about |
//! | [`addresses`] | claims for each other's addresses, in any order |
//! | [`audit`] | what operators have changed |
//! | [`heartbeats`] | who consumes: of a suite of its own, [`operations_contract!`](crate::operations_contract!) |
//! | [`redrive_jobs`] | redrives that outlive their process: of the same suite |
//! | [`compaction`] | folding old lines of the ledger: of a suite of its own, [`compaction_contract!`](crate::compaction_contract!) |
//! | [`convergence`] | any order, any duplication: the same rows |
//!
//! Every case makes its own users, orders and articles, so cases may share one database and run side by side. The cases of [`expiry`] look at
//! the whole parking table, those of [`audit`] at the end of the log, those of [`redrive_jobs`] forget old ones, those of [`compaction`] look at the whole ledger; they run while no other case of the process does.
#![allow(missing_docs, reason = "the name of a case says what it checks")]

pub mod addresses;
pub mod audit;
pub mod claims;
pub mod compaction;
pub mod convergence;
pub mod dry_run;
pub mod dry_run_first;
pub mod emails;
pub mod expiry;
pub mod heartbeats;
pub mod leases;
pub mod orders;
pub mod parking;
pub mod positions;
pub mod reads;
pub mod redrive_jobs;
pub mod rows;
pub mod stock;
pub mod table_rows;
pub mod traces;

use events::{Body, Event};
use pipeline::ports::{AuditLog, AwaitedParents, DryRun, EventTrace, Leases, LogPositions, ParkingExpiry, TableRepair, TableRows};
use pipeline::{EventStore, Parents, ParkedEvent, ParkingLot};
use readmodel::{InventoryView, OrderView, ReadStore, UserView};
use tokio::sync::{RwLock, RwLockReadGuard, RwLockWriteGuard};
use uuid::Uuid;

pub use dry_run_first::DryRunFirst;

/// All the ports of a database.
pub trait Database:
    EventStore
    + LogPositions
    + DryRun
    + EventTrace
    + TableRows
    + TableRepair
    + Leases
    + AuditLog
    + ParkingLot
    + ParkingExpiry
    + AwaitedParents
    + ReadStore
{
}

impl<
    S: EventStore
        + LogPositions
        + DryRun
        + EventTrace
        + TableRows
        + TableRepair
        + Leases
        + AuditLog
        + ParkingLot
        + ParkingExpiry
        + AwaitedParents
        + ReadStore,
> Database for S
{
}

/// Makes a test of each case of the store contract.
///
/// The argument is the name of an `async fn() -> Option<S>` in scope that opens the store of one case. Where it gives none, it has said
/// why on stderr, and the case does not run. The calling crate needs `tokio` with its macros.
///
/// ```text
/// async fn store() -> Option<MyStore> { Some(MyStore::temporary()) }
///
/// testkit::store_contract!(store);
/// ```
#[macro_export]
macro_rules! store_contract {
    ($factory:ident) => {
        $crate::store_contract! { @cases $factory, beside_others, rows:
            each_event_shows_in_its_row
            an_event_that_comes_again_is_a_duplicate
            an_older_event_is_stale
            a_newer_event_replaces_the_row
            of_equal_times_the_greater_event_id_wins
            an_event_id_that_comes_back_with_other_content_is_decided_by_its_time
            parents_and_children_of_one_batch_land_together
            a_child_does_not_land_with_a_parent_that_is_not_there
            a_row_that_is_newer_is_stale_although_the_parent_is_missing
            amounts_are_exact_to_the_last_digit
            times_are_exact_to_the_microsecond_from_year_1_to_9999
            text_of_any_script_comes_back_unchanged
            what_no_column_holds_is_poison_and_undoes_its_batch
            an_empty_batch_changes_nothing
        }
        $crate::store_contract! { @cases $factory, beside_others, orders:
            a_newer_order_replaces_its_items_also_by_fewer
            a_stale_order_leaves_the_items_alone
            an_order_may_have_no_items
            an_order_of_10_000_items_is_written_and_read
            an_order_may_move_to_another_user
        }
        $crate::store_contract! { @cases $factory, beside_others, emails:
            a_taken_address_parks_its_claim_alone_and_is_free_once_it_is_given_up
            a_user_that_cannot_have_its_new_address_keeps_its_row_as_it_was
            of_several_claims_in_one_batch_the_earliest_gets_the_address
            whoever_holds_an_address_keeps_it_against_an_earlier_claim
            a_chain_moves_only_when_its_last_link_does
            whoever_loses_its_new_address_makes_no_room
            a_circle_moves_inside_one_batch_unless_an_earlier_claim_breaks_it
            an_address_is_taken_in_any_case_of_letters
            an_address_changes_hands_inside_one_batch
            two_users_swap_their_addresses_inside_one_batch
            a_stale_user_is_stale_although_the_address_is_taken
        }
        $crate::store_contract! { @cases $factory, beside_others, claims:
            a_claim_is_released_by_the_address_that_becomes_free
            whoever_gives_an_awaited_address_up_says_so
            of_those_who_wait_for_an_address_the_earliest_gets_it
            parking_tells_whether_the_address_has_become_free_meanwhile
            a_claim_that_is_out_of_date_leaves_and_holds_nobody_up
            a_newer_claim_of_the_holder_itself_does_not_wait_for_others
            two_who_wait_for_each_others_address_change_places
        }
        $crate::store_contract! { @cases $factory, beside_others, stock:
            adjustments_add_up_in_one_batch_and_over_batches
            an_adjustment_that_comes_again_counts_once
            an_event_id_with_other_content_is_a_conflict_and_costs_only_itself
            stock_may_be_negative
            articles_compare_exactly
            the_quantity_is_the_sum_of_the_ledger
        }
        $crate::store_contract! { @cases $factory, beside_others, parking:
            a_child_without_its_parent_is_parked
            a_chain_that_comes_backwards_is_released_step_by_step
            only_waiting_children_of_the_batch_are_announced
            a_child_is_found_by_its_own_parent_only
            parking_tells_whether_the_parent_is_there_meanwhile
            parking_twice_is_parking_once
            a_parked_event_comes_back_unchanged
            different_records_of_one_place_are_all_kept
            each_record_of_a_place_is_released_by_itself
            each_record_of_a_place_is_discarded_by_itself
            records_of_one_place_come_page_by_page
            what_has_no_identity_is_released_and_discarded_too
            a_release_leaves_with_the_transaction_that_applies_it
            a_release_that_is_gone_undoes_its_batch
            a_released_event_that_waits_again_stays
            what_is_released_leaves_also_as_duplicate_stale_or_conflict
            versions_that_wait_together_leave_together
            a_superseded_event_is_written_by_itself_when_its_leader_is_not_persisted
            releasable_events_come_oldest_first_page_by_page
            what_became_a_dead_letter_is_discarded
        }
        $crate::store_contract! { @cases $factory, alone, expiry:
            what_is_waited_for_is_counted_and_told_with_its_first_children
            a_parent_that_is_there_is_told_as_written
            only_old_events_without_a_parent_are_given_up
            what_is_given_up_is_not_released
            what_was_given_up_and_not_discarded_is_returned_again
            records_of_one_place_are_all_given_up
            a_claim_takes_no_more_than_its_limit
            the_parked_are_counted_since_the_oldest
        }
        $crate::store_contract! { @cases $factory, beside_others, positions:
            a_batch_that_lands_moves_its_positions
            a_batch_with_an_event_that_is_not_durable_yet_moves_nothing
            a_batch_that_fails_moves_nothing
            a_position_never_goes_back
            logs_of_one_topic_do_not_touch_each_other
            positions_are_advanced_without_a_batch
            a_batch_of_nothing_moves_nothing
            a_dry_run_moves_nothing
        }
        $crate::store_contract! { @cases $factory, beside_others, reads:
            what_is_not_there_is_none
            a_user_shows_the_last_five_orders_newest_first
            of_orders_of_one_time_the_id_decides_which_are_the_last
            an_order_shows_the_newest_settled_payment
            recent_users_are_the_newest_created_first
            a_ping_reads_a_table
        }
        $crate::store_contract! { @cases $factory, beside_others, dry_run:
            a_dry_run_tells_every_outcome_and_writes_nothing
            a_dry_run_tells_what_is_stale_and_what_conflicts
            a_dry_run_fails_as_its_batch_would
            a_dry_run_tells_who_cannot_have_an_address
            a_dry_run_release_stays_parked
            a_dry_run_announces_the_children_that_would_still_wait
        }
        $crate::store_contract! { @cases $factory, beside_others, traces:
            a_row_tells_which_event_it_shows
            the_row_of_an_entity_is_told_whichever_event_it_shows
            the_ledger_tells_what_an_adjustment_added
            the_parking_table_tells_where_an_event_waits_and_for_what
            an_event_that_never_came_has_left_nothing
            an_entity_tells_its_row_what_is_parked_of_it_and_who_waits_for_it
            an_entity_is_found_in_parked_text_whichever_case_its_id_is_written_in
            of_many_who_wait_the_longest_are_told_and_all_are_counted
            an_article_tells_its_stock_and_its_last_lines
            what_nothing_is_about_has_left_nothing
        }
        $crate::store_contract! { @cases $factory, beside_others, table_rows:
            a_row_is_what_its_event_makes
            rows_are_found_by_their_keys_alone
            pages_hold_each_row_once
            stock_that_is_the_sum_of_its_ledger_is_not_wrong
            what_waits_is_told_by_its_place_and_by_its_id
            a_row_that_is_outdated_is_written_again_by_its_own_event
            a_row_that_shows_another_event_by_now_is_not_outdated
            a_row_is_deleted_with_all_that_belongs_to_it_and_only_as_it_was_seen
            a_line_that_is_taken_out_of_the_ledger_is_written_again
            stock_is_corrected_only_as_long_as_it_is_what_was_seen
        }
        $crate::store_contract! { @cases $factory, beside_others, leases:
            one_holder_at_a_time_has_a_lease
            a_lease_that_has_ended_is_anybodys
            a_lease_that_is_given_back_is_anybodys_and_only_its_holder_gives_it_back
        }
        $crate::store_contract! { @cases $factory, alone, audit:
            an_entry_comes_back_as_it_was_written
            entries_are_chained_over_appends
            writers_at_one_time_all_add_their_entries_in_one_piece
            pages_go_in_either_direction
            the_entries_of_one_operation_are_found
            the_newest_entries_about_one_thing_are_found
            what_does_not_fit_is_shortened_and_the_chain_holds
        }
        $crate::store_contract! { @cases $factory, beside_others, convergence:
            a_replay_of_everything_changes_no_row
            any_order_and_any_duplication_end_in_the_rows_of_the_fold
        }
        $crate::store_contract! { @cases $factory, beside_others, addresses:
            in_any_order_each_claim_is_applied_or_waits_and_no_awaited_address_is_free
            an_address_that_is_given_up_goes_to_the_earliest_who_waits
        }
    };
    (@cases $factory:ident, $company:ident, $module:ident: $($case:ident)+) => {
        mod $module {
            $(
                #[::tokio::test(flavor = "multi_thread")]
                async fn $case() {
                    let _company = $crate::store_contract::$company().await;
                    if let Some(store) = super::$factory().await {
                        $crate::store_contract::$module::$case(&$crate::store_contract::DryRunFirst(store)).await;
                    }
                }
            )+
        }
    };
}

/// Makes a test of each case of what the programs keep in their database beside events: who consumes, and redrives. See
/// [`store_contract!`](crate::store_contract!) for the argument.
#[macro_export]
macro_rules! operations_contract {
    ($factory:ident) => {
        $crate::operations_contract! { @cases $factory, beside_others, heartbeats:
            a_consumer_is_seen_as_it_has_said_last
            a_consumer_that_says_nothing_any_more_grows_old
            a_consumer_that_stops_is_not_seen_any_more
            what_a_consumer_says_is_kept_within_bounds
        }
        $crate::operations_contract! { @cases $factory, alone, redrive_jobs:
            a_job_comes_back_as_it_was_planned_and_one_operation_makes_one
            the_newest_jobs_come_first_page_by_page
            a_letter_keeps_its_last_result_and_pages_hold_each_once
            where_the_broker_put_a_letter_is_kept_as_it_was_noted_last
            a_job_changes_only_from_the_states_from_which_it_may
            only_jobs_that_run_are_gone_on_with
            old_jobs_are_forgotten_once_they_have_ended
        }
    };
    (@cases $factory:ident, $company:ident, $module:ident: $($case:ident)+) => {
        mod $module {
            $(
                #[::tokio::test(flavor = "multi_thread")]
                async fn $case() {
                    let _company = $crate::store_contract::$company().await;
                    if let Some(store) = super::$factory().await {
                        $crate::store_contract::$module::$case(&store).await;
                    }
                }
            )+
        }
    };
}

/// Makes a test of each case of folding old lines of the ledger. See [`store_contract!`](crate::store_contract!) for the argument.
#[macro_export]
macro_rules! compaction_contract {
    ($factory:ident) => {
        $crate::compaction_contract! { @cases $factory:
            old_lines_become_one_opening_balance_per_article_and_stock_stays
            compacting_again_adds_to_the_opening_balances
            an_event_whose_line_was_folded_does_not_count_again_and_costs_only_itself
            an_old_event_that_never_came_is_refused_from_the_begin_on
            an_old_event_that_was_applied_lately_keeps_its_line
            a_compaction_goes_on_where_it_was_left
            the_rows_are_without_folded_lines_and_opening_balances
            a_trace_tells_before_which_time_lines_may_be_folded
            writers_beside_a_compaction_lose_nothing_and_count_nothing_twice
        }
    };
    (@cases $factory:ident: $($case:ident)+) => {
        mod compaction {
            $(
                #[::tokio::test(flavor = "multi_thread")]
                async fn $case() {
                    let _company = $crate::store_contract::alone().await;
                    if let Some(store) = super::$factory().await {
                        $crate::store_contract::compaction::$case(&$crate::store_contract::DryRunFirst(store)).await;
                    }
                }
            )+
        }
    };
}

static COMPANY: RwLock<()> = RwLock::const_new(());

/// Waits until no case runs that must be alone.
pub async fn beside_others() -> RwLockReadGuard<'static, ()> {
    COMPANY.read().await
}

/// Waits until no other case runs.
pub async fn alone() -> RwLockWriteGuard<'static, ()> {
    COMPANY.write().await
}

async fn user_view<S: ReadStore>(store: &S, user_id: Uuid) -> Option<UserView> {
    store.user(user_id).await.expect("the store reads a user")
}

async fn order_view<S: ReadStore>(store: &S, order_id: Uuid) -> Option<OrderView> {
    store.order(order_id).await.expect("the store reads an order")
}

async fn stock_view<S: ReadStore>(store: &S, sku: &str) -> Option<InventoryView> {
    store.inventory(sku).await.expect("the store reads the stock")
}

/// What is in stock; 0 where the article is unknown.
async fn quantity<S: ReadStore>(store: &S, sku: &str) -> i64 {
    stock_view(store, sku).await.map_or(0, |view| view.quantity)
}

/// The first name that the user's row shows: what the tests of rows change.
async fn first_name<S: ReadStore>(store: &S, user_id: Uuid) -> Option<String> {
    user_view(store, user_id).await.map(|view| view.user.first_name)
}

async fn park<S: ParkingLot>(store: &S, events: &[ParkedEvent]) -> bool {
    store.park(events).await.expect("the store parks events")
}

/// The parked events of these topics that the sweep would release, all pages of it.
async fn swept<S: ParkingLot>(store: &S, parked: &[ParkedEvent]) -> Vec<ParkedEvent> {
    let mut found = Vec::new();
    let mut after: Option<ParkedEvent> = None;
    loop {
        let page = store.releasable(&Parents::Any, after.as_ref(), 100).await.expect("the store finds parked events");
        let Some(last) = page.last().cloned() else { return found };
        found.extend(page.into_iter().filter(|event| parked.iter().any(|own| own.parked_key() == event.parked_key())));
        after = Some(last);
    }
}

/// The children of this user or order that can be released.
async fn children_of<S: ParkingLot>(store: &S, parent: &Event<'_>) -> Vec<ParkedEvent> {
    let parents = match &parent.body {
        Body::UserCreated(user) => Parents::These { users: vec![user.user_id], orders: Vec::new(), addresses: false },
        Body::OrderPlaced(order) => Parents::These { users: Vec::new(), orders: vec![order.order_id], addresses: false },
        Body::PaymentSettled(_) | Body::InventoryAdjusted(_) => panic!("it has no children"),
    };
    store.releasable(&parents, None, 100).await.expect("the store finds parked events")
}

/// The positions, for comparison: the store sets the time of parking.
fn places(parked: &[ParkedEvent]) -> Vec<&pipeline::Position> {
    parked.iter().map(|event| &event.position).collect()
}
