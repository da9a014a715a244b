//! `consumer check`: assessing what the parts say about themselves. Who asks them is the composition root.
//!
//! | module | what it holds |
//! |---|---|
//! | `topic`, `queue`, `positions`, `progress` | what is assessed |
//! | `self_check` | all of it in a process that runs, for its operators |
//!
//! What every program looks at, and how all of it is shown, is the crate `check`.

mod positions;
mod progress;
mod queue;
mod self_check;
mod topic;

pub(crate) use positions::positions;
pub(crate) use progress::{lag, process};
pub(crate) use queue::{durability, list, replicas, write};
pub use self_check::{Checked, SelfCheck};
pub(crate) use topic::{group, topic};
