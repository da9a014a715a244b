//! The server over real connections, and the shutdown of a real process.

#![allow(clippy::unwrap_used, reason = "helpers of tests fail tests")]

mod exposition;
mod http;
#[cfg(unix)]
mod signals;
