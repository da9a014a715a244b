//! The lag is true whatever the loop does, and whoever owns the partition.

use events::Event;
use kafka::EmbeddedBroker;
use producer::generate::{Generator, GeneratorConfig, Records};
use sqlite::Sqlite;
use testkit::eventually;

use crate::embedded::{BOUND, Running, assert_applied, config_of, send};

const LAG: &str = "pipeline_partition_lag{partition=\"0\"}";
const OWNED: &str = "pipeline_assigned_partitions";

#[tokio::test(flavor = "multi_thread")]
async fn a_consumer_that_hangs_and_one_without_a_partition_show_the_same_lag() {
    let broker = EmbeddedBroker::start("events", 1).unwrap();
    let config = config_of(&broker, "lag");
    let tables = Sqlite::temporary().unwrap();
    let events: Vec<Event<'static>> = Generator::new(GeneratorConfig::new(300, 5)).collect();
    let records: Vec<_> = Records::new(events.clone().into_iter()).collect();
    let sent = records.len() as f64;
    let first = Running::start(&config, &tables);
    eventually(BOUND, "the first consumer owns the partition", async || first.metric(OWNED) == Some(1.0)).await;
    eventually(BOUND, "the lag was measured", async || first.metric(LAG) == Some(0.0)).await;

    // A writer that does not end: the loop waits for the tables.
    let other = rusqlite::Connection::open(tables.path()).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    send(&config, records).await;
    eventually(BOUND, "the lag rises while the loop hangs", async || first.metric(LAG) == Some(sent)).await;
    let second = Running::start(&config, &tables);
    eventually(BOUND, "a consumer that owns nothing shows it too", async || second.metric(LAG) == Some(sent)).await;
    assert_eq!((second.metric(OWNED), first.metric(LAG)), (Some(0.0), Some(sent)));

    other.execute_batch("ROLLBACK").unwrap();
    eventually(BOUND, "it falls to zero", async || [&first, &second].iter().all(|running| running.metric(LAG) == Some(0.0))).await;
    first.finish().await;
    second.finish().await;
    assert_applied(&tables, &events).await;
}
