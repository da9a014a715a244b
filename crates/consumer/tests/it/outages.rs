//! Kafka away and failing, on the embedded broker.

use std::time::Duration;

use kafka::embedded::{Failure, Request};
use kafka::{EmbeddedBroker, KafkaPublisher};
use pipeline::ports::DeadLetterReader as _;
use producer::generate::{self, Generator, GeneratorConfig, Progress, Records, RunOptions};
use sqlite::Sqlite;
use testkit::eventually;

use crate::embedded::{BOUND, PARTITIONS, Running, assert_applied, config_of, send};

/// By when a consumer has recovered from an outage that is over.
const RECOVERY: Duration = Duration::from_secs(30);

#[tokio::test(flavor = "multi_thread")]
async fn a_broker_that_is_away_for_five_seconds_under_load_loses_and_doubles_nothing() {
    let broker = EmbeddedBroker::start("events", PARTITIONS).unwrap();
    let config = config_of(&broker, "outage");
    let tables = Sqlite::temporary().unwrap();
    let events: Vec<_> = Generator::new(GeneratorConfig { out_of_order: 0.3, ..GeneratorConfig::new(8_000, 5) }).collect();
    let publisher = KafkaPublisher::open(&config).unwrap();
    let (_stop, never) = tokio::sync::watch::channel(0);
    let options = RunOptions { rate: Some(1_000.0), progress: Progress::Silent };
    let sending = generate::run(&publisher, &config.topic, Records::new(events.clone().into_iter()), options, never);
    let running = Running::start(&config, &tables);
    let trouble = async {
        eventually(BOUND, "the load flows", async || running.committed().await > 1_000).await;
        broker.go_away().unwrap();
        // The length of the outage is what is tested.
        tokio::time::sleep(Duration::from_secs(5)).await;
        let before = running.applied();
        broker.come_back().unwrap();
        eventually(RECOVERY, "the work goes on", async || running.applied() > before).await;
    };
    let (summary, ()) = tokio::join!(sending, trouble);
    assert!(summary.is_delivered(), "{summary}");
    let metrics = running.finish().await;
    publisher.close(Duration::from_secs(3)).await.unwrap();
    assert_applied(&tables, &events).await;
    assert_eq!(tables.depth().await.unwrap(), 0, "{metrics}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_broker_that_is_away_at_the_start_is_waited_for() {
    let broker = EmbeddedBroker::start("events", PARTITIONS).unwrap();
    let config = config_of(&broker, "start");
    let tables = Sqlite::temporary().unwrap();
    let events: Vec<_> = Generator::new(GeneratorConfig::new(500, 3)).collect();
    send(&config, Records::new(events.clone().into_iter()).collect()).await;
    broker.go_away().unwrap();
    let running = Running::start(&config, &tables);
    eventually(BOUND, "the report says that Kafka is away", async || running.kafka_is_down()).await;
    assert!(running.applied() == 0 && !running.health.ready());
    broker.come_back().unwrap();
    eventually(RECOVERY, "the consumer is ready", async || running.health.ready()).await;
    running.finish().await;
    assert_applied(&tables, &events).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_commit_that_fails_is_covered_by_the_next_one() {
    let broker = EmbeddedBroker::start("events", 1).unwrap();
    let config = config_of(&broker, "commits");
    let tables = Sqlite::temporary().unwrap();
    let events: Vec<_> = Generator::new(GeneratorConfig::new(300, 9)).collect();
    let running = Running::start(&config, &tables);
    for (part, failures) in
        events.chunks(100).zip([&[][..], &[Failure::StaleMemberEpoch], &[Failure::StaleMemberEpoch, Failure::StaleMemberEpoch]])
    {
        broker.fail_next(Request::OffsetCommit, failures).unwrap();
        send(&config, Records::new(part.iter().cloned()).collect()).await;
        running.until_committed().await;
    }
    let metrics = running.finish().await;
    assert!(metrics.lines().any(|line| line == "pipeline_commits_total{result=\"failed\"} 3"), "{metrics}");
    assert!(
        !metrics.lines().any(|line| line.contains("status=\"duplicate\"") && !line.ends_with(" 0")),
        "nothing was consumed again: {metrics}"
    );
    assert_applied(&tables, &events).await;
}
