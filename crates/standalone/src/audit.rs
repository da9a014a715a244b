//! `standalone audit`: what operators have changed, in whatever database is configured.

use std::path::Path;
use std::process::ExitCode;

use consumer::audit::command::{self, AuditArgs};

use crate::existing::ExistingBackends;
use crate::wiring::Settings;

const OUT_OF_REACH: &str =
    "what operators of a pipeline on embedded parts have changed is in its --data-dir: name it here too. Or set MSSQL_SERVER";

/// Does what was asked for.
///
/// # Errors
/// The database cannot be opened.
pub async fn run(settings: Settings, data_dir: Option<&Path>, arguments: AuditArgs) -> anyhow::Result<ExitCode> {
    let Some(tables) = ExistingBackends::open(None, settings.database, data_dir)?.tables else {
        eprintln!("error: {OUT_OF_REACH}");
        return Ok(ExitCode::from(2));
    };
    Ok(command::run(&tables, arguments).await)
}
