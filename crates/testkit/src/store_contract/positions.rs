//! How far the tables hold the log.

use pipeline::plan::Candidate;
use pipeline::ports::LogPositions;
use pipeline::{Batch, FaultClass, Item, LogId, LogPosition, Outcome, Reason, WaitsFor};

use super::{Database, quantity};
use crate::builders::{Build, adjustment, id, order, parked, unique, user};
use crate::delivery::{apply, try_apply_candidates_moving, try_apply_moving};

/// A topic that no other case has.
fn topic() -> String {
    unique("topic")
}

fn at(log: LogId, topic: &str, partition: i32, next_offset: i64) -> LogPosition {
    LogPosition { log, topic: topic.into(), partition, next_offset }
}

fn log() -> LogId {
    LogId(id())
}

/// The positions of this topic, in the order of their logs and partitions.
async fn found<S: LogPositions>(store: &S, topic: &str) -> Vec<LogPosition> {
    let mut positions = store.positions(topic).await.expect("the store reads positions");
    positions.sort_by_key(|position| (position.log, position.partition));
    positions
}

pub async fn a_batch_that_lands_moves_its_positions<S: Database>(store: &S) {
    let (log, topic, user_id) = (log(), topic(), id());
    assert_eq!(found(store, &topic).await, []);
    let (born, counted) = (user(user_id), adjustment(&unique("sku"), 1));
    let begun = [at(log, &topic, 0, 5), at(log, &topic, 7, i64::MAX)];
    let applied = try_apply_moving(store, &[born.clone(), counted.clone()], &begun).await.unwrap();
    assert_eq!(applied.outcomes, [Outcome::Applied, Outcome::Applied]);
    assert_eq!(found(store, &topic).await, begun);
    // What was there before and what something newer replaced is as durable.
    let raised = [at(log, &topic, 0, 9), at(log, &topic, 1, 3)];
    let applied = try_apply_moving(store, &[born.later(-1), counted], &raised).await.unwrap();
    assert_eq!(applied.outcomes, [Outcome::Stale, Outcome::Duplicate]);
    assert_eq!(found(store, &topic).await, [raised[0].clone(), raised[1].clone(), begun[1].clone()]);
}

pub async fn a_batch_with_an_event_that_is_not_durable_yet_moves_nothing<S: Database>(store: &S) {
    let (log, topic, sku, missing) = (log(), topic(), unique("sku"), id());
    let counted = adjustment(&sku, 1);
    apply(store, std::slice::from_ref(&counted)).await;
    store.advance(&[at(log, &topic, 0, 5)]).await.unwrap();
    let moving = [at(log, &topic, 0, 9), at(log, &topic, 1, 9)];
    let parked = Outcome::Parked(WaitsFor::User(missing));
    let conflict = Outcome::Rejected { reason: Reason::EventIdConflict, code: None };
    for (event, outcome) in [(order(id(), missing), parked), (adjustment(&sku, 2).with_id(counted.id), conflict)] {
        let applied = try_apply_moving(store, &[user(id()), event], &moving).await.unwrap();
        assert_eq!(applied.outcomes, [Outcome::Applied, outcome], "the other is written all the same");
        assert_eq!(found(store, &topic).await, [at(log, &topic, 0, 5)]);
    }
    try_apply_moving(store, &[user(id())], &moving).await.unwrap();
    assert_eq!(found(store, &topic).await, moving);
}

pub async fn a_batch_that_fails_moves_nothing<S: Database>(store: &S) {
    let (log, topic, user_id) = (log(), topic(), id());
    let moving = [at(log, &topic, 0, 9)];
    let poison = order(id(), user_id).with_order(|order| order.currency = "EURO".into());
    let fault = try_apply_moving(store, &[user(user_id), poison], &moving).await.unwrap_err();
    assert_eq!(fault.class, FaultClass::Poison);
    let gone = parked(&user(user_id));
    let taken = [Candidate { event: user(user_id), parked: Some(gone.parked_key()) }];
    let fault = try_apply_candidates_moving(store, &taken, &moving).await.unwrap_err();
    assert_eq!(fault.class, FaultClass::ReleaseLost);
    assert_eq!(found(store, &topic).await, []);
    try_apply_moving(store, &[user(user_id)], &moving).await.unwrap();
    assert_eq!(found(store, &topic).await, moving);
}

pub async fn a_position_never_goes_back<S: Database>(store: &S) {
    let (log, topic) = (log(), topic());
    store.advance(&[at(log, &topic, 0, 9), at(log, &topic, 1, 9)]).await.unwrap();
    // A replay, or a consumer that was slow: one of two lies behind.
    try_apply_moving(store, &[user(id())], &[at(log, &topic, 0, 8), at(log, &topic, 1, 10)]).await.unwrap();
    assert_eq!(found(store, &topic).await, [at(log, &topic, 0, 9), at(log, &topic, 1, 10)]);
    store.advance(&[at(log, &topic, 0, 10), at(log, &topic, 1, 3)]).await.unwrap();
    assert_eq!(found(store, &topic).await, [at(log, &topic, 0, 10), at(log, &topic, 1, 10)]);
}

pub async fn logs_of_one_topic_do_not_touch_each_other<S: Database>(store: &S) {
    let (old, new, topic) = (log(), log(), topic());
    store.advance(&[at(old, &topic, 0, 1_000)]).await.unwrap();
    try_apply_moving(store, &[user(id())], &[at(new, &topic, 0, 1)]).await.unwrap();
    let mut both = [at(old, &topic, 0, 1_000), at(new, &topic, 0, 1)];
    both.sort_by_key(|position| position.log);
    assert_eq!(found(store, &topic).await, both);
    // Of brokers that tell no id, the name tells topics apart, exactly.
    let unknown = [at(LogId::UNKNOWN, &topic, 0, 5), at(LogId::UNKNOWN, &topic.to_uppercase(), 0, 7)];
    store.advance(&unknown).await.unwrap();
    assert_eq!(found(store, &topic).await, [&unknown[..1], &both].concat());
    assert_eq!(found(store, &topic.to_uppercase()).await, unknown[1..]);
    store.advance(&[at(new, &topic, 0, 2)]).await.unwrap();
    assert!(found(store, &topic).await.contains(&at(old, &topic, 0, 1_000)));
}

pub async fn positions_are_advanced_without_a_batch<S: Database>(store: &S) {
    let (log, topic) = (log(), topic());
    store.advance(&[]).await.unwrap();
    store.advance(&[at(log, &topic, 0, 0), at(log, &topic, 1, 5)]).await.unwrap();
    assert_eq!(found(store, &topic).await, [at(log, &topic, 0, 0), at(log, &topic, 1, 5)], "begun");
    store.advance(&[at(log, &topic, 1, 6), at(log, &topic, 2, 1)]).await.unwrap();
    assert_eq!(found(store, &topic).await, [at(log, &topic, 0, 0), at(log, &topic, 1, 6), at(log, &topic, 2, 1)]);
}

pub async fn a_batch_of_nothing_moves_nothing<S: Database>(store: &S) {
    let (log, topic) = (log(), topic());
    let moving = [at(log, &topic, 0, 9)];
    assert_eq!(store.apply(Batch::new(&[]).moving(&moving)).await.unwrap().outcomes, []);
    assert_eq!(found(store, &topic).await, [], "positions without events are moved by themselves");
}

pub async fn a_dry_run_moves_nothing<S: Database>(store: &S) {
    let (log, topic, sku) = (log(), topic(), unique("sku"));
    store.advance(&[at(log, &topic, 0, 5)]).await.unwrap();
    let counted = adjustment(&sku, 1);
    let items = [Item { event: &counted, releases: Vec::new() }];
    let moving = [at(log, &topic, 0, 9), at(log, &topic, 1, 9)];
    let dry_run_first = store.dry_run(Batch::new(&items).moving(&moving)).await.unwrap();
    assert_eq!(dry_run_first.outcomes, [Outcome::Applied]);
    assert_eq!((found(store, &topic).await, quantity(store, &sku).await), (vec![at(log, &topic, 0, 5)], 0));
}
