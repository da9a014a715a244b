//! Consumers that say that they are there.

use std::future::pending;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use consumer::fleet::{INTERVAL, Member, consumers, found_different, spawn};
use consumer::verify::schedule::keep_verifying;
use consumer::verify::{Report, ScheduleConfig};
use pipeline::fault::{Dependency, Fault, FaultClass};
use pipeline::heartbeat::{Heartbeat, SeenConsumer};
use pipeline::ports::Heartbeats;
use settings::Reader;
use sqlite::Sqlite;
use telemetry::{Health, Metrics, Part};
use testkit::eventually;
use tokio::time::{Instant, sleep};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::rig::Rig;

const BOUND: Duration = Duration::from_secs(30);

/// What became of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Call {
    Beat,
    End,
}

/// How calls end.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Answer {
    #[default]
    Well,
    Never,
    Refused,
}

/// A store that notes its calls.
#[derive(Clone, Default)]
struct Store(Arc<Mutex<(Vec<Call>, Answer)>>);

impl Store {
    fn answering(answer: Answer) -> Self {
        let store = Self::default();
        store.0.lock().unwrap().1 = answer;
        store
    }

    fn calls(&self) -> Vec<Call> {
        self.0.lock().unwrap().0.clone()
    }

    async fn call(&self, call: Call) -> Result<(), Fault> {
        let answer = {
            let mut noted = self.0.lock().unwrap();
            noted.0.push(call);
            noted.1
        };
        match answer {
            Answer::Well => Ok(()),
            Answer::Never => pending().await,
            Answer::Refused => {
                Err(Fault { dependency: Dependency::Database, class: FaultClass::Operator, code: Some(229), subject: "beat" })
            }
        }
    }
}

impl Heartbeats for Store {
    async fn beat(&self, _: &Heartbeat) -> Result<(), Fault> {
        self.call(Call::Beat).await
    }

    async fn consumers(&self, _: Duration) -> Result<Vec<SeenConsumer>, Fault> {
        Ok(Vec::new())
    }

    async fn end_heartbeat(&self, _: Uuid) -> Result<(), Fault> {
        self.call(Call::End).await
    }
}

fn member() -> (Member, Health, Metrics) {
    (Member::new("group", "events"), Health::new(&["database", "kafka"], None), Metrics::new(&[Part::Consumer]).unwrap())
}

#[tokio::test(start_paused = true)]
async fn a_consumer_says_every_two_seconds_that_it_is_there_and_says_goodbye() {
    let (store, (member, health, metrics)) = (Store::default(), member());
    let beating = spawn(store.clone(), member, health.clone(), metrics);
    sleep(4 * INTERVAL + INTERVAL / 2).await;
    assert_eq!(store.calls(), [Call::Beat; 5]);
    beating.end().await;
    sleep(10 * INTERVAL).await;
    assert_eq!(store.calls(), [vec![Call::Beat; 5], vec![Call::End]].concat(), "nothing comes after the goodbye");
}

#[tokio::test(start_paused = true)]
async fn a_store_that_does_not_answer_is_asked_one_thing_and_nobody_waits_for_it() {
    let (store, (member, health, metrics)) = (Store::answering(Answer::Never), member());
    let beating = spawn(store.clone(), member, health.clone(), metrics);
    sleep(Duration::from_secs(600)).await;
    assert_eq!(store.calls(), [Call::Beat]);
    let stopped = Instant::now();
    beating.end().await;
    assert!(stopped.elapsed() <= Duration::from_secs(1), "{:?}", stopped.elapsed());
}

#[tokio::test(start_paused = true)]
async fn a_store_that_is_away_is_not_asked_and_hears_at_once_when_it_is_back() {
    let (store, (member, health, metrics)) = (Store::default(), member());
    health.down("database", "away");
    let beating = spawn(store.clone(), member, health.clone(), metrics);
    sleep(Duration::from_secs(600)).await;
    assert_eq!(store.calls(), []);
    health.up("database");
    let back = Instant::now();
    eventually(BOUND, "a heartbeat", async || store.calls() == [Call::Beat]).await;
    assert!(back.elapsed() < INTERVAL / 2, "{:?}", back.elapsed());
    beating.end().await;
}

#[tokio::test(start_paused = true)]
async fn a_store_that_refuses_is_asked_again() {
    let (store, (member, health, metrics)) = (Store::answering(Answer::Refused), member());
    let beating = spawn(store.clone(), member, health.clone(), metrics);
    sleep(2 * INTERVAL + INTERVAL / 2).await;
    assert_eq!(store.calls(), [Call::Beat; 3]);
    assert!(!health.is_impaired(), "nothing of the pipeline is wrong");
    beating.end().await;
}

#[tokio::test(start_paused = true)]
async fn what_matters_at_once_is_said_at_once() {
    let (store, (member, health, metrics)) = (Sqlite::temporary().unwrap(), member());
    let beating = spawn(store.clone(), member, health.clone(), metrics);
    let one = async || consumers(&store).await.unwrap().pop();
    eventually(BOUND, "it is there", async || one().await.is_some()).await;
    sleep(INTERVAL + INTERVAL / 4).await;
    let start = Instant::now();
    health.down("kafka", "it is away");
    eventually(BOUND, "the hold is told", async || one().await.is_some_and(|consumer| consumer.down.len() == 1)).await;
    health.owns([1, 2].into());
    eventually(BOUND, "the partitions are told", async || one().await.is_some_and(|consumer| consumer.partitions.len() == 2)).await;
    health.stopping();
    eventually(BOUND, "the end is told", async || one().await.is_some_and(|consumer| consumer.status == "stopping")).await;
    assert!(start.elapsed() < INTERVAL / 2, "{:?}", start.elapsed());
    beating.end().await;
    assert_eq!(one().await, None);
}

#[tokio::test(start_paused = true)]
async fn every_process_is_told_what_the_last_verification_of_one_came_to() {
    let (store, (member, health, metrics)) = (Sqlite::temporary().unwrap(), member());
    let mut env = Reader::from_pairs([("VERIFY_INTERVAL", "1h")]);
    let schedule = ScheduleConfig::read(&mut env).unwrap();
    let beating = spawn(store.clone(), member.verifying(Some(&schedule)), health, metrics.clone());
    let one = async || consumers(&store).await.unwrap().pop();
    eventually(BOUND, "it is there", async || one().await.is_some_and(|consumer| consumer.verification.is_none())).await;
    let stop = CancellationToken::new();
    let found = || async { Ok(Report { untold: 3, ..Report::default() }) };
    let verifying = async { keep_verifying(&store, "events", &schedule, &metrics, &stop, |_| found()).await };
    let told = async {
        let is_told = async || one().await.is_some_and(|consumer| consumer.verification.is_some_and(|verdict| verdict.differences == 3));
        eventually(BOUND, "what it came to is told", is_told).await;
        stop.cancel();
    };
    tokio::join!(verifying, told);
    assert!(found_different(&consumers(&store).await.unwrap()).is_some());
    beating.end().await;
}

#[tokio::test(start_paused = true)]
async fn a_consumer_shows_the_partitions_that_it_owns() {
    let mut rig = Rig::new();
    assert!(rig.health.owned().is_empty());
    rig.process_batch().await.unwrap();
    assert_eq!(rig.health.owned(), [0].into());
}
