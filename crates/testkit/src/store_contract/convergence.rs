//! Any order, any duplication: the same rows.

use super::Database;
use crate::delivery::Delivery;
use crate::history::{History, Rows};
use crate::seed::Seed;
use pipeline::Outcome;

/// Deliveries of one history, each in another order.
const SHUFFLES: usize = 5;

pub async fn a_replay_of_everything_changes_no_row<S: Database>(store: &S) {
    let mut seed = Seed::of_test("replay");
    let history = History::random(&mut seed);
    let mut delivery = Delivery::new(store);
    for part in seed.parts(&history.events) {
        delivery.deliver(&part).await;
    }
    let before = Rows::read(store, &history).await;
    for part in seed.parts(&history.events) {
        let outcomes = delivery.deliver(&part).await;
        assert!(outcomes.iter().all(|outcome| matches!(outcome, Outcome::Duplicate | Outcome::Stale)), "{outcomes:?}");
    }
    assert_eq!(Rows::read(store, &history).await, before, "also updatedAt");
}

pub async fn any_order_and_any_duplication_end_in_the_rows_of_the_fold<S: Database>(store: &S) {
    let mut seed = Seed::of_test("convergence");
    for _ in 0..SHUFFLES {
        let history = History::random(&mut seed);
        let mut delivery = Delivery::new(store);
        let delivered = seed.shuffled_with_duplicates(&history.events);
        for part in seed.parts(&delivered) {
            delivery.deliver(&part).await;
        }
        assert_eq!(Rows::read(store, &history).await.without_our_clock(), history.fold());
        assert_eq!(delivery.releasable().await, [], "nothing that could be released still waits");
    }
}
