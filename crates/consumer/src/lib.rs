//! The consumer: takes events from Kafka, writes them in batches, and commits what is finished.
//!
//! | module | what it holds |
//! |---|---|
//! | [`turn`] | the life of a batch: take → judge → write → dead-letter → commit |
//! | [`waiting`] | waiting out a fault without losing the group membership |
//! | [`run`](mod@run) | turn after turn, and the end |
//! | [`monitor`] | lag, depth and health, asked for beside the loop |
//! | [`redrive`](mod@redrive) | a dead letter back to its topic |
//! | [`parts`] | the adapters that all of this runs on |
//! | [`config`] | how it works |
//!
//! Everything here speaks to ports; which adapters stand behind them is named in one place, the composition root of each program.

pub mod cli;
pub mod config;
mod migrate;
pub mod monitor;
pub mod parts;
pub mod redrive;
pub mod run;
pub mod turn;
pub mod waiting;
pub mod wiring;

pub use config::ConsumerConfig;
pub use parts::{Adapters, Parts, SystemClock};
pub use run::run;
