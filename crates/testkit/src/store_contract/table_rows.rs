//! The tables row by row.

use std::collections::HashSet;

use events::Event;
use pipeline::ParkedEvent;
use pipeline::rows::{Table, TableRow, WrongStock};
use uuid::Uuid;

use super::{Database, first_name, park, quantity};
use crate::builders::{Build, adjustment, id, item, money, order, parked_at, payment, second, unique, user};
use crate::delivery::apply;

async fn rows<S: Database>(store: &S, table: Table, keys: &[Uuid]) -> Vec<TableRow> {
    let mut rows = store.rows(table, keys).await.expect("the store reads rows");
    rows.sort_by_key(|row| keys.iter().position(|key| *key == row.key));
    rows
}

/// What a row says beyond the short values of the builders.
fn events() -> [Event<'static>; 4] {
    let (user_id, order_id) = (id(), id());
    let mail = format!("Zoë.{}@Example.ORG", unique("mail"));
    [
        user(user_id).with_user(|user| (user.email, user.last_name) = (mail.into(), "Ü 'quoted' \u{1f600}".into())),
        order(order_id, user_id).with_order(|order| {
            order.items = vec![item("A-1", 2, "0.0001"), item("b 2", 1, "99999999999.99")];
            (order.total_amount, order.placed_at) = (money("0.1"), second(1).plus_micros(1));
        }),
        payment(id(), order_id).with_payment(|payment| payment.amount = money("12345678.9012")),
        adjustment(&unique("sku"), -7).with_adjustment(|adjustment| adjustment.reason = "stock taking".into()),
    ]
}

pub async fn a_row_is_what_its_event_makes<S: Database>(store: &S) {
    let events = events();
    apply(store, &events).await;
    for event in &events {
        let (table, row) = TableRow::of(event);
        assert_eq!(rows(store, table, &[row.key]).await, [row], "{table}");
    }
}

pub async fn rows_are_found_by_their_keys_alone<S: Database>(store: &S) {
    let (first, second) = (user(id()), user(id()));
    apply(store, &[first.clone(), second.clone()]).await;
    let (first, second) = (TableRow::of(&first).1, TableRow::of(&second).1);
    assert_eq!(rows(store, Table::Users, &[second.key, id(), first.key]).await, [second, first.clone()]);
    assert!(rows(store, Table::Users, &[]).await.is_empty());
    assert!(rows(store, Table::Orders, &[first.key]).await.is_empty(), "a key of another table");
}

pub async fn pages_hold_each_row_once<S: Database>(store: &S) {
    let users: Vec<_> = (0..25).map(|_| user(id())).collect();
    let orders: Vec<_> = users.iter().map(|user| order(id(), TableRow::of(user).1.key)).collect();
    apply(store, &users).await;
    apply(store, &orders).await;
    for (table, events) in [(Table::Users, &users), (Table::Orders, &orders)] {
        let (mut seen, mut after, mut found) = (HashSet::new(), None, 0);
        loop {
            let page = store.rows_after(table, after, 7).await.expect("the store reads a page");
            let Some(last) = page.last() else { break };
            assert!(page.len() <= 7 && page.iter().all(|row| seen.insert(row.key)), "{table}: a row came twice");
            found += page.iter().filter(|row| events.iter().any(|event| TableRow::of(event).1 == **row)).count();
            after = Some(last.key);
        }
        assert_eq!(found, 25, "{table}");
        assert!(store.count(table).await.expect("the store counts") >= 25);
    }
}

pub async fn stock_that_is_the_sum_of_its_ledger_is_not_wrong<S: Database>(store: &S) {
    let (zero, below) = (unique("sku"), unique("sku"));
    apply(store, &[adjustment(&zero, 3), adjustment(&zero, -3), adjustment(&below, -2)]).await;
    let wrong = store.wrong_stock(100).await.expect("the store adds up");
    assert!(wrong.iter().all(|stock| stock.sku != zero && stock.sku != below), "{wrong:?}");
}

pub async fn what_waits_is_told_by_its_place_and_by_its_id<S: Database>(store: &S) {
    let first = order(id(), id());
    let topic: std::sync::Arc<str> = unique("topic").into();
    let place = |partition, offset| pipeline::Position { topic: topic.clone(), partition, offset };
    let at = |event: &Event<'_>, partition, offset| parked_at(event, place(partition, offset));
    let waiting = [at(&first, 0, 9), at(&order(id(), id()), 0, 10), at(&payment(id(), id()), 1, 2), at(&user(id()), 11, 0)];
    park(store, &waiting).await;
    let (mut found, mut after): (Vec<ParkedEvent>, Option<ParkedEvent>) = (Vec::new(), None);
    loop {
        let page = store.waiting_page(after.as_ref().map(ParkedEvent::parked_key), 3).await.expect("the store reads a page");
        let Some(last) = page.last().cloned() else { break };
        found.extend(page.into_iter().filter(|event| event.position.topic == topic));
        after = Some(last);
    }
    let ids = |events: &[ParkedEvent]| events.iter().map(|event| event.event_id).collect::<Vec<_>>();
    assert_eq!(ids(&found), ids(&waiting), "in the order of their places");
    let told = store.waiting(&[id(), first.id]).await.expect("the store looks for events");
    assert_eq!(ids(&told), [first.id]);
    assert_eq!((&told[0].value, told[0].waits_for), (&waiting[0].value, waiting[0].waits_for));
}

async fn outdate<S: Database>(store: &S, event: &Event<'_>, shown: Uuid) -> bool {
    let (table, row) = TableRow::of(event);
    store.outdate(table, row.key, shown).await.expect("the store outdates a row")
}

pub async fn a_row_that_is_outdated_is_written_again_by_its_own_event<S: Database>(store: &S) {
    let events = events();
    apply(store, &events).await;
    for event in &events[..3] {
        let (table, row) = TableRow::of(event);
        assert!(outdate(store, event, event.id).await, "{table}");
        let outdated = rows(store, table, &[row.key]).await;
        assert!(outdated[0].clock() < row.clock() && outdated[0].fields == row.fields, "{table}: its values stay");
        assert!(!outdate(store, event, event.id).await, "{table}: once");
        apply(store, std::slice::from_ref(event)).await;
        assert_eq!(rows(store, table, &[row.key]).await, [row], "{table}");
    }
}

pub async fn a_row_that_shows_another_event_by_now_is_not_outdated<S: Database>(store: &S) {
    let (older, user_id) = (user(id()), id());
    let newer = user(user_id).with_user(|user| user.first_name = "Newer".into());
    apply(store, std::slice::from_ref(&newer)).await;
    assert!(!outdate(store, &newer, older.id).await);
    assert!(!outdate(store, &older, older.id).await, "there is no such row");
    assert_eq!(first_name(store, user_id).await.as_deref(), Some("Newer"));
}

pub async fn a_row_is_deleted_with_all_that_belongs_to_it_and_only_as_it_was_seen<S: Database>(store: &S) {
    let events = events();
    apply(store, &events).await;
    let delete = async |event: &Event<'_>, shown| {
        let (table, row) = TableRow::of(event);
        store.delete(table, row.key, shown).await.expect("the store deletes a row")
    };
    let [user, order, payment, adjustment] = &events;
    for event in [user, order] {
        assert!(!delete(event, event.id).await, "another row refers to it");
    }
    for event in [payment, order, user, adjustment] {
        let (table, row) = TableRow::of(event);
        if table != Table::Adjustments {
            assert!(!delete(event, id()).await, "{table}: it shows another event");
        }
        assert_eq!(rows(store, table, &[row.key]).await.first(), Some(&row), "{table}");
        assert!(delete(event, event.id).await, "{table}");
        assert!(!delete(event, event.id).await, "{table}: once");
        assert!(rows(store, table, &[row.key]).await.is_empty(), "{table}");
    }
    // Its items and its address went too: nothing is in the way of the same events.
    let wrong =
        WrongStock { sku: TableRow::of(adjustment).1.fields.get("sku").unwrap_or_default().into_owned(), quantity: Some(-7), ledger: None };
    assert_eq!(store.correct_stock(&wrong).await, Ok(true));
    apply(store, &events).await;
    for event in &events {
        let (table, row) = TableRow::of(event);
        assert_eq!(rows(store, table, &[row.key]).await, [row], "{table}");
    }
}

pub async fn a_line_that_is_taken_out_of_the_ledger_is_written_again<S: Database>(store: &S) {
    let sku = unique("sku");
    let event = adjustment(&sku, 5);
    apply(store, std::slice::from_ref(&event)).await;
    assert!(outdate(store, &event, event.id).await);
    assert!(rows(store, Table::Adjustments, &[event.id]).await.is_empty());
    let wrong = WrongStock { sku: sku.clone(), quantity: Some(5), ledger: None };
    let found = store.wrong_stock(10_000).await.expect("the store adds up");
    assert!(found.contains(&wrong), "the stock is no sum any more: {found:?}");
    apply(store, std::slice::from_ref(&event)).await;
    assert_eq!(quantity(store, &sku).await, 10, "applying adds once more");
    assert_eq!(store.correct_stock(&WrongStock { sku: sku.clone(), quantity: Some(10), ledger: Some(5) }).await, Ok(true));
    assert_eq!(quantity(store, &sku).await, 5);
}

pub async fn stock_is_corrected_only_as_long_as_it_is_what_was_seen<S: Database>(store: &S) {
    let (sku, unknown) = (unique("sku"), unique("sku"));
    apply(store, &[adjustment(&sku, 5)]).await;
    let seen = |sku: &str, quantity, ledger| WrongStock { sku: sku.to_owned(), quantity, ledger };
    assert_eq!(store.correct_stock(&seen(&sku, Some(4), Some(9))).await, Ok(false), "somebody has changed it");
    assert_eq!(quantity(store, &sku).await, 5);
    assert_eq!(store.correct_stock(&seen(&sku, Some(5), Some(-2))).await, Ok(true));
    assert_eq!(quantity(store, &sku).await, -2);
    assert_eq!(store.correct_stock(&seen(&unknown, None, Some(3))).await, Ok(true), "an article that is not there is made");
    assert_eq!(store.correct_stock(&seen(&unknown, None, Some(3))).await, Ok(false));
    assert_eq!(quantity(store, &unknown).await, 3);
    // What this case has made wrong must not stay so for others.
    assert_eq!(store.correct_stock(&seen(&sku, Some(-2), Some(5))).await, Ok(true));
    assert_eq!(store.correct_stock(&seen(&unknown, Some(3), Some(0))).await, Ok(true));
}
