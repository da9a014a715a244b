//! What the monitor shows of the dead letters, on a clock that jumps over every pause.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use consumer::monitor::{Monitor, PROGRESS_PART};
use consumer::{Adapters, Backends, ConsumerConfig};
use pipeline::ports::{ClaimQueue as _, DeadLetterReader as _, GroupProgress};
use pipeline::{DeadLetter, DeadLetterQueue as _, Fault, LogState};
use sqlite::Sqlite;
use telemetry::{LogReport, PositionReport};
use testkit::builders::dead_letter;

use crate::fakes::{DeadLetters, Log};
use crate::faulty::Faulty;
use crate::rig::{Fakes, Rig};

const INTERVAL: Duration = Duration::from_secs(5);

/// The depth, and what of it is not JSON.
fn shown(rig: &Rig) -> (f64, f64) {
    (rig.metric("pipeline_dlq_depth"), rig.metric("pipeline_dlq_depth_by_reason{reason=\"not_json\"}"))
}

/// A monitor of the rig's store that asks this log and these dead letters.
fn monitor<P: Backends<Store = Faulty>>(
    rig: &Rig,
    progress: P::Progress,
    dead_letters: P::DeadLetters,
    interval: Duration,
) -> Arc<Monitor<P>> {
    Arc::new(Monitor {
        progress,
        store: rig.store.clone(),
        dead_letters,
        metrics: rig.metrics.clone(),
        health: rig.health.clone(),
        log: tokio::sync::watch::channel(None).0,
        interval,
    })
}

/// Lets so much time go by. The first second puts every look between two questions.
async fn after(seconds: u64) {
    tokio::time::sleep(Duration::from_secs(seconds)).await;
}

#[tokio::test(start_paused = true)]
async fn reasons_are_counted_every_half_minute_and_fall_to_zero_with_the_last_letter() {
    let rig = Rig::new();
    let dead_letters = ["a", "b", "c"].map(dead_letter);
    let monitor = monitor::<Fakes>(&rig, rig.log.clone(), rig.dead_letters.clone(), INTERVAL);
    let push = async |dead_letter: &DeadLetter| rig.dead_letters.push(std::slice::from_ref(dead_letter)).await.unwrap();
    let running = tokio::spawn(monitor.run(rig.stop.clone()));
    after(1).await;
    assert_eq!(shown(&rig), (0.0, 0.0));
    push(&dead_letters[0]).await;
    after(5).await;
    assert_eq!(shown(&rig), (1.0, 1.0), "with the first question that finds a letter");
    push(&dead_letters[1]).await;
    after(25).await;
    assert_eq!(shown(&rig), (2.0, 1.0), "the depth at once, the reasons not yet");
    after(5).await;
    assert_eq!(shown(&rig), (2.0, 2.0));
    rig.dead_letters.clear();
    after(5).await;
    assert_eq!(shown(&rig), (0.0, 0.0), "an empty queue needs no counting");
    rig.stop.cancel();
    running.await.unwrap();
}

struct EmbeddedQueue;

impl Backends for EmbeddedQueue {
    type Source = Log;
    type Offsets = Log;
    type Progress = Log;
    type Store = Faulty;
    type DeadLetters = Sqlite;
}

#[tokio::test(start_paused = true)]
async fn what_a_killed_redrive_left_claimed_comes_back_by_itself() {
    let (rig, queue) = (Rig::new(), Sqlite::temporary().unwrap());
    let monitor = monitor::<EmbeddedQueue>(&rig, rig.log.clone(), queue.clone(), INTERVAL);
    let [overdue, held] = ["a", "b"].map(dead_letter);
    queue.push(&[overdue.clone(), held.clone()]).await.unwrap();
    queue.claim(std::slice::from_ref(&overdue.json), Duration::ZERO).await.unwrap();
    queue.claim(std::slice::from_ref(&held.json), Duration::from_secs(3600)).await.unwrap();
    let running = tokio::spawn(monitor.run(rig.stop.clone()));
    after(1).await;
    assert_eq!((queue.depth().await, queue.claimed().await), (Ok(1), Ok(1)), "the claim whose lease runs stays");
    after(5).await;
    assert_eq!((rig.metric("pipeline_dlq_depth"), rig.metric("pipeline_dlq_claimed")), (1.0, 1.0));
    queue.claim(std::slice::from_ref(&overdue.json), Duration::ZERO).await.unwrap();
    after(31).await;
    assert_eq!(queue.depth().await, Ok(1), "and again");
    rig.stop.cancel();
    running.await.unwrap();
}

/// The first look at the log panics.
#[derive(Clone)]
struct PanicsOnce {
    log: Log,
    panicked: Arc<AtomicBool>,
}

impl GroupProgress for PanicsOnce {
    async fn log(&self) -> Result<LogState, Fault> {
        assert!(self.panicked.swap(true, Ordering::Relaxed), "on purpose");
        self.log.log().await
    }
}

struct PanickingBackends;

impl Backends for PanickingBackends {
    type Source = Log;
    type Offsets = Log;
    type Progress = PanicsOnce;
    type Store = Faulty;
    type DeadLetters = DeadLetters;
}

#[tokio::test(start_paused = true)]
async fn a_monitor_that_panics_is_shown_and_started_again() {
    let rig = Rig::new();
    let adapters = Adapters::<PanickingBackends> {
        source: rig.log.clone(),
        offsets: rig.log.clone(),
        progress: PanicsOnce { log: rig.log.clone(), panicked: Arc::default() },
        store: rig.store.clone(),
        dead_letters: rig.dead_letters.clone(),
        topic: "events".into(),
    };
    let running = consumer::run(adapters, ConsumerConfig::default(), rig.metrics.clone(), rig.health.clone(), rig.stop.clone());
    let watching = async {
        after(1).await;
        let report = rig.health.ready_report();
        assert!(!report.ok);
        assert_eq!(report.parts["monitor"].reason.as_deref(), Some("has panicked"));
        after(30).await;
        assert!(rig.health.is_up("monitor") && rig.health.is_up("kafka"), "{:?}", rig.health.ready_report());
        rig.stop.cancel();
    };
    tokio::join!(running, watching);
}

/// A log that cannot be looked at until somebody says so.
#[derive(Clone)]
struct AwayUntil {
    log: Log,
    is_back: Arc<AtomicBool>,
}

impl GroupProgress for AwayUntil {
    async fn log(&self) -> Result<LogState, Fault> {
        if self.is_back.load(Ordering::Relaxed) {
            return self.log.log().await;
        }
        let class = pipeline::FaultClass::Unavailable { timed_out: false };
        Err(Fault { dependency: pipeline::Dependency::Kafka, class, code: None, subject: "log" })
    }
}

struct AwayAtFirst;

impl Backends for AwayAtFirst {
    type Source = Log;
    type Offsets = Log;
    type Progress = AwayUntil;
    type Store = Faulty;
    type DeadLetters = DeadLetters;
}

#[tokio::test(start_paused = true)]
async fn a_part_that_is_away_is_asked_each_second_however_long_the_interval_is() {
    let rig = Rig::new();
    let is_back = Arc::new(AtomicBool::new(false));
    let monitor = monitor::<AwayAtFirst>(
        &rig,
        AwayUntil { log: rig.log.clone(), is_back: Arc::clone(&is_back) },
        rig.dead_letters.clone(),
        Duration::from_secs(600),
    );
    let running = tokio::spawn(monitor.run(rig.stop.clone()));
    tokio::time::sleep(Duration::from_millis(12_500)).await;
    assert!(!rig.health.is_up("kafka"));
    is_back.store(true, Ordering::Relaxed);
    after(1).await;
    assert!(rig.health.is_up("kafka"));
    rig.stop.cancel();
    running.await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_partition_of_ours_that_has_records_and_stands_still_is_shown_until_it_moves() {
    let mut rig = Rig::new();
    rig.log.append(0, Some(b"boom".to_vec()));
    rig.process_batch().await.unwrap();
    let monitor = monitor::<Fakes>(&rig, rig.log.clone(), rig.dead_letters.clone(), INTERVAL);
    let running = tokio::spawn(monitor.run(rig.stop.clone()));
    let partitions = vec![PositionReport { partition: 0, position: 1, end: 1 }];
    rig.health.log(LogReport { id: "x".to_owned(), lost: 0, partitions });
    let told = |rig: &Rig| rig.health.ready_report().parts[PROGRESS_PART].reason.clone();
    after(400).await;
    assert_eq!(told(&rig), None, "it has no records");
    rig.log.append(0, Some(b"bang".to_vec()));
    after(295).await;
    assert_eq!(told(&rig), None);
    after(11).await;
    let reason = told(&rig).unwrap();
    assert!(reason.starts_with("partition 0 stands at offset 1 for 310s although its lag is 1:"), "{reason}");
    assert!(rig.metric("pipeline_partition_stalled_seconds{partition=\"0\"}") >= 300.0);
    rig.process_batch().await.unwrap();
    after(6).await;
    assert_eq!(told(&rig), None);
    rig.stop.cancel();
    running.await.unwrap();
}
