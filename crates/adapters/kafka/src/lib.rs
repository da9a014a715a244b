//! Kafka behind the ports of the pipeline, over librdkafka, and a broker inside the process for where no other is configured.
//!
//! | module | what it holds |
//! |---|---|
//! | [`config`] | which brokers, topic and group, and the variables that say so |
//! | [`security`] | TLS and SASL |
//! | `oauth` | tokens for SASL OAUTHBEARER |
//! | [`properties`] | any other property of librdkafka, by a variable that names it |
//! | `client` | every setting that librdkafka is given, with its reason |
//! | [`consumer`] | joining the group: one source and one committer over one client |
//! | [`source`] | taking records, and standing by during an outage |
//! | [`committer`] | noting finished offsets of partitions that are still owned |
//! | [`monitor`] | what metrics and health checks ask of a consumer |
//! | [`progress`] | how far the log reaches, and how far the whole group has come |
//! | [`log_reader`] | reading the topic from outside of the group, up to given offsets |
//! | [`publisher`] | sending records and awaiting their acknowledgement |
//! | [`admin`] | making the topic, counting its partitions |
//! | [`topic`] | what the topic is like: partitions, replicas, settings |
//! | [`group`] | what kind of group has the configured name |
//! | [`embedded`] | a broker inside the process |
//! | `receiver` | polling the client, and keeping what arrives |
//! | `fetch_buffer` | records that arrived and were not taken yet |
//! | `in_flight` | whether a poll is being worked on, while which no partition is taken away |
//! | `delivery` | what becomes of a record that was handed to librdkafka |
//! | `membership`, `rebalance` | which partitions are owned, under which assignment, and how that changes |
//! | `member` | the life of the consuming client: nobody waits for its end on a worker thread |
//! | `health`, `context` | one line per change of the connection's state, instead of one per failed attempt |
//! | `bootstrap` | giving a client that has lost its brokers the configured ones again |
//! | `reason` | what librdkafka's text says beyond its code |
//! | `members` | by which protocol the group shares, and who is in it, with what |
//! | `idle` | why a member has no partitions, where the brokers share them |
//! | `topic_id` | what tells a topic from its namesake that was created later |
//! | `observer` | a client that asks from outside of the group |
//! | `faults` | Kafka's error codes → classes of failure |
//! | `blocking` | librdkafka's blocking calls, off the worker threads and with a bound |

pub mod admin;
mod blocking;
mod bootstrap;
mod client;
pub mod committer;
pub mod config;
pub mod consumer;
mod context;
mod delivery;
pub mod embedded;
mod faults;
mod fetch_buffer;
pub mod group;
mod health;
mod idle;
mod in_flight;
pub mod log_reader;
mod member;
mod members;
mod membership;
pub mod monitor;
mod oauth;
mod observer;
pub mod progress;
pub mod properties;
pub mod publisher;
mod reason;
mod rebalance;
mod receiver;
pub mod security;
pub mod source;
pub mod topic;
mod topic_id;

pub use admin::{ensure_topic, is_missing_topic, similar_topics, topic_partitions};
pub use committer::KafkaCommitter;
pub use config::{AssignmentStrategy, Flavor, GroupProtocol, KafkaConfig};
pub use consumer::open;
pub use embedded::EmbeddedBroker;
pub use group::{GroupKind, group_kind};
pub use log_reader::KafkaLogReader;
pub use monitor::Monitor;
pub use progress::KafkaProgress;
pub use publisher::KafkaPublisher;
pub use source::KafkaSource;
pub use topic::{TopicDescription, TopicSettings, describe_topic};
