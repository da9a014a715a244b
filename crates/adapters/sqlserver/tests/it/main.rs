//! What needs a server: a scripted one always, a real one when `MSSQL_SERVER` is set.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]

mod contract;
mod faults;
mod logs;
mod migration;
mod outages;
mod real;
mod scripted;
