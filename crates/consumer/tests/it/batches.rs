//! What a batch does when nothing is wrong with the world.

use testkit::builders::{Build, adjustment, id, order, payment, unique, user};

use crate::rig::Rig;

#[tokio::test(start_paused = true)]
async fn a_batch_ends_in_the_tables_in_the_queue_and_in_the_parking_table_and_is_committed() {
    let mut rig = Rig::new();
    let (user_id, order_id, lost_order) = (id(), id(), id());
    let sku = unique("sku");
    rig.append_all(&[payment(id(), order_id), order(order_id, user_id), user(user_id), adjustment(&sku, 7), order(lost_order, id())]);
    rig.log.append(0, Some(b"{\"invalid\": \"json\"".to_vec()));
    rig.log.append(0, None);
    rig.process_batch().await.unwrap();

    assert!(rig.has_user(user_id).await && rig.has_order(order_id).await);
    assert_eq!(rig.stock(&sku).await, Some(7));
    assert!(!rig.has_order(lost_order).await);
    assert_eq!(rig.parked().await, 1);
    assert_eq!(rig.dead_letters.reasons(), ["not_json"]);
    assert_eq!(rig.log.committed_offset(0), Some(7));
    for (series, value) in [
        ("events_processed_total{event_type=\"OrderPlaced\",status=\"success\"}", 1.0),
        ("events_processed_total{event_type=\"OrderPlaced\",status=\"parked\"}", 1.0),
        ("events_processed_total{event_type=\"unknown\",status=\"error\"}", 1.0),
        ("dlq_entries_total", 1.0),
        ("pipeline_tombstones_total", 1.0),
    ] {
        assert!((rig.metric(series) - value).abs() < f64::EPSILON, "{series} is {}", rig.metric(series));
    }
}

#[tokio::test(start_paused = true)]
async fn the_newest_of_an_entity_wins_and_the_others_are_stale_or_duplicates() {
    let mut rig = Rig::new();
    let first = user(id());
    let newest = first.clone().later(9).with_user(|user| user.first_name = "newest".into());
    rig.append_all(&[first.clone().later(5), newest.clone(), first.clone(), newest.clone()]);
    rig.process_batch().await.unwrap();
    for (status, count) in [("success", 1.0), ("stale", 2.0), ("duplicate", 1.0)] {
        let series = format!("events_processed_total{{event_type=\"UserCreated\",status=\"{status}\"}}");
        assert!((rig.metric(&series) - count).abs() < f64::EPSILON, "{series}");
    }
}

#[tokio::test(start_paused = true)]
async fn everything_consumed_again_changes_nothing() {
    let mut rig = Rig::new();
    let sku = unique("sku");
    let events: Vec<_> = (0..50).map(|_| adjustment(&sku, 3)).collect();
    for _ in 0..3 {
        rig.append_all(&events);
        rig.log.append(0, Some(b"poison".to_vec()));
        rig.process_batch().await.unwrap();
    }
    assert_eq!(rig.stock(&sku).await, Some(150));
    assert_eq!(rig.dead_letters.entries().len(), 3, "three records at three offsets are three letters");
}

#[tokio::test(start_paused = true)]
async fn an_event_id_with_other_content_is_a_dead_letter_in_the_same_batch_and_in_a_later_one() {
    let mut rig = Rig::new();
    let sku = unique("sku");
    let first = adjustment(&sku, 3);
    let other = first.clone().with_adjustment(|adjustment| adjustment.quantity = 4);
    rig.append_all(&[first.clone(), other.clone()]);
    rig.process_batch().await.unwrap();
    rig.append(&other);
    rig.process_batch().await.unwrap();
    assert_eq!(rig.dead_letters.reasons(), ["event_id_conflict"; 2]);
    assert_eq!(rig.stock(&sku).await, Some(3));
}

#[tokio::test(start_paused = true)]
async fn an_order_that_moves_to_a_missing_user_leaves_the_older_one_applied() {
    let mut rig = Rig::new();
    let (user_id, order_id) = (id(), id());
    let placed = order(order_id, user_id);
    let moved = placed.clone().later(5).with_order(|order| order.user_id = id());
    rig.append_all(&[user(user_id), placed, moved]);
    rig.process_batch().await.unwrap();
    assert!(rig.has_order(order_id).await);
    assert_eq!(rig.parked().await, 1);
}

#[tokio::test(start_paused = true)]
async fn of_two_users_with_one_email_the_loser_waits_and_an_older_version_of_it_is_written_by_itself() {
    let mut rig = Rig::new();
    let email = format!("{}@example.com", unique("taken"));
    let owner = user(id()).with_user(|user| user.email = email.clone().into());
    let loser_id = id();
    let older = user(loser_id);
    let newer = older.clone().later(5).with_user(|user| user.email = email.clone().into());
    rig.append(&owner);
    rig.process_batch().await.unwrap();
    rig.append_all(&[older, newer.clone()]);
    rig.process_batch().await.unwrap();
    assert!(rig.has_user(loser_id).await, "the superseder failed, so the older event counts");
    assert_eq!(rig.parked().await, 1);

    // The owner gives the address up; the sweep tries again.
    rig.append(&owner.later(9).with_user(|user| user.email = format!("{}@example.com", unique("new")).into()));
    rig.process_batch().await.unwrap();
    assert_eq!(rig.parked().await, 0);
    let view = readmodel::ReadStore::user(&rig.store.inner, loser_id).await.unwrap().unwrap();
    assert_eq!(view.user.email, email);
}
