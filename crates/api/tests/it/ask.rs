//! One request, one answer, which must be as the OpenAPI document says.

use std::time::Duration;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{HeaderMap, Request, StatusCode};
use serde_json::Value;
use tower::ServiceExt as _;

use crate::document;

/// Far beyond what any request may take.
const BOUND: Duration = Duration::from_secs(60);

pub struct Answer {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: String,
}

impl Answer {
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {}", self.body))
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap())
    }

    /// Checks that it is a whole problem of this status, and gives its detail.
    pub fn problem(&self, status: u16, title: &str) -> String {
        assert_eq!(self.status.as_u16(), status, "{}", self.body);
        assert_eq!(self.header("content-type"), Some("application/problem+json"));
        let body = self.json();
        assert_eq!((&body["type"], &body["title"], &body["status"]), (&"about:blank".into(), &title.into(), &status.into()), "{body}");
        assert_eq!(body.as_object().unwrap().len(), 4, "{body}");
        body["detail"].as_str().unwrap().to_owned()
    }
}

pub async fn get(router: &Router, path: &str) -> Answer {
    send(router, "GET", path).await
}

pub async fn send(router: &Router, method: &str, path: &str) -> Answer {
    let request = Request::builder().method(method).uri(path).body(Body::empty()).unwrap();
    let answer = tokio::time::timeout(BOUND, router.clone().oneshot(request)).await.unwrap_or_else(|_| panic!("{path} is not answered"));
    let (head, body) = answer.unwrap().into_parts();
    let body = to_bytes(body, usize::MAX).await.unwrap();
    let answer = Answer { status: head.status, headers: head.headers, body: String::from_utf8(body.to_vec()).unwrap() };
    if method == "GET" {
        document::check(path, &answer);
    }
    answer
}
