//! What needs a server: a scripted one always, a real one when `MSSQL_SERVER` is set.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]

mod answers;
mod audit;
mod certificates;
mod compaction;
mod contract;
mod dry_run;
mod encrypted;
mod encryption;
mod entra;
mod faults;
mod heartbeats;
mod inspect;
mod intent;
mod logs;
mod migration;
mod outages;
mod places;
mod real;
mod scripted;
mod tables;
