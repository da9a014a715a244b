//! Dead letters in an operator's hands: look, assess, send again, mend, remove, carry away.
//!
//! | module | what it holds |
//! |---|---|
//! | [`listed`], [`filter`], [`find`], [`scan`], [`newest_first`] | entries, which are meant, and how they are found while others change the list |
//! | [`redrive`](mod@redrive), `choice`, [`send`], [`summary`] | back to their topic: claim, publish, settle |
//! | [`after_redrive`], [`ended`] | how each letter ended that was sent |
//! | [`jobs`] | a redrive that outlives its process: planned, run, paused, resumed, taken over |
//! | [`dry_run`](mod@dry_run), `bad_events`, [`dry_run_outcome`] | what a redrive would come to, by the database's own word |
//! | [`edit`], [`editor`] | a mended payload under the same event id |
//! | [`mod@purge`], [`transfer`], [`stats`](mod@stats), [`groups`] | removing, carrying away and back, counting |
//! | [`context`] | the parts that all of this works with |
//! | [`command`] | all of it on a command line |
//! | `layout`, `printable` | JSON for people, text of others on a terminal |
//!
//! Safe against a crash at any step and against two operators at once: an entry leaves the list for good only after the broker has
//! acknowledged it, and a claim that nobody finished comes back.

pub mod after_redrive;
mod bad_events;
pub(crate) mod choice;
pub mod command;
pub mod context;
pub mod dry_run;
pub mod dry_run_outcome;
pub mod edit;
pub mod editor;
pub mod ended;
pub mod filter;
pub mod find;
pub mod groups;
pub mod jobs;
mod layout;
pub mod listed;
pub mod newest_first;
pub(crate) mod printable;
pub mod purge;
pub mod redrive;
pub mod refusal;
pub mod scan;
pub mod send;
pub mod stats;
pub mod summary;
pub mod transfer;

pub use choice::{Letter, RedriveRequest};
pub use command::DlqCommand;
pub use context::{AdminContext, Terms};
pub use dry_run::{Rules, dry_run};
pub use filter::Filter;
pub use redrive::{Route, redrive};
pub use refusal::Refusal;
pub use summary::Summary;
