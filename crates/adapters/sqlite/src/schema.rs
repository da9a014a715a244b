//! The tables, and which version of them the file has.

use rusqlite::{Connection, TransactionBehavior};

use crate::faults::Failure;

/// The tables, created in an empty file.
const SCHEMA: &str = include_str!("../sql/schema.sql");

/// The version that this program writes, kept in the file's header (`PRAGMA user_version`).
pub(crate) const VERSION: i64 = 2;

/// Creates the tables in an empty file, and says which version the file has; 0 is a file of someone else, which is left alone.
pub(crate) fn prepare(connection: &mut Connection) -> Result<i64, Failure> {
    // Immediate: of two programs that open one new file, the second waits and finds the tables.
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let version = transaction.query_row("PRAGMA user_version", [], |row| row.get(0))?;
    let empty = !transaction.query_row("SELECT EXISTS (SELECT 1 FROM sqlite_schema)", [], |row| row.get::<_, bool>(0))?;
    if version != 0 || !empty {
        return Ok(version);
    }
    transaction.execute_batch(SCHEMA)?;
    transaction.pragma_update(None, "user_version", VERSION)?;
    transaction.commit()?;
    Ok(VERSION)
}
