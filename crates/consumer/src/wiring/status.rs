//! `consumer status`.

use std::process::ExitCode;

use kafka::{KafkaConfig, KafkaProgress};
use redis_dlq::{RedisConfig, RedisDlq};
use sqlserver::{SqlServer, SqlServerConfig};

use super::{CLOSE, metrics_address, name_places, with_settings_quietly};
use crate::status::{Process, Progress, Sources, StatusArgs, status, tell};

/// `consumer status`: 0 where the consumer on this machine is ready and every part answered, and 1 otherwise.
pub fn tell_status(arguments: StatusArgs) -> ExitCode {
    with_settings_quietly(
        |env| {
            let parts = (KafkaConfig::read(env), SqlServerConfig::read(env), RedisConfig::read(env), metrics_address(env));
            (parts, env.near_misses())
        },
        async move |((kafka, database, redis, process), idle_settings)| {
            name_places(Some(&kafka), Some(&database), Some(&redis));
            let progress = KafkaProgress::open(&kafka)?;
            let (tables, dead_letters) = (SqlServer::new(database), RedisDlq::new(&redis)?);
            let ask = async || {
                let progress = Progress { topic: &kafka.topic, group: &kafka.group, kafka: &progress };
                let sources = Sources {
                    process: Process::ask(process),
                    topic: &kafka.topic,
                    progress: Some(progress),
                    tables: Some(Ok(&tables)),
                    dead_letters: Some(Ok(&dead_letters)),
                    idle_settings: &idle_settings,
                };
                status(sources).await
            };
            let told = tell(arguments, ask).await;
            // What is left of the client ends by itself.
            progress.close(CLOSE).await.ok();
            told
        },
    )
}
