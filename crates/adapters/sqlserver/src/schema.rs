//! Whether the tables are those that this build needs: asked of the history of migrations, with no right but to read it.

use std::fmt;
use std::time::Duration;

use pipeline::Fault;

use crate::config::SqlServerConfig;
use crate::connection::{Connection, Failure};
use crate::faults::{CANNOT_OPEN_DATABASE, NO_SUCH_OBJECT};
use crate::row::Columns;
use crate::scripts::SCRIPTS;
use crate::statement::HISTORY;

/// How the schema stands to this build.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SchemaState {
    /// There is no history of migrations, or no database. The server says the same of a database that it cannot open yet.
    Missing,
    /// A script that this build needs has not run.
    Older {
        /// The last version before that script; 0 where none ran.
        found: i32,
        /// The version that this build needs.
        needed: i32,
    },
    /// Every script that this build needs has run, and no other.
    Current,
    /// Scripts have run besides that this build does not know. Since schemas expand before they contract, it works on.
    Newer {
        /// The last version that ran.
        found: i32,
        /// The last that this build knows.
        known: i32,
    },
}

impl SchemaState {
    /// Whether this build can work on it.
    pub const fn fits(self) -> bool {
        matches!(self, Self::Current | Self::Newer { .. })
    }

    /// What to do, where something is to be done.
    pub const fn advice(self) -> Option<&'static str> {
        match self {
            Self::Missing | Self::Older { .. } => Some("run `consumer migrate`"),
            Self::Newer { .. } => Some("upgrade this program; it works on meanwhile"),
            Self::Current => None,
        }
    }

    fn of(history: &[Ran]) -> Self {
        let ran = |version| history.iter().any(|ran| ran.version == version);
        let needed = SCRIPTS.iter().filter(|script| !script.optional).map(|script| script.version);
        if let Some(first_missing) = needed.clone().find(|version| !ran(*version)) {
            let before = history.iter().map(|ran| ran.version).filter(|version| *version < first_missing);
            return Self::Older { found: before.max().unwrap_or(0), needed: needed.max().unwrap_or(0) };
        }
        let known = SCRIPTS.iter().map(|script| script.version).max().unwrap_or(0);
        unknown(history).into_iter().max().map_or(Self::Current, |found| Self::Newer { found, known })
    }
}

impl fmt::Display for SchemaState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing => f.write_str("the database has no tables of ours"),
            Self::Older { found, needed } => {
                write!(f, "the schema is at version {found}, this program needs version {needed}")
            }
            Self::Current => f.write_str("the schema is the one that this program needs"),
            Self::Newer { found, known } => {
                write!(f, "the schema is at version {found}, this program knows up to version {known}")
            }
        }
    }
}

/// How the schema stands to this build. Changes nothing, and needs only the right to read the history of migrations.
///
/// # Errors
/// The server is away, or refuses.
pub async fn schema(config: &SqlServerConfig) -> Result<SchemaState, Fault> {
    let mut connection = match Connection::open(config, &config.database).await {
        Ok(connection) => connection,
        Err(fault) if fault.code == Some(CANNOT_OPEN_DATABASE) => return Ok(SchemaState::Missing),
        Err(fault) => return Err(fault),
    };
    match history(&mut connection, config.command_timeout).await {
        Ok(history) => Ok(SchemaState::of(&history)),
        Err(Failure { fault, .. }) if fault.code == Some(NO_SUCH_OBJECT) => Ok(SchemaState::Missing),
        Err(Failure { fault, .. }) => Err(fault),
    }
}

/// A script that ran.
pub(crate) struct Ran {
    pub(crate) version: i32,
    pub(crate) checksum: String,
}

/// The scripts that ran.
pub(crate) async fn history(connection: &mut Connection, limit: Duration) -> Result<Vec<Ran>, Failure> {
    let sets = connection.ask(&HISTORY, &[], limit).await?;
    let rows = sets.iter().flatten().map(|row| Columns::of(row, HISTORY.name));
    let ran = rows.map(|columns| Ok(Ran { version: columns.get("version")?, checksum: columns.text("checksum")? }));
    ran.collect::<Result<_, Fault>>().map_err(|fault| Failure { fault, usable: false })
}

/// The versions that ran and that this build does not know.
pub(crate) fn unknown(history: &[Ran]) -> Vec<i32> {
    let versions = history.iter().map(|ran| ran.version);
    versions.filter(|version| SCRIPTS.iter().all(|script| script.version != *version)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn state(versions: &[i32]) -> SchemaState {
        let history: Vec<_> = versions.iter().map(|version| Ran { version: *version, checksum: String::new() }).collect();
        SchemaState::of(&history)
    }

    #[test]
    fn a_script_that_is_needed_and_did_not_run_makes_the_schema_older_whatever_else_ran() {
        for (ran, found) in [(&[][..], 0), (&[2], 0), (&[14], 0), (&[1], 1), (&[1, 2, 14], 2), (&[1, 2, 3], 3), (&[1, 2, 3, 4], 4)] {
            let state = state(ran);
            assert_eq!(state, SchemaState::Older { found, needed: 13 }, "{ran:?}");
            assert!(!state.fits());
        }
    }

    #[test]
    fn an_optional_script_that_could_not_be_done_makes_no_schema_older() {
        assert!(SCRIPTS[1].optional);
        for ran in [&[1, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13][..], &[1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13]] {
            assert_eq!(state(ran), SchemaState::Current, "{ran:?}");
        }
    }

    #[test]
    fn scripts_that_this_build_does_not_know_make_it_newer() {
        for ran in [&[1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14][..], &[1, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14]] {
            let state = state(ran);
            assert_eq!(state, SchemaState::Newer { found: 14, known: 13 }, "{ran:?}");
            assert!(state.fits());
        }
    }

    #[test]
    fn what_does_not_fit_names_the_command() {
        for state in [SchemaState::Missing, SchemaState::Older { found: 1, needed: 3 }] {
            assert_eq!(state.advice(), Some("run `consumer migrate`"), "{state}");
        }
        let older = SchemaState::Older { found: 1, needed: 3 };
        assert_eq!(older.to_string(), "the schema is at version 1, this program needs version 3");
    }
}
