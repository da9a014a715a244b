//! Error bodies: RFC 9457, problem details for HTTP APIs.

use std::borrow::Cow;

use axum::Json;
use axum::http::header::{CONTENT_TYPE, RETRY_AFTER};
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use serde::Serialize;

/// When to try again, in seconds. A dependency comes back or it does not; asking more often than this does not help it.
const RETRY_AFTER_SECONDS: HeaderValue = HeaderValue::from_static("5");

#[derive(Serialize)]
struct Body<T> {
    r#type: &'static str,
    title: Option<&'static str>,
    status: u16,
    detail: Cow<'static, str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    result: Option<T>,
}

/// The answer with this status and sentence; 503 says when to try again. The sentence must hold nothing of a row or of a driver's text.
pub fn problem(status: StatusCode, detail: impl Into<Cow<'static, str>>) -> Response {
    answer(status, detail.into(), None::<()>)
}

/// The same, with what was done before it went wrong as the extension member `result`.
pub fn problem_with(status: StatusCode, detail: impl Into<Cow<'static, str>>, result: impl Serialize) -> Response {
    answer(status, detail.into(), Some(result))
}

fn answer(status: StatusCode, detail: Cow<'static, str>, result: Option<impl Serialize>) -> Response {
    // "about:blank": the status says it all, and the title is its phrase (RFC 9457, section 4.2.1).
    let body = Body { r#type: "about:blank", title: status.canonical_reason(), status: status.as_u16(), detail, result };
    let mut response = (status, [(CONTENT_TYPE, "application/problem+json")], Json(body)).into_response();
    if status == StatusCode::SERVICE_UNAVAILABLE {
        response.headers_mut().insert(RETRY_AFTER, RETRY_AFTER_SECONDS);
    }
    response
}
