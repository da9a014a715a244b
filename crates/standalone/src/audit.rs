//! `standalone audit`: what operators have changed, in whatever database is configured.

use std::path::Path;
use std::process::ExitCode;

use consumer::audit::command::{self, AuditArgs};
use consumer::wiring::name_places;

use crate::existing::ExistingBackends;
use crate::wiring::Settings;

const OUT_OF_REACH: &str =
    "what operators of a pipeline on embedded parts have changed is in its --data-dir: name it here too. Or set MSSQL_SERVER";

/// Does what was asked for.
pub async fn run(settings: Settings, data_dir: Option<&Path>, arguments: AuditArgs) -> ExitCode {
    name_places(None, settings.database.as_ref(), None);
    match ExistingBackends::open(None, settings.database, data_dir) {
        Ok(ExistingBackends { tables: Some(tables), .. }) => command::run(&tables, arguments).await,
        Ok(_) => {
            eprintln!("error: {OUT_OF_REACH}");
            ExitCode::from(2)
        }
        Err(error) => command::cannot_read(&arguments, format!("{error:#}")),
    }
}
