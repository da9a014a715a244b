//! The write side's decisions: record → event → batch → outcomes → offsets. No IO, no clock, no runtime.
//!
//! | module | what it decides |
//! |---|---|
//! | [`record`] | what was consumed, and where it stood |
//! | [`headers`] | what a redrive says in a record's headers |
//! | [`encoding`] | how bytes and headers are written where JSON keeps them |
//! | [`decoded`] | whether a record holds an event |
//! | [`plan`] | which events go into one batch, and which are superseded inside it |
//! | [`rounds`] | which of them is next, and how each event ended |
//! | [`batch`] | what a store is asked to write |
//! | [`outcome`] | how each event ended |
//! | [`fault`] | classes of failure, and the one policy that answers them |
//! | [`dlq_limit`] | whether so many records are unwritable that it must be a bad deploy |
//! | [`parking`] | events that wait for a parent, and when they are expired |
//! | [`dead_letter`] | what an unwritable record becomes, and its identity |
//! | [`log`] | which log it is, and how far the tables hold it |
//! | [`ledger`] | the ledger of stock, and the opening balances of its old lines |
//! | [`start`] | where a partition begins that has just come |
//! | [`replay`] | where it would begin once an operator has moved the group back |
//! | [`offsets`] | what may be committed |
//! | [`rows`] | the tables row by row, to compare those of two stores |
//! | [`trace`] | what the tables know of one event, and of what events are about |
//! | [`audit`] | what operators change, as a chain of hashes |
//! | [`heartbeat`] | what a consumer says of itself again and again |
//! | [`redrive_job`] | a redrive that outlives its process |
//! | [`landed`] | where it has put a letter, and whether the tables hold that by now |
//! | [`backoff`] | how long to wait before the next try |
//! | [`pace`] | keeping to a rate |
//! | [`ports`] | the traits that adapters implement |

pub mod audit;
pub mod backoff;
pub mod batch;
pub mod dead_letter;
pub mod decoded;
pub mod dlq_limit;
pub mod encoding;
pub mod fault;
pub mod headers;
pub mod heartbeat;
pub mod landed;
pub mod ledger;
pub mod log;
pub mod offsets;
pub mod outcome;
pub mod pace;
pub mod parking;
pub mod plan;
pub mod ports;
pub mod record;
pub mod redrive_job;
pub mod replay;
pub mod rounds;
pub mod rows;
pub mod start;
pub mod trace;

pub use batch::{Batch, Item};
pub use dead_letter::{DeadLetter, Reason};
pub use fault::{Action, Dependency, Fault, FaultClass};
pub use headers::Header;
pub use log::{GroupMember, LogId, LogPosition, LogState, PartitionState};
pub use outcome::{Applied, Outcome, WaitsFor};
pub use parking::{Awaited, AwaitedChild, AwaitedParent, Parents, ParkedEvent, ParkedKey};
pub use ports::{Clock, DeadLetterQueue, EventStore, OffsetCommitter, ParkingLot, Publisher, RecordSource};
pub use record::{Position, Record, RecordId};
pub use trace::{Entity, Trace};
