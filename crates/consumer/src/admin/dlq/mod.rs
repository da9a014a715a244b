//! `/admin/dlq`: dead letters and redrive jobs.
//!
//! | module | what it holds |
//! |---|---|
//! | `query` | what is asked for |
//! | `look` | requests that change nothing |
//! | `change` | redrive, purge, edit, import |
//! | `jobs` | redrive jobs, of whatever process |

mod change;
mod jobs;
mod look;
mod query;

use std::sync::Arc;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::routing::{get, post};
use pipeline::ports::{ClaimQueue, DeadLetterArchive, DeadLetterReader, DryRun, EventTrace, LogPositions, Publisher};
use tokio_util::sync::CancellationToken;

use super::{ORDER_BYTES, editor, operator};
use crate::dlq::context::AdminContext;
use crate::dlq::jobs::JobTables;

/// The largest payload of an edited event.
const PAYLOAD_BYTES: usize = 16 << 20;
/// The largest import.
const IMPORT_BYTES: usize = 64 << 20;

/// What the handlers share.
struct Admin<Q, P, T> {
    context: AdminContext<Q, P, T>,
    stop: CancellationToken,
}

/// The routes. A redrive that runs when `stop` is cancelled finishes what is in flight and answers.
pub(super) fn routes<Q, P, T>(context: AdminContext<Q, P, T>, stop: CancellationToken) -> Router
where
    Q: DeadLetterReader + ClaimQueue + DeadLetterArchive + Clone + 'static,
    P: Publisher + Clone + 'static,
    T: DryRun + EventTrace + JobTables + LogPositions,
{
    Router::new()
        .route("/admin/dlq", get(look::list))
        .route("/admin/dlq/stats", get(look::count))
        // Payloads are personal data.
        .route("/admin/dlq/export", editor(get(look::export)))
        .route("/admin/dlq/{id}", editor(get(look::show)))
        .route("/admin/dlq/jobs", get(jobs::list))
        .route("/admin/dlq/jobs/{id}", get(jobs::show))
        .route("/admin/dlq/jobs/{id}/pause", operator(post(jobs::pause)))
        .route("/admin/dlq/jobs/{id}/resume", operator(post(jobs::resume)))
        .route("/admin/dlq/jobs/{id}/cancel", operator(post(jobs::cancel)))
        .route("/admin/dlq/redrive", operator(post(change::send).layer(DefaultBodyLimit::max(ORDER_BYTES))))
        .route("/admin/dlq/purge", operator(post(change::remove).layer(DefaultBodyLimit::max(ORDER_BYTES))))
        .route("/admin/dlq/{id}/edit", editor(post(change::edit).layer(DefaultBodyLimit::max(PAYLOAD_BYTES))))
        .route("/admin/dlq/import", editor(post(change::import).layer(DefaultBodyLimit::max(IMPORT_BYTES))))
        .with_state(Arc::new(Admin { context, stop }))
}
