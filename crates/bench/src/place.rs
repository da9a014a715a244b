//! Where the rows and the dead letters go: empty tables for each run.

use std::path::PathBuf;

use anyhow::Context as _;
use consumer::operator::OperatorTables;
use pipeline::ports::{ClaimQueue, DeadLetterQueue, DeadLetterReader, FloodPermits, LogPositions, ParkingExpiry, TableRows};
use pipeline::{EventStore, ParkingLot};
use readmodel::ReadStore;
use redis_dlq::{RedisConfig, RedisDlq};
use sqlite::Sqlite;
use sqlserver::{SqlServer, SqlServerConfig};
use tempfile::TempDir;
use uuid::Uuid;

/// Tables that a consumer writes, the API reads, `verify` compares and the console shows.
pub trait Tables: EventStore + LogPositions + TableRows + ParkingLot + ParkingExpiry + ReadStore + OperatorTables {}

impl<T: EventStore + LogPositions + TableRows + ParkingLot + ParkingExpiry + ReadStore + OperatorTables> Tables for T {}

/// A dead letter queue that a consumer can work with.
pub trait Queue: DeadLetterQueue + DeadLetterReader + ClaimQueue + FloodPermits + Clone + 'static {}

impl<Q: DeadLetterQueue + DeadLetterReader + ClaimQueue + FloodPermits + Clone + 'static> Queue for Q {}

/// Empty tables and an empty queue. What was made for them on this machine is removed when this is dropped.
pub struct Opened<T, Q> {
    /// The tables.
    pub tables: T,
    /// The dead letters.
    pub dead_letters: Q,
    _folder: Option<TempDir>,
}

/// A kind of store.
pub trait Place {
    /// Its tables.
    type Tables: Tables;
    /// Its dead letters.
    type DeadLetters: Queue;

    /// What the report calls it.
    fn describe(&self) -> String;

    /// Makes empty tables.
    ///
    /// # Errors
    /// There is no room, no right, or no server.
    fn open(&self) -> impl Future<Output = anyhow::Result<Opened<Self::Tables, Self::DeadLetters>>>;
}

/// SQLite.
#[derive(Clone, Debug, Default)]
pub struct Embedded {
    /// Where the files go; without it the system's folder for temporary files.
    pub folder: Option<PathBuf>,
    /// Whether a commit waits for the disk, as it does in a file that is to be kept.
    pub durable: bool,
}

impl Place for Embedded {
    type Tables = Sqlite;
    type DeadLetters = Sqlite;

    fn describe(&self) -> String {
        let commit = if self.durable { "each commit waits for the disk (synchronous=FULL)" } else { "no commit waits for the disk" };
        format!("SQLite in a file, {commit}; dead letters in the same file")
    }

    async fn open(&self) -> anyhow::Result<Opened<Sqlite, Sqlite>> {
        if !self.durable {
            let tables = Sqlite::temporary()?;
            return Ok(Opened { dead_letters: tables.clone(), tables, _folder: None });
        }
        let mut builder = tempfile::Builder::new();
        builder.prefix("bench-");
        let folder = self.folder.as_ref().map_or_else(|| builder.tempdir(), |folder| builder.tempdir_in(folder));
        let folder = folder.context("no folder for the tables can be made")?;
        let tables = Sqlite::open(&folder.path().join("events.db"))?;
        Ok(Opened { dead_letters: tables.clone(), tables, _folder: Some(folder) })
    }
}

/// SQL Server and Redis. Each run has a database and a list of its own, which stay behind.
#[derive(Clone, Debug)]
pub struct Servers {
    /// Where SQL Server is.
    pub database: SqlServerConfig,
    /// Where Redis is.
    pub redis: RedisConfig,
}

impl Place for Servers {
    type Tables = SqlServer;
    type DeadLetters = RedisDlq;

    fn describe(&self) -> String {
        "SQL Server; dead letters in Redis. Each run has a database `bench-…` and a list `bench:…` of its own, which stay behind".to_owned()
    }

    async fn open(&self) -> anyhow::Result<Opened<SqlServer, RedisDlq>> {
        let run = Uuid::new_v4().simple();
        let database = SqlServerConfig { database: format!("bench-{run}"), ..self.database.clone() };
        sqlserver::migrate(&database).await.context("MSSQL_SERVER: the tables of a run cannot be made")?;
        let dead_letters = RedisDlq::new(&RedisConfig { list: format!("bench:{run}"), ..self.redis.clone() })?;
        dead_letters.depth().await.context("REDIS_HOST: the dead letters of SQL Server's runs go to Redis, which does not answer")?;
        Ok(Opened { tables: SqlServer::new(database), dead_letters, _folder: None })
    }
}
