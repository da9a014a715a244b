//! A batch that is tried and taken back.

use events::Event;
use pipeline::plan::Candidate;
use pipeline::{FaultClass, Outcome, Reason, WaitsFor};

use super::{Database, order_view, park, quantity, stock_view, swept, user_view};
use crate::builders::{Build, adjustment, id, order, parked, payment, unique, user};
use crate::delivery::{apply, try_dry_run_candidates, try_release};

fn candidates<'e>(events: &'e [Event<'static>]) -> Vec<Candidate<'e>> {
    events.iter().map(|event| Candidate { event: event.clone(), parked: None }).collect()
}

pub async fn a_dry_run_tells_every_outcome_and_writes_nothing<S: Database>(store: &S) {
    let (user_id, order_id, newcomer, missing, sku) = (id(), id(), id(), id(), unique("sku"));
    let (known, placed, counted) = (user(user_id), order(order_id, user_id).later(5), adjustment(&sku, 10));
    apply(store, &[known.clone(), placed, counted.clone()]).await;
    let fresh = unique("sku");
    let events = [
        user(newcomer),
        known,
        order(order_id, user_id).later(6).with_order(|order| order.items.truncate(1)),
        order(id(), missing),
        payment(id(), order_id),
        adjustment(&sku, 1),
        adjustment(&fresh, 1),
        counted.clone(),
        adjustment(&sku, 11),
    ];
    let before = (user_view(store, user_id).await, order_view(store, order_id).await, stock_view(store, &sku).await);
    let dry_run_first = try_dry_run_candidates(store, &candidates(&events)).await.unwrap();
    let expected = [
        Outcome::Applied,
        Outcome::Duplicate,
        Outcome::Applied,
        Outcome::Parked(WaitsFor::User(missing)),
        Outcome::Applied,
        Outcome::Applied,
        Outcome::Applied,
        Outcome::Duplicate,
        Outcome::Applied,
    ];
    assert_eq!(dry_run_first.outcomes, expected);
    let after = (user_view(store, user_id).await, order_view(store, order_id).await, stock_view(store, &sku).await);
    assert_eq!((user_view(store, newcomer).await, stock_view(store, &fresh).await, after), (None, None, before));
    for event in &events[4..7] {
        assert_eq!(store.trace(event.id, None).await.unwrap(), pipeline::Trace::default(), "neither payment nor ledger");
    }
    assert_eq!(apply(store, &events).await, expected);
}

pub async fn a_dry_run_tells_what_is_stale_and_what_conflicts<S: Database>(store: &S) {
    let (user_id, sku) = (id(), unique("sku"));
    let counted = adjustment(&sku, 10);
    apply(store, &[user(user_id).later(1), counted.clone()]).await;
    let events = [user(user_id), adjustment(&sku, 9).with_id(counted.id)];
    let dry_run_first = try_dry_run_candidates(store, &candidates(&events)).await.unwrap();
    let conflict = Outcome::Rejected { reason: Reason::EventIdConflict, code: None };
    assert_eq!(dry_run_first.outcomes, [Outcome::Stale, conflict]);
    assert_eq!(quantity(store, &sku).await, 10);
}

pub async fn a_dry_run_fails_as_its_batch_would<S: Database>(store: &S) {
    let (user_id, sku) = (id(), unique("sku"));
    apply(store, &[user(user_id)]).await;
    let broken = order(id(), user_id).with_order(|order| order.currency = "EURO".into());
    let events = [adjustment(&sku, 1), broken];
    assert_eq!(try_dry_run_candidates(store, &candidates(&events)).await.unwrap_err().class, FaultClass::Poison);
    assert_eq!(stock_view(store, &sku).await, None);
    assert_eq!(apply(store, &[adjustment(&sku, 1)]).await, [Outcome::Applied], "nothing is left of the failure");
}

pub async fn a_dry_run_tells_who_cannot_have_an_address<S: Database>(store: &S) {
    let (address, sku, free) = (unique("mail"), unique("sku"), unique("mail"));
    let at = |address: &str| user(id()).with_user(|user| user.email = address.to_owned().into());
    apply(store, &[at(&address)]).await;
    let events = [adjustment(&sku, 1), at(&address), at(&free).later(1), at(&free)];
    let dry_run_first = try_dry_run_candidates(store, &candidates(&events)).await.unwrap();
    let waits = Outcome::Parked(WaitsFor::Email);
    assert_eq!(dry_run_first.outcomes, [Outcome::Applied, waits.clone(), waits, Outcome::Applied]);
    assert_eq!(stock_view(store, &sku).await, None);
}

pub async fn a_dry_run_release_stays_parked<S: Database>(store: &S) {
    let (user_id, order_id) = (id(), id());
    let placed = order(order_id, user_id);
    let waiting = [parked(&placed)];
    park(store, &waiting).await;
    apply(store, &[user(user_id)]).await;
    let release = [Candidate { event: placed.clone(), parked: Some(waiting[0].parked_key()) }];
    for _ in 0..2 {
        let dry_run_first = try_dry_run_candidates(store, &release).await.unwrap();
        assert_eq!((dry_run_first.outcomes, dry_run_first.children_wait), (vec![Outcome::Applied], false));
        assert_eq!((order_view(store, order_id).await, swept(store, &waiting).await.len()), (None, 1));
    }
    try_release(store, &placed, waiting[0].parked_key()).await.unwrap();
    assert_eq!(swept(store, &waiting).await, []);
    assert_eq!(try_dry_run_candidates(store, &release).await.unwrap_err().class, FaultClass::ReleaseLost, "somebody was faster");
}

pub async fn a_dry_run_announces_the_children_that_would_still_wait<S: Database>(store: &S) {
    let (user_id, order_id) = (id(), id());
    let (born, placed, settled) = (user(user_id), order(order_id, user_id), payment(id(), order_id));
    let waiting = [parked(&placed), parked(&settled)];
    park(store, &waiting[..1]).await;
    let together = [Candidate { event: born.clone(), parked: None }, Candidate { event: placed, parked: Some(waiting[0].parked_key()) }];
    let dry_run_first = try_dry_run_candidates(store, &together).await.unwrap();
    assert!(!dry_run_first.children_wait, "the only child comes along");
    assert!(try_dry_run_candidates(store, &together[..1]).await.unwrap().children_wait, "without it, it waits");
    park(store, &waiting[1..]).await;
    assert!(try_dry_run_candidates(store, &together).await.unwrap().children_wait, "the payment waits for the order");
    assert_eq!((user_view(store, user_id).await, order_view(store, order_id).await), (None, None));
}
