//! `standalone dlq …`: the commands of `consumer dlq` on whatever is configured.

use std::path::Path;
use std::process::ExitCode;

use consumer::dlq::AdminContext;
use consumer::dlq::command::{self, DlqCommand};
use kafka::KafkaPublisher;
use telemetry::Shutdown;

use crate::backends::{DeadLetters, Store};
use crate::existing::ExistingBackends;
use crate::wiring::{CLOSE, Settings};

const OUT_OF_REACH: &str = "the dead letters of a pipeline on embedded parts are in its --data-dir: name it here too. Those of one that runs without \
     it are in that process alone: ask it over HTTP at /admin/dlq, which needs ADMIN_TOKEN. Or set REDIS_HOST";

/// Does what was asked for. Redis where `REDIS_HOST` is set, otherwise the file in the data directory, which another process may have open.
///
/// # Errors
/// A part cannot be opened.
pub async fn run(settings: Settings, data_dir: Option<&Path>, command: DlqCommand) -> anyhow::Result<ExitCode> {
    let stop = Shutdown::on_signals()?.token();
    let needs = command.needs();
    let Settings { kafka, database, redis, terms, .. } = settings;
    let ExistingBackends { dead_letters, tables } = ExistingBackends::open(redis.as_ref(), database, data_dir)?;
    let Some(queue) = dead_letters else {
        eprintln!("error: {OUT_OF_REACH}");
        return Ok(ExitCode::from(2));
    };
    let publisher = kafka.filter(|_| needs.broker).map(|config| KafkaPublisher::open(&config)).transpose()?;
    let context: AdminContext<DeadLetters, KafkaPublisher, Store> = AdminContext { queue, publisher, tables, terms };
    let code = command::run(command, &context, &stop).await;
    if let Some(publisher) = context.publisher {
        // Everything that was sent has been answered.
        publisher.close(CLOSE).await.ok();
    }
    Ok(code)
}
