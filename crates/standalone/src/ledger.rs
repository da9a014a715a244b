//! `standalone ledger …`: folding old lines of the ledger, on whatever is configured.

use std::path::Path;
use std::process::ExitCode;

use consumer::ledger::LedgerCommand;
use consumer::wiring::{compact_and_show, name_places};

use crate::existing::ExistingBackends;
use crate::wiring::Settings;

const NO_LOG: &str = "what can come again is told by the log: set KAFKA_BROKERS";
const OUT_OF_REACH: &str = "the tables of a pipeline on embedded parts are in its --data-dir: name it here too. Or set MSSQL_SERVER, and REDIS_HOST \
     for the dead letters";

/// Shows what would be folded, or folds it.
///
/// # Errors
/// A part cannot be opened.
pub async fn run(settings: Settings, data_dir: Option<&Path>, command: LedgerCommand) -> anyhow::Result<ExitCode> {
    let LedgerCommand::Compact(arguments) = command;
    let Some(kafka) = settings.kafka_in_use().await else {
        eprintln!("error: {NO_LOG}");
        return Ok(ExitCode::from(2));
    };
    let Settings { database, redis, .. } = settings;
    name_places(Some(&kafka), None, None);
    match ExistingBackends::open(redis.as_ref(), database, data_dir)? {
        ExistingBackends { tables: Some(tables), dead_letters: Some(dead_letters) } => {
            compact_and_show(&tables, &dead_letters, &kafka, &arguments).await
        }
        ExistingBackends { .. } => {
            eprintln!("error: {OUT_OF_REACH}");
            Ok(ExitCode::from(2))
        }
    }
}
