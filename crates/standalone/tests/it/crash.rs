//! `kill -9` and a start on the same tables: the end is the same as without.

use std::time::Duration;

use events::{Body, Event};
use kafka::{EmbeddedBroker, KafkaConfig, KafkaProgress, KafkaPublisher};
use pipeline::dead_letter::Entry;
use pipeline::ports::{DeadLetterReader, End, GroupProgress, ParkingExpiry};
use producer::generate::{self, Content, Expected, Generator, GeneratorConfig, Progress, Records, RunOptions};
use readmodel::ReadStore;
use sqlite::Sqlite;
use testkit::eventually;

use crate::process::{Running, standalone};

const BOUND: Duration = Duration::from_secs(120);
const GROUP: &str = "survivors";

/// How many records the group has committed.
async fn committed(progress: &KafkaProgress) -> i64 {
    progress.committed().await.unwrap().values().sum()
}

async fn assert_all_applied(tables: &Sqlite, events: &[Event<'static>]) {
    let expected = Expected::from_iter(events.iter().cloned());
    for (sku, quantity) in &expected.stock {
        assert_eq!(tables.inventory(sku).await.unwrap().map(|view| view.quantity), Some(*quantity), "{sku}");
    }
    for event in events {
        if let Body::OrderPlaced(order) = &event.body {
            assert!(tables.order(order.order_id).await.unwrap().is_some(), "order {}", order.order_id);
        }
    }
    assert_eq!(tables.parked().await.unwrap().0, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_consumer_that_is_killed_and_started_again_loses_nothing_and_doubles_nothing() {
    let broker = EmbeddedBroker::start("events", 4).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let config = KafkaConfig { group: GROUP.to_owned(), ..KafkaConfig::embedded(&broker) };
    let events: Vec<_> = Generator::new(GeneratorConfig { out_of_order: 0.3, ..GeneratorConfig::new(6_000, 23) }).collect();
    let records: Vec<_> = Records::new(events.clone().into_iter()).with_poison(Some(50), 23).collect();
    let poison = records.iter().filter(|(content, _)| matches!(content, Content::Poison(_)));
    let mut poison: Vec<_> = poison.map(|(_, message)| message.value.clone().unwrap()).collect();
    let total = records.len() as i64;

    let publisher = KafkaPublisher::open(&config).unwrap();
    let (_stop, never) = tokio::sync::watch::channel(0);
    let options = RunOptions { rate: None, progress: Progress::Silent };
    assert!(generate::run(&publisher, "events", records.into_iter(), options, never).await.is_delivered());

    let progress = KafkaProgress::open(&config).unwrap();
    let start = || {
        let mut command = standalone(folder.path(), &["--data-dir", "tables"]);
        let settings = [
            ("KAFKA_BROKERS", broker.bootstrap_servers()),
            ("KAFKA_CONSUMER_GROUP", GROUP),
            ("KAFKA_SESSION_TIMEOUT", "6s"),
            ("API_PORT", "0"),
            // Small batches: more moments at which a kill can fall between two steps.
            ("BATCH_MAX_EVENTS", "20"),
            ("PARKING_SWEEP_INTERVAL", "200ms"),
        ];
        command.envs(settings);
        Running::start(command)
    };
    for part in [1, 2] {
        let running = start();
        eventually(BOUND, "a third of the log is committed", async || committed(&progress).await >= part * total / 3).await;
        running.kill();
        assert!(committed(&progress).await < total, "killed in the middle of the work");
    }
    let last = start();
    eventually(BOUND, "the whole log is committed", async || committed(&progress).await == total).await;
    let tables = Sqlite::open(&folder.path().join("tables/events.db")).unwrap();
    eventually(BOUND, "what was parked is released", async || tables.parked().await.unwrap().0 == 0).await;
    last.kill();

    assert_all_applied(&tables, &events).await;
    let dead_letters = tables.page(End::Newest, 0, 10_000).await.unwrap();
    let mut dead: Vec<_> = dead_letters.iter().map(|json| Entry::parse(json).unwrap().value().unwrap()).collect();
    poison.sort();
    dead.sort();
    assert_eq!(dead, poison, "each unwritable record is a dead letter, once");
}
