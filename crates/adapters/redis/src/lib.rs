//! The dead letter queue on Redis: a list, and beside it what makes each dead letter appear in it once.
//!
//! | module | what it holds |
//! |---|---|
//! | [`config`] | where Redis is, and which list |
//! | [`keys`] | the keys, and their names on Redis Cluster |
//! | [`queue`] | [`RedisDlq`], and pushing dead letters |
//! | `reader` | looking at the list |
//! | `claims` | taking entries out of the list until their lease ends |
//! | `archive` | putting entries into the list again |
//! | `permits` | what an operator permits of a flood |
//! | `chunks` | dividing work into calls |
//! | `connection` | one connection that is made when needed and again after any error |
//! | `asking` | commands for a node to which the list is just moving |
//! | `cluster` | following the list to the node of a Redis Cluster that holds it |
//! | `faults` | Redis error code → class of failure |
//! | [`sentinel_config`] | which sentinels, and the master's name |
//! | `sentinel` | finding the master by asking sentinels |
//! | [`node`] | where a server is |
//! | `servers` | opening a connection to one server |
//! | `tried` | how each of several servers failed |
//! | `url` | `REDIS_URL` |
//! | `inspect` | clock, keys, replicas, and whether a dead letter could be written |
//! | [`persistence`] | whether what Redis acknowledged outlives Redis |
//! | `replicas` | waiting until replicas have what was written |
//! | `scripts/*.lua` | what must happen together, each run by Redis as one step |
//!
//! Needs Redis 6.2 or newer, or Valkey. From 7.0 on an error inside a script keeps its code; before that it is an `ERR`, which
//! the consumer waits out all the same.

mod archive;
mod asking;
mod chunks;
mod claims;
mod cluster;
pub mod config;
mod connection;
mod faults;
mod inspect;
pub mod keys;
pub mod node;
mod permits;
pub mod persistence;
pub mod queue;
mod reader;
mod replicas;
mod sentinel;
pub mod sentinel_config;
mod servers;
mod tried;
mod url;

pub use config::RedisConfig;
pub use inspect::RedisFacts;
pub use persistence::{Fsync, Persistence};
pub use queue::RedisDlq;
