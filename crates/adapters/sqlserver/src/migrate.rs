//! Brings the database up to date: creates it when it is missing and runs the scripts that have not run yet.

use std::time::Duration;

use pipeline::Fault;
use sha2::{Digest, Sha256};

use crate::config::SqlServerConfig;
use crate::connection::{Connection, Failure};
use crate::faults;
use crate::row::Columns;
use crate::statement::{CREATE_DATABASE, CREATE_HISTORY, HISTORY, LOCK_MIGRATIONS, RECORD_MIGRATION};

/// The longest that one migration waits for another that is running.
const LOCK_LIMIT: Duration = Duration::from_secs(120);
/// The longest that a batch of a script may take: an index on a large table takes its time.
const BATCH_LIMIT: Duration = Duration::from_secs(600);
/// The longest that it may take to create the database.
const CREATE_LIMIT: Duration = Duration::from_secs(120);

/// A script of the folder `migrations`.
struct Script {
    version: i32,
    name: &'static str,
    text: &'static str,
    /// Where it cannot be done, is it left for the next time? Such a script runs outside a transaction.
    optional: bool,
}

macro_rules! script {
    ($version:literal, $name:literal, optional: $optional:literal) => {
        Script {
            version: $version,
            name: $name,
            text: include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/../../../migrations/", $name)),
            optional: $optional,
        }
    };
}

/// Every script, in order.
const SCRIPTS: [Script; 2] =
    [script!(1, "0001_tables.sql", optional: false), script!(2, "0002_read_committed_snapshot.sql", optional: true)];

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
    #[error("{0}")]
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
    let history = history(&mut connection, config).await?;
    let pending = pending(&history)?;
    let mut report = MigrationReport { created_database, unknown: unknown(&history), ..MigrationReport::default() };
    for script in pending {
        match run(&mut connection, script, config.command_timeout).await {
            Ok(()) => report.applied.push(script.name),
            Err(Failure { fault: Fault { code: Some(code), .. }, .. }) if script.optional => {
                report.warnings.push(MigrationWarning { script: script.name, code });
            }
            Err(failure) => return Err(failure.into()),
        }
    }
    Ok(report)
}

/// The number with which the server says that a database is not there, or not to be opened.
const CANNOT_OPEN_DATABASE: i64 = 4060;
/// The number with which it says that someone else was faster.
const DATABASE_EXISTS: i64 = 1801;

async fn open_or_create(config: &SqlServerConfig) -> Result<(Connection, bool), MigrateError> {
    match Connection::open(config, &config.database).await {
        Ok(connection) => return Ok((connection, false)),
        Err(fault) if fault.code == Some(CANNOT_OPEN_DATABASE) => {}
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

/// A script that ran.
struct Ran {
    version: i32,
    checksum: String,
}

async fn history(connection: &mut Connection, config: &SqlServerConfig) -> Result<Vec<Ran>, MigrateError> {
    let sets = connection.ask(&HISTORY, &[], config.command_timeout).await?;
    let rows = sets.iter().flatten().map(|row| Columns::of(row, HISTORY.name));
    let ran = rows.map(|columns| Ok(Ran { version: columns.get("version")?, checksum: columns.text("checksum")? }));
    ran.collect::<Result<_, Fault>>().map_err(MigrateError::from)
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

fn unknown(history: &[Ran]) -> Vec<i32> {
    let versions = history.iter().map(|ran| ran.version);
    versions.filter(|version| SCRIPTS.iter().all(|script| script.version != *version)).collect()
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

/// The parts of a script between lines that say `GO`, as sqlcmd splits it.
fn batches(script: &str) -> Vec<String> {
    let mut batches = vec![String::new()];
    for line in script.lines() {
        if line.trim().eq_ignore_ascii_case("GO") {
            batches.push(String::new());
        } else if let Some(batch) = batches.last_mut() {
            batch.push_str(line);
            batch.push('\n');
        }
    }
    batches.retain(|batch| !batch.trim().is_empty());
    batches
}

/// SHA-256 of the script with LF line ends, in hexadecimal: a checkout on Windows has CRLF.
fn checksum(script: &str) -> String {
    let digest = Sha256::digest(script.replace("\r\n", "\n"));
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use sqlparser::dialect::MsSqlDialect;
    use sqlparser::parser::Parser;

    use super::*;

    fn ran(version: i32, checksum: String) -> Ran {
        Ran { version, checksum }
    }

    fn names(scripts: &[&Script]) -> Vec<&'static str> {
        scripts.iter().map(|script| script.name).collect()
    }

    #[test]
    fn a_script_is_split_at_lines_that_say_go() {
        assert_eq!(
            batches("SELECT 1\nGO\nSELECT 'GO'\r\n go \r\n\nGO\nSELECT 3 -- GO\n"),
            ["SELECT 1\n", "SELECT 'GO'\n", "SELECT 3 -- GO\n"]
        );
        assert_eq!(batches("\n GO\n"), Vec::<String>::new());
    }

    #[test]
    fn line_ends_do_not_change_a_checksum_and_all_else_does() {
        assert_eq!(checksum("a\r\nb\r\n"), checksum("a\nb\n"));
        assert_ne!(checksum("a\nb\n"), checksum("a\nb"));
        assert_eq!(checksum(""), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    }

    #[test]
    fn scripts_that_ran_are_skipped() {
        let [tables, snapshot] = &SCRIPTS;
        assert_eq!(names(&pending(&[]).unwrap()), [tables.name, snapshot.name]);
        let first = ran(1, checksum(tables.text));
        assert_eq!(names(&pending(&[first]).unwrap()), [snapshot.name]);
        let both = [ran(1, checksum(tables.text)), ran(2, checksum(snapshot.text))];
        assert!(pending(&both).unwrap().is_empty());
    }

    #[test]
    fn a_script_that_changed_is_refused_by_name() {
        let refused = pending(&[ran(1, checksum("something else"))]).map(|_| ());
        assert_eq!(refused, Err(MigrateError::Changed("0001_tables.sql")));
    }

    #[test]
    fn a_newer_schema_is_reported_and_works() {
        let history = [ran(1, checksum(SCRIPTS[0].text)), ran(7, String::new())];
        assert_eq!(unknown(&history), [7]);
        assert!(pending(&history).is_ok());
    }

    #[test]
    fn scripts_are_numbered_in_order_and_every_file_is_one_of_them() {
        let mut files: Vec<String> = std::fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/../../../migrations"))
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        files.sort();
        assert_eq!(files, SCRIPTS.each_ref().map(|script| script.name));
        for (script, expected) in SCRIPTS.iter().zip(1..) {
            assert_eq!(script.version, expected);
            assert!(script.name.starts_with(&format!("{expected:04}_")));
        }
    }

    #[test]
    fn each_batch_parses() {
        // The parser does not know ALTER DATABASE, which is all that the optional one consists of.
        for script in SCRIPTS.iter().filter(|script| !script.optional) {
            for batch in batches(script.text) {
                let parsed = Parser::parse_sql(&MsSqlDialect {}, &batch);
                assert!(parsed.is_ok(), "{}: {}\n{batch}", script.name, parsed.unwrap_err());
            }
        }
    }

    #[test]
    fn the_constraints_of_the_tables_are_those_whose_violations_we_can_tell() {
        let named = SCRIPTS[0].text.split("CONSTRAINT ").skip(1).filter_map(|rest| rest.split_whitespace().next());
        let mut named: Vec<&str> = named.filter(|name| !name.starts_with("df_")).collect();
        named.sort_unstable();
        let mut known = faults::CONSTRAINTS.map(|(name, _)| name);
        known.sort_unstable();
        assert_eq!(named, known);
    }
}
