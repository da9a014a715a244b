//! The program as its users meet it: as a process.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]

mod command_line;
mod crash;
mod demo;
mod docs;
mod live;
mod process;
