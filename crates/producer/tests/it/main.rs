//! The producer from the outside: its menu over a script, its commands over a fake publisher, its program against a broker.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]

mod broker;
mod commands;
mod fakes;
mod generate;
mod menu;
mod package_files;
mod privacy;
