//! What the tables know of one event.

use pipeline::trace::{About, ShownRow};
use pipeline::{Entity, Position, Trace, WaitsFor};

use uuid::Uuid;

use super::{Database, order_view, park, stock_view, user_view};
use crate::builders::{Build, adjustment, id, order, parked, payment, unique, user};
use crate::delivery::apply;

/// What is left of an event, whatever other suites have compacted in this database.
async fn traced<S: Database>(store: &S, event_id: Uuid, entity: Option<Entity>) -> Trace {
    Trace { folded_before: None, ..store.trace(event_id, entity).await.unwrap() }
}

pub async fn a_row_tells_which_event_it_shows<S: Database>(store: &S) {
    let (user_id, order_id, payment_id) = (id(), id(), id());
    let events = [user(user_id), order(order_id, user_id).later(1), payment(payment_id, order_id).later(2)];
    apply(store, &events).await;
    let entities = [Entity::User(user_id), Entity::Order(order_id), Entity::Payment(payment_id)];
    let written = user_view(store, user_id).await.unwrap().user.updated_at;
    assert_eq!(order_view(store, order_id).await.unwrap().order.updated_at, written);
    for (event, entity) in events.iter().zip(entities) {
        let shown = ShownRow { entity, event_id: event.id, event_at: event.at, updated_at: written };
        let trace = traced(store, event.id, None).await;
        assert_eq!(trace, Trace { shown_by: vec![shown], ..Trace::default() });
        assert_eq!(traced(store, event.id, Some(entity)).await, Trace { entity: Some(shown), ..trace });
    }
}

pub async fn the_row_of_an_entity_is_told_whichever_event_it_shows<S: Database>(store: &S) {
    let user_id = id();
    let (older, newer) = (user(user_id), user(user_id).later(1));
    apply(store, std::slice::from_ref(&older)).await;
    apply(store, std::slice::from_ref(&newer)).await;
    assert_eq!(traced(store, older.id, None).await, Trace::default(), "no row shows it any more");
    let trace = traced(store, older.id, Some(Entity::User(user_id))).await;
    let row = trace.entity.expect("the user has a row");
    assert_eq!((row.event_id, row.event_at, trace.shown_by), (newer.id, newer.at, vec![]));
    // An identity of one table is looked for in that table alone.
    for elsewhere in [Entity::Order(user_id), Entity::Payment(user_id), Entity::User(id())] {
        assert_eq!(traced(store, older.id, Some(elsewhere)).await, Trace::default());
    }
}

pub async fn the_ledger_tells_what_an_adjustment_added<S: Database>(store: &S) {
    let sku = unique("sku");
    let events = [adjustment(&sku, 7), adjustment(&sku, -2)];
    apply(store, &events).await;
    let trace = traced(store, events[1].id, None).await;
    let line = trace.ledger.clone().expect("it was applied");
    let stock = stock_view(store, &sku).await.unwrap();
    assert_eq!((line.sku, line.delta, line.event_at, line.applied_at), (sku, -2, events[1].at, stock.updated_at));
    assert_eq!(Trace { ledger: None, ..trace }, Trace::default());
}

pub async fn the_parking_table_tells_where_an_event_waits_and_for_what<S: Database>(store: &S) {
    let (order_id, user_id) = (id(), id());
    let placed = order(order_id, user_id);
    let first = parked(&placed);
    let second = pipeline::ParkedEvent { position: Position { offset: 1, ..first.position.clone() }, ..first.clone() };
    let nobodys = parked(&user(id()));
    park(store, &[second.clone(), first.clone(), nobodys.clone()]).await;
    let trace = traced(store, placed.id, None).await;
    let places: Vec<_> = trace.parked.iter().map(|row| &row.position).collect();
    assert_eq!(places, [&first.position, &second.position], "each record of it");
    for row in &trace.parked {
        assert_eq!((row.waits_for, row.expired), (WaitsFor::User(user_id), false));
        assert_eq!(row.about, Some(About { entity: Some(Entity::Order(order_id)), event_at: placed.at }));
        assert!(row.parked_at > placed.at, "by the clock of the database");
    }
    let waits = traced(store, nobodys.event_id, None).await;
    assert_eq!(waits.parked[0].waits_for, WaitsFor::Email);
    assert_eq!((trace.shown_by, trace.ledger, trace.entity), (vec![], None, None));
}

pub async fn an_event_that_never_came_has_left_nothing<S: Database>(store: &S) {
    assert_eq!(traced(store, id(), None).await, Trace::default());
    assert_eq!(traced(store, id(), Some(Entity::User(id()))).await, Trace::default());
}
