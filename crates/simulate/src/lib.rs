//! The real consumer, several of them, in a simulated world: one thread, a clock that jumps over every pause, and everything from a seed.
//!
//! | module | what it holds |
//! |---|---|
//! | [`run`](mod@run) | one run, from its seed to its report |
//! | [`world`] | the state of the world, and time in it |
//! | [`log`], [`store`], [`queue`] | the simulated systems, and their adapters |
//! | [`member`] | the real consumer on these |
//! | [`traffic`], `crowd`, `bodies` | what is sent; a kind of world in which many wait for one; what events say |
//! | [`chaos`], [`mishap`] | what goes wrong |
//! | [`check`] | the promises |
//! | [`shrink`] | the fewest mishaps that break a promise |
//! | [`dice`], [`story`] | every choice from the seed; every step, to be read |
//! | [`defect`] | what is wrong on purpose |

mod bodies;
pub mod chaos;
pub mod check;
mod crowd;
pub mod defect;
pub mod dice;
pub mod log;
pub mod member;
pub mod mishap;
pub mod queue;
pub mod run;
pub mod shrink;
pub mod store;
pub mod story;
pub mod traffic;
pub mod world;

pub use defect::Defect;
pub use run::{Report, run};
pub use world::Terms;
