//! `consumer ledger …`: the topic in Kafka, the dead letters in Redis, and whatever tables there are.

use std::process::ExitCode;
use std::sync::Arc;

use indicatif::{ProgressBar, ProgressStyle};
use kafka::{KafkaConfig, KafkaProgress, describe_topic};
use pipeline::ports::DeadLetterReader;
use redis_dlq::{RedisConfig, RedisDlq};
use sqlserver::{SqlServer, SqlServerConfig};
use telemetry::output::print_line;

use super::{CLOSE, name_places, with_settings_quietly};
use crate::admin::Compact;
use crate::audit::Who;
use crate::ledger::{CompactArgs, Kept, LedgerCommand, LedgerTables, Refusal, Report, compact};

/// `consumer ledger …`: 0 where it was shown or done, 1 where it was refused or a part could not be asked, 2 for wrong usage or settings.
pub fn ledger(command: LedgerCommand) -> ExitCode {
    with_settings_quietly(
        |env| (KafkaConfig::read(env), SqlServerConfig::read(env), RedisConfig::read(env)),
        async move |(kafka, database, redis)| {
            name_places(Some(&kafka), Some(&database), Some(&redis));
            let LedgerCommand::Compact(arguments) = command;
            compact_and_show(&SqlServer::new(database), &RedisDlq::new(&redis)?, &kafka, &arguments).await
        },
    )
}

/// Shows what would be folded, or folds it and says so.
///
/// # Errors
/// A client cannot be opened.
pub async fn compact_and_show(
    tables: &impl LedgerTables,
    dead_letters: &impl DeadLetterReader,
    kafka: &KafkaConfig,
    arguments: &CompactArgs,
) -> anyhow::Result<ExitCode> {
    let bar = ProgressBar::new(0);
    if let Ok(style) = ProgressStyle::with_template("folding {human_pos:>12} of {human_len}") {
        bar.set_style(style);
    }
    let on_progress = |done, of| {
        bar.set_length(of);
        bar.set_position(done);
    };
    let compacted = compact_beside(tables, dead_letters, kafka, (Who::command_line(), arguments), &on_progress).await;
    bar.finish_and_clear();
    match compacted {
        Ok(report) => {
            let printed = if arguments.json { print_line(report.to_json()) } else { print_line(&report) };
            let done = report.obstacles.is_empty() && (printed || report.folded.is_some());
            Ok(if done { ExitCode::SUCCESS } else { ExitCode::FAILURE })
        }
        Err(refusal) => {
            eprintln!("error: {refusal}");
            Ok(ExitCode::FAILURE)
        }
    }
}

/// The same for requests, as often as they ask.
pub fn compact_over_http<T, Q>(tables: T, dead_letters: Q, kafka: KafkaConfig) -> Compact
where
    T: LedgerTables + Clone + 'static,
    Q: DeadLetterReader + Clone + 'static,
{
    Arc::new(move |who, arguments| {
        let (tables, dead_letters, kafka) = (tables.clone(), dead_letters.clone(), kafka.clone());
        Box::pin(async move { compact_beside(&tables, &dead_letters, &kafka, (who, &arguments), &|_, _| {}).await })
    })
}

/// Looks at the topic with a client of its own, and folds.
async fn compact_beside(
    tables: &impl LedgerTables,
    dead_letters: &impl DeadLetterReader,
    kafka: &KafkaConfig,
    order: (Who, &CompactArgs),
    on_progress: &(dyn Fn(u64, u64) + Sync),
) -> Result<Report, Refusal> {
    let progress = KafkaProgress::open(kafka)?;
    // Without it, how long records are kept is not known, and nothing is folded; why Kafka cannot be asked is told by the next question.
    let settings = describe_topic(kafka).await.ok().and_then(|topic| topic.settings).unwrap_or_default();
    let kept = Kept { topic: kafka.topic.clone(), compacts: settings.compacts, retention: settings.retention };
    let compacted = compact(&progress, tables, dead_letters, kept, order, on_progress).await;
    // What is left of the client ends by itself.
    progress.close(CLOSE).await.ok();
    compacted
}
