//! Puts events on the topic: by a menu, one by one, or by the thousand. Generic over [`pipeline::Publisher`].
//!
//! | module | what it holds |
//! |---|---|
//! | [`cli`] | the command line |
//! | [`run`](mod@run) | what each command does, and the exit codes |
//! | [`menu`] | the dialogue with a person |
//! | [`send`], [`raw`] | one event, or any bytes |
//! | [`generate`] | sample events: the pure generator, and the run that sends them |
//! | [`fields`], [`defaults`] | typed text to values, and what stands in for a missing one |
//! | [`message`], [`receipt`] | an event as a message, and what is shown once it is acknowledged |
//! | [`target`] | where messages go, and what to do when they do not arrive |
//! | [`timed`] | a publisher that measures how long acknowledgements take |
//! | [`interrupts`] | requests to stop, as values to watch |

pub mod cli;
pub mod defaults;
pub mod fields;
pub mod generate;
pub mod interrupts;
pub mod menu;
pub mod message;
pub mod raw;
pub mod receipt;
pub mod run;
pub mod send;
pub mod target;
pub mod timed;

pub use run::{Exit, run};
pub use target::Target;
pub use timed::Timed;
