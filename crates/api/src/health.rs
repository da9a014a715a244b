//! `GET /health` and `GET /health/ready`. Both look at the database before they answer.

use std::sync::Arc;

use axum::extract::State;
use readmodel::ReadStore;
use telemetry::Report;

use crate::reads::Reads;

/// The part of the health that this crate keeps: whether the tables can be read.
pub const READ_STORE: &str = "read_store";

/// 200 while reading is possible, whatever the other parts of the process do.
pub(crate) async fn overview<S: ReadStore>(State(reads): State<Arc<Reads<S>>>) -> Report {
    let ok = look(&reads).await;
    let status = if ok { "ok" } else { "unavailable" };
    Report { ok, status, ..reads.health.ready_report() }
}

/// 200 while every part of the process is up.
pub(crate) async fn ready<S: ReadStore>(State(reads): State<Arc<Reads<S>>>) -> Report {
    look(&reads).await;
    reads.health.ready_report()
}

async fn look<S: ReadStore>(reads: &Reads<S>) -> bool {
    reads.ask_now("ping", reads.store.ping()).await.is_ok()
}
