//! A producer's bad deploy makes every record unwritable.

use std::time::Duration;

use consumer::ConsumerConfig;
use consumer::waiting::PIPELINE_PART;
use pipeline::ports::{FloodPermits, Permit};
use testkit::builders::{adjustment, unique};
use testkit::eventually;

use crate::rig::Rig;

/// One batch of a hundred records at a time.
fn by_hundred() -> ConsumerConfig {
    let defaults = ConsumerConfig::default();
    let batch = pipeline::ports::PollLimits { records: 100, ..defaults.batch };
    ConsumerConfig { batch, batches_per_take: 1, ..defaults }
}

fn rig() -> Rig {
    Rig::with(by_hundred())
}

/// A flood of 300 records has passed, as an operator permitted.
async fn after_a_flood() -> Rig {
    let mut rig = rig();
    append_poison(&rig, 300);
    rig.dead_letters.permit(Permit::Records(300)).await.unwrap();
    for _ in 0..3 {
        rig.process_batch().await.unwrap();
    }
    rig
}

fn append_poison(rig: &Rig, records: usize) {
    for _ in 0..records {
        rig.log.append(0, Some(b"poison".to_vec()));
    }
}

#[tokio::test(start_paused = true)]
async fn dead_letters_that_an_operator_sends_again_are_no_flood() {
    let mut rig = rig();
    for _ in 0..300 {
        rig.log.append_redriven(b"poison".to_vec(), 1);
    }
    for _ in 0..3 {
        rig.process_batch().await.unwrap();
    }
    assert_eq!(rig.dead_letters.entries().len(), 300);
    // Nor do they hide one that follows.
    append_poison(&rig, 300);
    let (health, stop) = (rig.health.clone(), rig.stop.clone());
    let watch = async {
        eventually(Duration::from_secs(60), "the consumer holds", async || !health.is_up(PIPELINE_PART)).await;
        stop.cancel();
    };
    let (held, ()) = tokio::join!(rig.process_batch(), watch);
    assert!(held.is_err());
}

#[tokio::test(start_paused = true)]
async fn a_flood_is_held_until_an_operator_permits_it() {
    let mut rig = rig();
    append_poison(&rig, 300);
    let (health, dead_letters, log) = (rig.health.clone(), rig.dead_letters.clone(), rig.log.clone());
    let operator = async {
        eventually(Duration::from_secs(60), "the consumer holds", async || !health.is_up(PIPELINE_PART)).await;
        assert!(dead_letters.entries().is_empty() && log.committed_offset(0).is_none(), "nothing has passed");
        dead_letters.permit(Permit::Records(150)).await.unwrap();
    };
    let (turned, ()) = tokio::join!(rig.consumer.process_batch(), operator);
    turned.unwrap();
    assert_eq!(rig.dead_letters.entries().len(), 100);
    assert!((rig.metric("pipeline_held{cause=\"poison_flood\"}")).abs() < f64::EPSILON, "it goes on");

    let (health, dead_letters, log) = (rig.health.clone(), rig.dead_letters.clone(), rig.log.clone());
    let operator = async {
        eventually(Duration::from_secs(60), "the permit is used up", async || !health.is_up(PIPELINE_PART)).await;
        assert_eq!(dead_letters.entries().len(), 150, "as many as were permitted, and no more");
        assert_eq!(log.committed_offset(0), Some(100), "not all of the second batch is durable");
        let told = health.ready_report().parts[PIPELINE_PART].reason.clone().unwrap_or_default();
        assert!(
            told.starts_with("50 records that cannot be written are held") && told.contains("100 % are not_json:unknown:"),
            "what is left of it: {told}"
        );
        assert!(told.contains("in partition 0, without keys, the first at partition 0 offset 150 (the message is"), "{told}");
        assert!(told.contains(" (the same) and partition 0 offset 152 (the same); most likely"), "{told}");
        dead_letters.permit(Permit::Everything).await.unwrap();
    };
    let (turned, ()) = tokio::join!(rig.consumer.process_batch(), operator);
    turned.unwrap();
    assert_eq!(rig.dead_letters.entries().len(), 200);
    rig.process_batch().await.unwrap();
    assert_eq!(rig.dead_letters.entries().len(), 300);
    assert_eq!(rig.log.committed_offset(0), Some(300));
}

#[tokio::test(start_paused = true)]
async fn what_an_operator_let_go_holds_nothing_that_comes_after_it() {
    let mut rig = after_a_flood().await;
    let sku = unique("sku");
    append_poison(&rig, 1);
    rig.append_all(&(0..99).map(|_| adjustment(&sku, 1)).collect::<Vec<_>>());
    rig.process_batch().await.unwrap();
    assert_eq!(rig.dead_letters.entries().len(), 301);
    assert_eq!(rig.stock(&sku).await, Some(99));
}

#[tokio::test(start_paused = true)]
async fn a_replay_is_not_held_by_what_is_a_dead_letter_already() {
    let rig = after_a_flood().await;
    let mut again = rig.beside(by_hundred());
    append_poison(&again, 300);
    for _ in 0..3 {
        again.process_batch().await.unwrap();
    }
    assert_eq!(again.dead_letters.entries().len(), 300);
    assert_eq!(again.log.committed_offset(0), Some(300));
}

#[tokio::test(start_paused = true)]
async fn fewer_unwritable_records_than_good_ones_are_no_flood() {
    let mut rig = rig();
    let sku = unique("sku");
    for _ in 0..10 {
        append_poison(&rig, 40);
        rig.append_all(&(0..60).map(|_| adjustment(&sku, 1)).collect::<Vec<_>>());
        rig.process_batch().await.unwrap();
    }
    assert_eq!(rig.dead_letters.entries().len(), 400);
    assert_eq!(rig.stock(&sku).await, Some(600));
}
