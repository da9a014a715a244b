//! Sample events: made by a pure generator, sent by a bounded pipeline.
//!
//! | module | what it holds |
//! |---|---|
//! | [`mix`] | the generator: a shop's users, orders, payments and stock |
//! | [`catalog`] | what the shop sells |
//! | `pool`, `price_list`, `held` | the generator's memory: who may order, what is in stock, which parents come late |
//! | [`expected`] | what the tables must show after a stream |
//! | [`poison`] | records that cannot be written |
//! | [`records`] | events and poison as messages |
//! | [`run`](mod@run), `flight` | sending them, thousands at a time, and how each one ended |
//! | `latency` | how long the broker took |
//! | [`progress`], [`summary`] | what a person sees meanwhile and afterwards |

pub mod catalog;
pub mod expected;
mod flight;
mod held;
mod latency;
pub mod mix;
pub mod poison;
mod pool;
mod price_list;
pub mod progress;
pub mod records;
pub mod run;
pub mod summary;

pub use expected::Expected;
pub use mix::{Generator, GeneratorConfig};
pub use poison::{Poison, PoisonKind};
pub use progress::Progress;
pub use records::{Content, Record, Records};
pub use run::{RunOptions, run};
pub use summary::Summary;
