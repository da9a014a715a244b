//! `standalone status`: `consumer status` on whatever is configured.

use std::path::Path;
use std::process::ExitCode;

use consumer::status::{Opened, Process, Progress, Sources, StatusArgs, status, tell};
use consumer::wiring::name_places;
use kafka::KafkaProgress;

use crate::existing::ExistingBackends;
use crate::opening::EMBEDDED_TOPIC;
use crate::wiring::{CLOSE, Settings};

/// Asks the process at `API_HOST` and `API_PORT`, and the parts that are configured or in the data directory.
///
/// # Errors
/// A client of Kafka cannot be made. A part that cannot be opened is told like one that does not answer.
pub async fn run(settings: Settings, data_dir: Option<&Path>, arguments: StatusArgs) -> anyhow::Result<ExitCode> {
    let process = settings.api_address();
    let kafka = settings.kafka_in_use().await;
    let Settings { database, redis, noted, .. } = settings;
    name_places(kafka.as_ref(), database.as_ref(), redis.as_ref());
    // Each by itself: a file that is none leaves the queue on a server as it is.
    let queue = ExistingBackends::open(redis.as_ref(), None, data_dir.filter(|_| redis.is_none()));
    let file = data_dir.filter(|_| database.is_none());
    let tables = ExistingBackends::open(None, database, file);
    let (queue, tables) = (sentence(queue.map(|opened| opened.dead_letters)), sentence(tables.map(|opened| opened.tables)));
    let progress = kafka.as_ref().map(KafkaProgress::open).transpose()?;
    let named = kafka.as_ref().zip(progress.as_ref());
    let ask = async || {
        let progress = named.map(|(config, kafka)| Progress { topic: &config.topic, group: &config.group, kafka });
        let topic = kafka.as_ref().map_or(EMBEDDED_TOPIC, |config| &config.topic);
        let (tables, dead_letters) = (opened(&tables), opened(&queue));
        status(Sources { process: Process::ask(process), topic, progress, tables, dead_letters, idle_settings: noted.sentences() }).await
    };
    let told = tell(arguments, ask).await;
    if let Some(progress) = progress {
        // What is left of the client ends by itself.
        progress.close(CLOSE).await.ok();
    }
    told
}

/// What was opened, where anything was named; why not as a sentence.
fn sentence<T>(opened: anyhow::Result<Option<T>>) -> Option<Result<T, String>> {
    opened.map_err(|error| format!("{error:#}")).transpose()
}

fn opened<T>(part: &Option<Result<T, String>>) -> Opened<'_, T> {
    part.as_ref().map(|part| part.as_ref().map_err(String::as_str))
}
