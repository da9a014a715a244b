//! The console over a fake pipeline: through its routes, and in a browser.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]

mod access;
mod actions;
mod assets;
mod browser;
mod client;
mod data;
mod driver;
mod fake;
mod injection;
mod screens;
mod stream;
