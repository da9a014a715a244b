//! Dead letters and consumers over HTTP, for operators: `/admin/dlq`, `/admin/consumers`.
//!
//! | module | what it holds |
//! |---|---|
//! | `config` | who may ask, and from where |
//! | `guard` | asking them |
//! | `query` | what they ask for |
//! | `look`, `change`, `jobs`, `consumers` | the answers |
//! | `answer` | refusals as problem documents |
//! | `document` | all of it as an OpenAPI document |

mod answer;
mod change;
mod config;
mod consumers;
mod document;
mod guard;
mod jobs;
mod look;
mod query;

use std::sync::Arc;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::http::StatusCode;
use axum::middleware::from_fn_with_state;
use axum::routing::{get, post};
use pipeline::ports::{ClaimQueue, DeadLetterArchive, DeadLetterReader, DryRun, Heartbeats, Publisher};
use telemetry::problem::problem;
use tokio_util::sync::CancellationToken;

use super::context::AdminContext;
use super::jobs::JobTables;

pub use config::{AdminConfig, AdminRole};

/// The largest body of a request that says what to do, in bytes.
const ORDER_BYTES: usize = 64 << 10;
/// The largest payload of an edited event.
const PAYLOAD_BYTES: usize = 16 << 20;
/// The largest import.
const IMPORT_BYTES: usize = 64 << 20;

/// What the handlers share.
struct Admin<Q, P, T> {
    context: AdminContext<Q, P, T>,
    stop: CancellationToken,
}

/// The routes, for whoever has a token. A redrive that runs when `stop` is cancelled finishes what is in flight and answers.
pub fn routes<Q, P, T>(config: Arc<AdminConfig>, context: AdminContext<Q, P, T>, stop: CancellationToken) -> Router
where
    Q: DeadLetterReader + ClaimQueue + DeadLetterArchive + Clone + 'static,
    P: Publisher + Clone + 'static,
    T: DryRun + Heartbeats + JobTables,
{
    let limited = DefaultBodyLimit::max;
    let operator = || from_fn_with_state(AdminRole::Operator, guard::at_least);
    let editor = || from_fn_with_state(AdminRole::Editor, guard::at_least);
    Router::new()
        .route(document::PATH, get(document::document))
        .route("/admin/consumers", get(consumers::list))
        .route("/admin/dlq", get(look::list))
        .route("/admin/dlq/stats", get(look::count))
        // Payloads are personal data.
        .route("/admin/dlq/export", get(look::export).route_layer(editor()))
        .route("/admin/dlq/{id}", get(look::show).route_layer(editor()))
        .route("/admin/dlq/jobs", get(jobs::list))
        .route("/admin/dlq/jobs/{id}", get(jobs::show))
        .route("/admin/dlq/jobs/{id}/pause", post(jobs::pause).route_layer(operator()))
        .route("/admin/dlq/jobs/{id}/resume", post(jobs::resume).route_layer(operator()))
        .route("/admin/dlq/jobs/{id}/cancel", post(jobs::cancel).route_layer(operator()))
        .route("/admin/dlq/redrive", post(change::send).layer(limited(ORDER_BYTES)).route_layer(operator()))
        .route("/admin/dlq/purge", post(change::remove).layer(limited(ORDER_BYTES)).route_layer(operator()))
        .route("/admin/dlq/{id}/edit", post(change::edit).layer(limited(PAYLOAD_BYTES)).route_layer(editor()))
        .route("/admin/dlq/import", post(change::import).layer(limited(IMPORT_BYTES)).route_layer(editor()))
        .method_not_allowed_fallback(async || problem(StatusCode::METHOD_NOT_ALLOWED, "This method is not answered here; see Allow."))
        .route_layer(from_fn_with_state(Arc::new(guard::Door::new(config)), guard::guard))
        .with_state(Arc::new(Admin { context, stop }))
}
