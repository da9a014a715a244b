//! What the log says of a part that is away: who, where, why and what to do, as the health report and `check` say it.

use std::time::Duration;

use consumer::Backends;
use consumer::monitor::Monitor;
use consumer::waiting::PIPELINE_PART;
use pipeline::fault::REFUSED;
use pipeline::ports::GroupProgress;
use pipeline::{Dependency, Fault, FaultClass, LogState};
use testkit::builders::{adjustment, unique};
use testkit::log_lines::log_lines;

use crate::fakes::{DeadLetters, Log};
use crate::faulty::Faulty;
use crate::rig::Rig;

const AWAY: FaultClass = FaultClass::Unavailable { timed_out: false };
/// Enough tries to wait for some minutes.
const TRIES: usize = 20;

fn fault(class: FaultClass, code: Option<i64>, subject: &'static str) -> Fault {
    Fault { dependency: Dependency::Database, class, code, subject }
}

#[tokio::test(start_paused = true)]
async fn a_wait_is_told_once_with_its_cause_and_then_each_minute() {
    let (lines, _guard) = log_lines();
    let mut rig = Rig::new();
    let sku = unique("sku");
    rig.append(&adjustment(&sku, 3));
    rig.store.fail_next(vec![fault(AWAY, None, REFUSED); TRIES]);
    let began = tokio::time::Instant::now();
    rig.process_batch().await.unwrap();
    let minutes = began.elapsed().as_secs() / 60;
    let why = format!("the database cannot be reached: {REFUSED}; the work goes on by itself once it can");
    let told = lines.with(&format!("WARN waiting: {why}"));
    assert!(told.len() == 1 && told[0].contains("dependency=\"database\""), "{:?}", lines.all());
    let reminders = lines.with(&format!("WARN still waiting: {why}"));
    assert!(minutes >= 2 && (minutes - 1..=minutes).contains(&(reminders.len() as u64)), "{minutes} minutes: {reminders:?}");
    for (reminder, minute) in reminders.iter().zip(1..) {
        let (_, seconds) = reminder.split_once("held_seconds=").unwrap();
        let seconds: u64 = seconds.split(' ').next().unwrap().parse().unwrap();
        assert!((60 * minute..60 * minute + 10).contains(&seconds), "{reminder}");
    }
    assert_eq!(lines.with("INFO the work goes on").len(), 1);
}

#[tokio::test(start_paused = true)]
async fn what_a_person_must_mend_is_told_with_the_remedy_in_the_log_and_in_the_report_alike() {
    let (lines, _guard) = log_lines();
    let mut rig = Rig::new();
    rig.append(&adjustment(&unique("sku"), 3));
    let full = fault(FaultClass::Operator, Some(9002), "log full: the transaction log has no room; back it up or let it grow");
    rig.store.fail_next(vec![full; 3]);
    let health = rig.health.clone();
    let reason = async {
        testkit::eventually(Duration::from_secs(60), "it is held", async || !health.is_up(PIPELINE_PART)).await;
        health.ready_report().parts[PIPELINE_PART].reason.clone().unwrap()
    };
    let (processed, reason) = tokio::join!(rig.consumer.process_batch(), reason);
    processed.unwrap();
    assert_eq!(
        reason,
        "the database refuses, and a person must mend it: log full: the transaction log has no room; back it up or let it grow (error 9002)"
    );
    let told = lines.with(&format!("ERROR waiting for an operator: {reason}"));
    assert_eq!(told.len(), 1, "{:?}", lines.all());
}

/// A broker at whose address nothing listens.
#[derive(Clone)]
struct Refused;

impl GroupProgress for Refused {
    async fn log(&self) -> Result<LogState, Fault> {
        Err(Fault { dependency: Dependency::Kafka, code: Some(-195), ..fault(AWAY, None, REFUSED) })
    }
}

struct WithoutKafka;

impl Backends for WithoutKafka {
    type Source = Log;
    type Offsets = Log;
    type Progress = Refused;
    type Store = Faulty;
    type DeadLetters = DeadLetters;
}

#[tokio::test(start_paused = true)]
async fn the_monitor_says_why_a_part_does_not_answer() {
    let (lines, _guard) = log_lines();
    let rig = Rig::new();
    let monitor = std::sync::Arc::new(Monitor::<WithoutKafka> {
        progress: Refused,
        store: rig.store.clone(),
        dead_letters: rig.dead_letters.clone(),
        metrics: rig.metrics.clone(),
        health: rig.health.clone(),
        log: tokio::sync::watch::channel(None).0,
        interval: Duration::from_secs(5),
    });
    let running = tokio::spawn(monitor.run(rig.stop.clone()));
    tokio::time::sleep(Duration::from_secs(20)).await;
    rig.stop.cancel();
    running.await.unwrap();
    let told = lines.with("not reachable: ");
    assert_eq!(told.len(), 1, "{:?}", lines.all());
    assert!(told[0].starts_with(&format!("WARN not reachable: Kafka cannot be reached: {REFUSED} dependency=\"kafka\"")), "{told:?}");
}
