//! `GET /health` and `GET /health/ready`. Both look at the database before they answer, unless someone has just looked.

use std::sync::Arc;

use axum::extract::State;
use readmodel::ReadStore;
use telemetry::Report;

use crate::reads::Reads;

/// 200 while reading is possible. It is `degraded` while another part of the process does not work, such as a consumer that is held.
pub(crate) async fn overview<S: ReadStore>(State(reads): State<Arc<Reads<S>>>) -> Report {
    let look = reads.look().await;
    let status = match (look.ok, reads.health.is_impaired()) {
        (true, false) => "ok",
        (true, true) => "degraded",
        (false, _) => "unavailable",
    };
    Report { ok: look.ok, status, data: look.data(), ..reads.health.ready_report() }
}

/// 200 while every part of the process is up.
pub(crate) async fn ready<S: ReadStore>(State(reads): State<Arc<Reads<S>>>) -> Report {
    let look = reads.look().await;
    Report { data: look.data(), ..reads.health.ready_report() }
}
