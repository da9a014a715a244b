//! Two consumers on one database, each with a connection and a log of its own.

use std::sync::Mutex;
use std::time::Duration;

use consumer::ConsumerConfig;
use events::Event;
use pipeline::ports::{ParkingExpiry as _, PollLimits};
use pipeline::{FaultClass, Parents, ParkingLot as _};
use readmodel::ReadStore as _;
use testkit::builders::{Build, adjustment, id, order, payment, unique, user};
use testkit::eventually;
use testkit::history::{History, Rows};
use testkit::seed::Seed;

use crate::faulty::fault;
use crate::gates::Call;
use crate::rig::Rig;

/// SQLite's number for a file that another connection has locked (`SQLITE_BUSY`).
const BUSY: i64 = 5;

fn never_sweeps() -> ConsumerConfig {
    ConsumerConfig { sweep_interval: Duration::from_secs(3600), ..ConsumerConfig::default() }
}

fn gives_up_at_once() -> ConsumerConfig {
    ConsumerConfig { sweep_interval: Duration::ZERO, parking_deadline: Duration::ZERO, ..ConsumerConfig::default() }
}

/// Two consumers that have looked through the empty parking table already.
async fn two(first: ConsumerConfig, second: ConsumerConfig) -> (Rig, Rig) {
    let mut first = Rig::with(first);
    let mut second = first.beside(second);
    first.process_batch().await.unwrap();
    second.process_batch().await.unwrap();
    (first, second)
}

/// Sum of a metric over all labels, those of one status only where that is given.
fn total(rig: &Rig, name: &str, label: &str) -> f64 {
    let text = rig.metrics.encode();
    let series = text.lines().filter(|line| line.starts_with(name) && line.contains(label));
    series.filter_map(|line| line.rsplit_once(' ')?.1.parse::<f64>().ok()).sum()
}

fn is(value: f64, expected: usize) -> bool {
    (value - expected as f64).abs() < f64::EPSILON
}

/// The partition of its own that each consumer's log has: a place in the log is what identifies a parked event.
fn append(rig: &Rig, partition: i32, event: &Event<'_>) {
    rig.log.append(partition, Some(event.to_json()));
}

/// Turns until its log is consumed, in small batches, so that the batches of two interleave.
async fn consume(rig: &mut Rig, partition: i32, records: usize) {
    while rig.log.committed_offset(partition).unwrap_or(0) < records as i64 {
        rig.process_batch().await.unwrap();
    }
}

/// A store that finds the file locked after its first writes, and then before one write of five.
fn meet_locks(rig: &Rig, seed: &mut Seed) {
    let after = seed.number(0..=5).unsigned_abs() as usize;
    rig.store.fail_after(vec![fault(FaultClass::LockConflict, BUSY); after]);
    let turns = Mutex::new((0..200).map(|_| seed.chance(0.2)).collect::<Vec<_>>());
    rig.store.fail_by(move |_| turns.lock().unwrap().pop().unwrap_or(false).then(|| fault(FaultClass::LockConflict, BUSY)));
}

#[tokio::test(flavor = "multi_thread")]
async fn batches_that_meet_at_the_same_parents_end_in_the_rows_of_one_consumer() {
    let mut seed = Seed::of_test("batches_that_meet");
    for _ in 0..6 {
        let config = || ConsumerConfig {
            batch: PollLimits { records: 7, bytes: 1 << 20 },
            sweep_interval: Duration::from_millis(1),
            ..ConsumerConfig::default()
        };
        let mut first = Rig::with(config());
        let mut second = first.beside(config());
        let history = History::random(&mut seed);
        let deliveries = seed.shuffled_with_duplicates(&history.events);
        let (mine, theirs): (Vec<_>, Vec<_>) = deliveries.into_iter().partition(|_| seed.chance(0.5));
        mine.iter().for_each(|event| append(&first, 0, event));
        theirs.iter().for_each(|event| append(&second, 1, event));
        meet_locks(&first, &mut seed);
        meet_locks(&second, &mut seed);
        let consumed = async { tokio::join!(consume(&mut first, 0, mine.len()), consume(&mut second, 1, theirs.len())) };
        tokio::time::timeout(Duration::from_secs(60), consumed).await.unwrap();
        // What one of them parked while the other wrote its parent is found by the sweep.
        while first.parked().await > 0 {
            first.process_batch().await.unwrap();
        }
        assert!(first.dead_letters.entries().is_empty());
        assert_eq!(Rows::read(&first.store.inner, &history).await.without_our_clock(), history.fold());
        // Each delivery ended once: at once, or parked first and then released.
        let ended = |rig: &Rig| total(rig, "events_processed_total", "") - total(rig, "events_processed_total", "\"parked\"");
        let delivered = mine.len() + theirs.len();
        assert!(is(ended(&first) + ended(&second), delivered), "{} and {} of {delivered}", ended(&first), ended(&second));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_finds_the_file_locked_tries_again_and_reports_nothing_applied_meanwhile() {
    let mut rig = Rig::with(never_sweeps());
    rig.process_batch().await.unwrap();
    let sku = unique("sku");
    rig.append_all(&[adjustment(&sku, 3), adjustment(&sku, 4)]);
    let other = rusqlite::Connection::open(rig.store.inner.path()).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let (log, metrics, tables) = (rig.log.clone(), rig.metrics.clone(), rig.store.inner.clone());
    let turning = tokio::spawn(async move {
        rig.process_batch().await.unwrap();
        rig
    });
    // The statement waits five seconds for the lock before it gives up.
    eventually(Duration::from_secs(60), "the lock is met", async || {
        metrics.encode().lines().any(|line| line == "pipeline_retries_total{class=\"lock_race\",dependency=\"database\"} 1")
    })
    .await;
    assert_eq!(log.committed_offset(0), None);
    assert!(tables.inventory(&sku).await.unwrap().is_none());
    assert!(!metrics.encode().lines().any(|line| line.contains("status=\"success\"") && !line.ends_with(" 0")));
    other.execute_batch("COMMIT").unwrap();
    let rig = tokio::time::timeout(Duration::from_secs(60), turning).await.unwrap().unwrap();
    assert_eq!(rig.stock(&sku).await, Some(7));
    assert_eq!(rig.log.committed_offset(0), Some(2));
    assert_eq!(rig.log.stood_by(), 0, "a race is no outage");
}

#[tokio::test(start_paused = true)]
async fn a_race_that_becomes_an_outage_begins_with_its_shortest_pause() {
    for class in [FaultClass::LockConflict, FaultClass::UniqueViolation] {
        let mut rig = Rig::with(never_sweeps());
        rig.append(&adjustment(&unique("sku"), 3));
        rig.store.fail_next(vec![fault(class, BUSY); 10]);
        let started = tokio::time::Instant::now();
        rig.process_batch().await.unwrap();
        // Nine races of up to 200 ms, then one wait of up to 500 ms.
        assert!(started.elapsed() < Duration::from_secs(3), "{:?}", started.elapsed());
        assert_eq!(rig.log.stood_by(), 1);
    }
}

#[tokio::test(start_paused = true)]
async fn releases_that_meet_apply_each_child_once() {
    let (mut first, mut second) = two(never_sweeps(), never_sweeps()).await;
    let user_id = id();
    let orders: Vec<_> = (0..10).map(|_| id()).collect();
    orders.iter().for_each(|order_id| append(&first, 0, &order(*order_id, user_id)));
    first.process_batch().await.unwrap();
    assert_eq!(first.parked().await, 10);
    // Both get the parent, both find its children, and neither has written them when the other looks.
    let (mine, theirs) = (first.store.gates.at(Call::Look), second.store.gates.at(Call::Look));
    let parent = user(user_id);
    append(&first, 0, &parent);
    append(&second, 1, &parent);
    let meet = async {
        tokio::join!(mine.reached(), theirs.reached());
        theirs.open();
        mine.open();
    };
    let (left, right, ()) = tokio::join!(first.process_batch(), second.process_batch(), meet);
    left.unwrap();
    right.unwrap();
    for order_id in orders {
        assert!(first.has_order(order_id).await);
    }
    assert_eq!(first.parked().await, 0);
    assert!(first.dead_letters.entries().is_empty());
    let released = |rig: &Rig| total(rig, "pipeline_released_total", "");
    assert!(is(released(&first) + released(&second), 10), "{} and {}", released(&first), released(&second));
    let lost = |rig: &Rig| total(rig, "pipeline_retries_total", "release_lost");
    assert!(is(lost(&first) + lost(&second), 1), "one of them came too late");
}

#[tokio::test(start_paused = true)]
async fn whoever_waits_for_what_a_spoilt_release_has_written_is_released_too() {
    // One order in a transaction.
    let apart = ConsumerConfig { max_rows: 1, ..never_sweeps() };
    let (mut first, second) = two(apart, never_sweeps()).await;
    let (user_id, written, taken) = (id(), id(), id());
    append(&first, 0, &order(written, user_id));
    append(&first, 0, &order(taken, user_id));
    append(&first, 0, &payment(id(), written));
    first.process_batch().await.unwrap();
    assert_eq!(first.parked().await, 3);
    let look = first.store.gates.at(Call::Look);
    append(&first, 0, &user(user_id));
    let meet = async {
        look.reached().await;
        // Somebody else takes the second one, before the first consumer writes what it has found.
        let found = second.store.releasable(&Parents::Any, None, 10).await.unwrap();
        second.store.discard(&[found.last().unwrap().parked_key()]).await.unwrap();
        look.open();
    };
    let (turned, ()) = tokio::join!(first.process_batch(), meet);
    turned.unwrap();
    assert!(first.has_order(written).await && !first.has_order(taken).await);
    assert!(is(total(&first, "pipeline_retries_total", "release_lost"), 1), "the release was spoilt");
    assert_eq!(first.parked().await, 0, "the payment was released with its order");
}

#[tokio::test(start_paused = true)]
async fn what_is_claimed_to_be_given_up_is_not_released_although_its_parent_lands() {
    let (mut first, mut second) = two(never_sweeps(), gives_up_at_once()).await;
    let (user_id, order_id) = (id(), id());
    append(&first, 0, &order(order_id, user_id));
    first.process_batch().await.unwrap();
    let claim = second.store.gates.at(Call::Claim);
    append(&first, 0, &user(user_id));
    let meet = async {
        claim.reached().await;
        first.process_batch().await.unwrap();
        assert!(first.has_user(user_id).await && !first.has_order(order_id).await);
        claim.open();
    };
    let (turned, ()) = tokio::join!(second.process_batch(), meet);
    turned.unwrap();
    assert_eq!(first.dead_letters.reasons(), ["missing_parent"]);
    // Nor afterwards.
    first.process_batch().await.unwrap();
    second.process_batch().await.unwrap();
    assert!(!first.has_order(order_id).await);
    assert_eq!((first.parked().await, first.dead_letters.entries().len()), (0, 1));
}

#[tokio::test(start_paused = true)]
async fn what_is_found_for_release_is_not_given_up_although_its_deadline_is_over() {
    let (mut first, mut second) = two(never_sweeps(), gives_up_at_once()).await;
    let (user_id, order_id) = (id(), id());
    append(&first, 0, &order(order_id, user_id));
    first.process_batch().await.unwrap();
    let look = first.store.gates.at(Call::Look);
    append(&first, 0, &user(user_id));
    let meet = async {
        look.reached().await;
        // It may only be expired: with a sweep of its own, the other would release it.
        let now = second.store.now().await.unwrap();
        assert!(second.store.claim_expired(now, 10).await.unwrap().is_empty());
        look.open();
    };
    let (turned, ()) = tokio::join!(first.process_batch(), meet);
    turned.unwrap();
    second.process_batch().await.unwrap();
    assert!(first.has_order(order_id).await && first.dead_letters.entries().is_empty());
    assert_eq!(first.parked().await, 0);
}

/// Where an older program did not note the address, nobody asks whether it has become free, so the two really meet.
#[tokio::test(start_paused = true)]
async fn a_release_that_comes_after_the_claim_writes_nothing() {
    let sweeps = || ConsumerConfig { sweep_interval: Duration::ZERO, ..ConsumerConfig::default() };
    let (mut first, mut second) = two(sweeps(), never_sweeps()).await;
    let email = format!("{}@example.com", unique("taken"));
    let owner = user(id()).with_user(|user| user.email = email.clone().into());
    let loser_id = id();
    let loser = user(loser_id).with_user(|user| user.email = email.clone().into());
    // One after the other: in one batch, the earlier event would get the address.
    append(&second, 1, &owner);
    second.process_batch().await.unwrap();
    append(&second, 1, &loser);
    second.process_batch().await.unwrap();
    assert_eq!(second.parked().await, 1);
    let tables = rusqlite::Connection::open(first.store.inner.path()).unwrap();
    assert_eq!(tables.execute("UPDATE parked_events SET waits_for_key = NULL, claimed_by = NULL, claimed_at = NULL", []).unwrap(), 1);
    let look = first.store.gates.at(Call::Look);
    let meet = async {
        look.reached().await;
        // The address becomes free, and the event is expired, both before the first consumer writes what it has found.
        append(&second, 1, &owner.clone().later(9).with_user(|user| user.email = format!("{}@example.com", unique("new")).into()));
        second.process_batch().await.unwrap();
        let now = second.store.now().await.unwrap();
        assert_eq!(second.store.claim_expired(now, 10).await.unwrap().len(), 1);
        look.open();
    };
    let (turned, ()) = tokio::join!(first.process_batch(), meet);
    turned.unwrap();
    assert!(!first.has_user(loser_id).await);
    // The claim is finished by whoever looks next.
    first.process_batch().await.unwrap();
    assert_eq!(first.dead_letters.reasons(), ["email_taken"]);
    assert_eq!(first.parked().await, 0);
    assert!(!first.has_user(loser_id).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn releases_and_expiries_that_meet_at_random_end_each_event_exactly_once() {
    let (mut first, mut second) = two(never_sweeps(), gives_up_at_once()).await;
    let (mut rounds, mut expired) = (0, 0);
    // Until each of them was first, at least once.
    while rounds < 100 || expired == 0 || expired == rounds {
        assert!(rounds < 2_000, "{expired} of {rounds} expired: one of the two is always first, so they do not meet");
        rounds += 1;
        let (user_id, order_id) = (id(), id());
        let child = order(order_id, user_id);
        first.store.park(&[testkit::builders::parked(&child)]).await.unwrap();
        append(&first, 0, &user(user_id));
        // Something to take, so that neither waits for it.
        second.log.append(1, None);
        // Not a wait for anything: they meet at another point in each round, and by turns one of the two has the start.
        let start = Duration::from_micros(rounds as u64 / 2 % 40 * 100);
        let (wait, no_wait) = (tokio::time::sleep(start), tokio::time::sleep(Duration::ZERO));
        let (before_release, before_expiry) = if rounds % 2 == 0 { (wait, no_wait) } else { (no_wait, wait) };
        let expiring = tokio::spawn(async move {
            before_expiry.await;
            second.process_batch().await.unwrap();
            second
        });
        let released = tokio::spawn(async move {
            before_release.await;
            first.process_batch().await.unwrap();
            first
        });
        (first, second) = (released.await.unwrap(), expiring.await.unwrap());
        let dead = first.dead_letters.entries().iter().filter(|dead_letter| dead_letter.json.contains(&child.id.to_string())).count();
        let applied = first.has_order(order_id).await;
        assert_eq!(dead + usize::from(applied), 1, "{dead} dead letters, applied: {applied}");
        expired += dead;
    }
    assert_eq!(first.parked().await, 0);
}
