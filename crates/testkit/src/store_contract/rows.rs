//! Applied, duplicate, stale, tie; what a row holds.

use events::{Event, Timestamp};
use pipeline::{FaultClass, Outcome, WaitsFor};
use uuid::Uuid;

use super::{Database, first_name, order_view, quantity, user_view};
use crate::builders::{Build, adjustment, id, item, money, order, payment, unique, user};
use crate::delivery::{apply, try_apply};
use crate::views::{order_of, recent_user};

pub async fn each_event_shows_in_its_row<S: Database>(store: &S) {
    let (user_id, order_id, payment_id, sku) = (id(), id(), id(), unique("sku"));
    let events = [user(user_id), order(order_id, user_id), payment(payment_id, order_id), adjustment(&sku, 7)];
    assert_eq!(apply(store, &events).await, vec![Outcome::Applied; 4]);

    let shown = user_view(store, user_id).await.unwrap();
    assert_eq!(shown.user, recent_user(&events[0], shown.user.updated_at));

    let shown = order_view(store, order_id).await.unwrap();
    assert_eq!(shown, order_of(&events[1], Some(&events[2]), shown.order.updated_at));
    assert_eq!(user_view(store, user_id).await.unwrap().orders, [shown.order]);
    assert_eq!(quantity(store, &sku).await, 7);
}

pub async fn an_event_that_comes_again_is_a_duplicate<S: Database>(store: &S) {
    let (user_id, order_id) = (id(), id());
    let events = [user(user_id), order(order_id, user_id), payment(id(), order_id), adjustment(&unique("sku"), 7)];
    apply(store, &events).await;
    let before = (user_view(store, user_id).await, order_view(store, order_id).await);
    assert_eq!(apply(store, &events).await, vec![Outcome::Duplicate; 4]);
    assert_eq!((user_view(store, user_id).await, order_view(store, order_id).await), before, "also updatedAt");
}

pub async fn an_older_event_is_stale<S: Database>(store: &S) {
    let (user_id, order_id, payment_id) = (id(), id(), id());
    let older = [user(user_id), order(order_id, user_id), payment(payment_id, order_id)];
    let newer = older.clone().map(|event| event.later(1));
    apply(store, &newer).await;
    let before = (user_view(store, user_id).await, order_view(store, order_id).await);
    assert_eq!(apply(store, &older).await, vec![Outcome::Stale; 3]);
    assert_eq!((user_view(store, user_id).await, order_view(store, order_id).await), before, "also updatedAt");
}

pub async fn a_newer_event_replaces_the_row<S: Database>(store: &S) {
    let (user_id, order_id, payment_id) = (id(), id(), id());
    apply(store, &[user(user_id), order(order_id, user_id), payment(payment_id, order_id)]).await;
    let newer = [
        user(user_id).later(1).with_user(|user| user.first_name = "Grace".into()),
        order(order_id, user_id).later(1).with_order(|order| order.total_amount = money("0.01")),
        payment(payment_id, order_id).later(1).with_payment(|payment| payment.status = "refunded".into()),
    ];
    assert_eq!(apply(store, &newer).await, vec![Outcome::Applied; 3]);
    assert_eq!(first_name(store, user_id).await.as_deref(), Some("Grace"));
    let shown = order_view(store, order_id).await.unwrap();
    assert_eq!(shown, order_of(&newer[1], Some(&newer[2]), shown.order.updated_at));
}

pub async fn of_equal_times_the_greater_event_id_wins<S: Database>(store: &S) {
    // Greater as hyphenated text. SQL Server's own order of these two is the other way round: it looks at the last six bytes first.
    let [mut low, mut high] = [*id().as_bytes(), *id().as_bytes()];
    (low[0], high[0], low[10], high[10]) = (0x1f, 0xe0, 0xff, 0x01);
    let (low, high) = (Uuid::from_bytes(low), Uuid::from_bytes(high));
    for (first, second, outcome) in [(low, high, Outcome::Applied), (high, low, Outcome::Stale)] {
        let user_id = id();
        let named = |id: Uuid| user(user_id).with_id(id).with_user(|user| user.first_name = id.to_string().into());
        assert_eq!(apply(store, &[named(first)]).await, [Outcome::Applied]);
        assert_eq!(apply(store, &[named(second)]).await, [outcome]);
        assert_eq!(first_name(store, user_id).await, Some(high.to_string()));
    }
}

pub async fn an_event_id_that_comes_back_with_other_content_is_decided_by_its_time<S: Database>(store: &S) {
    let user_id = id();
    let first = user(user_id);
    apply(store, std::slice::from_ref(&first)).await;
    let other = |seconds| first.clone().later(seconds).with_id(first.id).with_user(|user| user.first_name = "Grace".into());
    assert_eq!(apply(store, &[other(0)]).await, [Outcome::Duplicate]);
    assert_eq!(apply(store, &[other(-1)]).await, [Outcome::Duplicate]);
    assert_eq!(first_name(store, user_id).await.as_deref(), Some("Ada"));
    assert_eq!(apply(store, &[other(1)]).await, [Outcome::Applied]);
    assert_eq!(first_name(store, user_id).await.as_deref(), Some("Grace"));
}

pub async fn parents_and_children_of_one_batch_land_together<S: Database>(store: &S) {
    let (user_id, order_id, payment_id) = (id(), id(), id());
    let backwards = [payment(payment_id, order_id), order(order_id, user_id), user(user_id)];
    assert_eq!(apply(store, &backwards).await, vec![Outcome::Applied; 3]);
    assert_eq!(order_view(store, order_id).await.unwrap().payment.unwrap().payment_id, payment_id);
}

pub async fn a_child_does_not_land_with_a_parent_that_is_not_there<S: Database>(store: &S) {
    let (user_id, order_id, missing) = (id(), id(), id());
    let events = [user(user_id), order(order_id, missing), payment(id(), order_id), order(id(), user_id)];
    let outcomes = apply(store, &events).await;
    let waits = [Outcome::Parked(WaitsFor::User(missing)), Outcome::Parked(WaitsFor::Order(order_id))];
    assert_eq!(outcomes, [Outcome::Applied, waits[0].clone(), waits[1].clone(), Outcome::Applied]);
    assert_eq!(order_view(store, order_id).await, None);
}

pub async fn a_row_that_is_newer_is_stale_although_the_parent_is_missing<S: Database>(store: &S) {
    let (user_id, order_id, missing) = (id(), id(), id());
    let placed = order(order_id, user_id);
    apply(store, &[user(user_id), placed.clone()]).await;
    let moved = |seconds| order(order_id, missing).later(seconds);
    assert_eq!(apply(store, &[moved(-1)]).await, [Outcome::Stale]);
    assert_eq!(apply(store, &[moved(1)]).await, [Outcome::Parked(WaitsFor::User(missing))]);
    let shown = order_view(store, order_id).await.unwrap();
    assert_eq!(shown, order_of(&placed, None, shown.order.updated_at));
}

pub async fn amounts_are_exact_to_the_last_digit<S: Database>(store: &S) {
    for amount in ["0", "0.1", "299.99", "12345678901234.5678", "999999999999999.9999", "-999999999999999.9999", "-0.0001"] {
        let (user_id, order_id) = (id(), id());
        let placed = order(order_id, user_id).with_order(|order| {
            order.total_amount = money(amount);
            order.items = vec![item("a", 1, amount)];
        });
        let settled = payment(id(), order_id).with_payment(|payment| payment.amount = money(amount));
        apply(store, &[user(user_id), placed, settled]).await;
        let shown = order_view(store, order_id).await.unwrap();
        let amounts = [shown.order.total_amount, shown.items[0].price, shown.payment.unwrap().amount];
        assert_eq!(amounts, [money(amount); 3]);
        assert_eq!(user_view(store, user_id).await.unwrap().orders[0].total_amount, money(amount));
    }
}

pub async fn times_are_exact_to_the_microsecond_from_year_1_to_9999<S: Database>(store: &S) {
    for time in ["0001-01-01T00:00:00Z", "1969-12-31T23:59:59.999999Z", "2026-01-15T10:30:00.123456Z", "9999-12-31T23:59:59.999999Z"] {
        let time = Timestamp::parse(time).unwrap();
        let user_id = id();
        let born = Event { at: time, ..user(user_id) }.with_user(|user| user.created_at = time);
        apply(store, std::slice::from_ref(&born)).await;
        assert_eq!(user_view(store, user_id).await.unwrap().user.created_at, time);
        assert_eq!(apply(store, &[born]).await, [Outcome::Duplicate], "{time} compares as itself");
    }
}

pub async fn text_of_any_script_comes_back_unchanged<S: Database>(store: &S) {
    for name in [
        "",
        "Zoë",
        "👩‍👩‍👧‍👦 𝕬𝖉𝖆",
        "李小龍",
        "'; DROP TABLE users; --",
        "\"{}\\u0000\\",
        "  spaced  ",
        "line\r\nbreak\tand\u{7f}",
        "\u{200f}مرحبا",
    ] {
        let user_id = id();
        let named = user(user_id).with_user(|user| (user.first_name, user.last_name) = (name.into(), name.into()));
        apply(store, &[named]).await;
        let shown = user_view(store, user_id).await.unwrap().user;
        assert_eq!((shown.first_name.as_str(), shown.last_name.as_str()), (name, name));
    }
}

pub async fn what_no_column_holds_is_poison_and_undoes_its_batch<S: Database>(store: &S) {
    let (user_id, order_id, sku) = (id(), id(), unique("sku"));
    // The decoder would not let it pass: the store's own constraint is the second guard.
    let poison = order(order_id, user_id).with_order(|order| order.currency = "EURO".into());
    let fault = try_apply(store, &[user(user_id), poison, adjustment(&sku, 1)]).await.unwrap_err();
    assert_eq!(fault.class, FaultClass::Poison, "{fault}");
    assert_eq!(user_view(store, user_id).await, None);
    assert_eq!(quantity(store, &sku).await, 0);
    assert_eq!(apply(store, &[user(user_id)]).await, [Outcome::Applied], "the connection is as good as before");
}

pub async fn an_empty_batch_changes_nothing<S: Database>(store: &S) {
    let applied = store.apply(pipeline::Batch::new(&[])).await.unwrap();
    assert_eq!((applied.outcomes, applied.children_wait), (Vec::new(), false));
}
