//! Who consumes.

use std::time::Duration;

use pipeline::heartbeat::{
    ConsumerState, DownPart, Heartbeat, LONGEST_NAME, MOST_PARTITIONS, OwnedPartition, SeenConsumer, VerificationVerdict,
};
use pipeline::ports::Heartbeats;
use uuid::Uuid;

use crate::builders::{heartbeat, id};
use crate::eventually;

/// Longer than any test.
const LONG: Duration = Duration::from_secs(86_000);
/// Longer than any clock stands still.
const BOUND: Duration = Duration::from_secs(10);

async fn beat<S: Heartbeats>(store: &S, heartbeat: &Heartbeat) {
    store.beat(heartbeat).await.expect("the store knows consumers");
}

async fn seen<S: Heartbeats>(store: &S, instance: Uuid, within: Duration) -> Option<SeenConsumer> {
    let consumers = store.consumers(within).await.expect("the store knows consumers");
    consumers.into_iter().find(|consumer| consumer.heartbeat.instance == instance)
}

pub async fn a_consumer_is_seen_as_it_has_said_last<S: Heartbeats>(store: &S) {
    let (first, second) = (heartbeat(id()), heartbeat(id()));
    beat(store, &first).await;
    beat(store, &second).await;
    assert_eq!(seen(store, first.instance, LONG).await.map(|seen| seen.heartbeat), Some(first.clone()));
    let state = ConsumerState {
        status: "not ready".to_owned(),
        partitions: vec![OwnedPartition { partition: 7, position: Some(41), end: Some(90) }, OwnedPartition::default()],
        down: vec![DownPart {
            part: "pipeline".to_owned(), since: "2026-01-15T10:00:00Z".to_owned(), reason: "it’s \"held\"".to_owned()
        }],
        last_commit: None,
        verification: Some(VerificationVerdict {
            outcome: VerificationVerdict::UNFINISHED.to_owned(),
            reason: Some("it’s \"away\"".to_owned()),
            ..VerificationVerdict::default()
        }),
        ..ConsumerState::default()
    };
    let later = Heartbeat { state, ..first.clone() };
    beat(store, &later).await;
    let consumers = store.consumers(LONG).await.expect("the store knows consumers");
    let ours: Vec<_> = consumers.into_iter().filter(|seen| seen.heartbeat.instance == first.instance).collect();
    assert_eq!(ours.into_iter().map(|seen| seen.heartbeat).collect::<Vec<_>>(), [later], "one consumer, as it said last");
    assert_eq!(seen(store, second.instance, LONG).await.map(|seen| seen.heartbeat), Some(second), "the other one is as it was");
}

pub async fn a_consumer_that_says_nothing_any_more_grows_old<S: Heartbeats>(store: &S) {
    let silent = heartbeat(id());
    beat(store, &silent).await;
    let age = seen(store, silent.instance, LONG).await.expect("it has just said something").age;
    assert!(age < LONG, "{age:?}");
    eventually(BOUND, "it has grown older", async || seen(store, silent.instance, LONG).await.is_some_and(|seen| seen.age > age)).await;
    assert_eq!(seen(store, silent.instance, Duration::ZERO).await, None, "it has said nothing within no time");
    beat(store, &silent).await;
    let again = seen(store, silent.instance, LONG).await.expect("it has said something again");
    assert_eq!(again.heartbeat, silent);
}

pub async fn a_consumer_that_stops_is_not_seen_any_more<S: Heartbeats>(store: &S) {
    let (stops, stays) = (heartbeat(id()), heartbeat(id()));
    beat(store, &stops).await;
    beat(store, &stays).await;
    for _ in 0..2 {
        store.end_heartbeat(stops.instance).await.expect("the store knows consumers");
        assert_eq!(seen(store, stops.instance, LONG).await, None);
    }
    assert!(seen(store, stays.instance, LONG).await.is_some());
    beat(store, &stops).await;
    assert!(seen(store, stops.instance, LONG).await.is_some(), "it has not stopped after all");
}

pub async fn what_a_consumer_says_is_kept_within_bounds<S: Heartbeats>(store: &S) {
    // Two UTF-16 code units each.
    let long = "\u{10348}".repeat(9_999);
    let owned = |partition| OwnedPartition { partition, position: Some(i64::MAX), end: Some(i64::MAX) };
    let said = Heartbeat {
        host: long.clone(),
        version: long.clone(),
        group: long.clone(),
        topic: long.clone(),
        process_id: u32::MAX,
        state: ConsumerState { partitions: (0..9_999).map(owned).collect(), ..ConsumerState::default() },
        ..heartbeat(id())
    };
    beat(store, &said).await;
    let kept = seen(store, said.instance, LONG).await.expect("it has said something").heartbeat;
    assert_eq!((kept.host.chars().count(), kept.process_id), (LONGEST_NAME, u32::MAX));
    assert_eq!(kept.state.more_partitions, 9_999 - MOST_PARTITIONS as u64);
    assert_eq!(kept, said.bounded());
}
