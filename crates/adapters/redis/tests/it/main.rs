//! The queue on a real Redis: the one that `REDIS_HOST` names, or private ones where `redis-server` is installed; or on one of its kin, of which
//! `REDIS_TEST_SERVER` names the server. Where none is there, each test says that it did not run.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]

mod claims;
mod clusters;
mod contract;
mod crashes;
mod inspecting;
mod outages;
mod place;
mod pushing;
mod reading;
mod refusals;
mod replicas;
mod sentinels;
mod server;
mod slots;
mod tls;
mod urls;
