//! `consumer peek`: the log from Kafka, beside the group, and whatever tables there are.

use std::process::ExitCode;
use std::sync::Arc;

use kafka::{KafkaConfig, KafkaLogReader, KafkaProgress};
use pipeline::ports::DryRun;
use sqlserver::{SqlServer, SqlServerConfig};

use super::{CLOSE, name_places, with_settings_quietly};
use crate::config::ConsumerConfig;
use crate::dlq::dry_run::Rules;
use crate::peek::{Peek, PeekArgs, Peeked, Refusal, peek, show};

/// `consumer peek`: 0 where the records could be shown, 1 where not all of them or a part could not be asked, 2 for wrong usage or settings.
pub fn peek_records(arguments: PeekArgs) -> ExitCode {
    with_settings_quietly(
        |env| (KafkaConfig::read(env), SqlServerConfig::read(env), ConsumerConfig::read(env)),
        async move |(kafka, database, consumer)| {
            name_places(Some(&kafka), Some(&database), None);
            peek_and_show(&SqlServer::new(database), (&kafka, &consumer), arguments).await
        },
    )
}

/// Looks at the records of this topic, and shows them.
///
/// # Errors
/// Kafka is away, or a client cannot be opened.
pub async fn peek_and_show(
    tables: &impl DryRun,
    (kafka, consumer): (&KafkaConfig, &ConsumerConfig),
    arguments: PeekArgs,
) -> anyhow::Result<ExitCode> {
    let rules = Rules { max_rows: consumer.max_rows, max_clock_skew: consumer.max_clock_skew };
    match peek_beside(tables, kafka, rules, arguments).await {
        Ok(peeked) => Ok(show(&peeked, arguments.json)),
        Err(refusal @ Refusal::NoPartition { .. }) => {
            eprintln!("error: --partition: {refusal}");
            Ok(ExitCode::from(2))
        }
        Err(Refusal::Fault(fault)) => Err(fault.into()),
    }
}

/// The same for `/admin` and `/console`, as often as they ask.
pub fn peek_over_http<T: DryRun + Clone + 'static>(tables: T, kafka: KafkaConfig, rules: Rules) -> Peek {
    Arc::new(move |arguments| {
        let (tables, kafka) = (tables.clone(), kafka.clone());
        Box::pin(async move { peek_beside(&tables, &kafka, rules, arguments).await })
    })
}

/// Looks at the records with clients of its own.
async fn peek_beside(tables: &impl DryRun, kafka: &KafkaConfig, rules: Rules, arguments: PeekArgs) -> Result<Peeked, Refusal> {
    let (progress, mut reader) = (KafkaProgress::open(kafka)?, KafkaLogReader::open(kafka)?);
    let peeked = peek(&progress, &mut reader, tables, arguments, rules).await;
    // What is left of the clients ends by itself.
    reader.close(CLOSE).await.ok();
    progress.close(CLOSE).await.ok();
    peeked
}
