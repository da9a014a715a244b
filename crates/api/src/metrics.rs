//! `GET /metrics`.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::State;
use axum::response::IntoResponse;
use readmodel::ReadStore;
use telemetry::http;
use tokio::time::timeout;

use crate::reads::Reads;

/// How long a scrape waits for a look at the database. One that does not answer must not take the metrics with it.
const PATIENCE: Duration = Duration::from_secs(1);

/// What was counted, and how old the tables are by a look that the health would take too.
pub(crate) async fn exposition<S: ReadStore>(State(reads): State<Arc<Reads<S>>>) -> impl IntoResponse {
    let looking = Arc::clone(&reads);
    // A task of its own, so that it comes to its end when nobody waits for it any longer: a statement that is dropped costs its connection.
    let look = tokio::spawn(async move { looking.look().await });
    // What it finds stands in the metrics.
    drop(timeout(PATIENCE, look).await);
    http::exposition(&reads.metrics)
}
