//! SQLite's error numbers to classes of failure. The one place that knows them.

use std::io;
use std::path::{Path, PathBuf};

use pipeline::{Dependency, Fault, FaultClass};
use readmodel::ReadFault;
use rusqlite::ffi;

/// Why the database cannot be opened.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OpenError {
    /// The file's directory is not there. It is not created: a wrong path should not go unnoticed.
    #[error("the directory {} of the embedded database does not exist", .0.display())]
    NoDirectory(PathBuf),
    /// There is no place for a temporary file.
    #[error("no temporary folder can be made for the embedded database: {0}")]
    NoTemporaryFolder(io::ErrorKind),
    /// The file was written by another version of this program.
    #[error("the tables in {} are of version {found}, this program knows version {known}: use the program that wrote it, or another file", path.display())]
    OtherVersion {
        /// The file.
        path: PathBuf,
        /// Its version.
        found: i64,
        /// Ours.
        known: i64,
    },
    /// SQLite cannot use it.
    #[error("the database in {} cannot be used (SQLite error {code}): {what}", path.display())]
    Unusable {
        /// The file.
        path: PathBuf,
        /// What is wrong, and what to look at.
        what: &'static str,
        /// SQLite's extended result code (<https://www.sqlite.org/rescode.html>), or 0 where it gave none.
        code: i64,
    },
}

impl OpenError {
    pub(crate) fn unusable(path: &Path, failure: Failure) -> Self {
        let fault = failure.into_fault(Dependency::Database, "open");
        // An advice begins with a word for what it is about, which the sentence has already.
        let advice = fault.advice().and_then(|advice| advice.split_once(": ")).map(|(_, advice)| advice);
        let what = advice.unwrap_or(if fault.subject == "open" { fault.class.label() } else { fault.subject });
        Self::Unusable { path: path.to_owned(), what, code: fault.code.unwrap_or_default() }
    }
}

/// What can go wrong inside, before it is known for whom.
#[derive(Debug)]
pub(crate) enum Failure {
    /// SQLite says so.
    Sqlite(rusqlite::Error),
    /// No connection came free in time.
    Busy,
    /// A parked event has left the table.
    ReleaseLost,
    /// The sum of a ledger does not fit in 64 bits.
    StockOverflow,
    /// A row is not there that must be.
    RowMissing,
}

impl From<rusqlite::Error> for Failure {
    fn from(error: rusqlite::Error) -> Self {
        Self::Sqlite(error)
    }
}

impl Failure {
    /// The failure as the write side sees it; `operation` is what we were doing.
    pub(crate) fn into_fault(self, dependency: Dependency, operation: &'static str) -> Fault {
        let (class, code, subject) = match &self {
            Self::Sqlite(error) => classify(error, operation),
            Self::Busy => (FaultClass::Unavailable { timed_out: true }, None, operation),
            Self::ReleaseLost => (FaultClass::ReleaseLost, None, operation),
            Self::StockOverflow => (FaultClass::Poison, None, "inventory_quantity"),
            Self::RowMissing => (FaultClass::Bug, None, operation),
        };
        Fault { dependency, class, code, subject }
    }

    /// The failure as the read side sees it.
    pub(crate) fn into_read_fault(self) -> ReadFault {
        let fault = self.into_fault(Dependency::Database, "read");
        let class = match fault.class {
            FaultClass::Unavailable { .. } | FaultClass::LockConflict => "unavailable",
            FaultClass::Operator => "operator",
            _ => "bug",
        };
        ReadFault { class, code: fault.code, told: fault.to_string() }
    }
}

fn classify(error: &rusqlite::Error, operation: &'static str) -> (FaultClass, Option<i64>, &'static str) {
    let Some(number) = error.sqlite_extended_error_code() else {
        // A value that is not of its column's type, a statement with too few parameters: ours to mend.
        return (FaultClass::Bug, None, operation);
    };
    let constraint = match number {
        ffi::SQLITE_CONSTRAINT_UNIQUE | ffi::SQLITE_CONSTRAINT_CHECK => constraint(error),
        ffi::SQLITE_CONSTRAINT_FOREIGNKEY => Some((FaultClass::MissingParent, "foreign_key")),
        _ => None,
    };
    let (class, subject) = constraint.unwrap_or_else(|| (by_number(number), look_at(number).unwrap_or(operation)));
    (class, Some(number.into()), subject)
}

/// What to look at, where the number says it.
const fn look_at(number: i32) -> Option<&'static str> {
    Some(match number & 0xff {
        ffi::SQLITE_FULL => "disk: there is no room left for the file of the embedded database",
        ffi::SQLITE_READONLY => "rights: the file of the embedded database, or its folder, can only be read; see whose it is",
        ffi::SQLITE_CANTOPEN => {
            "file: the embedded database cannot be opened or created; look at its folder, and at this user's rights there"
        }
        ffi::SQLITE_PERM | ffi::SQLITE_AUTH => "rights: this user may not use the file of the embedded database",
        ffi::SQLITE_CORRUPT => "file: the embedded database is damaged; put a copy of it in its place, or begin a new one",
        ffi::SQLITE_NOTADB => "file: it is not a SQLite database; put a copy of the right one in its place, or name another folder or file",
        ffi::SQLITE_NOMEM => "memory: there is none left for the embedded database",
        ffi::SQLITE_IOERR => "disk: the file of the embedded database cannot be read or written; the system's log says why",
        _ => return None,
    })
}

/// The extended code holds the primary one in its lowest eight bits (<https://www.sqlite.org/rescode.html>).
fn by_number(number: i32) -> FaultClass {
    match number & 0xff {
        ffi::SQLITE_BUSY | ffi::SQLITE_LOCKED => FaultClass::LockConflict,
        ffi::SQLITE_FULL
        | ffi::SQLITE_READONLY
        | ffi::SQLITE_CANTOPEN
        | ffi::SQLITE_PERM
        | ffi::SQLITE_AUTH
        | ffi::SQLITE_CORRUPT
        | ffi::SQLITE_NOTADB
        | ffi::SQLITE_NOMEM => FaultClass::Operator,
        ffi::SQLITE_IOERR => FaultClass::Unavailable { timed_out: false },
        ffi::SQLITE_TOOBIG => FaultClass::Poison,
        _ => FaultClass::Bug,
    }
}

/// Our own constraints, by the whole text with which SQLite names them; it quotes no values. One that is not ours is no fault of the data.
const CONSTRAINTS: [(&str, FaultClass, &str); 3] = [
    ("UNIQUE constraint failed: users.email_key", FaultClass::EmailTaken, "uq_users_email"),
    ("CHECK constraint failed: ck_orders_currency", FaultClass::Poison, "ck_orders_currency"),
    ("CHECK constraint failed: ck_payments_currency", FaultClass::Poison, "ck_payments_currency"),
];

fn constraint(error: &rusqlite::Error) -> Option<(FaultClass, &'static str)> {
    let rusqlite::Error::SqliteFailure(_, Some(text)) = error else { return None };
    CONSTRAINTS.iter().find(|(known, ..)| known == text).map(|&(_, class, name)| (class, name))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fault(number: i32, text: &str) -> Fault {
        let error = rusqlite::Error::SqliteFailure(ffi::Error::new(number), Some(text.to_owned()));
        Failure::from(error).into_fault(Dependency::Database, "apply_batch")
    }

    #[test]
    fn every_number_that_is_not_listed_holds() {
        let unavailable = FaultClass::Unavailable { timed_out: false };
        for (number, class) in [
            (ffi::SQLITE_BUSY, FaultClass::LockConflict),
            (ffi::SQLITE_BUSY_SNAPSHOT, FaultClass::LockConflict),
            (ffi::SQLITE_LOCKED_SHAREDCACHE, FaultClass::LockConflict),
            (ffi::SQLITE_FULL, FaultClass::Operator),
            (ffi::SQLITE_READONLY_DBMOVED, FaultClass::Operator),
            (ffi::SQLITE_CANTOPEN_ISDIR, FaultClass::Operator),
            (ffi::SQLITE_PERM, FaultClass::Operator),
            (ffi::SQLITE_AUTH, FaultClass::Operator),
            (ffi::SQLITE_CORRUPT_INDEX, FaultClass::Operator),
            (ffi::SQLITE_NOTADB, FaultClass::Operator),
            (ffi::SQLITE_NOMEM, FaultClass::Operator),
            (ffi::SQLITE_IOERR_FSYNC, unavailable),
            (ffi::SQLITE_TOOBIG, FaultClass::Poison),
            (ffi::SQLITE_CONSTRAINT_FOREIGNKEY, FaultClass::MissingParent),
            (ffi::SQLITE_CONSTRAINT_PRIMARYKEY, FaultClass::Bug),
            (ffi::SQLITE_CONSTRAINT_NOTNULL, FaultClass::Bug),
            (ffi::SQLITE_CONSTRAINT_DATATYPE, FaultClass::Bug),
            (ffi::SQLITE_ERROR, FaultClass::Bug),
            (ffi::SQLITE_MISUSE, FaultClass::Bug),
            (ffi::SQLITE_SCHEMA, FaultClass::Bug),
        ] {
            let fault = fault(number, "");
            assert_eq!((fault.class, fault.code), (class, Some(number.into())));
            // Where a person must act, it says what to look at.
            assert_eq!(fault.subject.contains(": "), matches!(class, FaultClass::Operator) || class == unavailable, "{number}");
        }
    }

    #[test]
    fn a_constraint_counts_only_when_it_is_one_of_ours() {
        for (text, class, name) in CONSTRAINTS {
            let number = if text.starts_with("UNIQUE") { ffi::SQLITE_CONSTRAINT_UNIQUE } else { ffi::SQLITE_CONSTRAINT_CHECK };
            let found = fault(number, text);
            assert_eq!((found.class, found.subject), (class, name));
            let longer = fault(number, &format!("{text}_of_others"));
            assert_eq!((longer.class, longer.subject), (FaultClass::Bug, "apply_batch"));
        }
    }

    #[test]
    fn a_fault_shows_numbers_and_names_and_no_text_of_sqlite() {
        let shown = fault(ffi::SQLITE_ERROR, "near \"canary\": syntax error");
        assert_eq!(shown.to_string(), "the database refuses in a way that must not happen (apply_batch, error 1)");
        assert!(!format!("{shown:?}").contains("canary"));
    }
}
