//! A consumer over the fakes, driven turn by turn, on a clock that jumps over every pause.

use std::sync::Arc;
use std::time::Duration;

use consumer::ConsumerConfig;
use consumer::backends::{Adapters, Backends};
use consumer::processing::Consumer;
use consumer::waiting::{PIPELINE_PART, Stopped};
use consumer::wiring::Liveness;
use events::Event;
use pipeline::LogState;
use pipeline::Position;
use pipeline::ports::ParkingExpiry;
use readmodel::ReadStore;
use sqlite::Sqlite;
use telemetry::{Health, Metrics, Part};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::fakes::{DeadLetters, Log};
use crate::faulty::Faulty;

pub struct Fakes;

impl Backends for Fakes {
    type Source = Log;
    type Offsets = Log;
    type Progress = Log;
    type Store = Faulty;
    type DeadLetters = DeadLetters;
}

pub struct Rig {
    /// What the consumer sees of the log.
    pub log_seen: watch::Sender<Option<Arc<LogState>>>,
    pub log: Log,
    pub store: Faulty,
    pub dead_letters: DeadLetters,
    pub metrics: Metrics,
    pub health: Health,
    pub stop: CancellationToken,
    pub consumer: Consumer<Fakes>,
}

impl Rig {
    pub fn new() -> Self {
        Self::with(ConsumerConfig { sweep_interval: Duration::ZERO, ..ConsumerConfig::default() })
    }

    pub fn with(config: ConsumerConfig) -> Self {
        Self::over(Sqlite::temporary().unwrap(), DeadLetters::default(), config)
    }

    /// Another consumer, with a log of its own and a connection of its own to the same tables, and with the same dead letter queue.
    pub fn beside(&self, config: ConsumerConfig) -> Self {
        Self::over(Sqlite::open(self.store.inner.path()).unwrap(), self.dead_letters.clone(), config)
    }

    /// The same program started again: everything outlives it but what it held in memory.
    pub fn restarted(&self) -> Self {
        let config = ConsumerConfig { sweep_interval: Duration::ZERO, ..ConsumerConfig::default() };
        Self::on(self.log.clone(), self.store.clone(), self.dead_letters.clone(), config)
    }

    fn over(tables: Sqlite, dead_letters: DeadLetters, config: ConsumerConfig) -> Self {
        Self::on(Log::default(), Faulty::new(tables), dead_letters, config)
    }

    fn on(log: Log, store: Faulty, dead_letters: DeadLetters, config: ConsumerConfig) -> Self {
        let metrics = Metrics::new(&[Part::Consumer]).unwrap();
        let health = Health::new(&[PIPELINE_PART], Some(Liveness::of(Duration::ZERO).silence));
        let stop = CancellationToken::new();
        let adapters = Adapters {
            source: log.clone(),
            offsets: log.clone(),
            progress: log.clone(),
            store: store.clone(),
            dead_letters: dead_letters.clone(),
            topic: "events".into(),
        };
        let (log_seen, seen) = watch::channel(None);
        let consumer = Consumer::new(adapters, Arc::new(config), metrics.clone(), health.clone(), stop.clone(), seen);
        Self { log_seen, log, store, dead_letters, metrics, health, stop, consumer }
    }

    pub fn append(&self, event: &Event<'_>) -> Position {
        self.log.append(0, Some(event.to_json()))
    }

    pub fn append_all(&self, events: &[Event<'_>]) {
        for event in events {
            self.append(event);
        }
    }

    pub async fn process_batch(&mut self) -> Result<(), Stopped> {
        // An hour of this clock: a consumer that waits for ever fails its test instead of hanging it.
        tokio::time::timeout(Duration::from_secs(3600), self.consumer.process_batch()).await.expect("the turn ends")
    }

    /// The value of a series of the metrics, 0 where it is not there.
    pub fn metric(&self, series: &str) -> f64 {
        let text = self.metrics.encode();
        let value = text.lines().find_map(|line| line.strip_prefix(series)?.strip_prefix(' ')?.parse().ok());
        value.unwrap_or(0.0)
    }

    pub async fn has_order(&self, order_id: Uuid) -> bool {
        self.store.inner.order(order_id).await.unwrap().is_some()
    }

    pub async fn has_user(&self, user_id: Uuid) -> bool {
        self.store.inner.user(user_id).await.unwrap().is_some()
    }

    pub async fn stock(&self, sku: &str) -> Option<i64> {
        self.store.inner.inventory(sku).await.unwrap().map(|view| view.quantity)
    }

    pub async fn parked(&self) -> u64 {
        self.store.inner.parked().await.unwrap().0
    }
}
