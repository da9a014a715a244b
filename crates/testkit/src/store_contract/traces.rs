//! What the tables know of one event.

use pipeline::trace::{About, HISTORY_ROWS, History, ParkedRow, ShownRow, StockRow, Subject};
use pipeline::{Entity, ParkedEvent, Position, Trace, WaitsFor};

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
        assert_eq!(row.about, Some(About { event_id: placed.id, entity: Some(Entity::Order(order_id)), event_at: placed.at }));
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

async fn history<S: Database>(store: &S, subject: Subject) -> History {
    History { folded_before: None, ..store.history(&subject).await.unwrap() }
}

fn events(rows: &[ParkedRow]) -> Vec<Uuid> {
    rows.iter().map(|row| row.event_id).collect()
}

pub async fn an_entity_tells_its_row_what_is_parked_of_it_and_who_waits_for_it<S: Database>(store: &S) {
    let (user_id, order_id, payment_id) = (id(), id(), id());
    // All of them wait: the user for an address, the order for the user, the payment for the order.
    let (born, placed, paid) = (user(user_id), order(order_id, user_id).later(1), payment(payment_id, order_id).later(2));
    park(store, &[parked(&born), parked(&placed), parked(&paid)]).await;
    for (entity, own, children) in [
        (Entity::User(user_id), born.id, vec![placed.id]),
        (Entity::Order(order_id), placed.id, vec![paid.id]),
        (Entity::Payment(payment_id), paid.id, vec![]),
    ] {
        let found = history(store, Subject::Entity(entity)).await;
        assert_eq!((found.row, events(&found.parked), events(&found.children)), (None, vec![own], children.clone()), "{entity}");
        assert_eq!(found.children_total, children.len() as u64, "{entity}");
    }
    // An identity of one table is looked for in that table alone.
    for elsewhere in [Entity::Order(user_id), Entity::Payment(order_id), Entity::User(payment_id)] {
        assert_eq!(history(store, Subject::Entity(elsewhere)).await, History::default(), "{elsewhere}");
    }
    let (user_id, order_id) = (id(), id());
    let written = [user(user_id), order(order_id, user_id).later(1)];
    apply(store, &written).await;
    for (event, entity) in written.iter().zip([Entity::User(user_id), Entity::Order(order_id)]) {
        let found = history(store, Subject::Entity(entity)).await;
        let row = found.row.expect("it has a row");
        assert_eq!((row.entity, row.event_id, row.event_at), (entity, event.id, event.at));
        assert_eq!(History { row: None, ..found }, History::default());
    }
}

pub async fn an_entity_is_found_in_parked_text_whichever_case_its_id_is_written_in<S: Database>(store: &S) {
    let order_id = id();
    let placed = order(order_id, id());
    let shouted = ParkedEvent {
        value: parked(&placed).value.replace(&order_id.to_string(), &order_id.to_string().to_uppercase()),
        ..parked(&placed)
    };
    assert!(shouted.value.contains(&order_id.to_string().to_uppercase()));
    park(store, &[shouted]).await;
    assert_eq!(events(&history(store, Subject::Entity(Entity::Order(order_id))).await.parked), [placed.id]);
}

pub async fn of_many_who_wait_the_longest_are_told_and_all_are_counted<S: Database>(store: &S) {
    let user_id = id();
    let all: Vec<_> = (0..HISTORY_ROWS + 5).map(|_| parked(&order(id(), user_id))).collect();
    park(store, &all).await;
    let found = history(store, Subject::Entity(Entity::User(user_id))).await;
    assert_eq!((found.children.len(), found.children_total), (HISTORY_ROWS, all.len() as u64));
    assert!(found.children.is_sorted_by_key(|row| (row.parked_at, row.event_id)));
}

pub async fn an_article_tells_its_stock_and_its_last_lines<S: Database>(store: &S) {
    let (sku, other) = (unique("sku"), unique("sku"));
    let older: Vec<_> = (0..HISTORY_ROWS).map(|_| adjustment(&sku, 1)).collect();
    apply(store, &older).await;
    let newest = adjustment(&sku, -7);
    apply(store, &[newest.clone(), adjustment(&other, 3)]).await;
    let found = history(store, Subject::Article(sku.clone())).await;
    assert_eq!(found.ledger.len(), HISTORY_ROWS, "no more than fit");
    let (first, stock) = (&found.ledger[0], stock_view(store, &sku).await.unwrap());
    assert_eq!((first.event_id, first.delta, first.event_at), (newest.id, -7, newest.at), "what was applied last comes first");
    assert_eq!(found.stock, Some(StockRow { quantity: HISTORY_ROWS as i64 - 7, updated_at: stock.updated_at }));
    assert!(found.ledger.iter().all(|line| line.sku == sku));
    assert_eq!((found.row, found.parked, found.children), (None, vec![], vec![]));
}

pub async fn what_nothing_is_about_has_left_nothing<S: Database>(store: &S) {
    for subject in [Subject::Entity(Entity::User(id())), Subject::Entity(Entity::Payment(id())), Subject::Article(unique("sku"))] {
        assert_eq!(history(store, subject.clone()).await, History::default(), "{subject:?}");
    }
}
