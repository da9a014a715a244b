//! The routes and the layers around them.

use std::any::Any;

use axum::Router;
use axum::middleware::from_fn_with_state;
use axum::response::{IntoResponse as _, Response};
use axum::routing::get;
use readmodel::ReadStore;
use telemetry::{Health, Metrics, http};
use tower_http::catch_panic::CatchPanicLayer;

use crate::problem::Problem;
use crate::reads::Reads;
use crate::{health, inventory, observe, orders, users};

const USER: &str = "/users/{id}";
const RECENT_USERS: &str = "/users/recent";
const ORDER: &str = "/orders/{id}";
const INVENTORY: &str = "/inventory/{sku}";
const HEALTH: &str = "/health";
const READY: &str = "/health/ready";
const LIVE: &str = "/health/live";
const METRICS: &str = "/metrics";

/// Every template, for the labels of the metrics.
pub(crate) const ROUTES: [&str; 8] = [USER, RECENT_USERS, ORDER, INVENTORY, HEALTH, READY, LIVE, METRICS];

/// The API on this store. It notes in `health`, as the part [`READ_STORE`](crate::READ_STORE), whether the store can be read; what else
/// stands there is shown by `/health` and counts for `/health/ready`.
///
/// `/health`, `/health/ready` and the metrics are not held up by however many reads are waiting.
pub fn router(store: impl ReadStore, metrics: Metrics, health: Health) -> Router {
    let reads = Reads::new(store, metrics.clone(), health.clone());
    Router::new()
        .route(USER, get(users::user))
        .route(RECENT_USERS, get(users::recent_users))
        .route(ORDER, get(orders::order))
        .route(INVENTORY, get(inventory::inventory))
        .route(HEALTH, get(health::overview))
        .route(READY, get(health::ready))
        .with_state(reads)
        .merge(http::live_route(health))
        .merge(http::metrics_route(metrics.clone()))
        .fallback(async || Problem::NoSuchPath)
        .method_not_allowed_fallback(async || Problem::MethodNotAllowed)
        .layer(CatchPanicLayer::custom(panicked))
        // Outermost, so that it sees every answer.
        .layer(from_fn_with_state(metrics, observe::observe))
}

/// What the panic said is not looked at: it may quote a row.
fn panicked(_said: Box<dyn Any + Send>) -> Response {
    tracing::error!("a request ended in a panic");
    Problem::Panicked.into_response()
}
