//! The end of a run: whatever it was doing, it ends within ten seconds and has committed only what was finished.

use std::time::Duration;

use consumer::waiting::PIPELINE_PART;
use consumer::{Adapters, Backends, ConsumerConfig};
use pipeline::FaultClass;
use pipeline::ports::ParkingExpiry as _;
use readmodel::ReadStore as _;
use sqlite::Sqlite;
use telemetry::{Health, Metrics, Part};
use testkit::builders::{adjustment, id, order, unique};
use testkit::eventually;
use tokio::task::JoinHandle;
use tokio::time::{Instant, timeout};
use tokio_util::sync::CancellationToken;

use crate::fakes::{DeadLetters, Log};
use crate::faulty::{Faulty, fault};
use crate::gates::{Call, Gated, Gates};

const AWAY: FaultClass = FaultClass::Unavailable { timed_out: false };
/// What supervisors grant between the signal and the kill.
const TEN_SECONDS: Duration = Duration::from_secs(10);
const BOUND: Duration = Duration::from_secs(60);

struct GatedFakes;

impl Backends for GatedFakes {
    type Source = Gated<Log>;
    type Offsets = Gated<Log>;
    type Progress = Gated<Log>;
    type Store = Faulty;
    type DeadLetters = Gated<DeadLetters>;
}

/// A consumer that runs over one adjustment, one order without a user, and one record that is no event.
struct Stand {
    log: Log,
    store: Faulty,
    dead_letters: DeadLetters,
    gates: Gates,
    health: Health,
    stop: CancellationToken,
    sku: String,
    records: [Vec<u8>; 3],
}

impl Stand {
    fn new() -> Self {
        let sku = unique("sku");
        let records = [adjustment(&sku, 3).to_json(), order(id(), id()).to_json(), b"poison".to_vec()];
        Self::over(Faulty::new(Sqlite::temporary().unwrap()), DeadLetters::default(), sku, records)
    }

    /// What the next process finds: the tables and the dead letters of this one, and the whole log once more.
    fn next(self) -> Self {
        Self::over(Faulty::new(self.store.inner), self.dead_letters, self.sku, self.records)
    }

    fn over(store: Faulty, dead_letters: DeadLetters, sku: String, records: [Vec<u8>; 3]) -> Self {
        let log = Log::default();
        records.iter().for_each(|value| drop(log.append(0, Some(value.clone()))));
        let (gates, health, stop) = (store.gates.clone(), Health::new(&[PIPELINE_PART], None), CancellationToken::new());
        Self { log, store, dead_letters, gates, health, stop, sku, records }
    }

    fn run(&self) -> JoinHandle<Gated<Log>> {
        let log = Gated { inner: self.log.clone(), gates: self.gates.clone() };
        let dead_letters = Gated { inner: self.dead_letters.clone(), gates: self.gates.clone() };
        let adapters = Adapters::<GatedFakes> {
            source: log.clone(),
            offsets: log.clone(),
            progress: log,
            store: self.store.clone(),
            dead_letters,
            topic: "events".into(),
        };
        let metrics = Metrics::new(&[Part::Consumer]).unwrap();
        tokio::spawn(consumer::run(adapters, ConsumerConfig::default(), metrics, self.health.clone(), self.stop.clone()))
    }

    /// Gives the sign to stop, and says how long the end took.
    async fn stop(&self, running: JoinHandle<Gated<Log>>) -> Duration {
        let asked = Instant::now();
        self.stop.cancel();
        timeout(BOUND, running).await.expect("the run ends").unwrap();
        assert!(!self.health.ready());
        asked.elapsed()
    }

    async fn stock(&self) -> Option<i64> {
        self.store.inner.inventory(&self.sku).await.unwrap().map(|view| view.quantity)
    }

    async fn until_committed(&self, next: i64) {
        eventually(BOUND, "the batch is committed", async || self.log.committed_offset(0) == Some(next)).await;
    }

    /// The next process ends everything exactly once.
    async fn assert_next_finishes(self) {
        let next = self.next();
        let running = next.run();
        next.until_committed(3).await;
        assert_eq!(next.stock().await, Some(3));
        assert_eq!(next.store.inner.parked().await.unwrap().0, 1);
        assert_eq!(next.dead_letters.reasons(), ["not_json"]);
        assert!(next.stop(running).await < TEN_SECONDS);
    }
}

#[tokio::test(start_paused = true)]
async fn a_call_that_never_returns_holds_up_the_end_for_less_than_ten_seconds_and_commits_nothing() {
    for call in [Call::Take, Call::Apply, Call::Park, Call::Push, Call::Commit] {
        let stand = Stand::new();
        let gate = stand.gates.at(call);
        let running = stand.run();
        timeout(BOUND, gate.reached()).await.unwrap();
        let took = stand.stop(running).await;
        assert!(took < TEN_SECONDS, "{call:?}: {took:?}");
        assert_eq!(stand.log.committed_offset(0), None, "{call:?}");
        stand.assert_next_finishes().await;
    }
}

#[tokio::test(start_paused = true)]
async fn what_was_committed_before_stays_and_nothing_more_is_added() {
    for call in [Call::Take, Call::Apply, Call::Push, Call::Commit] {
        let stand = Stand::new();
        let running = stand.run();
        stand.until_committed(3).await;
        let gate = stand.gates.at(call);
        if call == Call::Take {
            // A take that is under way would still get them.
            timeout(BOUND, gate.reached()).await.unwrap();
        }
        stand.log.append(0, Some(adjustment(&stand.sku, 4).to_json()));
        stand.log.append(0, Some(b"more poison".to_vec()));
        if call != Call::Take {
            timeout(BOUND, gate.reached()).await.unwrap();
        }
        assert!(stand.stop(running).await < TEN_SECONDS, "{call:?}");
        assert_eq!(stand.log.committed_offset(0), Some(3), "{call:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_monitor_whose_questions_are_never_answered_holds_up_neither_the_work_nor_the_end() {
    let stand = Stand::new();
    let questions = [stand.gates.at(Call::Ask), stand.gates.at(Call::Ask)];
    let running = stand.run();
    for question in &questions {
        timeout(BOUND, question.reached()).await.unwrap();
    }
    stand.until_committed(3).await;
    assert!(stand.stop(running).await < Duration::from_secs(1));
}

#[tokio::test(start_paused = true)]
async fn a_batch_that_ends_soon_after_the_sign_is_finished_and_committed_and_no_other_is_taken() {
    for call in [Call::Apply, Call::Park, Call::Push, Call::Commit] {
        let stand = Stand::new();
        let gate = stand.gates.at(call);
        let running = stand.run();
        timeout(BOUND, gate.reached()).await.unwrap();
        stand.log.append(0, Some(adjustment(&stand.sku, 4).to_json()));
        let later = async {
            eventually(BOUND, "it is not ready any more", async || !stand.health.ready()).await;
            tokio::time::sleep(Duration::from_secs(3)).await;
            gate.open();
        };
        let (took, ()) = tokio::join!(stand.stop(running), later);
        assert!(took < TEN_SECONDS, "{call:?}: {took:?}");
        assert_eq!(stand.log.committed_offset(0), Some(3), "{call:?}");
        assert_eq!(stand.stock().await, Some(3));
        assert_eq!((stand.store.inner.parked().await.unwrap().0, stand.dead_letters.reasons()), (1, vec!["not_json"]));
    }
}

#[tokio::test(start_paused = true)]
async fn a_consumer_that_waits_ends_at_once_and_commits_nothing() {
    for class in [AWAY, FaultClass::Operator, FaultClass::Bug, FaultClass::LockConflict] {
        let stand = Stand::new();
        stand.store.fail_by(move |_| Some(fault(class, 1)));
        assert_ends_at_once(stand).await;
    }
    let stand = Stand::new();
    stand.dead_letters.go_away(u32::MAX);
    assert_ends_at_once(stand).await;
}

async fn assert_ends_at_once(stand: Stand) {
    let running = stand.run();
    eventually(BOUND, "the consumer waits", async || !stand.health.is_up(PIPELINE_PART)).await;
    // Into a long pause.
    tokio::time::sleep(Duration::from_secs(20)).await;
    let took = stand.stop(running).await;
    assert!(took < Duration::from_secs(1), "{took:?}");
    assert_eq!(stand.log.committed_offset(0), None);
    stand.dead_letters.go_away(0);
    stand.assert_next_finishes().await;
}
