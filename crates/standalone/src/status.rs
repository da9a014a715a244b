//! `standalone status`: `consumer status` on whatever is configured.

use std::path::Path;
use std::process::ExitCode;

use consumer::status::{Process, Progress, Sources, StatusArgs, status, tell};
use consumer::wiring::name_places;
use kafka::KafkaProgress;

use crate::existing::ExistingBackends;
use crate::opening::EMBEDDED_TOPIC;
use crate::wiring::{CLOSE, Settings};

/// Asks the process at `API_HOST` and `API_PORT`, and the parts that are configured or in the data directory.
///
/// # Errors
/// A part cannot be opened.
pub async fn run(settings: Settings, data_dir: Option<&Path>, arguments: StatusArgs) -> anyhow::Result<ExitCode> {
    let process = settings.api_address();
    let kafka = settings.kafka_in_use().await;
    let Settings { database, redis, .. } = settings;
    let ExistingBackends { dead_letters, tables } = ExistingBackends::open(redis.as_ref(), database, data_dir)?;
    name_places(kafka.as_ref(), None, None);
    let progress = kafka.as_ref().map(KafkaProgress::open).transpose()?;
    let named = kafka.as_ref().zip(progress.as_ref());
    let ask = async || {
        let progress = named.map(|(config, kafka)| Progress { topic: &config.topic, group: &config.group, kafka });
        let topic = kafka.as_ref().map_or(EMBEDDED_TOPIC, |config| &config.topic);
        status(Sources { process: Process::ask(process), topic, progress, tables: tables.as_ref(), dead_letters: dead_letters.as_ref() })
            .await
    };
    let told = tell(arguments, ask).await;
    if let Some(progress) = progress {
        // What is left of the client ends by itself.
        progress.close(CLOSE).await.ok();
    }
    told
}
