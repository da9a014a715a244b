//! For tests only: one contract suite per port, which every adapter runs, and what tests everywhere need.
//!
//! | module | what it holds |
//! |---|---|
//! | [`store_contract`](mod@store_contract) | what every database does with a batch; run it with [`store_contract!`] |
//! | [`dlq_contract`](mod@dlq_contract) | what every dead letter queue does; run it with [`dlq_contract!`] |
//! | [`builders`] | events, parked events and dead letters with random identities |
//! | [`command_line`] | completions and manual pages, as a program writes them |
//! | [`canary`] | values that must show nowhere |
//! | [`delivery`] | writes events as a consumer does: plan, apply, park, release |
//! | [`history`] | what happened, and the rows that it must end in: the reference model |
//! | [`log_lines`](mod@log_lines) | what a thread logs |
//! | [`openapi`] | reading an OpenAPI document, to hold answers to it |
//! | [`proxy`] | a network that breaks |
//! | [`seed`] | random choices that a number repeats |
//! | [`views`] | what the rows show of an event |
//! | [`watched`] | a program as a process, with everything that it says |
//! | [`wait`] | waiting for a condition, with a bound |
//!
//! Nothing here sleeps a fixed time or shares an identity with another test, so tests may run side by side on one server.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::missing_panics_doc, reason = "a test fails by panicking")]

pub mod builders;
pub mod canary;
pub mod command_line;
pub mod delivery;
pub mod dlq_contract;
pub mod history;
pub mod log_lines;
pub mod openapi;
pub mod proxy;
pub mod seed;
pub mod store_contract;
pub mod views;
pub mod wait;
pub mod watched;

pub use wait::eventually;
