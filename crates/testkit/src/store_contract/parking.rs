//! Waiting for a parent, and release.

use pipeline::headers::RETRY_COUNT_HEADER;
use pipeline::plan::Candidate;
use pipeline::{FaultClass, Header, Outcome, Parents, ParkedEvent, Reason, RecordId, WaitsFor};

use super::{Database, children_of, first_name, order_view, park, places, quantity, swept, user_view};
use crate::builders::{Build, adjustment, id, order, parked, parked_at, payment, position, unique, user};
use crate::delivery::{Delivery, apply, try_apply, try_apply_candidates, try_release};

pub async fn a_child_without_its_parent_is_parked<S: Database>(store: &S) {
    let (user_id, order_id) = (id(), id());
    let outcomes = apply(store, &[order(order_id, user_id)]).await;
    assert_eq!(outcomes, [Outcome::Parked(WaitsFor::User(user_id))]);
    let outcomes = apply(store, &[payment(id(), order_id)]).await;
    assert_eq!(outcomes, [Outcome::Parked(WaitsFor::Order(order_id))]);
    assert_eq!(order_view(store, order_id).await, None);
}

pub async fn a_chain_that_comes_backwards_is_released_step_by_step<S: Database>(store: &S) {
    let (user_id, order_id) = (id(), id());
    let (born, placed, settled) = (user(user_id), order(order_id, user_id), payment(id(), order_id));
    let waiting = [parked(&settled), parked(&placed)];
    assert!(!park(store, &waiting).await, "neither parent is there");

    let applied = try_apply(store, std::slice::from_ref(&born)).await.unwrap();
    assert_eq!((applied.outcomes, applied.children_wait), (vec![Outcome::Applied], true));
    let children = children_of(store, &born).await;
    assert_eq!(places(&children), [&waiting[1].position], "the payment's parent is not there yet");

    let applied = try_release(store, &placed, children[0].parked_key()).await.unwrap();
    assert_eq!((applied.outcomes, applied.children_wait), (vec![Outcome::Applied], true));
    let children = children_of(store, &placed).await;
    assert_eq!(places(&children), [&waiting[0].position]);

    let applied = try_release(store, &settled, children[0].parked_key()).await.unwrap();
    assert_eq!((applied.outcomes, applied.children_wait), (vec![Outcome::Applied], false));
    assert!(order_view(store, order_id).await.unwrap().payment.is_some());
    assert_eq!(swept(store, &waiting).await, []);
}

pub async fn only_waiting_children_of_the_batch_are_announced<S: Database>(store: &S) {
    let (user_id, order_id, stranger) = (id(), id(), id());
    park(store, &[parked(&order(id(), stranger))]).await;
    let (born, placed) = (user(user_id), order(order_id, user_id));
    assert!(!try_apply(store, &[born.clone(), placed.clone()]).await.unwrap().children_wait, "nobody waits for these");
    park(store, &[parked(&payment(id(), order_id))]).await;
    // Also where the parents are not new: a crash may have come between landing and release.
    let again = try_apply(store, &[born.clone(), placed]).await.unwrap();
    assert_eq!((again.outcomes, again.children_wait), (vec![Outcome::Duplicate; 2], true));
    assert!(!try_apply(store, &[born.later(-1)]).await.unwrap().children_wait, "the payment waits for the order, not for the user");
    let absent = order(stranger, id());
    park(store, &[parked(&payment(id(), stranger))]).await;
    assert!(!try_apply(store, &[absent]).await.unwrap().children_wait, "an order that is parked itself has not landed");
}

pub async fn a_child_is_found_by_its_own_parent_only<S: Database>(store: &S) {
    // One identity for a user and an order: what waits for the one does not wait for the other.
    let (shared, customer) = (id(), id());
    let (born, placed) = (user(shared), order(shared, customer));
    let waiting = [parked(&order(id(), shared)), parked(&payment(id(), shared))];
    park(store, &waiting).await;
    assert_eq!((children_of(store, &born).await, children_of(store, &placed).await), (vec![], vec![]), "neither parent is there");
    apply(store, std::slice::from_ref(&born)).await;
    assert_eq!(places(&swept(store, &waiting).await), [&waiting[0].position]);
    assert_eq!(children_of(store, &placed).await, []);
    apply(store, &[user(customer), placed.clone()]).await;
    assert_eq!(places(&children_of(store, &born).await), [&waiting[0].position]);
    assert_eq!(places(&children_of(store, &placed).await), [&waiting[1].position]);
    let both = Parents::These { users: vec![shared, id()], orders: vec![id(), shared], addresses: false };
    assert_eq!(store.releasable(&both, None, 100).await.unwrap().len(), 2);
    assert_eq!(store.releasable(&Parents::none(), None, 100).await.unwrap(), []);
}

pub async fn parking_tells_whether_the_parent_is_there_meanwhile<S: Database>(store: &S) {
    let (user_id, order_id) = (id(), id());
    let (late, later) = (parked(&order(order_id, user_id)), parked(&payment(id(), order_id)));
    apply(store, &[user(user_id)]).await;
    assert!(!park(store, &[later]).await, "its order is not there");
    assert!(park(store, &[parked(&payment(id(), id())), late.clone()]).await, "the user of one of them is there");
    assert!(park(store, &[late]).await, "also where it was parked before");
    assert!(!park(store, &[]).await);
}

pub async fn parking_twice_is_parking_once<S: Database>(store: &S) {
    let born = user(id());
    let events::Body::UserCreated(parent) = &born.body else { unreachable!() };
    let first = parked(&order(id(), parent.user_id));
    park(store, std::slice::from_ref(&first)).await;
    apply(store, std::slice::from_ref(&born)).await;
    let before = children_of(store, &born).await;
    park(store, &[ParkedEvent { headers: vec![Header::text(RETRY_COUNT_HEADER, "9")], ..first.clone() }, first]).await;
    let after = children_of(store, &born).await;
    assert_eq!((after.len(), &after), (1, &before), "it stays as it is, also since when it waits");
}

pub async fn a_parked_event_comes_back_unchanged<S: Database>(store: &S) {
    let user_id = id();
    let born = user(user_id);
    let placed = order(id(), user_id).with_order(|order| order.items[0].sku = "👩‍👩‍👧‍👦 \"\\ é".into());
    let whole = ParkedEvent {
        key: Some(vec![0, 0xff, b'k']),
        timestamp_ms: Some(1_768_471_200_123),
        headers: vec![
            Header::text("traceparent", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"),
            Header { name: "é \"\\".to_owned(), value: Some(vec![0, 0xff]) },
            Header { name: "null".to_owned(), value: None },
            Header::text(RETRY_COUNT_HEADER, "3"),
        ],
        // The text of the message, not of the event: spaces and unknown fields are part of it.
        value: parked(&placed).value.replacen('{', "{ \"x\" : \"\u{2028}'\", ", 1),
        ..parked(&placed)
    };
    let mut bare = ParkedEvent { key: None, timestamp_ms: None, ..parked(&order(id(), user_id)) };
    bare.position.partition = i32::MAX;
    bare.position.offset = i64::MAX;
    let empty_key = ParkedEvent { key: Some(Vec::new()), ..parked(&order(id(), user_id)) };
    let before = store.now().await.unwrap();
    let waiting = [whole, bare, empty_key];
    park(store, &waiting).await;
    apply(store, std::slice::from_ref(&born)).await;
    let after = store.now().await.unwrap();
    for found in children_of(store, &born).await {
        assert!(before <= found.parked_at && found.parked_at <= after, "by the store's own clock");
        let expected = waiting.iter().find(|event| event.parked_key() == found.parked_key()).unwrap();
        assert_eq!(found, ParkedEvent { parked_at: found.parked_at, ..expected.clone() });
    }
    assert_eq!(children_of(store, &born).await.len(), 3);
}

/// Orders of one user, parked at one place: the topic was recreated between them.
fn of_one_place(user_id: uuid::Uuid) -> ([events::Event<'static>; 3], [ParkedEvent; 3]) {
    let (place, placed) = (position(), [(); 3].map(|()| order(id(), user_id)));
    let waiting = placed.each_ref().map(|event| parked_at(event, place.clone()));
    (placed, waiting)
}

pub async fn different_records_of_one_place_are_all_kept<S: Database>(store: &S) {
    let born = user(id());
    let events::Body::UserCreated(parent) = &born.body else { unreachable!() };
    let (_, waiting) = of_one_place(parent.user_id);
    park(store, &waiting[..1]).await;
    park(store, &waiting).await;
    park(store, &waiting).await;
    apply(store, std::slice::from_ref(&born)).await;
    for found in [children_of(store, &born).await, swept(store, &waiting).await] {
        assert_eq!(found.len(), 3, "none was taken for another, and none is there twice");
        for own in &waiting {
            assert!(found.iter().any(|event| *event == ParkedEvent { parked_at: event.parked_at, ..own.clone() }));
        }
    }
}

pub async fn each_record_of_a_place_is_released_by_itself<S: Database>(store: &S) {
    let user_id = id();
    let (placed, waiting) = of_one_place(user_id);
    park(store, &waiting).await;
    apply(store, &[user(user_id)]).await;
    for gone in 0..3 {
        let applied = try_release(store, &placed[gone], waiting[gone].parked_key()).await.unwrap();
        assert_eq!(applied.outcomes, [Outcome::Applied]);
        assert_eq!(swept(store, &waiting).await.len(), 2 - gone);
        let fault = try_release(store, &placed[gone], waiting[gone].parked_key()).await.unwrap_err();
        assert_eq!(fault.class, FaultClass::ReleaseLost, "another one of the place is not taken for it");
    }
}

pub async fn each_record_of_a_place_is_discarded_by_itself<S: Database>(store: &S) {
    let user_id = id();
    let (_, waiting) = of_one_place(user_id);
    park(store, &waiting).await;
    apply(store, &[user(user_id)]).await;
    store.discard(&[waiting[1].parked_key()]).await.unwrap();
    let left = swept(store, &waiting).await;
    assert!(left.len() == 2 && left.iter().all(|event| event.record != waiting[1].record));
    store.discard(&[waiting[0].parked_key(), waiting[2].parked_key()]).await.unwrap();
    assert_eq!(swept(store, &waiting).await, []);
}

pub async fn records_of_one_place_come_page_by_page<S: Database>(store: &S) {
    let born = user(id());
    let events::Body::UserCreated(parent) = &born.body else { unreachable!() };
    let (_, waiting) = of_one_place(parent.user_id);
    park(store, &waiting).await;
    apply(store, std::slice::from_ref(&born)).await;
    let parents = Parents::These { users: vec![parent.user_id], orders: Vec::new(), addresses: false };
    let mut found: Vec<ParkedEvent> = Vec::new();
    while let Some(next) = store.releasable(&parents, found.last(), 1).await.unwrap().pop() {
        assert!(found.len() < 3, "no page comes twice");
        found.push(next);
    }
    let mut records: Vec<_> = waiting.iter().map(|event| &event.record).collect();
    records.sort_unstable();
    assert_eq!(found.iter().map(|event| &event.record).collect::<Vec<_>>(), records);
}

pub async fn what_has_no_identity_is_released_and_discarded_too<S: Database>(store: &S) {
    // As a program has stored it that made no identities.
    let user_id = id();
    let (placed, [first, second, _]) = of_one_place(user_id);
    let old = ParkedEvent { record: RecordId::default(), ..first };
    let waiting = [old.clone(), second, ParkedEvent { position: position(), ..old }];
    park(store, &waiting).await;
    apply(store, &[user(user_id)]).await;
    let found = swept(store, &waiting).await;
    assert_eq!(found.len(), 3);
    let found = found.iter().find(|event| event.parked_key() == waiting[0].parked_key()).expect("it comes back without one");
    try_release(store, &placed[0], found.parked_key()).await.unwrap();
    store.discard(&[waiting[2].parked_key()]).await.unwrap();
    assert_eq!(places(&swept(store, &waiting).await), [&waiting[1].position]);
}

pub async fn a_release_leaves_with_the_transaction_that_applies_it<S: Database>(store: &S) {
    let (user_id, order_id) = (id(), id());
    let placed = order(order_id, user_id);
    let waiting = [parked(&placed)];
    park(store, &waiting).await;
    apply(store, &[user(user_id)]).await;
    // The transaction fails after the order: its release is undone with it.
    let poison = order(id(), user_id).with_order(|order| order.currency = "EURO".into());
    let candidates =
        [Candidate { event: placed.clone(), parked: Some(waiting[0].parked_key()) }, Candidate { event: poison, parked: None }];
    assert_eq!(try_apply_candidates(store, &candidates).await.unwrap_err().class, FaultClass::Poison);
    assert_eq!((order_view(store, order_id).await, swept(store, &waiting).await.len()), (None, 1));
    try_release(store, &placed, waiting[0].parked_key()).await.unwrap();
    assert_eq!((order_view(store, order_id).await.is_some(), swept(store, &waiting).await.len()), (true, 0));
}

pub async fn a_release_that_is_gone_undoes_its_batch<S: Database>(store: &S) {
    let (user_id, order_id, sku) = (id(), id(), unique("sku"));
    let placed = order(order_id, user_id);
    let born = user(user_id);
    let never_parked = parked(&placed);
    let batch = |parked| {
        let neighbours = [born.clone(), adjustment(&sku, 1)].map(|event| Candidate { event, parked: None });
        [Candidate { event: placed.clone(), parked: Some(parked) }].into_iter().chain(neighbours).collect::<Vec<_>>()
    };
    let fault = try_apply_candidates(store, &batch(never_parked.parked_key())).await.unwrap_err();
    assert_eq!(fault.class, FaultClass::ReleaseLost, "{fault}");
    assert_eq!((user_view(store, user_id).await, quantity(store, &sku).await), (None, 0));

    let waiting = parked(&placed);
    park(store, std::slice::from_ref(&waiting)).await;
    try_apply_candidates(store, &batch(waiting.parked_key())).await.unwrap();
    let fault = try_apply_candidates(store, &batch(waiting.parked_key())).await.unwrap_err();
    assert_eq!(fault.class, FaultClass::ReleaseLost, "released a second time");
    assert_eq!((order_view(store, order_id).await.is_some(), quantity(store, &sku).await), (true, 1));
}

pub async fn a_released_event_that_waits_again_stays<S: Database>(store: &S) {
    let (user_id, order_id) = (id(), id());
    let settled = payment(id(), order_id);
    let waiting = [parked(&settled)];
    park(store, &waiting).await;
    let applied = try_release(store, &settled, waiting[0].parked_key()).await.unwrap();
    assert_eq!(applied.outcomes, [Outcome::Parked(WaitsFor::Order(order_id))]);
    apply(store, &[user(user_id), order(order_id, user_id)]).await;
    assert_eq!(swept(store, &waiting).await.len(), 1);
}

pub async fn what_is_released_leaves_also_as_duplicate_stale_or_conflict<S: Database>(store: &S) {
    let (user_id, sku) = (id(), unique("sku"));
    let (born, counted) = (user(user_id), adjustment(&sku, 1));
    apply(store, &[born.clone(), counted.clone()]).await;
    let conflict = adjustment(&sku, 2).with_id(counted.id);
    let stale = born.clone().later(-1).with_user(|user| user.first_name = "Grace".into());
    let waiting = [&born, &stale, &conflict].map(parked);
    park(store, &waiting).await;
    assert_eq!(try_release(store, &born, waiting[0].parked_key()).await.unwrap().outcomes, [Outcome::Duplicate]);
    assert_eq!(try_release(store, &stale, waiting[1].parked_key()).await.unwrap().outcomes, [Outcome::Stale]);
    let outcomes = try_release(store, &conflict, waiting[2].parked_key()).await.unwrap().outcomes;
    assert!(matches!(outcomes[..], [Outcome::Rejected { reason: Reason::EventIdConflict, .. }]));
    assert_eq!(swept(store, &waiting).await, []);
    assert_eq!((first_name(store, user_id).await.as_deref(), quantity(store, &sku).await), (Some("Ada"), 1));
}

pub async fn versions_that_wait_together_leave_together<S: Database>(store: &S) {
    let (user_id, order_id) = (id(), id());
    let older = order(order_id, user_id);
    let newer = older.clone().later(1).with_order(|order| order.currency = "USD".into());
    let mut delivery = Delivery::new(store);
    let waits = Outcome::Parked(WaitsFor::User(user_id));
    assert_eq!(delivery.deliver(&[newer, older]).await, [waits.clone(), waits]);
    delivery.deliver(&[user(user_id)]).await;
    assert_eq!(order_view(store, order_id).await.unwrap().order.currency, "USD");
    assert_eq!(delivery.releasable().await, []);
}

pub async fn a_superseded_event_is_written_by_itself_when_its_leader_is_not_persisted<S: Database>(store: &S) {
    let (user_id, order_id, missing) = (id(), id(), id());
    let mut delivery = Delivery::new(store);
    delivery.deliver(&[user(user_id)]).await;
    let kept = order(order_id, user_id).with_order(|order| order.currency = "USD".into());
    // The newest has another parent, so it supersedes neither of the others, and waits.
    let events = [order(order_id, user_id).later(-1), kept, order(order_id, missing).later(1)];
    let outcomes = delivery.deliver(&events).await;
    assert_eq!(outcomes, [Outcome::Stale, Outcome::Applied, Outcome::Parked(WaitsFor::User(missing))]);
    assert_eq!(order_view(store, order_id).await.unwrap().order.currency, "USD");
    delivery.deliver(&[user(missing)]).await;
    assert_eq!(order_view(store, order_id).await.unwrap().order.user_id, missing);
}

pub async fn releasable_events_come_oldest_first_page_by_page<S: Database>(store: &S) {
    let user_id = id();
    let born = user(user_id);
    let mut waiting = Vec::new();
    for _ in 0..3 {
        // Those that are parked together share one time, so the page has to go on inside it.
        let together: Vec<_> = (0..4).map(|_| parked(&order(id(), user_id))).collect();
        park(store, &together).await;
        waiting.extend(together);
    }
    apply(store, std::slice::from_ref(&born)).await;
    let parents = Parents::These { users: vec![user_id], orders: Vec::new(), addresses: false };
    let mut found: Vec<ParkedEvent> = Vec::new();
    loop {
        let page = store.releasable(&parents, found.last(), 5).await.unwrap();
        assert!(page.len() <= 5);
        if page.is_empty() {
            break;
        }
        found.extend(page);
        assert!(found.len() <= waiting.len(), "no page comes twice");
    }
    assert!(found.is_sorted_by_key(|event| event.parked_at));
    let sorted = |events: &[ParkedEvent]| {
        let mut positions: Vec<_> = places(events).into_iter().cloned().collect();
        positions.sort_unstable();
        positions
    };
    assert_eq!(sorted(&found), sorted(&waiting));
    assert_eq!(swept(store, &waiting).await.len(), waiting.len());
}

pub async fn what_became_a_dead_letter_is_discarded<S: Database>(store: &S) {
    let waiting = [user(id()), user(id()), user(id())].map(|event| parked(&event));
    park(store, &waiting).await;
    let stranger = parked(&user(id()));
    let gone = [&waiting[0], &waiting[2], &stranger].map(ParkedEvent::parked_key);
    store.discard(&gone).await.unwrap();
    assert_eq!(places(&swept(store, &waiting).await), [&waiting[1].position]);
    store.discard(&gone).await.expect("once more is harmless");
    store.discard(&[]).await.unwrap();
}
