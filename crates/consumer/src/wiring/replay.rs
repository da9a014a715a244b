//! `consumer replay`: the group's offsets in Kafka, and whatever tables there are.

use std::process::ExitCode;

use kafka::{KafkaConfig, KafkaProgress, describe_topic};
use pipeline::ports::{AuditLog, LogPositions};
use sqlserver::{SqlServer, SqlServerConfig};
use telemetry::output::print_line;

use super::{CLOSE, name_places, with_settings_quietly};
use crate::replay::{Group, Refusal, ReplayArgs, replay};

/// `consumer replay`: 0 where it was shown or done, 1 where it was refused or a part could not be asked, 2 for wrong usage or settings.
pub fn replay_records(arguments: ReplayArgs) -> ExitCode {
    with_settings_quietly(
        |env| (KafkaConfig::read(env), SqlServerConfig::read(env)),
        async move |(kafka, database)| {
            name_places(Some(&kafka), Some(&database), None);
            replay_and_show(&SqlServer::new(database), &kafka, &arguments).await
        },
    )
}

/// Shows what would come again, or moves the group's offsets and says so.
///
/// # Errors
/// A client cannot be opened.
pub async fn replay_and_show(
    tables: &(impl LogPositions + AuditLog),
    kafka: &KafkaConfig,
    arguments: &ReplayArgs,
) -> anyhow::Result<ExitCode> {
    let progress = KafkaProgress::open(kafka)?;
    // It says how long there is to think it over, no more: without it the rest can be told.
    let retention = describe_topic(kafka).await.ok().and_then(|topic| topic.settings?.retention);
    let group = Group { name: kafka.group.clone(), topic: kafka.topic.clone(), retention };
    let replayed = replay(&progress, tables, group, arguments).await;
    // What is left of the client ends by itself.
    progress.close(CLOSE).await.ok();
    match replayed {
        Ok(report) => {
            let printed = if arguments.json { print_line(report.to_json()) } else { print_line(report.to_string().trim_end()) };
            // Where it was moved, that is done whether or not somebody can read so.
            Ok(if printed || report.executed { ExitCode::SUCCESS } else { ExitCode::FAILURE })
        }
        Err(refusal) => {
            eprintln!("error: {refusal}");
            Ok(if matches!(refusal, Refusal::NoPartition { .. }) { ExitCode::from(2) } else { ExitCode::FAILURE })
        }
    }
}
