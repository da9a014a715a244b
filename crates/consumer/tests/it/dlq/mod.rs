//! Dead letters in an operator's hands: on SQLite, with a broker and faults that a test commands.

mod admin;
pub mod bench;
mod crashes;
mod document;
mod dry_runs;
mod finding;
mod jobs;
mod office;
mod openapi;
mod redriving;
mod transfers;
