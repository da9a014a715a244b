//! Dead letters in an operator's hands: on SQLite, with a broker and faults that a test commands.

mod admin;
mod bench;
mod crashes;
mod finding;
mod redriving;
mod rehearsing;
mod transfers;
