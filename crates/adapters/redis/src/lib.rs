//! The dead letter queue on Redis: a list, and beside it what makes each letter appear in it once.
//!
//! | module | what it holds |
//! |---|---|
//! | [`config`] | where Redis is, and which list |
//! | [`keys`] | the keys, and what works on Redis Cluster |
//! | [`queue`] | the ports: push, read, redrive |
//! | `permits` | what an operator permits of a flood |
//! | `connection` | one connection that is made when needed and again after any error |
//! | `faults` | Redis error code → class of failure |
//! | [`persistence`] | whether what Redis acknowledged outlives Redis |
//! | `scripts/*.lua` | what must happen together, each run by Redis as one step |
//!
//! Needs Redis 6.2 or newer (`LMOVE`), or Valkey. From 7.0 on an error inside a script keeps its code; before that it is an `ERR`, which
//! the consumer waits out all the same.

pub mod config;
mod connection;
mod faults;
pub mod keys;
mod permits;
pub mod persistence;
pub mod queue;

pub use config::RedisConfig;
pub use persistence::{Fsync, Persistence};
pub use queue::RedisDlq;
