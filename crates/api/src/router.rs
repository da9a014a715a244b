//! The routes and the layers around them.

use std::any::Any;
use std::sync::Arc;

use axum::Router;
use axum::middleware::from_fn_with_state;
use axum::response::{IntoResponse as _, Response};
use axum::routing::{MethodRouter, get, get_service};
use readmodel::ReadStore;
use telemetry::{Health, Metrics, http};
use tower_http::catch_panic::CatchPanicLayer;

use crate::observe::{Observer, observe};
use crate::problem::Problem;
use crate::reads::{HealthTells, Reads};
use crate::{health, inventory, metrics, openapi, orders, users};

/// Each route, with what answers there. `openapi.json` describes all of them.
type Routes<S> = [(&'static str, MethodRouter<Arc<Reads<S>>>); 9];

fn routes<S: ReadStore>(health: Health) -> Routes<S> {
    [
        ("/users/{id}", get(users::user)),
        ("/users/recent", get(users::recent_users)),
        ("/orders/{id}", get(orders::order)),
        ("/inventory/{sku}", get(inventory::inventory)),
        ("/health", get(health::overview)),
        ("/health/ready", get(health::ready)),
        ("/health/live", get_service(http::live_route(health))),
        ("/metrics", get(metrics::exposition)),
        ("/openapi.json", get(openapi::document)),
    ]
}

/// The API on this store. It notes in `health`, as the part [`READ_STORE`](crate::READ_STORE), whether the store can be read; what else
/// stands there is shown by `/health` and counts for `/health/ready`.
///
/// `/health`, `/health/ready` and the metrics are not held up by however many reads are waiting.
pub fn router(store: impl ReadStore, metrics: Metrics, health: Health, tells: HealthTells) -> Router {
    let reads = Reads::new(store, metrics.clone(), health.clone(), tells);
    let routes = routes(health);
    let observer = Observer::new(metrics, routes.iter().map(|(template, _)| *template).collect());
    let router = routes.into_iter().fold(Router::new(), |router, (template, answers)| router.route(template, answers));
    router
        .with_state(reads)
        .fallback(async || Problem::NoSuchPath)
        .method_not_allowed_fallback(async || Problem::MethodNotAllowed)
        .layer(CatchPanicLayer::custom(panicked))
        // Outermost, so that it sees every answer.
        .layer(from_fn_with_state(observer, observe))
}

/// What the panic said is not looked at: it may quote a row.
fn panicked(_said: Box<dyn Any + Send>) -> Response {
    tracing::error!("a request ended in a panic");
    Problem::Panicked.into_response()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use sqlite::Sqlite;

    use super::*;

    #[test]
    fn the_document_describes_every_route_and_nothing_else() {
        let document: serde_json::Value = serde_json::from_str(openapi::DOCUMENT).unwrap();
        let described: BTreeSet<_> = document["paths"].as_object().unwrap().keys().map(String::as_str).collect();
        let routes = routes::<Sqlite>(Health::new(&[], None));
        assert_eq!(described, routes.iter().map(|(template, _)| *template).collect());
    }
}
