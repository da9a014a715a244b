//! Whoever watches sees the difference between a loop that waits or works for long and one that stands still; so does the group.

use std::time::Duration;

use consumer::ConsumerConfig;
use consumer::waiting::POLL_INTERVAL;
use pipeline::{FaultClass, ParkingLot as _};
use testkit::builders::{adjustment, id, order, parked, unique, user};
use tokio::time::{Instant, sleep};

use crate::faulty::fault;
use crate::rig::Rig;

const AGE: &str = "pipeline_last_poll_age_seconds";
const SECOND: Duration = Duration::from_secs(1);
/// A statement within what is configured, so that several of them are longer than any bound.
const LONG: Duration = Duration::from_secs(50);
/// More events than one batch may release or expire.
const MANY: usize = 8_100;

fn never_sweeps() -> ConsumerConfig {
    ConsumerConfig { sweep_interval: 3600 * 24 * SECOND, ..ConsumerConfig::default() }
}

/// Turns once, and looks every second meanwhile; returns how long the batch took, and the oldest that the last poll was.
async fn watched_turn(rig: &mut Rig) -> (Duration, f64) {
    let (started, metrics, health) = (Instant::now(), rig.metrics.clone(), rig.health.clone());
    let mut oldest: f64 = 0.0;
    let watch = async {
        loop {
            sleep(SECOND).await;
            assert!(health.live(), "after {:?}", started.elapsed());
            let text = metrics.encode();
            let age = text.lines().find_map(|line| line.strip_prefix(AGE)?.strip_prefix(' ')?.parse().ok());
            oldest = oldest.max(age.unwrap());
        }
    };
    tokio::select! {
        turned = rig.consumer.process_batch() => turned.unwrap(),
        () = watch => {}
    }
    (started.elapsed(), oldest)
}

/// The work of a batch lasts, and nobody takes it for a standstill.
async fn works_for_long_and_lives(rig: &mut Rig, at_least: Duration) {
    let (took, oldest) = watched_turn(rig).await;
    let bound = POLL_INTERVAL + LONG + 2 * SECOND;
    assert!(took >= at_least, "{took:?}");
    assert!(oldest <= bound.as_secs_f64(), "{oldest} s");
    assert!(rig.log.silence() <= bound, "{:?}", rig.log.silence());
}

#[tokio::test(start_paused = true)]
async fn a_hold_of_ten_minutes_polls_all_the_time_and_says_so() {
    let mut rig = Rig::with(never_sweeps());
    rig.process_batch().await.unwrap();
    let sku = unique("sku");
    rig.append(&adjustment(&sku, 3));
    let back = Instant::now() + 600 * SECOND;
    rig.store.fail_by(move |_| (Instant::now() < back).then(|| fault(FaultClass::Unavailable { timed_out: false }, 4060)));
    let (took, oldest) = watched_turn(&mut rig).await;
    assert!(took >= 600 * SECOND, "{took:?}");
    assert!(oldest <= 2.0, "the last poll was {oldest} s old");
    assert!(rig.log.silence() <= 2 * SECOND, "{:?}", rig.log.silence());
    assert_eq!(rig.stock(&sku).await, Some(3));
}

#[tokio::test(start_paused = true)]
async fn a_source_that_hangs_while_it_should_poll_is_a_standstill() {
    let mut rig = Rig::with(never_sweeps());
    rig.process_batch().await.unwrap();
    rig.append(&adjustment(&unique("sku"), 3));
    rig.store.fail_by(|_| Some(fault(FaultClass::Unavailable { timed_out: false }, 4060)));
    rig.log.hang();
    assert!(tokio::time::timeout(300 * SECOND, rig.consumer.process_batch()).await.is_err());
    let (age, limit) = (rig.metric(AGE), rig.metric("pipeline_last_poll_age_limit_seconds"));
    assert!(age >= 299.0 && age > limit + 60.0, "{age} s of {limit} s");
    assert!(!rig.health.live());
}

#[tokio::test(start_paused = true)]
async fn a_take_of_many_long_statements_is_no_standstill() {
    let mut rig = Rig::with(never_sweeps());
    rig.process_batch().await.unwrap();
    let sku = unique("sku");
    rig.append_all(&(0..8_000).map(|_| adjustment(&sku, 1)).collect::<Vec<_>>());
    rig.store.take_long(LONG);
    works_for_long_and_lives(&mut rig, 8 * LONG).await;
    assert_eq!((rig.stock(&sku).await, rig.log.commits()), (Some(8_000), 1));
}

#[tokio::test(start_paused = true)]
async fn halving_with_long_statements_is_no_standstill() {
    let mut rig = Rig::with(never_sweeps());
    rig.process_batch().await.unwrap();
    let sku = unique("sku");
    let events: Vec<_> = (0..64).map(|_| adjustment(&sku, 1)).collect();
    let bad = events[40].id;
    rig.append_all(&events);
    rig.store.fail_by(move |events| events.iter().any(|event| event.id == bad).then(|| fault(FaultClass::Poison, 547)));
    rig.store.take_long(LONG);
    works_for_long_and_lives(&mut rig, 7 * LONG).await;
    assert_eq!((rig.stock(&sku).await, rig.dead_letters.entries().len()), (Some(63), 1));
}

#[tokio::test(start_paused = true)]
async fn races_lost_again_and_again_with_long_statements_are_no_standstill() {
    let mut rig = Rig::with(never_sweeps());
    rig.process_batch().await.unwrap();
    let sku = unique("sku");
    rig.append(&adjustment(&sku, 1));
    rig.append(&order(id(), id()));
    rig.store.fail_next(vec![fault(FaultClass::LockConflict, 1205); 9]);
    rig.store.fail_parking(vec![fault(FaultClass::LockConflict, 1205); 9]);
    rig.store.take_long(LONG);
    works_for_long_and_lives(&mut rig, 18 * LONG).await;
    assert_eq!((rig.stock(&sku).await, rig.parked().await), (Some(1), 1));
}

/// Parks so many orders of one user, who is not there.
async fn park_orders(rig: &Rig, count: usize) -> uuid::Uuid {
    let user_id = id();
    for offset in (0..count).step_by(500) {
        let events: Vec<_> = (offset..count.min(offset + 500)).map(|_| parked(&order(id(), user_id))).collect();
        rig.store.inner.park(&events).await.unwrap();
    }
    assert_eq!(rig.parked().await, count as u64);
    user_id
}

#[tokio::test(start_paused = true)]
async fn pages_of_parked_events_with_long_statements_are_no_standstill() {
    let mut rig = Rig::new();
    rig.process_batch().await.unwrap();
    let user_id = park_orders(&rig, 3_000).await;
    testkit::delivery::apply(&rig.store.inner, &[user(user_id)]).await;
    rig.store.take_long(LONG);
    works_for_long_and_lives(&mut rig, 6 * LONG).await;
    assert_eq!(rig.parked().await, 0);
}

#[tokio::test(start_paused = true)]
async fn what_a_parent_and_the_sweep_release_in_one_turn_has_a_bound_and_the_log_goes_on_meanwhile() {
    let mut rig = Rig::with(never_sweeps());
    rig.process_batch().await.unwrap();
    let user_id = park_orders(&rig, 2 * MANY).await;
    rig.append(&user(user_id));
    rig.process_batch().await.unwrap();
    let left = rig.parked().await;
    assert!(left > 0, "one turn has released all of them");
    assert_eq!(rig.log.committed_offset(0), Some(1), "what is left is in the tables, and found there");
    let (sku, started) = (unique("sku"), Instant::now());
    rig.append(&adjustment(&sku, 1));
    rig.process_batch().await.unwrap();
    assert_eq!(rig.stock(&sku).await, Some(1));
    for _ in 0..4 {
        rig.process_batch().await.unwrap();
    }
    assert_eq!(rig.parked().await, 0);
    assert!(started.elapsed() < SECOND, "it waits for no interval");
}

#[tokio::test(start_paused = true)]
async fn what_one_turn_gives_up_has_a_bound_and_the_next_one_goes_on() {
    let mut rig = Rig::with(ConsumerConfig { parking_deadline: Duration::ZERO, ..never_sweeps() });
    park_orders(&rig, MANY).await;
    rig.process_batch().await.unwrap();
    let expired = rig.dead_letters.entries().len();
    assert!(expired > 0 && expired < MANY, "{expired}");
    rig.process_batch().await.unwrap();
    assert_eq!((rig.dead_letters.entries().len(), rig.parked().await), (MANY, 0));
}
