//! The documents for programs in other languages say what the code does, and what others may send does no harm.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]

mod corpus;
mod documents;
#[path = "../properties/mod.rs"]
mod properties;
