//! Error bodies: RFC 9457, problem details for HTTP APIs.

use axum::Json;
use axum::http::header::{CONTENT_TYPE, RETRY_AFTER};
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use serde::Serialize;

/// When to try again, in seconds. The database comes back or it does not; asking more often than this does not help it.
const RETRY_AFTER_SECONDS: HeaderValue = HeaderValue::from_static("5");

/// Why a request has no other answer. The sentences are fixed: nothing of the request, of a row or of a driver's text gets in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Problem {
    NoSuchUser,
    NoSuchOrder,
    NoSuchArticle,
    NoSuchPath,
    InvalidLimit,
    MethodNotAllowed,
    CannotRead,
    Busy,
    Panicked,
}

impl Problem {
    const fn status(self) -> StatusCode {
        match self {
            Self::NoSuchUser | Self::NoSuchOrder | Self::NoSuchArticle | Self::NoSuchPath => StatusCode::NOT_FOUND,
            Self::InvalidLimit => StatusCode::BAD_REQUEST,
            Self::MethodNotAllowed => StatusCode::METHOD_NOT_ALLOWED,
            Self::CannotRead | Self::Busy => StatusCode::SERVICE_UNAVAILABLE,
            Self::Panicked => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    const fn detail(self) -> &'static str {
        match self {
            Self::NoSuchUser => "There is no user with this id.",
            Self::NoSuchOrder => "There is no order with this id.",
            Self::NoSuchArticle => "There is no stock of an article with this SKU.",
            Self::NoSuchPath => "There is nothing at this path.",
            Self::InvalidLimit => "The query parameter limit must be given once at most, and be a whole number from 1 to 100.",
            Self::MethodNotAllowed => "Only GET and HEAD are answered here.",
            Self::CannotRead => "The database cannot be read at the moment.",
            Self::Busy => "Too many requests are waiting for the database.",
            Self::Panicked => "The request could not be answered because of a fault in this program.",
        }
    }
}

#[derive(Serialize)]
struct Body {
    r#type: &'static str,
    title: Option<&'static str>,
    status: u16,
    detail: &'static str,
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let status = self.status();
        // "about:blank": the status says it all, and the title is its phrase (RFC 9457, section 4.2.1).
        let title = status.canonical_reason();
        let body = Body { r#type: "about:blank", title, status: status.as_u16(), detail: self.detail() };
        let mut response = (status, [(CONTENT_TYPE, "application/problem+json")], Json(body)).into_response();
        if status == StatusCode::SERVICE_UNAVAILABLE {
            response.headers_mut().insert(RETRY_AFTER, RETRY_AFTER_SECONDS);
        }
        response
    }
}
