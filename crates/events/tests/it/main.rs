//! The decoder against whatever a topic may hold.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]

mod agreement;
mod arbitrary;
mod asyncapi;
mod json;
mod lengths;
mod messages;
mod numbers;
mod schemas;
mod text;
mod times;
