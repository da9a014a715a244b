//! The router, asked without a network: on a store that fails on demand, and on real rows in SQLite.
#![allow(clippy::unwrap_used, reason = "helpers of tests fail tests")]

mod ask;
mod bodies;
mod check;
mod document;
mod errors;
mod fake;
mod health;
mod layers;
mod openapi;
mod package_files;
mod parameters;
mod privacy;
mod rows;
