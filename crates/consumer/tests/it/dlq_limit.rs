//! A producer's bad deploy makes every record unwritable.

use std::time::Duration;

use consumer::ConsumerConfig;
use consumer::waiting::PIPELINE_PART;
use pipeline::ports::{FloodPermits, Permit};
use testkit::builders::{adjustment, unique};
use testkit::eventually;

use crate::rig::Rig;

/// A consumer that takes one batch of a hundred records at a time.
fn rig() -> Rig {
    let defaults = ConsumerConfig::default();
    let batch = pipeline::ports::PollLimits { records: 100, ..defaults.batch };
    Rig::with(ConsumerConfig { batch, batches_per_take: 1, ..defaults })
}

fn append_poison(rig: &Rig, records: usize) {
    for _ in 0..records {
        rig.log.append(0, Some(b"poison".to_vec()));
    }
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
    rig.process_batch().await.unwrap();
    assert_eq!(rig.dead_letters.entries().len(), 200, "a permit lets whole batches through");

    let (health, dead_letters) = (rig.health.clone(), rig.dead_letters.clone());
    let operator = async {
        eventually(Duration::from_secs(60), "the permit is used up", async || !health.is_up(PIPELINE_PART)).await;
        dead_letters.permit(Permit::Everything).await.unwrap();
    };
    let (turned, ()) = tokio::join!(rig.consumer.process_batch(), operator);
    turned.unwrap();
    assert_eq!(rig.dead_letters.entries().len(), 300);
    assert_eq!(rig.log.committed_offset(0), Some(300));
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
