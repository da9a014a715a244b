//! `standalone resume`: `consumer resume` on whatever is configured.

use std::path::Path;
use std::process::ExitCode;

use consumer::resume::{Resume, resume};

use crate::existing::ExistingBackends;
use crate::wiring::Settings;

const OUT_OF_REACH: &str = "name the --data-dir of the pipeline that holds, or the folder of the SQLite file that it printed at its start. Or set \
     REDIS_HOST";

/// Permits what was asked for, where the pipeline looks for it: in Redis where `REDIS_HOST` is set, otherwise in the file in the data directory.
///
/// # Errors
/// A part cannot be opened, or the dead letter queue is away.
pub async fn run(settings: Settings, data_dir: Option<&Path>, arguments: Resume) -> anyhow::Result<ExitCode> {
    let ExistingBackends { dead_letters, tables } = ExistingBackends::open(settings.redis.as_ref(), settings.database, data_dir)?;
    let Some(dead_letters) = dead_letters else {
        eprintln!("error: {OUT_OF_REACH}");
        return Ok(ExitCode::from(2));
    };
    resume(&dead_letters, tables.as_ref(), arguments).await?;
    Ok(ExitCode::SUCCESS)
}
