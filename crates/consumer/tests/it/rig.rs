//! A consumer over the fakes, driven turn by turn, on a clock that jumps over every pause.

use std::sync::Arc;
use std::time::Duration;

use consumer::ConsumerConfig;
use consumer::parts::{Adapters, Parts};
use consumer::turn::Consumer;
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

use crate::fakes::{Letters, Log};
use crate::faulty::Faulty;

pub struct Fakes;

impl Parts for Fakes {
    type Source = Log;
    type Offsets = Log;
    type Progress = Log;
    type Store = Faulty;
    type Letters = Letters;
}

pub struct Rig {
    /// What the consumer sees of the log.
    pub log_seen: watch::Sender<Option<Arc<LogState>>>,
    pub log: Log,
    pub store: Faulty,
    pub letters: Letters,
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
        Self::over(Sqlite::temporary().unwrap(), Letters::default(), config)
    }

    /// Another consumer, with a log of its own and a connection of its own to the same tables, and with the same dead letter queue.
    pub fn beside(&self, config: ConsumerConfig) -> Self {
        Self::over(Sqlite::open(self.store.inner.path()).unwrap(), self.letters.clone(), config)
    }

    /// The same program started again: everything outlives it but what it held in memory.
    pub fn restarted(&self) -> Self {
        let config = ConsumerConfig { sweep_interval: Duration::ZERO, ..ConsumerConfig::default() };
        Self::on(self.log.clone(), self.store.clone(), self.letters.clone(), config)
    }

    fn over(tables: Sqlite, letters: Letters, config: ConsumerConfig) -> Self {
        Self::on(Log::default(), Faulty::new(tables), letters, config)
    }

    fn on(log: Log, store: Faulty, letters: Letters, config: ConsumerConfig) -> Self {
        let metrics = Metrics::new(&[Part::Consumer]).unwrap();
        let health = Health::new(&[PIPELINE_PART], Some(Liveness::of(Duration::ZERO).silence));
        let stop = CancellationToken::new();
        let adapters = Adapters {
            source: log.clone(),
            offsets: log.clone(),
            progress: log.clone(),
            store: store.clone(),
            letters: letters.clone(),
            topic: "events".into(),
        };
        let (log_seen, seen) = watch::channel(None);
        let consumer = Consumer::new(adapters, Arc::new(config), metrics.clone(), health.clone(), stop.clone(), seen);
        Self { log_seen, log, store, letters, metrics, health, stop, consumer }
    }

    pub fn append(&self, event: &Event<'_>) -> Position {
        self.log.append(0, Some(event.to_json()))
    }

    pub fn append_all(&self, events: &[Event<'_>]) {
        for event in events {
            self.append(event);
        }
    }

    pub async fn turn(&mut self) -> Result<(), Stopped> {
        // An hour of this clock: a consumer that waits for ever fails its test instead of hanging it.
        tokio::time::timeout(Duration::from_secs(3600), self.consumer.turn()).await.expect("the turn ends")
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
