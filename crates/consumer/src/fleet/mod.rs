//! All the consumers of a database: each says every two seconds that it is there, and any process shows all of them.
//!
//! | module | what it holds |
//! |---|---|
//! | `member` | who this process is, and how it is |
//! | `beating` | saying so, beside the loop |
//! | `view` | the others, as they are shown |

mod beating;
mod member;
mod view;

use std::time::Duration;

pub use beating::{Beating, spawn};
pub use member::Member;
pub use view::{ConsumerView, PartitionView, consumers, found_different};

/// From one heartbeat to the next.
pub const INTERVAL: Duration = Duration::from_secs(2);
/// Who has said nothing for longer than this is gone: four heartbeats in a row did not come.
pub const GONE: Duration = Duration::from_secs(10);
/// Who is gone without having said so is told of for so long.
pub const TOLD: Duration = Duration::from_secs(600);
