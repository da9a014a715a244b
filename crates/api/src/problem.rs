//! Why a request has no other answer; see [`telemetry::problem`].

use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use telemetry::problem::problem;

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

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        problem(self.status(), self.detail())
    }
}
