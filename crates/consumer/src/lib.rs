//! The consumer: takes events from Kafka, writes them in batches, and commits what is finished.
//!
//! | module | what it holds |
//! |---|---|
//! | [`processing`] | the life of a batch: poll → decode → write → dead-letter → commit |
//! | [`waiting`] | waiting out a fault without losing the group membership |
//! | [`run`](mod@run) | batch after batch, and the end |
//! | `stalled` | partitions that have records and do not move |
//! | `starting`, `schema`, `migrate` | before the first batch: waiting for the tables, or making them |
//! | [`monitor`] | lag, depth and health, asked for beside the loop |
//! | [`chance`] | what keeps consumers apart that wait for the same thing |
//! | `plural` | the ending of a noun |
//! | `reason` | what is wrong with a part, as a sentence |
//! | [`check`] | assessing what the parts say about themselves |
//! | [`dlq`] | dead letters in an operator's hands |
//! | [`operator`] | what operators work with, over HTTP and in the console |
//! | [`admin`] | the operator's commands over HTTP |
//! | [`fleet`](mod@fleet) | all the consumers of a database |
//! | [`console`](mod@console) | what the operator's console shows and does |
//! | [`parked`] | what events wait for, and who waits |
//! | [`peek`](mod@peek) | the records that wait, and what each would come to |
//! | [`ledger`] | folding old lines of the ledger of stock |
//! | [`replay`](mod@replay) | consuming records again: moving the group's offsets back |
//! | [`resume`](mod@resume) | letting a held flood of unwritable records go |
//! | [`status`](mod@status) | the pipeline on one screen |
//! | [`trace`](mod@trace) | what the system knows of one event |
//! | [`verify`](mod@verify) | proving that the tables are what the log says |
//! | [`audit`] | noting what operators change, and looking at it |
//! | [`watch`] | a screen that is shown again and again |
//! | [`backends`] | the adapters that all of this runs on |
//! | [`config`] | how it works |
//!
//! Everything here speaks to ports; which adapters stand behind them is named in one place, the composition root of each program.

pub mod admin;
pub mod audit;
pub mod backends;
pub mod chance;
pub mod check;
pub mod cli;
pub mod config;
pub mod console;
pub mod dlq;
pub mod fleet;
pub mod ledger;
mod migrate;
pub mod monitor;
pub mod operator;
pub mod parked;
pub mod peek;
mod plural;
pub mod processing;
mod reason;
pub mod replay;
pub mod resume;
pub mod run;
mod schema;
mod stalled;
mod starting;
pub mod status;
pub mod trace;
pub mod verify;
pub mod waiting;
pub mod watch;
pub mod wiring;

pub use backends::{Adapters, Backends, SystemClock};
pub use config::ConsumerConfig;
pub use run::{run, spawn};
