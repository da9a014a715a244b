//! Poison: found in few statements, sent to the DLQ once, without harm to its neighbours.

use std::time::Duration;

use consumer::ConsumerConfig;
use events::{Body, Event};
use pipeline::FaultClass;
use pipeline::dead_letter::Entry;
use testkit::builders::{Build, adjustment, id, order, payment, unique, user};
use testkit::seed::Seed;
use uuid::Uuid;

use crate::faulty::fault;
use crate::rig::Rig;

const POISON: FaultClass = FaultClass::Poison;

/// Events by this quantity are refused, and no others; the number of a refusal is that of the first bad event.
fn refuse_from(rig: &Rig, least_bad: i32) {
    rig.store.fail_by(move |events| {
        let quantities = events.iter().filter_map(|event| match &event.body {
            Body::InventoryAdjusted(adjustment) => Some(adjustment.quantity),
            _ => None,
        });
        quantities.into_iter().find(|quantity| *quantity >= least_bad).map(|quantity| fault(POISON, quantity.into()))
    });
}

/// The ids of the events that were sent to the DLQ, in the order of their dead letters.
fn dead(rig: &Rig) -> Vec<Uuid> {
    let entries = rig.dead_letters.entries();
    entries.iter().map(|dead_letter| Entry::parse(&dead_letter.json).unwrap().event_id.unwrap().parse().unwrap()).collect()
}

fn sorted(mut ids: Vec<Uuid>) -> Vec<Uuid> {
    ids.sort_unstable();
    ids
}

fn ids<'e>(events: impl IntoIterator<Item = &'e Event<'static>>) -> Vec<Uuid> {
    sorted(events.into_iter().map(|event| event.id).collect())
}

#[tokio::test(start_paused = true)]
async fn any_few_bad_events_of_a_thousand_cost_a_logarithm_of_statements_each() {
    let mut seed = Seed::of_test("any_few_bad_events");
    for count in [1, 2, 3, 5, 10, 30] {
        let mut rig = Rig::new();
        let sku = unique("sku");
        let mut quantities = vec![100; count];
        quantities.resize(1000, 1);
        seed.shuffle(&mut quantities);
        let events: Vec<_> = quantities.iter().map(|quantity| adjustment(&sku, *quantity)).collect();
        rig.append_all(&events);
        refuse_from(&rig, 100);
        rig.process_batch().await.unwrap();

        let bad = events.iter().zip(&quantities).filter(|(_, quantity)| **quantity == 100).map(|(event, _)| event);
        assert_eq!(sorted(dead(&rig)), ids(bad));
        assert_eq!(rig.stock(&sku).await, Some(1000 - count as i64), "the others are applied");
        assert_eq!(rig.log.committed_offset(0), Some(1000));
        // A thousand events are halved ten times until one stands alone; each half that holds a bad one brings two statements.
        let (statements, bound) = (rig.store.statements() as usize, 2 * count * 10 + 1);
        assert!(statements <= bound, "{statements} statements for {count} bad events, not more than {bound}");
        // The same again: nothing is sent to the DLQ twice, nothing counts twice.
        rig.append_all(&events);
        rig.process_batch().await.unwrap();
        assert_eq!(rig.stock(&sku).await, Some(1000 - count as i64));
    }
}

#[tokio::test(start_paused = true)]
async fn all_bad_with_different_numbers_is_the_data_and_all_are_buried() {
    let mut rig = Rig::new();
    let sku = unique("sku");
    let events: Vec<_> = (0..50).map(|index| adjustment(&sku, 100 + index)).collect();
    rig.append_all(&events);
    refuse_from(&rig, 100);
    rig.process_batch().await.unwrap();
    assert_eq!(sorted(dead(&rig)), ids(&events));
    assert_eq!(rig.stock(&sku).await, None);
    assert_eq!(rig.log.committed_offset(0), Some(50));
    assert_eq!(rig.log.stood_by(), 0, "nothing was waited for");
}

#[tokio::test(start_paused = true)]
async fn up_to_seven_events_that_are_refused_alike_are_the_data_and_eight_are_not() {
    for (count, dead_letters, held) in [(1, 1, false), (7, 7, false), (8, 0, true)] {
        let mut rig = Rig::new();
        let sku = unique("sku");
        rig.append_all(&(0..count).map(|_| adjustment(&sku, 100)).collect::<Vec<_>>());
        refuse_from(&rig, 100);
        let turned = tokio::time::timeout(Duration::from_secs(300), rig.process_batch()).await;
        assert_eq!(
            (rig.dead_letters.entries().len(), turned.is_err(), rig.log.stood_by() > 0),
            (dead_letters, held, held),
            "{count} events"
        );
        assert_eq!(rig.log.committed_offset(0), (!held).then_some(count));
    }
}

#[tokio::test(start_paused = true)]
async fn when_the_newest_of_an_entity_is_poison_the_older_ones_are_written_by_themselves() {
    let mut rig = Rig::new();
    let user_id = id();
    let named = |event: Event<'static>, name: &'static str| event.with_user(|user| user.first_name = name.into());
    let oldest = named(user(user_id), "good");
    let versions = [oldest.clone(), named(oldest.clone().later(1), "bad"), named(oldest.clone().later(2), "bad"), oldest.clone().later(-1)];
    rig.append_all(&versions);
    rig.store.fail_by(|events| {
        let bad = |event: &&Event<'_>| matches!(&event.body, Body::UserCreated(user) if user.first_name == "bad");
        events.iter().any(bad).then(|| fault(POISON, 8115))
    });
    rig.process_batch().await.unwrap();
    assert_eq!(sorted(dead(&rig)), ids(&versions[1..3]));
    let view = readmodel::ReadStore::user(&rig.store.inner, user_id).await.unwrap().unwrap();
    assert_eq!(view.user.first_name, "good");
    assert_eq!(rig.log.committed_offset(0), Some(4));
    for (status, count) in [("success", 1.0), ("stale", 1.0), ("error", 2.0)] {
        let series = format!("events_processed_total{{event_type=\"UserCreated\",status=\"{status}\"}}");
        assert!((rig.metric(&series) - count).abs() < f64::EPSILON, "{series} is {}", rig.metric(&series));
    }
}

/// Parks these orders and a payment for the first, then refuses the orders for which `bad` says so.
async fn parked_children(user_id: Uuid, orders: &[Event<'static>], bad: impl Fn(Uuid) -> bool + Send + 'static) -> Rig {
    let mut rig = Rig::with(ConsumerConfig { sweep_interval: Duration::from_secs(3600), ..ConsumerConfig::default() });
    rig.process_batch().await.unwrap();
    rig.append_all(orders);
    let Body::OrderPlaced(first) = &orders[0].body else { panic!("an order") };
    rig.append(&payment(id(), first.order_id));
    rig.process_batch().await.unwrap();
    assert_eq!(rig.parked().await, orders.len() as u64 + 1);
    rig.store.fail_by(move |events| {
        let refused = |event: &&Event<'_>| matches!(&event.body, Body::OrderPlaced(order) if bad(order.order_id));
        events.iter().any(refused).then(|| fault(POISON, 8115))
    });
    rig.append(&user(user_id));
    rig
}

#[tokio::test(start_paused = true)]
async fn poison_among_released_children_is_buried_and_leaves_the_parking_table() {
    let user_id = id();
    let order_ids: Vec<_> = (0..20).map(|_| id()).collect();
    let orders: Vec<_> = order_ids.iter().map(|order_id| order(*order_id, user_id)).collect();
    let bad = order_ids[7];
    let mut rig = parked_children(user_id, &orders, move |order_id| order_id == bad).await;
    // The queue is away for a while, and then its first reply is lost.
    rig.dead_letters.go_away(2);
    rig.dead_letters.lose_next_reply();
    rig.process_batch().await.unwrap();
    assert_eq!(dead(&rig), [orders[7].id]);
    let dead_letter = Entry::parse(&rig.dead_letters.entries()[0].json).unwrap();
    assert_eq!((dead_letter.value().unwrap(), dead_letter.offset), (orders[7].to_json(), Some(7)));
    assert_eq!(rig.parked().await, 0, "the payment of the first order too was released");
    for (index, order_id) in order_ids.into_iter().enumerate() {
        assert_eq!(rig.has_order(order_id).await, index != 7);
    }
}

#[tokio::test(start_paused = true)]
async fn children_of_a_poisonous_parent_wait_on_and_the_parent_is_buried_once() {
    let user_id = id();
    let orders = [order(id(), user_id)];
    let mut rig = parked_children(user_id, &orders, |_| true).await;
    for _ in 0..3 {
        rig.process_batch().await.unwrap();
    }
    assert_eq!(dead(&rig), [orders[0].id]);
    assert_eq!(rig.parked().await, 1, "the payment");
}
