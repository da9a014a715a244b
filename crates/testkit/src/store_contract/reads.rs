//! The views.

use std::time::SystemTime;

use events::{Event, Timestamp};

use super::{Database, order_view, stock_view, user_view};
use crate::builders::{Build, id, order, payment, second, unique, user};
use crate::delivery::apply;

pub async fn what_is_not_there_is_none<S: Database>(store: &S) {
    assert_eq!(user_view(store, id()).await, None);
    assert_eq!(order_view(store, id()).await, None);
    for sku in [unique("sku").as_str(), "", "'", "😀", &"x".repeat(5000)] {
        assert_eq!(stock_view(store, sku).await, None);
    }
}

pub async fn a_user_shows_the_last_five_orders_newest_first<S: Database>(store: &S) {
    let (user_id, other) = (id(), id());
    apply(store, &[user(user_id), user(other), order(id(), other)]).await;
    assert_eq!(user_view(store, user_id).await.unwrap().orders, []);
    let placed = |at: i64| order(id(), user_id).with_order(|order| order.placed_at = second(at));
    // Neither the order of arrival nor the events' own times decide.
    let orders: Vec<_> = [3, 7, 1, 6, 2, 5, 4].into_iter().map(|at| placed(at).later(-at)).collect();
    apply(store, &orders).await;
    let shown = user_view(store, user_id).await.unwrap().orders;
    assert_eq!(shown.iter().map(|order| order.placed_at).collect::<Vec<_>>(), [7, 6, 5, 4, 3].map(second));
    assert!(shown.iter().all(|order| order.user_id == user_id));
}

pub async fn of_orders_of_one_time_the_id_decides_which_are_the_last<S: Database>(store: &S) {
    let (user_id, mut orders) = (id(), [(); 7].map(|()| id()));
    let placed: Vec<_> = orders.iter().map(|order_id| order(*order_id, user_id).with_order(|order| order.placed_at = second(1))).collect();
    apply(store, &[user(user_id)]).await;
    apply(store, &placed).await;
    let shown = user_view(store, user_id).await.unwrap().orders;
    orders.sort_unstable_by(|a, b| b.cmp(a));
    assert_eq!(shown.iter().map(|order| order.order_id).collect::<Vec<_>>(), orders[..5]);
}

pub async fn an_order_shows_the_newest_settled_payment<S: Database>(store: &S) {
    let (user_id, order_id, other) = (id(), id(), id());
    apply(store, &[user(user_id), order(order_id, user_id), order(other, user_id)]).await;
    assert_eq!(order_view(store, order_id).await.unwrap().payment, None);
    let settled = |at: i64| payment(id(), order_id).with_payment(|payment| payment.settled_at = second(at));
    let payments: Vec<_> = [2, 9, 4].into_iter().map(|at| settled(at).later(-at)).collect();
    apply(store, &payments).await;
    let shown = order_view(store, order_id).await.unwrap();
    assert_eq!(shown.payment.unwrap().settled_at, second(9));
    assert_eq!(shown.items.len(), 2, "each item once, however many payments there are");
    assert_eq!(order_view(store, other).await.unwrap().payment, None);
}

pub async fn recent_users_are_the_newest_created_first<S: Database>(store: &S) {
    // Far in the future, and later in each run, so that these are the newest users of the database, whoever shares it.
    let newest = Timestamp::from(SystemTime::now()).plus_micros(200_000_000_000_000_000);
    let born = |at: i64| user(id()).with_user(|user| user.created_at = newest.plus_micros(at)).later(-at);
    let users: Vec<Event<'_>> = [1, 2, 0, 2, 2].into_iter().map(born).collect();
    apply(store, &users).await;
    let shown = store.recent_users(5).await.unwrap();
    let times: Vec<_> = shown.iter().map(|user| user.created_at).collect();
    assert_eq!(times, [2, 2, 2, 1, 0].map(|at| newest.plus_micros(at)));
    // Of one time it is the id that decides, also where the list ends among them.
    assert!(shown[..3].is_sorted_by(|before, after| before.user_id > after.user_id), "{shown:?}");
    assert_eq!(store.recent_users(2).await.unwrap(), shown[..2]);
    assert_eq!(shown[0], user_view(store, shown[0].user_id).await.unwrap().user);
    assert_eq!(store.recent_users(0).await.unwrap(), []);
    assert!(store.recent_users(u16::MAX).await.unwrap().len() >= 3);
}

pub async fn a_ping_reads_a_table<S: Database>(store: &S) {
    store.ping().await.expect("the store can be read");
}
