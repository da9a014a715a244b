//! The consumer over real tables (SQLite) and a log, a queue and faults that a test commands.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]

mod addresses;
mod audit;
mod batches;
mod check;
mod clocks;
mod console;
mod dlq;
mod dlq_limit;
mod embedded;
mod fake_log;
mod fakes;
mod faults;
mod faulty;
mod fleet;
mod gates;
mod inputs;
mod isolation;
mod lag;
mod ledger;
mod liveness;
mod log;
mod meetings;
mod monitor;
mod outages;
mod package_files;
mod parking;
mod peek;
mod polls;
mod privacy;
mod replay;
mod rig;
mod schedule;
mod stops;
mod trace;
mod verify;
