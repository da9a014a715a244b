//! Which address leads where, and which role it needs.

use std::sync::Arc;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::middleware::{from_fn, from_fn_with_state};
use axum::response::Redirect;
use axum::routing::{MethodRouter, get, post};

use crate::access::{Access, Gate, Need, Role, Sessions, WrongTokens, guard, headers, kept, local_only, login};
use crate::assets;
use crate::pages::{audit, flow, groups, health, held, job, jobs, letter, missing, parked, purge, redrive, theme, trace, verify};
use crate::port::Operations;
use crate::state::Console;
use crate::stream;

/// The largest form that says what to do: a page of ids, in bytes.
const ORDER_BYTES: usize = 64 << 10;
/// The largest form with a payload: 16 MiB, each byte of which may need three in a form.
const PAYLOAD_BYTES: usize = 48 << 20;

/// The console, under `/console`, for whoever [`Access`] lets in.
///
/// The server must give each request the address of its client as a [`ConnectInfo`](axum::extract::ConnectInfo); without one it is refused.
pub fn routes<O: Operations>(access: Access, operations: Arc<O>) -> Router {
    let gate = Arc::new(Gate { access, sessions: Sessions::default(), bound: WrongTokens::default() });
    let console = Arc::new(Console::new(operations, gate.clone()));
    let by = |role: Role, bytes: usize, methods: MethodRouter<Arc<Console<O>>>| {
        guarded(&gate, methods.route_layer(from_fn_with_state((gate.clone(), Need { role, bytes }), guard)))
    };
    let read = |methods| by(Role::Viewer, ORDER_BYTES, methods);
    let act = |methods| by(Role::Operator, ORDER_BYTES, methods);
    let edit = |methods| by(Role::Editor, PAYLOAD_BYTES, methods);
    let pages = Router::new()
        .route("/console/", read(get(flow::show::<O>)))
        .route("/console/stream", read(get(stream::show::<O>)))
        .route("/console/held", read(get(held::show::<O>)))
        .route("/console/permit", act(post(flow::permit::<O>)))
        .route("/console/dead-letters", read(get(groups::show::<O>)))
        .route("/console/dead-letters/{id}", read(get(letter::show::<O>)))
        .route("/console/dead-letters/{id}/check", edit(post(letter::check::<O>)))
        .route("/console/dead-letters/{id}/send", edit(post(letter::send::<O>)))
        .route("/console/redrive", act(get(redrive::show::<O>).post(redrive::begin::<O>)))
        .route("/console/purge", act(get(purge::ask::<O>).post(purge::remove::<O>)))
        .route("/console/jobs", read(get(jobs::show::<O>)))
        .route("/console/jobs/{number}", read(get(job::show::<O>)))
        .route("/console/jobs/{number}/{wanted}", act(post(jobs::control::<O>)))
        .route("/console/parked", read(get(parked::show::<O>)))
        .route("/console/trace", read(get(trace::show::<O>)))
        .route("/console/verify", read(get(verify::show::<O>)))
        .route("/console/verify/now", act(post(verify::begin::<O>)))
        .route("/console/audit", read(get(audit::show::<O>)))
        .route("/console/health", read(get(health::show::<O>)))
        .route("/console/health/check", act(post(health::check::<O>)))
        .route("/console/theme", read(post(theme::choose)))
        .route("/console/logout", read(post(login::leave::<O>)))
        .route("/console/{*rest}", read(get(missing::show::<O>)))
        .with_state(console);
    let open = Router::new()
        .route("/console", guarded(&gate, get(async || Redirect::permanent("/console/"))))
        .route("/console/login", guarded(&gate, get(login::ask).post(login::enter).layer(DefaultBodyLimit::max(kept::KEPT_BYTES))))
        .route("/console/assets/{name}", guarded(&gate, get(assets::serve)))
        .with_state(gate);
    pages.merge(open)
}

/// What holds for every route, also for methods that it does not have; and for nothing else of the router that this one is merged into.
fn guarded<S: Clone + Send + Sync + 'static>(gate: &Arc<Gate>, methods: MethodRouter<S>) -> MethodRouter<S> {
    methods.fallback(missing::method).layer(from_fn_with_state(gate.clone(), local_only)).layer(from_fn(headers))
}
