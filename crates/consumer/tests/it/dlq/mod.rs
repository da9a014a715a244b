//! Dead letters in an operator's hands: on SQLite, with a broker and faults that a test commands.

mod after_redrive;
pub mod bench;
mod crashes;
mod dry_runs;
mod finding;
mod jobs;
mod redriving;
mod transfers;
