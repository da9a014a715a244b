//! The decoder against whatever a topic may hold.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]

mod arbitrary;
mod json;
mod lengths;
mod messages;
mod numbers;
mod text;
mod times;
