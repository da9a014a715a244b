//! The simulation, in small; and the contract suites of the real adapters on the simulated ones.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]

mod checks;
mod queue;
mod runs;
mod store;
