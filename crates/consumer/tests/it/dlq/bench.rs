//! A queue and a broker that fail as they are told, and entries to work with.

use std::collections::{BTreeMap, HashSet};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use consumer::audit::Unwitnessed;
use consumer::dlq::{Filter, RedriveRequest, Route, Rules, Summary, redrive};
use events::Event;
use pipeline::dead_letter::{Diagnosis, entry_id};
use pipeline::fault::{Dependency, Fault, FaultClass};
use pipeline::ports::{Claim, ClaimQueue, DeadLetterArchive, DeadLetterReader, Delivered, End, FloodPermits, ListState, Message, Permit};
use pipeline::{DeadLetter, DeadLetterQueue, Publisher, Record, WaitsFor};
use sqlite::Sqlite;
use testkit::builders::{record, second};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

pub const RULES: Rules = Rules { max_rows: 4000, max_clock_skew: Duration::from_secs(86_400) };
pub const LEASE: Duration = Duration::from_secs(3600);

/// Calls of the queue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    Read,
    Claim,
    Settle,
    GiveBack,
    Permit,
}

/// SQLite behind a script of faults. Clones are the same.
#[derive(Clone)]
pub struct Queue {
    pub inner: Sqlite,
    failing: Arc<Mutex<Option<Step>>>,
}

impl Queue {
    pub fn new() -> Self {
        Self::over(Sqlite::temporary().unwrap())
    }

    pub fn over(inner: Sqlite) -> Self {
        Self { inner, failing: Arc::default() }
    }

    /// This call fails from now on; `None` mends it.
    pub fn fail(&self, step: Option<Step>) {
        *self.failing.lock().unwrap() = step;
    }

    fn pass(&self, step: Step) -> Result<(), Fault> {
        let class = FaultClass::Unavailable { timed_out: false };
        let fault = Fault { dependency: Dependency::DeadLetterQueue, class, code: None, subject: "test" };
        if *self.failing.lock().unwrap() == Some(step) { Err(fault) } else { Ok(()) }
    }

    /// Puts these texts into the list, the first one as the oldest.
    pub async fn put(&self, texts: &[String]) {
        self.inner.restore(texts).await.unwrap();
    }

    /// The list, oldest first.
    pub async fn texts(&self) -> Vec<String> {
        self.inner.page(End::Oldest, 0, 100_000).await.unwrap()
    }
}

impl DeadLetterReader for Queue {
    async fn list_state(&self) -> Result<ListState, Fault> {
        self.inner.list_state().await
    }

    async fn depth(&self) -> Result<u64, Fault> {
        self.pass(Step::Read)?;
        self.inner.depth().await
    }

    async fn claimed(&self) -> Result<u64, Fault> {
        self.inner.claimed().await
    }

    async fn reasons(&self) -> Result<BTreeMap<String, u64>, Fault> {
        self.inner.reasons().await
    }

    async fn page(&self, end: End, start: u64, limit: u64) -> Result<Vec<String>, Fault> {
        self.pass(Step::Read)?;
        self.inner.page(end, start, limit).await
    }
}

impl ClaimQueue for Queue {
    async fn claim(&self, entries: &[String], lease: Duration) -> Result<Vec<Option<Claim>>, Fault> {
        self.pass(Step::Claim)?;
        self.inner.claim(entries, lease).await
    }

    async fn settle(&self, claims: &[Claim]) -> Result<usize, Fault> {
        self.pass(Step::Settle)?;
        self.inner.settle(claims).await
    }

    async fn give_back(&self, claims: &[Claim]) -> Result<usize, Fault> {
        self.pass(Step::GiveBack)?;
        self.inner.give_back(claims).await
    }

    async fn give_back_overdue(&self) -> Result<usize, Fault> {
        self.inner.give_back_overdue().await
    }
}

impl DeadLetterArchive for Queue {
    async fn restore(&self, entries: &[String]) -> Result<(), Fault> {
        self.inner.restore(entries).await
    }
}

impl FloodPermits for Queue {
    async fn spend(&self, records: u64) -> Result<u64, Fault> {
        self.inner.spend(records).await
    }

    async fn permit(&self, permit: Permit) -> Result<(), Fault> {
        self.pass(Step::Permit)?;
        self.inner.permit(permit).await
    }
}

type Rule = Box<dyn FnMut(&Message) -> Option<FaultClass> + Send>;

/// A broker that notes what it is sent. Clones are the same.
#[derive(Clone, Default)]
pub struct Broker(Arc<Mutex<Inner>>);

#[derive(Default)]
struct Inner {
    sent: Vec<Sent>,
    rule: Option<Rule>,
    missing: HashSet<String>,
    asked_for_missing: u32,
    mute: bool,
}

/// A message that a broker took.
#[derive(Clone, Debug)]
pub struct Sent {
    pub topic: String,
    pub message: Message,
    pub at: Instant,
}

impl Broker {
    /// Messages to which the rule gives a fault are not taken.
    pub fn refuse(&self, rule: impl FnMut(&Message) -> Option<FaultClass> + Send + 'static) {
        self.0.lock().unwrap().rule = Some(Box::new(rule));
    }

    /// This topic is not there.
    pub fn miss(&self, topic: &str) {
        self.0.lock().unwrap().missing.insert(topic.to_owned());
    }

    /// How many messages for topics came that are not there.
    pub fn asked_for_missing(&self) -> u32 {
        self.0.lock().unwrap().asked_for_missing
    }

    /// Messages are taken, and never acknowledged; or are again.
    pub fn mute(&self, mute: bool) {
        self.0.lock().unwrap().mute = mute;
    }

    pub fn sent(&self) -> Vec<Sent> {
        self.0.lock().unwrap().sent.clone()
    }

    /// The values, in the order in which they came.
    pub fn values(&self) -> Vec<Vec<u8>> {
        self.sent().into_iter().map(|sent| sent.message.value.unwrap()).collect()
    }
}

impl Publisher for Broker {
    async fn publish(&self, topic: &str, message: Message) -> Result<Delivered, Fault> {
        let (offset, mute) = {
            let mut inner = self.0.lock().unwrap();
            if let Some(class) = inner.rule.as_mut().and_then(|rule| rule(&message)) {
                return Err(Fault { dependency: Dependency::Kafka, class, code: None, subject: "publish" });
            }
            if inner.missing.contains(topic) {
                inner.asked_for_missing += 1;
                // UNKNOWN_TOPIC_OR_PARTITION
                return Err(Fault {
                    dependency: Dependency::Kafka,
                    class: FaultClass::Operator,
                    code: Some(3),
                    subject: "topic: create it",
                });
            }
            inner.sent.push(Sent { topic: topic.to_owned(), message, at: Instant::now() });
            (inner.sent.len() as i64 - 1, inner.mute)
        };
        if mute {
            std::future::pending::<()>().await;
        }
        // As with any client, others run before the acknowledgement comes.
        tokio::task::yield_now().await;
        Ok(Delivered { partition: 0, offset })
    }
}

/// The dead letter of an event whose parent did not come.
pub fn orphan(event: &Event<'_>) -> DeadLetter {
    let record = Record { key: Some(event.key().into_bytes()), ..record(event.to_json()) };
    let waits_for = WaitsFor::parent_of(&event.body).unwrap_or(WaitsFor::Email);
    DeadLetter::new(&record, &Diagnosis::expired(event.id, event.event_type(), waits_for), second(0))
}

/// An entry of this topic.
pub fn of_topic(topic: &str, data: &str) -> String {
    serde_json::json!({"eventId": null, "originalData": data, "error": "boom", "timestamp": "2026-01-15T10:00:00Z", "retryCount": 0, "topic": topic})
        .to_string()
}

/// An entry as others write it, in five fields.
pub fn five_fields(data: &str, retry_count: u32) -> String {
    let id = Uuid::new_v4();
    serde_json::json!({"eventId": id, "originalData": data, "error": "boom", "timestamp": "2026-01-15T10:00:00Z", "retryCount": retry_count})
        .to_string()
}

pub fn ids(texts: &[&str]) -> Filter {
    Filter { ids: texts.iter().map(|text| entry_id(text)).collect(), ..Filter::default() }
}

pub fn order(filter: Filter) -> RedriveRequest {
    RedriveRequest { filter, limit: None, rate: None, max_retries: 5 }
}

/// Redrives to the end.
pub async fn run(queue: &Queue, broker: &Broker, order: &RedriveRequest) -> Summary {
    run_until(queue, broker, order, &CancellationToken::new()).await
}

pub async fn run_until(queue: &Queue, broker: &Broker, order: &RedriveRequest, stop: &CancellationToken) -> Summary {
    let route = Route { queue, publisher: broker, default_topic: "events", lease: LEASE, stop };
    // A redrive that meets its own failures for ever fails its test instead of hanging it.
    let bound = Duration::from_secs(300);
    let summary = tokio::time::timeout(bound, redrive(route, order, &mut Unwitnessed, |_| {})).await.expect("the redrive ends");
    let Summary { not_selected, redriven, gone, too_many_retries, unreadable, failed, .. } = summary;
    assert_eq!(summary.examined(), not_selected + redriven + gone + too_many_retries + unreadable + summary.refused() + failed);
    summary
}

/// Pushes dead letters as the consumer does.
pub async fn push(queue: &Queue, dead_letters: &[DeadLetter]) {
    assert_eq!(queue.inner.push(dead_letters).await.unwrap(), dead_letters.len());
}
