//! [`Sqlite`]: opens the file; what the ports are implemented for.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use events::Timestamp;
use pipeline::{Dependency, Fault};
use rusqlite::{Connection, Transaction, TransactionBehavior};
use tempfile::TempDir;

use crate::checkpoint::Checkpointer;
use crate::config::SqliteConfig;
use crate::connection::{self, Durability};
use crate::connections::Connections;
use crate::faults::{Failure, OpenError};
use crate::schema;

/// Reads that run at one time.
const READERS: usize = 4;

/// The embedded database. Clones share one file and its connections.
///
/// Not to be used inside a [`tokio::task::LocalSet`] of a runtime with several threads: tokio cannot move that thread's other tasks away.
#[derive(Clone)]
pub struct Sqlite {
    shared: Arc<Shared>,
}

struct Shared {
    writer: Connections,
    readers: Connections,
    /// After the writer, with which its thread ends.
    _checkpointer: Checkpointer,
    path: PathBuf,
    seen_retention: Duration,
    /// Removed with the last clone; declared last, so that the connections are closed before.
    _folder: Option<TempDir>,
}

impl fmt::Debug for Sqlite {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sqlite").field("path", &self.shared.path).finish_non_exhaustive()
    }
}

impl Sqlite {
    /// Opens the database of this configuration.
    ///
    /// # Errors
    /// See [`OpenError`].
    pub fn start(config: &SqliteConfig) -> Result<Self, OpenError> {
        match &config.path {
            // A commit is on the disk before an offset is committed.
            Some(path) => Self::assemble(path, None, Durability::PowerLoss, config.seen_retention),
            None => {
                let folder = TempDir::with_prefix("event-pipeline-").map_err(|error| OpenError::NoTemporaryFolder(error.kind()))?;
                let path = folder.path().join("events.db");
                Self::assemble(&path, Some(folder), Durability::None, config.seen_retention)
            }
        }
    }

    /// Opens this file, and creates it where there is none. What it holds survives a restart, and each commit a loss of power.
    ///
    /// # Errors
    /// See [`OpenError`].
    pub fn open(path: &Path) -> Result<Self, OpenError> {
        Self::start(&SqliteConfig { path: Some(path.to_owned()), ..SqliteConfig::default() })
    }

    /// Opens this file for what can be made again, and creates it where there is none. What it holds survives the end of the process; a loss of
    /// power may take the last commits, and leaves the file whole.
    ///
    /// # Errors
    /// See [`OpenError`].
    pub fn open_remakeable(path: &Path) -> Result<Self, OpenError> {
        Self::assemble(path, None, Durability::Process, SqliteConfig::default().seen_retention)
    }

    /// Opens a file in a temporary folder, which is removed with the last clone.
    ///
    /// # Errors
    /// See [`OpenError`].
    pub fn temporary() -> Result<Self, OpenError> {
        Self::start(&SqliteConfig::default())
    }

    /// Where the file is.
    pub fn path(&self) -> &Path {
        &self.shared.path
    }

    fn assemble(path: &Path, folder: Option<TempDir>, durability: Durability, seen_retention: Duration) -> Result<Self, OpenError> {
        // Absolute: SQLite would read a name that begins with `file:` as an address.
        let path = std::path::absolute(path).map_err(|_| OpenError::NoDirectory(path.to_owned()))?;
        if let Some(directory) = path.parent().filter(|directory| !directory.is_dir()) {
            return Err(OpenError::NoDirectory(directory.to_owned()));
        }
        let unusable = |failure: Failure| OpenError::unusable(&path, failure);
        let mut writer = connection::writer(&path).map_err(|error| unusable(error.into()))?;
        let version = schema::prepare(&mut writer).map_err(unusable)?;
        if version != schema::VERSION {
            return Err(OpenError::OtherVersion { path, found: version, known: schema::VERSION });
        }
        connection::set_durability(&writer, durability).map_err(|error| unusable(error.into()))?;
        let beside = connection::writer(&path).and_then(|beside| connection::set_durability(&beside, durability).map(|()| beside));
        let checkpointer = beside.and_then(|beside| Checkpointer::start(&mut writer, beside, connection::LOG_PAGES));
        let checkpointer = checkpointer.map_err(|error| unusable(error.into()))?;
        let readers: Result<_, _> = (0..READERS).map(|_| connection::reader(&path)).collect();
        let readers = Connections::new(readers.map_err(|error| unusable(error.into()))?);
        let writer = Connections::new(vec![writer]);
        let shared = Shared { writer, readers, _checkpointer: checkpointer, path, seen_retention, _folder: folder };
        Ok(Self { shared: Arc::new(shared) })
    }

    /// Works in one transaction of the writing connection: all of it is written, or nothing. A failure is told as one of `part`.
    pub(crate) async fn write<T>(
        &self,
        part: Dependency,
        operation: &'static str,
        work: impl FnOnce(&Connection) -> Result<T, Failure>,
    ) -> Result<T, Fault> {
        let written = self.shared.writer.run(|connection| {
            let transaction = begin(connection)?;
            let result = work(&transaction)?;
            transaction.commit()?;
            Ok(result)
        });
        written.await.map_err(|failure| failure.into_fault(part, operation))
    }

    /// Works as [`Sqlite::write`] does on the tables, and undoes all of it.
    pub(crate) async fn roll_back<T>(
        &self,
        operation: &'static str,
        work: impl FnOnce(&Connection) -> Result<T, Failure>,
    ) -> Result<T, Fault> {
        let dry_run = self.shared.writer.run(|connection| {
            let transaction = begin(connection)?;
            let result = work(&transaction)?;
            transaction.rollback()?;
            Ok(result)
        });
        dry_run.await.map_err(|failure| failure.into_fault(Dependency::Database, operation))
    }

    /// Works with one of the reading connections.
    pub(crate) async fn read<T>(&self, work: impl FnOnce(&Connection) -> Result<T, Failure>) -> Result<T, Failure> {
        self.shared.readers.run(|connection| work(connection)).await
    }

    /// Reads with the writing connection what it has just written: its pages are in that connection's memory.
    pub(crate) async fn read_back<T>(&self, work: impl FnOnce(&Connection) -> Result<T, Failure>) -> Result<T, Failure> {
        self.shared.writer.run(|connection| work(connection)).await
    }

    pub(crate) fn seen_retention(&self) -> Duration {
        self.shared.seen_retention
    }
}

/// Immediate: whoever else writes this file waits before the work looks at anything, so what it has seen stays so.
fn begin(connection: &mut Connection) -> rusqlite::Result<Transaction<'_>> {
    connection.transaction_with_behavior(TransactionBehavior::Immediate)
}

/// This instant by the clock of the store, which is that of the machine.
pub(crate) fn now() -> Timestamp {
    Timestamp::from(SystemTime::now())
}
