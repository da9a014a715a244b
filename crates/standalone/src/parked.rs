//! `standalone parked`: who waits, on whatever is configured.

use std::path::Path;
use std::process::ExitCode;

use consumer::parked::{self, ParkedCommand};

use crate::existing::ExistingBackends;
use crate::wiring::Settings;

const OUT_OF_REACH: &str = "the tables of a pipeline on embedded parts are in its --data-dir: name it here too. Or set MSSQL_SERVER";

/// Asks the tables.
///
/// # Errors
/// They cannot be opened, or are away.
pub async fn run(settings: Settings, data_dir: Option<&Path>, command: ParkedCommand) -> anyhow::Result<ExitCode> {
    let Settings { database, redis, .. } = settings;
    let ExistingBackends { tables: Some(tables), .. } = ExistingBackends::open(redis.as_ref(), database, data_dir)? else {
        eprintln!("error: {OUT_OF_REACH}");
        return Ok(ExitCode::from(2));
    };
    Ok(parked::run(&tables, command).await?)
}
