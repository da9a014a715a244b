//! The simulated log, its group of consumers, and the adapters of both.
//!
//! | module | what it holds |
//! |---|---|
//! | [`topic`] | partitions, leaders, transactions, retention, compaction, recreation |
//! | [`group`] | the coordinator: who owns what, rebalances of both kinds, zombies |
//! | `client` | one member's view, as the Kafka adapter keeps it |
//! | [`source`] | `RecordSource` |
//! | [`committer`] | `OffsetCommitter` |
//! | [`progress`] | `GroupProgress` |
//! | [`producer`] | `Publisher`, for dead letters that are sent back |

pub(crate) mod client;
pub mod committer;
pub mod group;
pub mod producer;
pub mod progress;
pub mod source;
pub mod topic;

use pipeline::fault::{Dependency, Fault, FaultClass};

pub use committer::SimCommitter;
pub use group::Group;
pub use producer::SimProducer;
pub use progress::SimProgress;
pub use source::SimSource;
pub use topic::{Sent, Topic};

/// The broker does not answer.
const fn away(subject: &'static str) -> Fault {
    Fault { dependency: Dependency::Kafka, class: FaultClass::Unavailable { timed_out: false }, code: None, subject }
}
