//! A backlog: several batches in one poll, each finished by itself, all committed together.

use consumer::ConsumerConfig;
use events::Event;
use pipeline::FaultClass;
use pipeline::ports::PollLimits;
use testkit::builders::{adjustment, id, order, payment, unique, user};

use crate::faulty::fault;
use crate::rig::Rig;

const AWAY: FaultClass = FaultClass::Unavailable { timed_out: false };
const PARKED: [&str; 2] = [
    "events_processed_total{event_type=\"OrderPlaced\",status=\"parked\"}",
    "events_processed_total{event_type=\"PaymentSettled\",status=\"parked\"}",
];

/// A consumer that takes up to four batches of so many records.
fn rig(records: usize) -> Rig {
    let defaults = ConsumerConfig::default();
    Rig::with(ConsumerConfig { batch: PollLimits { records, ..defaults.batch }, batches_per_take: 4, ..defaults })
}

fn adjustments(sku: &str, count: usize) -> Vec<Event<'static>> {
    (0..count).map(|_| adjustment(sku, 1)).collect()
}

#[tokio::test(start_paused = true)]
async fn the_batches_of_a_take_are_written_one_by_one_and_committed_once() {
    let mut rig = rig(10);
    let sku = unique("sku");
    rig.append_all(&adjustments(&sku, 45));
    rig.process_batch().await.unwrap();
    assert_eq!((rig.store.statements(), rig.log.commits(), rig.log.committed_offset(0)), (4, 1, Some(40)));
    rig.process_batch().await.unwrap();
    assert_eq!((rig.store.statements(), rig.log.commits(), rig.log.committed_offset(0)), (5, 2, Some(45)));
    assert_eq!(rig.stock(&sku).await, Some(45));
}

#[tokio::test(start_paused = true)]
async fn unwritable_records_of_every_batch_of_a_take_are_dead_letters_before_the_commit() {
    let mut rig = rig(2);
    let sku = unique("sku");
    for _ in 0..3 {
        rig.append(&adjustment(&sku, 1));
        rig.log.append(0, Some(b"poison".to_vec()));
    }
    rig.process_batch().await.unwrap();
    assert_eq!(rig.dead_letters.entries().len(), 3);
    assert_eq!((rig.stock(&sku).await, rig.log.committed_offset(0)), (Some(3), Some(6)));
}

#[tokio::test(start_paused = true)]
async fn an_event_whose_parent_is_in_a_later_batch_of_the_take_is_never_parked() {
    let mut rig = rig(1);
    let (user_id, order_id) = (id(), id());
    rig.append_all(&[payment(id(), order_id), order(order_id, user_id), user(user_id)]);
    rig.process_batch().await.unwrap();
    assert!(rig.has_order(order_id).await);
    assert_eq!(rig.parked().await, 0);
    for series in PARKED {
        assert!(rig.metric(series).abs() < f64::EPSILON, "{series}");
    }
    assert!((rig.metric("events_processed_total{event_type=\"PaymentSettled\",status=\"success\"}") - 1.0).abs() < f64::EPSILON);
    assert_eq!(rig.store.statements(), 4, "three batches, and the children once more");
}

#[tokio::test(start_paused = true)]
async fn an_event_whose_parent_is_not_in_the_take_is_parked_before_the_commit_and_released_by_its_parent() {
    let mut rig = rig(1);
    let (user_id, order_id) = (id(), id());
    rig.append_all(&[payment(id(), order_id), order(order_id, user_id), adjustment(&unique("sku"), 1)]);
    rig.process_batch().await.unwrap();
    assert_eq!((rig.parked().await, rig.log.committed_offset(0)), (2, Some(3)));
    for series in PARKED {
        assert!((rig.metric(series) - 1.0).abs() < f64::EPSILON, "{series}");
    }
    rig.append(&user(user_id));
    rig.process_batch().await.unwrap();
    assert!(rig.has_order(order_id).await);
    assert_eq!(rig.parked().await, 0);
}

#[tokio::test(start_paused = true)]
async fn an_outage_in_the_middle_of_a_take_commits_nothing_until_all_of_it_is_written() {
    let mut rig = rig(10);
    let sku = unique("sku");
    rig.append_all(&adjustments(&sku, 30));
    let (log, mut statements) = (rig.log.clone(), 0);
    rig.store.fail_by(move |_| {
        statements += 1;
        assert_eq!(log.commits(), 0, "the take is not finished");
        (2..=4).contains(&statements).then(|| fault(AWAY, 0))
    });
    rig.process_batch().await.unwrap();
    assert_eq!((rig.stock(&sku).await, rig.log.commits(), rig.log.committed_offset(0)), (Some(30), 1, Some(30)));
}

#[tokio::test(start_paused = true)]
async fn a_stop_in_the_middle_of_a_take_commits_exactly_what_is_finished() {
    let mut rig = rig(10);
    let (sku, order_id) = (unique("sku"), id());
    rig.append(&order(order_id, id()));
    rig.append_all(&adjustments(&sku, 34));
    let (stop, mut statements) = (rig.stop.clone(), 0);
    rig.store.fail_by(move |_| {
        statements += 1;
        if statements == 2 {
            stop.cancel();
        }
        None
    });
    rig.process_batch().await.unwrap();
    assert_eq!((rig.stock(&sku).await, rig.log.committed_offset(0)), (Some(19), Some(20)));
    assert_eq!(rig.parked().await, 1, "what waits is parked before its offset is committed");
}
