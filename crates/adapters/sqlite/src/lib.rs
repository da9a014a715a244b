//! The embedded database: a file that holds what SQL Server and Redis hold otherwise, with the same outcomes for the same batches.
//!
//! | module | what it holds |
//! |---|---|
//! | [`config`] | where the file is |
//! | [`database`] | [`Sqlite`]: opens the file; what the ports are implemented for |
//! | `connection` | one connection, and how it waits and writes |
//! | `connections` | connections of one kind, taken in turn, without blocking an async worker |
//! | `schema` | the tables, which version of them the file has, and what brings it to the newest |
//! | `store` | `EventStore` and `DryRun`: one batch, one transaction |
//! | `rows` | users, orders and payments: registers in which the last writer wins |
//! | `emails` | whose an e-mail address is |
//! | `stock` | the ledger of adjustments and its sum |
//! | `ledger` | `LedgerCompaction`: folding old lines of it into opening balances |
//! | `parking` | `ParkingLot` and `ParkingExpiry` |
//! | `positions` | `LogPositions`: how far the tables hold the log |
//! | `audit` | `AuditLog`: what operators have changed |
//! | `heartbeats` | `Heartbeats`: who consumes |
//! | `changes` | `RowChanges`: which rows were written since they were compared |
//! | `trace` | `EventTrace`: what the tables know of one event |
//! | `table_rows` | `TableRows`: the tables row by row, to compare them |
//! | `read` | `ReadStore` |
//! | `dead_letters` | `DeadLetterQueue`, `DeadLetterReader` and `DeadLetterArchive` |
//! | `claims` | `ClaimQueue` |
//! | `permits` | `FloodPermits` |
//! | `values` | our types in SQLite's columns |
//! | [`faults`] | SQLite's error numbers to classes of failure |
//!
//! SQLite works in the calling thread, so a call that was polled runs to its end: a dropped future has either done nothing or everything.

mod audit;
mod changes;
mod checkpoint;
mod claims;
pub mod config;
mod connection;
mod connections;
pub mod database;
mod dead_letters;
mod emails;
pub mod faults;
mod heartbeats;
mod leases;
mod ledger;
mod parking;
mod permits;
mod positions;
mod read;
mod redrive_jobs;
mod rows;
mod schema;
mod stock;
mod store;
mod table_rows;
mod trace;
mod values;

pub use config::SqliteConfig;
pub use database::Sqlite;
pub use faults::OpenError;
