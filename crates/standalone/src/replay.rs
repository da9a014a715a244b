//! `standalone replay`: consuming records again, on whatever is configured.

use std::path::Path;
use std::process::ExitCode;

use consumer::replay::ReplayArgs;
use consumer::wiring::{name_places, replay_and_show};

use crate::existing::ExistingBackends;
use crate::wiring::Settings;

const NO_LOG: &str = "the log of the embedded broker ends with its program, so that nothing can be consumed again: set KAFKA_BROKERS";
const OUT_OF_REACH: &str = "the tables of a pipeline on embedded parts are in its --data-dir: name it here too. Or set MSSQL_SERVER";

/// Shows what would come again, or moves the group's offsets.
///
/// # Errors
/// A part cannot be opened.
pub async fn run(settings: Settings, data_dir: Option<&Path>, arguments: ReplayArgs) -> anyhow::Result<ExitCode> {
    let Some(kafka) = settings.kafka_in_use().await else {
        eprintln!("error: {NO_LOG}");
        return Ok(ExitCode::from(2));
    };
    let Settings { database, redis, .. } = settings;
    name_places(Some(&kafka), None, None);
    match ExistingBackends::open(redis.as_ref(), database, data_dir)? {
        ExistingBackends { tables: Some(tables), .. } => replay_and_show(&tables, &kafka, &arguments).await,
        ExistingBackends { tables: None, .. } => {
            eprintln!("error: {OUT_OF_REACH}");
            Ok(ExitCode::from(2))
        }
    }
}
