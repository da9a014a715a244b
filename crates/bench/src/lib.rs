//! Measures the pipeline against its floor, and checks the rows after each run.
//!
//! | module | what it holds |
//! |---|---|
//! | [`cli`] | the command line, and how much work it asks for |
//! | [`program`] | everything in its order; which stores and logs |
//! | [`stage`], [`place`], [`broker`] | what is measured on: tables, dead letters, log |
//! | [`scenarios`], [`workload`], [`changes`] | the streams, and the rows that they must end in |
//! | [`tap`], [`source`] | streams in memory |
//! | [`floor`] | the bare loop |
//! | [`running`], [`meter`] | the consumer's own loop, watched from both ends |
//! | [`check`] | whether the rows are right |
//! | [`comparison`], [`growth`], [`curve`], [`latency`], [`memory`], [`verify`], [`api_load`], [`console`], [`dead_letters`], [`pure`] | the measurements |
//! | [`peers`] | the same work done by JDBC sinks of Kafka Connect |
//! | [`instructions`] | instructions per event, held to what was recorded |
//! | [`unwritable`] | dead letters and parked events in numbers |
//! | [`web`] | the read API, and asking it |
//! | [`statistics`], [`results`], [`reach`], [`table`], [`report`], [`machine`] | what they gave, as Markdown |

pub mod api_load;
pub mod broker;
pub mod changes;
pub mod check;
pub mod cli;
pub mod comparison;
pub mod console;
pub mod curve;
pub mod dead_letters;
pub mod floor;
pub mod growth;
pub mod instructions;
pub mod latency;
pub mod machine;
pub mod memory;
pub mod meter;
pub mod peers;
pub mod place;
pub mod program;
pub mod pure;
pub mod reach;
pub mod report;
pub mod results;
pub mod running;
pub mod scenarios;
pub mod source;
pub mod stage;
pub mod statistics;
pub mod table;
pub mod tap;
pub mod unwritable;
pub mod verify;
pub mod web;
pub mod workload;
