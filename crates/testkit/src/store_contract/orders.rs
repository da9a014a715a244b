//! An order's items.

use pipeline::Outcome;

use super::{Database, order_view, user_view};
use crate::builders::{Build, id, item, order, user};
use crate::delivery::apply;
use crate::views::order_of;

pub async fn a_newer_order_replaces_its_items_also_by_fewer<S: Database>(store: &S) {
    let (user_id, order_id, other_id) = (id(), id(), id());
    let versions = [vec![("a", 1), ("b", 2), ("c", 3)], vec![("z", 9), ("b", 2)], vec![("a", 1), ("a", 1), ("a", 2), ("d", 4)], vec![]];
    apply(store, &[user(user_id), order(other_id, user_id)]).await;
    for (seconds, items) in versions.into_iter().enumerate() {
        let version = order(order_id, user_id)
            .later(seconds as i64)
            .with_order(|order| order.items = items.into_iter().map(|(sku, quantity)| item(sku, quantity, "1.5")).collect());
        assert_eq!(apply(store, std::slice::from_ref(&version)).await, [Outcome::Applied]);
        let shown = order_view(store, order_id).await.unwrap();
        assert_eq!(shown, order_of(&version, None, shown.order.updated_at));
    }
    assert_eq!(order_view(store, other_id).await.unwrap().items.len(), 2, "another order keeps its items");
}

pub async fn a_stale_order_leaves_the_items_alone<S: Database>(store: &S) {
    let (user_id, order_id) = (id(), id());
    let newer = order(order_id, user_id).later(1).with_order(|order| order.items = vec![item("new", 1, "1")]);
    apply(store, &[user(user_id), newer.clone()]).await;
    assert_eq!(apply(store, &[order(order_id, user_id)]).await, [Outcome::Stale]);
    // The same event id with other items is a duplicate, and no change.
    let again = newer.clone().with_order(|order| order.items = vec![item("other", 2, "2")]);
    assert_eq!(apply(store, &[again]).await, [Outcome::Duplicate]);
    let shown = order_view(store, order_id).await.unwrap();
    assert_eq!(shown, order_of(&newer, None, shown.order.updated_at));
}

pub async fn an_order_may_have_no_items<S: Database>(store: &S) {
    let (user_id, order_id) = (id(), id());
    let empty = order(order_id, user_id).with_order(|order| order.items.clear());
    assert_eq!(apply(store, &[user(user_id), empty]).await, [Outcome::Applied, Outcome::Applied]);
    assert_eq!(order_view(store, order_id).await.unwrap().items, []);
}

pub async fn an_order_of_10_000_items_is_written_and_read<S: Database>(store: &S) {
    let (user_id, order_id) = (id(), id());
    let large = order(order_id, user_id)
        .with_order(|order| order.items = (0..10_000).map(|line| item(&format!("sku-{line}"), line, "19.99")).collect());
    assert_eq!(apply(store, &[user(user_id), large.clone()]).await, [Outcome::Applied, Outcome::Applied]);
    let shown = order_view(store, order_id).await.unwrap();
    assert_eq!(shown, order_of(&large, None, shown.order.updated_at), "in the order of the event");
}

pub async fn an_order_may_move_to_another_user<S: Database>(store: &S) {
    let (first, second, order_id) = (id(), id(), id());
    apply(store, &[user(first), user(second), order(order_id, first)]).await;
    assert_eq!(apply(store, &[order(order_id, second).later(1)]).await, [Outcome::Applied]);
    assert_eq!(user_view(store, first).await.unwrap().orders, []);
    assert_eq!(user_view(store, second).await.unwrap().orders.len(), 1);
}
