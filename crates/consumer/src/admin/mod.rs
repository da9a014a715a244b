//! The operator's commands over HTTP: `/admin`.
//!
//! | module | what it holds |
//! |---|---|
//! | `config` | who may ask, and from where |
//! | `guard` | asking them |
//! | `request` | what they ask for |
//! | `status`, `peek`, `parked`, `trace`, `audit`, `consumers` | answers that change nothing |
//! | `check`, `verify`, `resume`, `ledger` | answers of what operators run, begin, permit and fold |
//! | `dlq` | dead letters, and redrive jobs |
//! | `answer` | refusals as problem documents |
//! | [`commands`] | which command is which path, and which has none |
//! | `document` | all of it as an OpenAPI document |
//!
//! Each of them asks the function that its command asks, and answers with the JSON that the command prints.

mod answer;
mod audit;
mod check;
pub mod commands;
mod config;
mod consumers;
mod dlq;
mod document;
mod guard;
mod ledger;
mod parked;
mod peek;
mod request;
mod resume;
mod status;
mod trace;
mod verify;

use std::net::SocketAddr;
use std::sync::Arc;

use axum::Router;
use axum::extract::{DefaultBodyLimit, State};
use axum::http::StatusCode;
use axum::middleware::from_fn_with_state;
use axum::routing::{MethodRouter, get, post};
use pipeline::ports::{DeadLetterArchive, GroupProgress, Publisher};
use telemetry::problem::problem;
use tokio::sync::Mutex;

use crate::operator::{OperatorParts, OperatorQueue, OperatorTables};

pub use config::{AdminConfig, AdminRole};
pub use ledger::Compact;

/// The largest body of a request that says what to do, in bytes.
const ORDER_BYTES: usize = 64 << 10;

/// What `/admin` of a process is made of.
pub struct AdminParts<G, T, Q, P> {
    /// What the console works with too.
    pub shared: OperatorParts<G, T, Q, P>,
    /// Where this process answers.
    pub address: SocketAddr,
    /// Folds old lines of the ledger.
    pub compact: Compact,
}

/// What the handlers share, beside those of the dead letters.
struct Admin<G, T, Q, P> {
    parts: AdminParts<G, T, Q, P>,
    /// Held by the one request that looks at the log.
    peeks: Mutex<()>,
    /// Held by the one compaction that runs.
    compactions: Arc<Mutex<()>>,
}

type Shared<G, T, Q, P> = State<Arc<Admin<G, T, Q, P>>>;

/// The routes, for whoever has a token.
pub fn routes<G, T, Q, P>(config: Arc<AdminConfig>, parts: AdminParts<G, T, Q, P>) -> Router
where
    G: GroupProgress + 'static,
    T: OperatorTables,
    Q: OperatorQueue + DeadLetterArchive,
    P: Publisher + Clone + 'static,
{
    let letters = dlq::routes(parts.shared.context.clone(), parts.shared.stop.clone());
    let admin = Admin { parts, peeks: Mutex::default(), compactions: Arc::default() };
    Router::new()
        .route(document::PATH, get(document::document))
        .route("/admin/consumers", get(consumers::list))
        .route("/admin/status", get(status::show))
        .route("/admin/peek", get(peek::look))
        .route("/admin/parked", get(parked::list))
        .route("/admin/parked/{parent}", get(parked::show))
        .route("/admin/trace", get(trace::show))
        .route("/admin/audit", get(audit::list))
        .route("/admin/audit/verify", get(audit::verify))
        .route("/admin/check", get(check::show).merge(operator(post(check::run))))
        .route("/admin/verify", get(verify::show).merge(operator(post(verify::begin))))
        .route("/admin/resume", operator(post(resume::permit).layer(DefaultBodyLimit::max(ORDER_BYTES))))
        .route("/admin/ledger/compact", operator(post(ledger::fold).layer(DefaultBodyLimit::max(ORDER_BYTES))))
        .with_state(Arc::new(admin))
        .merge(letters)
        .method_not_allowed_fallback(async || problem(StatusCode::METHOD_NOT_ALLOWED, "This method is not answered here; see Allow."))
        .route_layer(from_fn_with_state(Arc::new(guard::Door::new(config)), guard::guard))
}

/// These methods, for operators and whoever may do more.
fn operator<S: Clone + Send + Sync + 'static>(methods: MethodRouter<S>) -> MethodRouter<S> {
    methods.route_layer(from_fn_with_state(AdminRole::Operator, guard::at_least))
}

/// These methods, for editors.
fn editor<S: Clone + Send + Sync + 'static>(methods: MethodRouter<S>) -> MethodRouter<S> {
    methods.route_layer(from_fn_with_state(AdminRole::Editor, guard::at_least))
}
