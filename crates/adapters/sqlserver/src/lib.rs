//! SQL Server: the tables that events are written to, the events that wait, and the reads of the API. Over TDS, by tiberius.
//!
//! | module | what it holds |
//! |---|---|
//! | `config` | [`SqlServerConfig`]: the `MSSQL_*` settings |
//! | `connection_string` | `MSSQL_CONNECTION_STRING`, as ADO.NET, ODBC and JDBC write it |
//! | `entra` | [`EntraTokens`]: tokens of Microsoft Entra ID in place of a password |
//! | `server` | the server's name as people write it |
//! | `reach` | a TCP connection to whichever address takes one |
//! | `browser` | the port of a named instance |
//! | `migrate` | [`migrate()`]: creates the database and brings its tables up to date |
//! | `scripts` | the migrations, and what holds their authors to the rules of `migrations/README.md` |
//! | `schema` | [`schema()`]: whether the tables are those that this build needs |
//! | `store` | [`SqlServer`], its `EventStore` and `DryRun`: one batch, one transaction, one round trip |
//! | `answer` | what the batch statement answers |
//! | `parking` | its `ParkingLot` and `ParkingExpiry` |
//! | `positions` | its `LogPositions`: how far the tables hold the log |
//! | `audit` | its `AuditLog`: what operators have changed |
//! | `heartbeats` | its `Heartbeats`: who consumes |
//! | `table_rows` | its `TableRows`: the tables row by row, to compare them |
//! | `trace` | its `EventTrace`: what the tables know of one event |
//! | `read` | its `ReadStore`: one statement per answer |
//! | `inspect` | what an operator should know: rights, set-up, use of the pool |
//! | `faults` | error number → class: the one table |
//! | `advice` | error number → a word for it, the cause and the remedy |
//! | `pool` | a few connections, of which only clean ones are used again |
//! | `connection` | one session: login, redirects, settings, time limits |
//! | `statement` | the statements, each a file under `sql/` |
//! | `json` | parameters, written straight into JSON text |
//! | `row` | values out of rows: exact decimals, times |
//!
//! # What it relies on
//!
//! - SQL Server 2016 or later, or Azure SQL, with a compatibility level of 130 or more (`OPENJSON`).
//! - Rows are last-writer-wins registers over (event time, event id), stock is the sum of a ledger keyed by event id. So a batch may be
//!   applied again at any time: after a deadlock, after a timeout, after a connection that broke while it committed.
//! - `XACT_ABORT` is on: an error inside a transaction undoes all of it.
//! - `READ_COMMITTED_SNAPSHOT` keeps readers from waiting for writers. The migration turns it on where it may; nothing but speed depends on it.
//!
//! # What may be dropped, and what is bounded
//!
//! Any future may be dropped at any time: the connection that it used is closed then, and whatever it had begun is rolled back by the server
//! or had been committed already. To get a connection takes `MSSQL_CONNECT_TIMEOUT` at most, a statement `MSSQL_COMMAND_TIMEOUT`, and a
//! lock inside of it `MSSQL_LOCK_TIMEOUT`.
//!
//! # What is never told
//!
//! The server's messages quote rows, so none is passed on: a [`pipeline::Fault`] carries the number and names of our own, and the driver's
//! log lines are held back.

mod advice;
mod answer;
mod audit;
mod browser;
mod config;
mod connection;
mod connection_string;
mod entra;
mod faults;
mod heartbeats;
mod inspect;
mod json;
mod leases;
mod ledger;
mod migrate;
mod parking;
mod pool;
mod positions;
mod reach;
mod read;
mod redrive_jobs;
#[cfg(test)]
mod roles;
mod row;
mod schema;
mod scripts;
mod server;
mod statement;
mod store;
mod table_rows;
mod trace;

pub use config::{Authentication, Encryption, SqlServerConfig};
pub use entra::{EntraTokens, Identity};
pub use inspect::{Connections, DatabaseFacts, LEAST_COMPATIBILITY_LEVEL};
pub use migrate::{MigrateError, MigrationReport, MigrationWarning, migrate};
pub use reach::{Resolver, tried_addresses};
pub use schema::{SchemaState, schema};
pub use store::SqlServer;
