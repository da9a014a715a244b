//! Any order, any duplication: the same rows.

use super::{Database, order_view, stock_view, user_view};
use crate::delivery::Delivery;
use crate::history::{History, Rows};
use crate::seed::Seed;
use pipeline::Outcome;

/// Deliveries of one history, each in another order.
const SHUFFLES: usize = 5;

/// What the store shows of a history, updatedAt included.
async fn rows<S: Database>(store: &S, history: &History) -> Rows {
    let mut rows = Rows::default();
    for &user_id in &history.users {
        rows.users.insert(user_id, user_view(store, user_id).await.expect("the user landed"));
    }
    for &order_id in &history.orders {
        rows.orders.insert(order_id, order_view(store, order_id).await.expect("the order landed"));
    }
    for sku in &history.skus {
        rows.stock.insert(sku.clone(), stock_view(store, sku).await.map_or(0, |view| view.quantity));
    }
    rows
}

pub async fn a_replay_of_everything_changes_no_row<S: Database>(store: &S) {
    let mut seed = Seed::of_test("replay");
    let history = History::random(&mut seed);
    let mut delivery = Delivery::new(store);
    for part in seed.parts(&history.events) {
        delivery.deliver(&part).await;
    }
    let before = rows(store, &history).await;
    for part in seed.parts(&history.events) {
        let outcomes = delivery.deliver(&part).await;
        assert!(outcomes.iter().all(|outcome| matches!(outcome, Outcome::Duplicate | Outcome::Stale)), "{outcomes:?}");
    }
    assert_eq!(rows(store, &history).await, before, "also updatedAt");
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
        assert_eq!(rows(store, &history).await.without_our_clock(), history.fold());
        assert_eq!(delivery.releasable().await, [], "nothing that could be released still waits");
    }
}
