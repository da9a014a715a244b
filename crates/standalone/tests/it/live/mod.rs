//! The program against a real Kafka and a real Redis, with every fault that it must outlive. After each case one function checks one set of
//! invariants: [`invariants::check`].
//!
//! | module | what it holds |
//! |---|---|
//! | [`servers`] | the servers that the variables name, and whose turn it is |
//! | [`sharing`] | how a group shares its partitions; all of it with the brokers' own protocol where `KAFKA_GROUP_PROTOCOL=consumer` |
//! | [`place`] | a topic, a group, tables and a dead letter queue of a case's own |
//! | [`member`] | the program as a process: its API, its log, its signals |
//! | [`stream`] | what is sent: events with children first, revisions, orphans, unwritable records |
//! | [`sender`] | sends it, and notes where each record went |
//! | [`watch`] | looks while a case runs: commits never go back, and never pass unfinished work |
//! | [`invariants`] | the end that every case must come to |
//! | [`broker`] | a Kafka of a case's own, for cases that stop it |
//! | [`cluster`] | three brokers that hold copies of each other's records, for cases that take some of them away |
//! | `streams`, `scheduled`, `demo`, `crashes`, `fleet`, `redis_away`, `kafka_away`, `incidents`, `several_brokers`, `rebalances`, `recreated`, `replays`, `shutdowns`, `topics` | the cases |

mod broker;
mod cluster;
mod crashes;
mod demo;
mod fleet;
mod incidents;
mod invariants;
mod kafka_away;
pub mod member;
pub mod place;
mod rebalances;
mod recreated;
mod redis_away;
mod replays;
mod scheduled;
mod sender;
mod servers; // private: `.ci/live` runs what is in here, and nothing else of this package has a real server
mod several_brokers;
mod sharing;
mod shutdowns;
mod stream;
mod streams;
mod topics;
mod watch;
