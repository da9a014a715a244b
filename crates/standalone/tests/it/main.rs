//! The program as its users meet it: as a process.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]

mod audit;
mod command_line;
mod compose;
mod crash;
mod demo;
mod dlq;
mod dockerfiles;
mod docs;
mod exit_codes;
mod jobs;
mod ledger;
mod live;
mod logins;
mod monitoring;
mod output;
mod peek;
mod privacy;
mod process;
mod prometheus;
mod promql;
mod repository;
mod requests;
mod resume;
mod scripts;
mod status;
mod watching;
