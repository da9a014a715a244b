//! `standalone dlq …`: the commands of `consumer dlq` on whatever is configured.

use std::path::Path;
use std::process::ExitCode;

use consumer::dlq::Desk;
use consumer::dlq::command::{self, DlqCommand};
use kafka::KafkaPublisher;
use telemetry::Shutdown;

use crate::kept::Kept;
use crate::parts::{Letters, Store};
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
    let Kept { letters, tables } = Kept::open(redis.as_ref(), database, data_dir)?;
    let Some(queue) = letters else {
        eprintln!("error: {OUT_OF_REACH}");
        return Ok(ExitCode::from(2));
    };
    let publisher = kafka.filter(|_| needs.broker).map(|config| KafkaPublisher::open(&config)).transpose()?;
    let desk: Desk<Letters, KafkaPublisher, Store> = Desk { queue, publisher, tables, terms };
    let code = command::run(command, &desk, &stop).await;
    if let Some(publisher) = desk.publisher {
        // Everything that was sent has been answered.
        publisher.close(CLOSE).await.ok();
    }
    Ok(code)
}
