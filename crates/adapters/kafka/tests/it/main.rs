//! The adapter against a broker: the embedded one, one to each test, and a real Kafka where `KAFKA_BROKERS` names one.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "clippy allows them in test functions, not in what these share")]

mod ahead;
mod answers;
mod backlog;
mod basics;
mod commits;
mod description;
mod keys;
mod lab;
mod lost_brokers;
mod new_logs;
mod outages;
mod pausing;
mod provider;
mod proxy;
mod reading;
mod secured;
mod share_group;
mod sharing;
mod starting;
mod topics;
