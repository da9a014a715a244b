//! Children that come before their parents.

use std::time::Duration;

use consumer::ConsumerConfig;
use events::Event;
use pipeline::ports::DeadLetterReader as _;
use pipeline::{FaultClass, Header};
use testkit::builders::{id, order, payment, user};

use crate::faulty::fault;
use crate::rig::Rig;

fn gives_up_at_once() -> ConsumerConfig {
    ConsumerConfig { sweep_interval: Duration::ZERO, parking_deadline: Duration::ZERO, ..ConsumerConfig::default() }
}

#[tokio::test(start_paused = true)]
async fn a_chain_of_three_is_released_when_its_first_link_lands() {
    let mut rig = Rig::with(ConsumerConfig { sweep_interval: Duration::from_secs(3600), ..ConsumerConfig::default() });
    rig.process_batch().await.unwrap();
    let (user_id, order_id) = (id(), id());
    rig.append(&payment(id(), order_id));
    rig.process_batch().await.unwrap();
    rig.append(&order(order_id, user_id));
    rig.process_batch().await.unwrap();
    assert_eq!(rig.parked().await, 2);
    rig.append(&user(user_id));
    rig.process_batch().await.unwrap();
    assert_eq!(rig.parked().await, 0);
    assert!(rig.has_order(order_id).await);
    assert!((rig.metric("pipeline_released_total") - 2.0).abs() < f64::EPSILON);
}

#[tokio::test(start_paused = true)]
async fn an_event_in_a_schema_registrys_frame_or_a_cloud_event_waits_and_is_released_as_any_other() {
    let framed = |event: &Event<'_>| [b"\0\0\0\x01\xff", &event.to_json()[..]].concat();
    let enveloped = |event: &Event<'_>| [br#"{"specversion":"1.0","id":"1","data":"#, &event.to_json()[..], b"}"].concat();
    for wrapped in [&framed as &dyn Fn(&Event<'_>) -> Vec<u8>, &enveloped] {
        let mut rig = Rig::with(ConsumerConfig { sweep_interval: Duration::from_secs(3600), ..ConsumerConfig::default() });
        let (user_id, order_id) = (id(), id());
        rig.log.append(0, Some(wrapped(&order(order_id, user_id))));
        rig.process_batch().await.unwrap();
        assert_eq!(rig.parked().await, 1);
        rig.log.append(0, Some(wrapped(&user(user_id))));
        rig.process_batch().await.unwrap();
        assert!(rig.has_order(order_id).await);
        assert_eq!((rig.parked().await, rig.dead_letters.depth().await), (0, Ok(0)));
    }
}

#[tokio::test(start_paused = true)]
async fn a_parent_that_lands_between_the_look_and_the_parking_releases_its_child() {
    let mut rig = Rig::with(ConsumerConfig { sweep_interval: Duration::from_secs(3600), ..ConsumerConfig::default() });
    rig.process_batch().await.unwrap();
    let (user_id, order_id) = (id(), id());
    let parent = user(user_id);
    // Another consumer writes the parent when this one has looked for it and not yet parked its child: the parking is where this one stands.
    let other = rig.store.inner.clone();
    rig.store.fail_parking([fault(FaultClass::LockConflict, 1205)]);
    rig.append(&order(order_id, user_id));
    let meanwhile = async { testkit::delivery::apply(&other, std::slice::from_ref(&parent)).await };
    let (turned, _) = tokio::join!(rig.consumer.process_batch(), meanwhile);
    turned.unwrap();
    assert!(rig.has_order(order_id).await);
    assert_eq!(rig.parked().await, 0);
}

#[tokio::test(start_paused = true)]
async fn the_sweep_finds_what_a_crash_left() {
    let mut rig = Rig::new();
    let (user_id, order_id) = (id(), id());
    let parked = testkit::builders::parked(&order(order_id, user_id));
    pipeline::ParkingLot::park(&rig.store, &[parked]).await.unwrap();
    testkit::delivery::apply(&rig.store.inner, &[user(user_id)]).await;
    rig.process_batch().await.unwrap();
    assert!(rig.has_order(order_id).await);
    assert_eq!(rig.parked().await, 0);
}

#[tokio::test(start_paused = true)]
async fn an_orphan_is_given_up_at_its_deadline_once_with_its_bytes_and_headers() {
    let mut rig = Rig::with(gives_up_at_once());
    let orphan = order(id(), id());
    let headers = vec![
        Header::text("traceparent", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"),
        Header { name: "bytes".to_owned(), value: Some(vec![0xff, 0]) },
        Header { name: "null".to_owned(), value: None },
    ];
    rig.log.append_with_headers(orphan.to_json(), headers.clone());
    for _ in 0..3 {
        rig.process_batch().await.unwrap();
    }
    assert_eq!(rig.dead_letters.reasons(), ["missing_parent"]);
    let entry = pipeline::dead_letter::Entry::parse(&rig.dead_letters.entries()[0].json).unwrap();
    assert_eq!(entry.value().unwrap(), orphan.to_json());
    assert_eq!(entry.headers.iter().map(|header| header.header().unwrap()).collect::<Vec<_>>(), headers);
    assert_eq!(entry.event_id, Some(orphan.id.to_string()));
    assert_eq!(rig.parked().await, 0);
}

#[tokio::test(start_paused = true)]
async fn nothing_is_given_up_while_another_members_partition_has_a_backlog() {
    let mut rig = Rig::with(gives_up_at_once());
    rig.log.abandon(1, 5);
    rig.append(&order(id(), id()));
    for _ in 0..5 {
        rig.process_batch().await.unwrap();
    }
    assert!(rig.dead_letters.entries().is_empty());
    assert_eq!(rig.parked().await, 1);
    rig.log.catch_up(1);
    rig.process_batch().await.unwrap();
    assert_eq!(rig.dead_letters.reasons(), ["missing_parent"]);
}

#[tokio::test(start_paused = true)]
async fn a_claim_that_a_crash_left_is_finished() {
    let mut rig = Rig::new();
    let parked = testkit::builders::parked(&order(id(), id()));
    pipeline::ParkingLot::park(&rig.store, &[parked]).await.unwrap();
    let now = pipeline::ports::ParkingExpiry::now(&rig.store).await.unwrap();
    assert_eq!(pipeline::ports::ParkingExpiry::claim_expired(&rig.store, now, 10).await.unwrap().len(), 1);
    rig.process_batch().await.unwrap();
    assert_eq!(rig.dead_letters.reasons(), ["missing_parent"]);
    assert!(pipeline::ports::ParkingExpiry::claim_expired(&rig.store, now, 10).await.unwrap().is_empty());
}
