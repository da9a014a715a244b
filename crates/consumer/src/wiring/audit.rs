//! `consumer audit`.

use std::process::ExitCode;

use sqlserver::{SqlServer, SqlServerConfig};

use super::{name_places, with_settings_quietly};
use crate::audit::command::{AuditArgs, run};

/// `consumer audit`: what operators have changed, and whether that log is whole.
pub fn audit(arguments: AuditArgs) -> ExitCode {
    with_settings_quietly(SqlServerConfig::read, async move |database| {
        name_places(None, Some(&database), None);
        Ok(run(&SqlServer::new(database), arguments).await)
    })
}
