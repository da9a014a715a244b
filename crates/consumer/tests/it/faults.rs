//! What a batch does when the world fails.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use consumer::waiting::{PIPELINE_PART, Stopped};
use events::{Body, Event};
use pipeline::FaultClass;
use testkit::builders::{adjustment, id, order, unique, user};
use testkit::eventually;

use crate::faulty::fault;
use crate::rig::Rig;

const AWAY: FaultClass = FaultClass::Unavailable { timed_out: false };

fn delta_of(event: &Event<'_>) -> Option<i32> {
    if let Body::InventoryAdjusted(adjustment) = &event.body { Some(adjustment.quantity) } else { None }
}

#[tokio::test(start_paused = true)]
async fn an_outage_is_waited_out_without_a_letter_or_a_commit() {
    let mut rig = Rig::new();
    let sku = unique("sku");
    rig.append(&adjustment(&sku, 3));
    rig.store.fail_next([fault(AWAY, 4060), fault(AWAY, 40613), fault(FaultClass::Operator, 18456), fault(FaultClass::Bug, 208)]);
    let (log, health, dead_letters) = (rig.log.clone(), rig.health.clone(), rig.dead_letters.clone());
    let watch = async {
        eventually(Duration::from_secs(60), "the consumer is not ready", async || !health.is_up(PIPELINE_PART)).await;
        assert_eq!(log.committed_offset(0), None, "nothing is committed past unfinished work");
        assert!(dead_letters.entries().is_empty());
    };
    let (turned, ()) = tokio::join!(rig.consumer.process_batch(), watch);
    turned.unwrap();
    assert!(rig.log.stood_by() >= 4, "it keeps polling while it waits");
    assert_eq!(rig.stock(&sku).await, Some(3));
    assert_eq!(rig.log.committed_offset(0), Some(1));
    assert!(rig.health.is_up(PIPELINE_PART));
    assert!(rig.dead_letters.entries().is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_reply_lost_after_the_commit_does_not_count_twice() {
    let mut rig = Rig::new();
    let sku = unique("sku");
    rig.append_all(&[adjustment(&sku, 3), adjustment(&sku, 4)]);
    rig.store.fail_after([fault(AWAY, 10054), fault(FaultClass::LockConflict, 1205)]);
    rig.process_batch().await.unwrap();
    assert_eq!(rig.stock(&sku).await, Some(7));
    assert_eq!(rig.log.committed_offset(0), Some(2));
}

#[tokio::test(start_paused = true)]
async fn after_a_timeout_the_batch_is_halved() {
    let mut rig = Rig::new();
    let sku = unique("sku");
    rig.append_all(&(0..100).map(|_| adjustment(&sku, 1)).collect::<Vec<_>>());
    // The database is too slow for more than thirty events at once.
    rig.store.fail_by(|events| (events.len() > 30).then(|| fault(FaultClass::Unavailable { timed_out: true }, 0)));
    rig.process_batch().await.unwrap();
    assert_eq!(rig.stock(&sku).await, Some(100));
    assert_eq!(rig.store.statements(), 7, "100, then two of 50, then four of 25");
}

#[tokio::test(start_paused = true)]
async fn bad_events_are_found_in_logarithmic_time_and_cost_only_themselves() {
    for bad in [vec![0], vec![500], vec![999], vec![1, 500, 998]] {
        let mut rig = Rig::new();
        let sku = unique("sku");
        // The delta marks the event: 1 is good, others are refused.
        let events: Vec<_> = (0..1000).map(|index| adjustment(&sku, if bad.contains(&index) { 7 } else { 1 })).collect();
        rig.append_all(&events);
        rig.store.fail_by(|events| events.iter().any(|event| delta_of(event) == Some(7)).then(|| fault(FaultClass::Poison, 8115)));
        rig.process_batch().await.unwrap();
        assert_eq!(rig.stock(&sku).await, Some(1000 - bad.len() as i64));
        assert_eq!(rig.dead_letters.reasons(), vec!["constraint"; bad.len()]);
        let statements = rig.store.statements() as usize;
        assert!(statements <= 1 + 20 * bad.len(), "{statements} statements for {} bad events", bad.len());
        assert_eq!(rig.log.committed_offset(0), Some(1000));
    }
}

#[tokio::test(start_paused = true)]
async fn two_events_that_only_conflict_with_each_other_cost_neither() {
    let mut rig = Rig::new();
    let sku = unique("sku");
    rig.append_all(&[adjustment(&sku, 7), adjustment(&sku, 8), adjustment(&sku, 1)]);
    rig.store.fail_by(|events| {
        let has = |delta| events.iter().any(|event| delta_of(event) == Some(delta));
        (has(7) && has(8)).then(|| fault(FaultClass::Poison, 2627))
    });
    rig.process_batch().await.unwrap();
    assert_eq!(rig.stock(&sku).await, Some(16));
    assert!(rig.dead_letters.entries().is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_batch_of_which_every_event_is_refused_alike_is_held_and_not_buried() {
    let mut rig = Rig::new();
    let sku = unique("sku");
    rig.append_all(&(0..20).map(|_| adjustment(&sku, 1)).collect::<Vec<_>>());
    let mut refusals = 0;
    rig.store.fail_by(move |_| {
        refusals += 1;
        // Long enough for several rounds of isolation, then the cause is gone.
        (refusals < 200).then(|| fault(FaultClass::Poison, 8115))
    });
    rig.process_batch().await.unwrap();
    assert!(rig.dead_letters.entries().is_empty());
    assert_eq!(rig.stock(&sku).await, Some(20));
}

#[tokio::test(start_paused = true)]
async fn a_race_is_retried_soon_and_a_lasting_one_is_an_outage() {
    let mut rig = Rig::new();
    let sku = unique("sku");
    rig.append(&adjustment(&sku, 3));
    rig.store.fail_next(vec![fault(FaultClass::LockConflict, 1205); 9]);
    rig.process_batch().await.unwrap();
    assert_eq!(rig.log.stood_by(), 0);
    rig.append(&adjustment(&sku, 3));
    rig.store.fail_next(vec![fault(FaultClass::LockConflict, 1205); 10]);
    rig.process_batch().await.unwrap();
    assert_eq!(rig.log.stood_by(), 1);
    assert_eq!(rig.stock(&sku).await, Some(6));
}

#[tokio::test(start_paused = true)]
async fn nothing_is_committed_before_its_letters_are_durable() {
    let mut rig = Rig::new();
    rig.log.append(0, Some(b"poison".to_vec()));
    rig.dead_letters.go_away(3);
    let (log, health) = (rig.log.clone(), rig.health.clone());
    let watch = async {
        eventually(Duration::from_secs(60), "the consumer is not ready", async || !health.is_up(PIPELINE_PART)).await;
        assert_eq!(log.committed_offset(0), None);
    };
    let (turned, ()) = tokio::join!(rig.consumer.process_batch(), watch);
    turned.unwrap();
    assert_eq!(rig.dead_letters.entries().len(), 1);
    assert_eq!(rig.log.committed_offset(0), Some(1));
}

#[tokio::test(start_paused = true)]
async fn a_push_whose_reply_is_lost_gives_one_letter() {
    let mut rig = Rig::new();
    rig.log.append(0, Some(b"poison".to_vec()));
    rig.dead_letters.lose_next_reply();
    rig.process_batch().await.unwrap();
    assert_eq!(rig.dead_letters.entries().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_consumer_that_is_stopped_while_it_waits_commits_nothing() {
    let mut rig = Rig::new();
    rig.append(&user(id()));
    rig.store.fail_by(|_| Some(fault(AWAY, 4060)));
    let (stop, health) = (rig.stop.clone(), rig.health.clone());
    let stopper = async {
        eventually(Duration::from_secs(60), "the consumer waits", async || !health.is_up(PIPELINE_PART)).await;
        stop.cancel();
    };
    let (turned, ()) = tokio::join!(rig.consumer.process_batch(), stopper);
    assert_eq!(turned, Err(Stopped));
    assert_eq!(rig.log.committed_offset(0), None);
}

#[tokio::test(start_paused = true)]
async fn a_release_that_someone_else_took_is_read_again() {
    let mut rig = Rig::new();
    let (user_id, order_id) = (id(), id());
    rig.append(&order(order_id, user_id));
    rig.process_batch().await.unwrap();
    rig.append(&user(user_id));
    let mut asked = 0;
    rig.store.fail_by(move |events| {
        let released = matches!(events[0].body, Body::OrderPlaced(_));
        asked += u32::from(released);
        (released && asked <= 2).then(|| fault(FaultClass::ReleaseLost, 0))
    });
    rig.process_batch().await.unwrap();
    assert!(rig.has_order(order_id).await);
    assert_eq!(rig.parked().await, 0);
}

#[tokio::test(start_paused = true)]
async fn a_broker_that_is_away_makes_the_consumer_not_ready_until_it_is_back() {
    let mut rig = Rig::new();
    let sku = unique("sku");
    rig.append(&adjustment(&sku, 3));
    rig.log.go_away(2);
    for _ in 0..2 {
        rig.process_batch().await.unwrap();
        assert!(!rig.health.is_up(PIPELINE_PART));
        assert_eq!(rig.log.committed_offset(0), None);
    }
    rig.process_batch().await.unwrap();
    assert!(rig.health.is_up(PIPELINE_PART));
    assert_eq!(rig.stock(&sku).await, Some(3));
}

#[tokio::test(start_paused = true)]
async fn a_database_that_is_away_for_seconds_or_a_minute_is_waited_for_and_found_again_within_thirty_seconds() {
    for (class, code, seconds) in
        [(AWAY, 4060, 5), (AWAY, 10054, 60), (FaultClass::Operator, 18456, 60), (FaultClass::Operator, 229, 60), (FaultClass::Bug, 208, 60)]
    {
        let mut rig = Rig::new();
        let sku = unique("sku");
        rig.append_all(&(0..500).map(|_| adjustment(&sku, 1)).collect::<Vec<_>>());
        rig.log.append(0, Some(b"poison".to_vec()));
        let back = tokio::time::Instant::now() + Duration::from_secs(seconds);
        rig.store.fail_by(move |_| (tokio::time::Instant::now() < back).then(|| fault(class, code)));
        let (log, dead_letters, health) = (rig.log.clone(), rig.dead_letters.clone(), rig.health.clone());
        let watch = async {
            while tokio::time::Instant::now() < back {
                assert_eq!(log.committed_offset(0), None, "error {code}");
                assert!(dead_letters.entries().is_empty(), "error {code}");
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
            assert!(!health.is_up(PIPELINE_PART), "error {code}");
        };
        let (turned, ()) = tokio::join!(rig.consumer.process_batch(), watch);
        turned.unwrap();
        assert!(back.elapsed() <= Duration::from_secs(30), "error {code}: {:?} after the return", back.elapsed());
        assert!(rig.log.stood_by() > 1 && rig.health.is_up(PIPELINE_PART), "error {code}");
        assert_eq!(rig.stock(&sku).await, Some(500), "error {code}");
        assert_eq!((rig.dead_letters.reasons(), rig.log.committed_offset(0)), (vec!["not_json"], Some(501)), "error {code}");
    }
}

/// What answers the monitor and refuses the work is not up, whatever the monitor says; once the work is done, it is.
#[tokio::test(start_paused = true)]
async fn a_database_that_answers_and_refuses_writes_is_down_while_it_does() {
    let mut rig = Rig::new();
    let sku = unique("sku");
    rig.append(&adjustment(&sku, 3));
    let allowed = tokio::time::Instant::now() + Duration::from_secs(60);
    rig.store.fail_by(move |_| (tokio::time::Instant::now() < allowed).then(|| fault(FaultClass::Operator, 229)));
    let health = rig.health.clone();
    let monitor = async {
        tokio::time::sleep_until(allowed - Duration::from_secs(1)).await;
        health.up("database");
        assert!(health.is_down("database") && health.is_down(PIPELINE_PART));
    };
    let (turned, ()) = tokio::join!(rig.consumer.process_batch(), monitor);
    turned.unwrap();
    assert!(rig.health.is_up("database") && rig.health.is_up(PIPELINE_PART));
    assert_eq!(rig.stock(&sku).await, Some(3));
}

#[tokio::test(start_paused = true)]
async fn the_work_goes_on_as_soon_as_the_monitor_finds_the_database_again() {
    let mut rig = Rig::new();
    let sku = unique("sku");
    rig.append(&adjustment(&sku, 3));
    // Long enough for the longest pauses.
    let back = tokio::time::Instant::now() + Duration::from_secs(200);
    rig.store.fail_by(move |_| (tokio::time::Instant::now() < back).then(|| fault(AWAY, 10054)));
    let health = rig.health.clone();
    let monitor = async {
        tokio::time::sleep_until(back).await;
        assert!(!health.is_up("database"));
        health.up("database");
    };
    let (turned, ()) = tokio::join!(rig.consumer.process_batch(), monitor);
    turned.unwrap();
    assert!(back.elapsed() <= Duration::from_secs(2), "{:?} after the return", back.elapsed());
    assert_eq!(rig.stock(&sku).await, Some(3));
}

/// The monitor takes the database for up until it sees that it is not, in the middle of a pause, and sees it return in the same pause.
#[tokio::test(start_paused = true)]
async fn a_return_that_the_monitor_sees_whole_in_one_pause_ends_it() {
    let mut rig = Rig::new();
    let sku = unique("sku");
    rig.append(&adjustment(&sku, 3));
    let away = Arc::new(AtomicBool::new(true));
    let still = Arc::clone(&away);
    rig.store.fail_by(move |_| still.load(Ordering::Relaxed).then(|| fault(AWAY, 10054)));
    let (health, store) = (rig.health.clone(), &rig.store);
    let monitor = async {
        tokio::time::sleep(Duration::from_secs(120)).await;
        health.up("database");
        let asked = store.statements();
        // The first try is that of the pause that ends; with the second a long one begins.
        while store.statements() < asked + 2 {
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        assert!(health.is_up("database"));
        health.down("database", "away");
        tokio::time::sleep(Duration::from_secs(3)).await;
        health.up("database");
        away.store(false, Ordering::Relaxed);
        tokio::time::Instant::now()
    };
    let (turned, back) = tokio::join!(rig.consumer.process_batch(), monitor);
    turned.unwrap();
    assert!(back.elapsed() <= Duration::from_secs(2), "{:?} after the return", back.elapsed());
    assert_eq!(rig.stock(&sku).await, Some(3));
}

#[tokio::test(start_paused = true)]
async fn a_database_that_answers_the_monitor_alone_is_not_asked_more_often_for_it() {
    let mut rig = Rig::new();
    rig.append(&adjustment(&unique("sku"), 3));
    let begun = tokio::time::Instant::now();
    rig.store.fail_by(move |_| (begun.elapsed() < Duration::from_secs(600)).then(|| fault(AWAY, 10054)));
    let health = rig.health.clone();
    let monitor = async {
        tokio::time::sleep(Duration::from_secs(120)).await;
        while begun.elapsed() < Duration::from_secs(600) {
            health.up("database");
            tokio::time::sleep(Duration::from_secs(1)).await;
        }
    };
    let (turned, ()) = tokio::join!(rig.consumer.process_batch(), monitor);
    turned.unwrap();
    // Six short pauses, then one of 24 to 30 seconds after the other.
    assert!(rig.store.statements() < 40, "{}", rig.store.statements());
}
