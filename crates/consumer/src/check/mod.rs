//! `consumer check`: assessing what the parts say about themselves. Who asks them is the composition root.
//!
//! | module | what it holds |
//! |---|---|
//! | `finding` | one line of the answer |
//! | `report` | all of them, as a table or as JSON |
//! | `topic`, `database`, `queue`, `positions`, `progress`, `clock` | what is assessed |
//!
//! *FAIL* is what keeps the consumer from working, or would lose events. *warn* is what works and that somebody will regret.

mod clock;
mod database;
mod finding;
mod positions;
mod progress;
mod queue;
mod report;
mod topic;

pub(crate) use clock::{Reading, clock};
pub(crate) use database::{database, schema, with_addresses};
pub(crate) use finding::{Finding, State};
pub(crate) use positions::positions;
pub(crate) use progress::{lag, process};
pub(crate) use queue::{durability, list, replicas, write};
pub(crate) use report::Report;
pub(crate) use topic::{group, topic};
