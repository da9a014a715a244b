//! What happens to every request, whoever answers it: metrics, access log, headers.

use std::sync::Arc;

use axum::extract::{MatchedPath, Request, State};
use axum::http::header::{CACHE_CONTROL, X_CONTENT_TYPE_OPTIONS};
use axum::http::{HeaderValue, Method};
use axum::middleware::Next;
use axum::response::Response;
use telemetry::Metrics;
use tokio::time::Instant;

/// Where requests are counted, and the templates of the routes: the labels under which they are.
#[derive(Clone, Debug)]
pub(crate) struct Observer {
    metrics: Metrics,
    templates: Arc<[&'static str]>,
}

impl Observer {
    pub(crate) const fn new(metrics: Metrics, templates: Arc<[&'static str]>) -> Self {
        Self { metrics, templates }
    }

    /// The template that the path matched, so that the number of labels is that of the routes.
    fn route(&self, request: &Request) -> &'static str {
        let matched = request.extensions().get::<MatchedPath>().map_or("", MatchedPath::as_str);
        self.templates.iter().copied().find(|template| *template == matched).unwrap_or("unmatched")
    }
}

pub(crate) async fn observe(State(observer): State<Observer>, request: Request, next: Next) -> Response {
    let started = Instant::now();
    let (route, method) = (observer.route(&request), method(request.method()));
    let mut response = next.run(request).await;
    let (status, took) = (response.status().as_u16(), started.elapsed());
    observer.metrics.http_request(route, method, status, took);
    // The template alone: paths and queries name people.
    tracing::debug!(route, method, status, millis = took.as_millis() as u64, "request");
    let headers = response.headers_mut();
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    response
}

/// A client may send any word as a method.
fn method(method: &Method) -> &'static str {
    let known = ["GET", "HEAD", "POST", "PUT", "DELETE", "CONNECT", "OPTIONS", "TRACE", "PATCH"];
    known.into_iter().find(|name| *name == method.as_str()).unwrap_or("other")
}
