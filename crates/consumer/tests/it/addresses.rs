//! Users who wait for an e-mail address: what it costs, and when they get it.

use std::time::Duration;

use consumer::ConsumerConfig;
use events::Event;
use pipeline::ParkingLot as _;
use pipeline::ports::PollLimits;
use testkit::builders::{Build, id, order, parked, unique, user};
use testkit::delivery::apply;
use uuid::Uuid;

use crate::rig::Rig;

fn user_at(user_id: Uuid, email: &str) -> Event<'static> {
    user(user_id).with_user(|user| user.email = email.to_owned().into())
}

fn never_sweeps() -> ConsumerConfig {
    ConsumerConfig { sweep_interval: Duration::from_secs(3600), ..ConsumerConfig::default() }
}

fn counts(rig: &Rig, series: &str, expected: u32) -> bool {
    (rig.metric(series) - f64::from(expected)).abs() < f64::EPSILON
}

#[tokio::test(start_paused = true)]
async fn a_thousand_who_wait_for_one_address_cost_no_write_at_a_sweep() {
    let mut rig = Rig::new();
    let (holder, address) = (id(), unique("mail"));
    apply(&rig.store.inner, &[user_at(holder, &address)]).await;
    let users: Vec<_> = (0..1000).map(|_| id()).collect();
    let claims: Vec<_> = users.iter().zip(1..).map(|(user_id, second)| parked(&user_at(*user_id, &address).later(second))).collect();
    // The latest first: what counts is the events' own time.
    for claim in claims.iter().rev() {
        rig.store.park(std::slice::from_ref(claim)).await.unwrap();
    }
    for _ in 0..3 {
        rig.process_batch().await.unwrap();
    }
    assert_eq!((rig.store.statements(), rig.parked().await), (0, 1000), "three sweeps");
    rig.append(&user(holder).later(9));
    rig.process_batch().await.unwrap();
    assert_eq!((rig.store.statements(), rig.parked().await), (2, 999), "the holder's, and that of the next one");
    assert!(rig.has_user(users[0]).await, "the earliest");
    rig.process_batch().await.unwrap();
    assert_eq!(rig.store.statements(), 2);
    assert!(counts(&rig, "pipeline_released_total", 1));
    assert!(rig.dead_letters.entries().is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_taken_address_costs_one_statement_and_its_neighbours_nothing() {
    let mut rig = Rig::with(never_sweeps());
    let address = unique("mail");
    apply(&rig.store.inner, &[user_at(id(), &address)]).await;
    let neighbours: Vec<_> = (0..500).map(|_| id()).collect();
    let claimants: Vec<_> = (0..500).map(|_| id()).collect();
    for (neighbour, claimant) in neighbours.iter().zip(&claimants) {
        rig.append_all(&[user_at(*claimant, &address), user(*neighbour)]);
    }
    rig.process_batch().await.unwrap();
    assert_eq!((rig.store.statements(), rig.parked().await), (1, 500), "nothing is halved");
    for neighbour in neighbours {
        assert!(rig.has_user(neighbour).await);
    }
    assert!(counts(&rig, "events_processed_total{event_type=\"UserCreated\",status=\"parked\"}", 500));
    assert_eq!(rig.log.committed_offset(0), Some(1000));
}

#[tokio::test(start_paused = true)]
async fn an_address_that_becomes_free_goes_on_at_once_and_not_at_the_next_sweep() {
    let mut rig = Rig::with(never_sweeps());
    rig.process_batch().await.unwrap();
    let ([first, second, third], [address, other]) = ([id(), id(), id()], [unique("mail"), unique("mail")]);
    rig.append_all(&[user_at(first, &address), user_at(second, &other)]);
    rig.process_batch().await.unwrap();
    // The third waits for the address of the second, who waits for that of the first; an order waits for the third.
    let order_id = id();
    rig.append_all(&[user_at(third, &other), user_at(second, &address).later(1), order(order_id, third)]);
    rig.process_batch().await.unwrap();
    assert_eq!((rig.parked().await, rig.has_user(third).await), (3, false));
    rig.append(&user(first).later(1));
    rig.process_batch().await.unwrap();
    assert_eq!((rig.parked().await, rig.has_user(third).await, rig.has_order(order_id).await), (0, true, true));
}

#[tokio::test(start_paused = true)]
async fn an_address_that_is_given_up_later_in_the_same_take_is_had_in_the_same_turn() {
    let mut rig = Rig::with(ConsumerConfig { batch: PollLimits { records: 1, bytes: 1 << 20 }, ..never_sweeps() });
    rig.process_batch().await.unwrap();
    let ([holder, claimant], address) = ([id(), id()], unique("mail"));
    apply(&rig.store.inner, &[user_at(holder, &address)]).await;
    rig.append_all(&[user_at(claimant, &address), user(holder).later(1)]);
    while rig.log.committed_offset(0) != Some(2) {
        rig.process_batch().await.unwrap();
    }
    assert_eq!((rig.parked().await, rig.has_user(claimant).await), (0, true));
}

#[tokio::test(start_paused = true)]
async fn who_waits_in_vain_becomes_a_dead_letter_and_what_is_out_of_date_does_not() {
    let config = ConsumerConfig { sweep_interval: Duration::ZERO, parking_deadline: Duration::ZERO, ..ConsumerConfig::default() };
    let mut rig = Rig::with(config);
    let ([holder, loser, mover], address) = ([id(), id(), id()], unique("mail"));
    apply(&rig.store.inner, &[user_at(holder, &address)]).await;
    rig.store.park(&[user_at(loser, &address), user_at(mover, &address)].map(|claim| parked(&claim))).await.unwrap();
    apply(&rig.store.inner, &[user(mover).later(1)]).await;
    for _ in 0..3 {
        rig.process_batch().await.unwrap();
    }
    assert_eq!((rig.dead_letters.reasons(), rig.parked().await), (vec!["email_taken"], 0));
    assert!(counts(&rig, "events_processed_total{event_type=\"UserCreated\",status=\"stale\"}", 1));
}
