//! What happens to every request, whoever answers it: metrics, access log, headers.

use axum::extract::{MatchedPath, Request, State};
use axum::http::header::{CACHE_CONTROL, X_CONTENT_TYPE_OPTIONS};
use axum::http::{HeaderValue, Method};
use axum::middleware::Next;
use axum::response::Response;
use telemetry::Metrics;
use tokio::time::Instant;

use crate::router::ROUTES;

pub(crate) async fn observe(State(metrics): State<Metrics>, request: Request, next: Next) -> Response {
    let started = Instant::now();
    let (route, method) = (route(&request), method(request.method()));
    let mut response = next.run(request).await;
    let (status, took) = (response.status().as_u16(), started.elapsed());
    metrics.http_request(route, method, status, took);
    // The template alone: paths and queries name people.
    tracing::debug!(route, method, status, millis = took.as_millis() as u64, "request");
    let headers = response.headers_mut();
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    response
}

/// The template that the path matched, so that the number of labels is that of the routes.
fn route(request: &Request) -> &'static str {
    let template = request.extensions().get::<MatchedPath>().map_or("", MatchedPath::as_str);
    ROUTES.into_iter().find(|route| *route == template).unwrap_or("unmatched")
}

/// A client may send any word as a method.
fn method(method: &Method) -> &'static str {
    let known = ["GET", "HEAD", "POST", "PUT", "DELETE", "CONNECT", "OPTIONS", "TRACE", "PATCH"];
    known.into_iter().find(|name| *name == method.as_str()).unwrap_or("other")
}
