//! The program, run short.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]

mod quick;
mod wrong_rows;
