//! `standalone trace`: what is known of one event, or of what events are about, on whatever is configured.

use std::path::Path;
use std::process::ExitCode;

use consumer::trace::{TraceArgs, show};

use crate::existing::ExistingBackends;
use crate::wiring::Settings;

const OUT_OF_REACH: &str = "the tables and dead letters of a pipeline on embedded parts are in its --data-dir: name it here too. Or set \
     MSSQL_SERVER and REDIS_HOST";

/// Asks the tables and the dead letters.
///
/// # Errors
/// A part cannot be opened.
pub async fn run(settings: Settings, data_dir: Option<&Path>, arguments: TraceArgs) -> anyhow::Result<ExitCode> {
    let Settings { database, redis, .. } = settings;
    let ExistingBackends { dead_letters: Some(dead_letters), tables: Some(tables) } =
        ExistingBackends::open(redis.as_ref(), database, data_dir)?
    else {
        eprintln!("error: {OUT_OF_REACH}");
        return Ok(ExitCode::from(2));
    };
    Ok(show(&tables, &dead_letters, &arguments).await)
}
