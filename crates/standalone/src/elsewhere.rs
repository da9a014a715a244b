//! The demo on a stack that is running: its consumer and its read API do the work, and this process only sends, asks and checks.

use std::process::ExitCode;

use anyhow::Context as _;
use consumer::wiring::name_places;
use kafka::{KafkaProgress, KafkaPublisher};
use redis_dlq::RedisDlq;
use telemetry::Shutdown;

use crate::demo::{self, Stage};
use crate::table::{Row, table};
use crate::wiring::{CLOSE, Settings};

/// `standalone demo --api … --consumer …`, with these `host:port`.
///
/// # Errors
/// Kafka or Redis is not configured, or a part cannot be reached.
pub async fn demo(settings: Settings, api: &str, consumer: &str) -> anyhow::Result<ExitCode> {
    let kafka = settings.kafka.context("KAFKA_BROKERS must be set, to the brokers of the stack")?;
    let redis = settings.redis.context("REDIS_HOST, REDIS_URL or REDIS_SENTINELS must be set, to the Redis of the stack")?;
    name_places(Some(&kafka), None, Some(&redis));
    let shutdown = Shutdown::on_signals()?;
    let consumers = tokio::net::lookup_host(consumer).await.with_context(|| format!("--consumer: {consumer} is not known"))?;
    let stage = Stage {
        publisher: KafkaPublisher::open(&kafka)?,
        progress: KafkaProgress::open(&kafka)?,
        dead_letters: RedisDlq::new(&redis)?,
        topic: kafka.topic.clone(),
        api: format!("http://{api}"),
        metrics: consumers.map(|address| format!("http://{address}")).collect(),
        // Others have events there, which a short deadline would give up.
        gives_up_soon: false,
        verification: None,
    };
    let parts = [
        Row::real("Kafka", format!("{}, topic {}, group {}", kafka.brokers, kafka.topic, kafka.group)),
        Row::real("dead letters", format!("Redis, {}, list {}", redis.address(), redis.list)),
        Row::real("consumer", stage.metrics.join(", ")),
        Row::real("read API", stage.api.clone()),
    ];
    say!("Event Pipeline: demo\n\n{}", table(&parts));
    let (publisher, progress) = (stage.publisher.clone(), stage.progress.clone());
    let held = tokio::select! {
        held = demo::run(stage) => held?,
        () = shutdown.requested() => {
            say!("\nstopped before the end");
            false
        }
    };
    for closed in [publisher.close(CLOSE).await, progress.close(CLOSE).await] {
        if let Err(fault) = closed {
            tracing::warn!(class = fault.class.label(), subject = fault.subject, "a client of Kafka did not end in time");
        }
    }
    Ok(if held { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
