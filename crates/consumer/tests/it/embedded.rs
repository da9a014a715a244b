//! The whole path on the embedded broker: generated events in, rows out.

use std::collections::BTreeMap;
use std::time::Duration;

use consumer::wiring::{CLOSE, HEALTH_PARTS};
use consumer::{Adapters, Backends, ConsumerConfig};
use events::{Body, Event};
use kafka::{EmbeddedBroker, KafkaCommitter, KafkaConfig, KafkaProgress, KafkaPublisher, KafkaSource};
use pipeline::dead_letter::Entry;
use pipeline::ports::{DeadLetterReader, End, GroupProgress, ParkingExpiry, PollLimits};
use producer::generate::{self, Content, Expected, Generator, GeneratorConfig, Progress, Records, RunOptions};
use readmodel::ReadStore;
use sqlite::Sqlite;
use telemetry::{Health, Metrics, Part};
use testkit::builders::{id, order, user};
use testkit::eventually;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

pub const PARTITIONS: u16 = 4;
pub const BOUND: Duration = Duration::from_secs(120);

pub struct EmbeddedParts;

impl Backends for EmbeddedParts {
    type Source = KafkaSource;
    type Offsets = KafkaCommitter;
    type Progress = KafkaProgress;
    type Store = Sqlite;
    type DeadLetters = Sqlite;
}

/// A consumer that runs.
pub struct Running {
    pub health: Health,
    metrics: Metrics,
    stop: CancellationToken,
    progress: KafkaProgress,
    task: JoinHandle<KafkaSource>,
}

impl Running {
    /// A consumer of this group.
    pub fn start(config: &KafkaConfig, tables: &Sqlite) -> Self {
        let (metrics, health, stop) =
            (Metrics::new(&[Part::Consumer]).unwrap(), Health::new(&HEALTH_PARTS, None), CancellationToken::new());
        let (source, offsets) = kafka::open(config).unwrap();
        let progress = KafkaProgress::open(config).unwrap();
        let adapters = Adapters::<EmbeddedParts> {
            source,
            offsets,
            progress: progress.clone(),
            store: tables.clone(),
            dead_letters: tables.clone(),
            topic: config.topic.as_str().into(),
        };
        let interval = Duration::from_millis(50);
        let defaults = ConsumerConfig::default();
        // Small, so that parents and children meet across batches and takes.
        let (batch, batches_per_take) = (PollLimits { records: 100, ..defaults.batch }, 2);
        let settings = ConsumerConfig { batch, batches_per_take, sweep_interval: interval, monitor_interval: interval, ..defaults };
        let task = tokio::spawn(consumer::run(adapters, settings, metrics.clone(), health.clone(), stop.clone()));
        Self { health, metrics, stop, progress, task }
    }

    /// The value of a series, by its name with labels as the text format writes it.
    pub fn metric(&self, series: &str) -> Option<f64> {
        let text = self.metrics.encode();
        text.lines().find_map(|line| line.strip_prefix(series)?.strip_prefix(' ')?.parse().ok())
    }

    /// Records that the group has committed.
    pub async fn committed(&self) -> i64 {
        self.progress.committed().await.unwrap().into_values().sum()
    }

    /// Events that were applied and counted.
    pub fn applied(&self) -> u64 {
        let text = self.metrics.encode();
        let applied = text.lines().filter(|line| line.starts_with("events_processed_total") && line.contains("status=\"success\""));
        applied.filter_map(|line| line.rsplit_once(' ')?.1.parse::<u64>().ok()).sum()
    }

    /// Whether the report says that Kafka is away.
    pub fn kafka_is_down(&self) -> bool {
        self.health.ready_report().parts["kafka"].reason.as_ref().is_some_and(|reason| reason.starts_with("Kafka "))
    }

    /// Waits until the group has committed everything that the log holds now.
    pub async fn until_committed(&self) {
        eventually(BOUND, "the group has committed the whole log", async || {
            let high = self.progress.high_watermarks().await.unwrap();
            let committed = self.progress.committed().await.unwrap();
            high.iter().all(|(partition, high)| *high == 0 || committed.get(partition).is_some_and(|next| next >= high))
        })
        .await;
    }

    /// Ends it when it has committed everything, and returns its metrics as text.
    pub async fn finish(self) -> String {
        self.until_committed().await;
        self.stop.cancel();
        self.task.await.unwrap().close(CLOSE).await.unwrap();
        self.progress.close(CLOSE).await.unwrap();
        self.metrics.encode()
    }
}

/// Runs a consumer of this group until it has committed everything, and returns its metrics as text.
pub async fn consume_everything(config: &KafkaConfig, tables: &Sqlite) -> String {
    Running::start(config, tables).finish().await
}

pub fn config_of(broker: &EmbeddedBroker, group: &str) -> KafkaConfig {
    KafkaConfig { group: group.to_owned(), ..KafkaConfig::embedded(broker) }
}

/// Sends the records and returns those that cannot be written.
pub async fn send(config: &KafkaConfig, records: Vec<generate::Record>) -> Vec<Vec<u8>> {
    let poison = records.iter().filter(|(content, _)| matches!(content, Content::Poison(_)));
    let poison = poison.map(|(_, message)| message.value.clone().unwrap()).collect();
    let publisher = KafkaPublisher::open(config).unwrap();
    let (_stop, never) = tokio::sync::watch::channel(0);
    let options = RunOptions { rate: None, progress: Progress::Silent };
    let summary = generate::run(&publisher, &config.topic, records.into_iter(), options, never).await;
    assert!(summary.is_delivered(), "{summary}");
    publisher.close(CLOSE).await.unwrap();
    poison
}

/// Each event is in its table, and the stock is the sum of its deltas.
pub async fn assert_applied(tables: &Sqlite, events: &[Event<'static>]) {
    for event in events {
        let found = match &event.body {
            Body::UserCreated(user) => tables.user(user.user_id).await.unwrap().is_some(),
            Body::OrderPlaced(order) => {
                tables.order(order.order_id).await.unwrap().is_some_and(|view| view.items.len() == order.items.len())
            }
            Body::PaymentSettled(payment) => tables.order(payment.order_id).await.unwrap().is_some_and(|view| view.payment.is_some()),
            Body::InventoryAdjusted(_) => true,
        };
        assert!(found, "{} {} is not in its table", event.event_type(), event.id);
    }
    assert_eq!(tables.parked().await.unwrap().0, 0, "nothing waits any more");
    assert_eq!(stock(tables, events).await, Expected::from_iter(events.iter().cloned()).stock);
}

async fn stock(tables: &Sqlite, events: &[Event<'static>]) -> BTreeMap<String, i64> {
    let mut stock = BTreeMap::new();
    for sku in Expected::from_iter(events.iter().cloned()).stock.into_keys() {
        let quantity = tables.inventory(&sku).await.unwrap().map_or(0, |view| view.quantity);
        stock.insert(sku, quantity);
    }
    stock
}

#[tokio::test(flavor = "multi_thread")]
async fn twenty_thousand_events_out_of_order_all_end_applied_and_a_replay_changes_nothing() {
    let broker = EmbeddedBroker::start("events", PARTITIONS).unwrap();
    let config = config_of(&broker, "first");
    let tables = Sqlite::temporary().unwrap();
    let generator = GeneratorConfig { out_of_order: 0.5, ..GeneratorConfig::new(20_000, 7) };
    let events: Vec<_> = Generator::new(generator).collect();
    send(&config, Records::new(events.clone().into_iter()).collect()).await;

    let metrics = consume_everything(&config, &tables).await;
    assert_applied(&tables, &events).await;
    assert_eq!(tables.depth().await.unwrap(), 0, "a correct stream has no dead letters");
    let parked: f64 = metrics
        .lines()
        .filter(|line| line.contains("status=\"parked\""))
        .filter_map(|line| line.rsplit_once(' ')?.1.parse::<f64>().ok())
        .sum();
    assert!(parked > 100.0, "children came before their parents, {parked} of them");

    let before = snapshot(&tables, &events).await;
    let metrics = consume_everything(&config_of(&broker, "second"), &tables).await;
    assert_eq!(snapshot(&tables, &events).await, before, "no row changed, updatedAt included");
    assert!(!metrics.lines().any(|line| line.contains("status=\"success\"") && !line.ends_with(" 0")), "{metrics}");
    assert_eq!(tables.depth().await.unwrap(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn orders_that_waited_at_one_place_of_two_logs_are_both_applied() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("events.db");
    let users = [id(), id()];
    let orders = users.map(|user_id| order(id(), user_id));
    let waiting = async |number: u64, order: &Event<'static>| {
        // The log is new with each start, and begins at offset 0 again; the tables stay.
        let (broker, tables) = (EmbeddedBroker::start("events", 1).unwrap(), Sqlite::open(&path).unwrap());
        let config = config_of(&broker, "restarts");
        send(&config, Records::new([order.clone()].into_iter()).collect()).await;
        consume_everything(&config, &tables).await;
        assert_eq!(tables.parked().await.unwrap().0, number);
    };
    for (number, order) in (1..).zip(&orders) {
        waiting(number, order).await;
    }
    let (broker, tables) = (EmbeddedBroker::start("events", 1).unwrap(), Sqlite::open(&path).unwrap());
    let config = config_of(&broker, "restarts");
    send(&config, Records::new(users.map(user).into_iter()).collect()).await;
    consume_everything(&config, &tables).await;
    assert_applied(&tables, &orders).await;
}

/// Every view, as text.
async fn snapshot(tables: &Sqlite, events: &[Event<'static>]) -> Vec<String> {
    let mut views = Vec::new();
    for event in events {
        views.push(match &event.body {
            Body::UserCreated(user) => format!("{:?}", tables.user(user.user_id).await.unwrap()),
            Body::OrderPlaced(order) => format!("{:?}", tables.order(order.order_id).await.unwrap()),
            Body::InventoryAdjusted(adjustment) => format!("{:?}", tables.inventory(&adjustment.sku).await.unwrap()),
            Body::PaymentSettled(_) => continue,
        });
    }
    views
}

#[tokio::test(flavor = "multi_thread")]
async fn of_a_mix_exactly_the_unwritable_records_are_dead_letters_once_and_with_their_bytes() {
    let broker = EmbeddedBroker::start("events", PARTITIONS).unwrap();
    let config = config_of(&broker, "mix");
    let tables = Sqlite::temporary().unwrap();
    let events: Vec<_> = Generator::new(GeneratorConfig { out_of_order: 0.2, ..GeneratorConfig::new(5_000, 11) }).collect();
    let mut poison = send(&config, Records::new(events.clone().into_iter()).with_poison(Some(50), 11).collect()).await;
    assert!(poison.len() >= 100);

    consume_everything(&config, &tables).await;
    // Once more from the beginning: the dead letters are there already.
    consume_everything(&config_of(&broker, "mix-again"), &tables).await;

    assert_applied(&tables, &events).await;
    let dead_letters = tables.page(End::Newest, 0, 10_000).await.unwrap();
    let mut dead: Vec<_> = dead_letters.iter().map(|json| Entry::parse(json).unwrap().value().unwrap()).collect();
    poison.sort();
    dead.sort();
    assert_eq!(dead, poison);
}
