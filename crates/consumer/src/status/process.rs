//! What the running process says of itself.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use telemetry::probe;

/// How long it is waited for.
const PATIENCE: Duration = Duration::from_secs(3);

/// The process that consumes, as far as it can be asked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Process {
    /// Where it was asked.
    pub address: SocketAddr,
    /// What it answered to `/health/ready`; `None` where nothing that is ours answers there.
    pub answer: Option<Answer>,
}

/// The answer of `/health/ready`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Answer {
    /// `ready`, `not ready` or `stopping`.
    pub status: String,
    /// Its parts.
    pub parts: BTreeMap<String, Part>,
}

/// A part of the process.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Part {
    /// `up` or `down`.
    pub state: String,
    /// Since when.
    pub since: String,
    /// Why it is down.
    pub reason: Option<String>,
}

impl Process {
    /// Asks the process that listens there; for "every address", on loopback.
    pub async fn ask(address: SocketAddr) -> Self {
        let asked = tokio::task::spawn_blocking(move || probe::ask(address, "/health/ready", PATIENCE)).await;
        let answer = asked.ok().and_then(Result::ok).and_then(|body| serde_json::from_str(&body).ok());
        Self { address: probe::reachable(address), answer }
    }

    /// Whether it answered that all of it works.
    pub fn is_ready(&self) -> bool {
        self.answer.as_ref().is_some_and(|answer| answer.status == "ready")
    }
}
