//! Bringing the schema up to date: on demand, and at start where that was asked for.

use pipeline::fault::{Cause, FaultClass};
use sqlserver::{MigrateError, MigrationReport, SqlServerConfig, migrate};

use crate::reason::reason;
use crate::starting::Starting;

/// Migrates before anything is consumed, however long the database is away. `false` when the consumer was told to stop first.
pub(crate) async fn until_migrated(config: &SqlServerConfig, starting: &Starting) -> bool {
    let mut tries = 0;
    loop {
        tries += 1;
        let Some(migrated) = starting.alive(migrate(config)).await else { return false };
        match migrated {
            Ok(report) => {
                tracing::info!("{}", describe(&report));
                starting.released();
                return true;
            }
            Err(error) => note(&error, starting),
        }
        if !starting.pause(tries).await {
            return false;
        }
    }
}

/// Shows why nothing was migrated; one line when that begins.
fn note(error: &MigrateError, starting: &Starting) {
    match error {
        MigrateError::Fault(fault) if matches!(fault.class, FaultClass::Unavailable { .. }) => {
            if starting.held(Cause::Outage, reason(fault)) {
                tracing::warn!(%error, "waiting for the database before anything is consumed");
            }
        }
        _ => {
            let why = match error {
                MigrateError::Fault(fault) => reason(fault),
                other => format!("the schema cannot be brought up to date: {other}"),
            };
            if starting.held(Cause::Operator, why) {
                tracing::error!(%error, "the schema cannot be brought up to date: nothing is consumed until it is, and the try is repeated");
            }
        }
    }
}

/// What a migration did, for a person.
pub(crate) fn describe(report: &MigrationReport) -> String {
    let mut lines = Vec::new();
    if report.created_database {
        lines.push("created the database".to_owned());
    }
    lines.extend(report.applied.iter().map(|script| format!("applied {script}")));
    lines.extend(report.warnings.iter().map(|warning| {
        format!("could not do {} (error {}): nothing depends on it, it is tried again next time", warning.script, warning.code)
    }));
    if !report.unknown.is_empty() {
        lines.push(format!("the schema is newer than this program (versions {:?}): upgrade it; it works on meanwhile", report.unknown));
    }
    if lines.is_empty() { "the schema is up to date".to_owned() } else { lines.join("\n") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_report_says_what_was_done_or_that_nothing_was_to_do() {
        assert_eq!(describe(&MigrationReport::default()), "the schema is up to date");
        let report = MigrationReport { created_database: true, applied: vec!["0001_tables.sql"], warnings: Vec::new(), unknown: vec![7] };
        assert_eq!(
            describe(&report),
            "created the database\napplied 0001_tables.sql\nthe schema is newer than this program (versions [7]): upgrade it; it works on meanwhile"
        );
    }
}
