//! One connection, and how it waits and writes.

use std::path::Path;
use std::time::Duration;

use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags};

/// How long a statement waits for a lock that another process holds on the file.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);
/// More than there are statements, so that each is compiled once.
const STATEMENTS: usize = 64;

/// Pages that the writer keeps in memory, in KiB. Keys are random, so that a batch touches pages all over the tables: with SQLite's own
/// 2 MiB they are written and read again within one transaction.
const CACHE_KIB: i64 = 32 * 1024;
/// Bytes in a page of a new file. A batch changes a few bytes in each of a thousand pages, and each of them is written as a whole: with
/// SQLite's own 4096 that is more. With 1024 few rows fit into one. A file keeps the size that it was made with.
const PAGE_BYTES: i64 = 2048;
/// Pages in the write-ahead log before they are moved into the file: 128 MiB, if they have that size. Batches write many of them again and
/// again: moved less often, they are moved together.
pub(crate) const LOG_PAGES: i32 = 64 * 1024;

/// The connection that writes. Creates the file where there is none, and changes nothing in one that is there.
pub(crate) fn writer(path: &Path) -> rusqlite::Result<Connection> {
    let connection = open(path, OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE)?;
    connection.pragma_update(None, "page_size", PAGE_BYTES)?;
    connection.pragma_update(None, "foreign_keys", "ON")?;
    connection.pragma_update(None, "cache_size", -CACHE_KIB)?;
    Ok(connection)
}

/// What of the commits outlives what.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Durability {
    /// Each is on the disk before it is told as done.
    PowerLoss,
    /// All outlive the process; a loss of power may take the last ones, and leaves the file whole.
    Process,
    /// Nothing is to outlive the process.
    None,
}

/// Sets how commits reach the disk.
pub(crate) fn set_durability(writer: &Connection, durability: Durability) -> rusqlite::Result<()> {
    // Readers go on while a batch is written. The mode stays with the file.
    writer.pragma_update(None, "journal_mode", "WAL")?;
    let synchronous = match durability {
        Durability::PowerLoss => "FULL",
        Durability::Process => "NORMAL",
        Durability::None => "OFF",
    };
    writer.pragma_update(None, "synchronous", synchronous)
}

/// A connection that reads.
pub(crate) fn reader(path: &Path) -> rusqlite::Result<Connection> {
    open(path, OpenFlags::SQLITE_OPEN_READ_ONLY)
}

fn open(path: &Path, flags: OpenFlags) -> rusqlite::Result<Connection> {
    // No mutex: a lane gives a connection to one caller at a time.
    let connection = Connection::open_with_flags(path, flags | OpenFlags::SQLITE_OPEN_NO_MUTEX)?;
    connection.busy_timeout(BUSY_TIMEOUT)?;
    // A statement keeps the plan it was compiled with. Otherwise one whose plan may depend on a value is compiled anew for every value.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
    connection.set_prepared_statement_cache_capacity(STATEMENTS);
    Ok(connection)
}
