//! Brings the database up to date: creates it when it is missing and runs the scripts that have not run yet.

use std::time::Duration;

use pipeline::Fault;

use crate::config::SqlServerConfig;
use crate::connection::{Connection, Failure};
use crate::faults;
use crate::row::Columns;
use crate::schema::{Ran, history, unknown};
use crate::scripts::{SCRIPTS, Script, batches, checksum};
use crate::statement::{CREATE_DATABASE, CREATE_HISTORY, LOCK_MIGRATIONS, RECORD_MIGRATION};

/// The longest that one migration waits for another that is running.
const LOCK_LIMIT: Duration = Duration::from_secs(120);
/// The longest that a batch of a script may take: an index on a large table takes its time.
const BATCH_LIMIT: Duration = Duration::from_secs(600);
/// The longest that it may take to create the database.
const CREATE_LIMIT: Duration = Duration::from_secs(120);

/// What a migration found and did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MigrationReport {
    /// Whether the database was missing.
    pub created_database: bool,
    /// The scripts that ran now.
    pub applied: Vec<&'static str>,
    /// The scripts that could not be done and that nothing depends on; they are tried again next time.
    pub warnings: Vec<MigrationWarning>,
    /// The versions that ran earlier and that this build does not know: the schema is newer.
    pub unknown: Vec<i32>,
}

/// A script that could not be done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MigrationWarning {
    /// The script.
    pub script: &'static str,
    /// The server's error number.
    pub code: i64,
}

/// Why the database could not be brought up to date.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MigrateError {
    /// The server is away, or refused.
    #[error(transparent)]
    Fault(#[from] Fault),
    /// A script that ran is not the one in this build. Scripts are never changed, new ones are added.
    #[error("the migration {0} has been changed since it ran on this database")]
    Changed(&'static str),
    /// Another migration has been running all the time that we waited for it.
    #[error("another migration of this database is still running")]
    Busy,
}

impl From<Failure> for MigrateError {
    fn from(failure: Failure) -> Self {
        Self::Fault(failure.fault)
    }
}

/// Creates the database when it is missing and runs the scripts that have not run on it. Several may do so at once: one works, the others wait
/// and then find nothing to do.
///
/// A dropped future leaves whole scripts: the one that was running is rolled back.
///
/// # Errors
/// See [`MigrateError`]. What ran before stays.
pub async fn migrate(config: &SqlServerConfig) -> Result<MigrationReport, MigrateError> {
    let (mut connection, created_database) = open_or_create(config).await?;
    lock(&mut connection).await?;
    connection.ask(&CREATE_HISTORY, &[], config.command_timeout).await?;
    let history = history(&mut connection, config.command_timeout).await?;
    let pending = pending(&history)?;
    let mut report = MigrationReport { created_database, unknown: unknown(&history), ..MigrationReport::default() };
    for script in pending {
        match run(&mut connection, script, config.command_timeout).await {
            Ok(()) => report.applied.push(script.name),
            Err(Failure { fault: Fault { code: Some(code), .. }, .. }) if script.optional => {
                report.warnings.push(MigrationWarning { script: script.name, code });
            }
            Err(failure) => {
                // What is to be done about it says nothing of where it happened.
                tracing::error!(script = script.name, code = failure.fault.code, "a script of the migration has failed, and is undone");
                return Err(failure.into());
            }
        }
    }
    Ok(report)
}

/// The number with which it says that someone else was faster.
const DATABASE_EXISTS: i64 = 1801;

async fn open_or_create(config: &SqlServerConfig) -> Result<(Connection, bool), MigrateError> {
    match Connection::open(config, &config.database).await {
        Ok(connection) => return Ok((connection, false)),
        Err(fault) if fault.code == Some(faults::CANNOT_OPEN_DATABASE) => {}
        Err(fault) => return Err(fault.into()),
    }
    let mut master = Connection::open(config, "master").await?;
    let created = match master.ask(&CREATE_DATABASE, &[&config.database], CREATE_LIMIT).await {
        Ok(_) => true,
        Err(failure) if failure.fault.code == Some(DATABASE_EXISTS) => false,
        Err(failure) => return Err(failure.into()),
    };
    Ok((Connection::open(config, &config.database).await?, created))
}

/// Waits until no one else migrates this database; the lock ends with the session.
async fn lock(connection: &mut Connection) -> Result<(), MigrateError> {
    let wait_ms = i32::try_from(LOCK_LIMIT.as_millis()).unwrap_or(i32::MAX);
    let sets = connection.ask(&LOCK_MIGRATIONS, &[&wait_ms], LOCK_LIMIT + Duration::from_secs(10)).await?;
    let row = sets.iter().flatten().next().ok_or_else(|| faults::bug(LOCK_MIGRATIONS.name))?;
    let granted: i32 = Columns::of(row, LOCK_MIGRATIONS.name).get("granted")?;
    if granted >= 0 { Ok(()) } else { Err(MigrateError::Busy) }
}

/// The scripts that have not run, if those that have are the ones we know.
fn pending(history: &[Ran]) -> Result<Vec<&'static Script>, MigrateError> {
    let mut pending = Vec::new();
    for script in &SCRIPTS {
        match history.iter().find(|ran| ran.version == script.version) {
            None => pending.push(script),
            Some(ran) if ran.checksum == checksum(script.text) => {}
            Some(_) => return Err(MigrateError::Changed(script.name)),
        }
    }
    Ok(pending)
}

/// Runs a script and records it. In one transaction, unless it is optional: after a failure, or when the future is dropped, the connection is
/// dropped too, and the server rolls back.
async fn run(connection: &mut Connection, script: &Script, limit: Duration) -> Result<(), Failure> {
    if !script.optional {
        connection.run("BEGIN TRANSACTION;", script.name, limit).await?;
    }
    for batch in batches(script.text) {
        connection.run(&batch, script.name, BATCH_LIMIT).await?;
    }
    connection.ask(&RECORD_MIGRATION, &[&script.version, &script.name, &checksum(script.text)], limit).await?;
    if !script.optional {
        connection.run("COMMIT TRANSACTION;", script.name, limit).await?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ran(version: i32, checksum: String) -> Ran {
        Ran { version, checksum }
    }

    fn names(scripts: &[&Script]) -> Vec<&'static str> {
        scripts.iter().map(|script| script.name).collect()
    }

    #[test]
    fn scripts_that_ran_are_skipped() {
        let every: Vec<_> = SCRIPTS.iter().map(|script| script.name).collect();
        assert_eq!(names(&pending(&[]).unwrap()), every);
        let first = ran(1, checksum(SCRIPTS[0].text));
        assert_eq!(names(&pending(&[first]).unwrap()), every[1..]);
        let all = SCRIPTS.each_ref().map(|script| ran(script.version, checksum(script.text)));
        assert!(pending(&all).unwrap().is_empty());
    }

    #[test]
    fn a_script_that_changed_is_refused_by_name() {
        let refused = pending(&[ran(1, checksum("something else"))]).map(|_| ());
        assert_eq!(refused, Err(MigrateError::Changed("0001_tables.sql")));
    }

    #[test]
    fn a_newer_schema_is_reported_and_works() {
        let history = [ran(1, checksum(SCRIPTS[0].text)), ran(1000, String::new())];
        assert_eq!(unknown(&history), [1000]);
        assert!(pending(&history).is_ok());
    }
}
