//! Refusals as problem documents.

use std::borrow::Cow;

use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use telemetry::problem::problem;

use crate::dlq::refusal::Refusal;
use crate::dlq::transfer::ImportError;

impl Refusal {
    const fn status(&self) -> StatusCode {
        match self {
            Self::Fault(_) | Self::Unaudited(_) => StatusCode::SERVICE_UNAVAILABLE,
            Self::NotAnId | Self::NotJson { .. } | Self::NoDeadLetter { .. } => StatusCode::BAD_REQUEST,
            Self::NotFound | Self::NoSuchJob(_) => StatusCode::NOT_FOUND,
            Self::Ambiguous(_) | Self::OtherEvent | Self::JobIs(..) | Self::TooManyJobs(_) => StatusCode::CONFLICT,
            Self::NotEditable | Self::Violation(_) | Self::Unchanged => StatusCode::UNPROCESSABLE_ENTITY,
            Self::NoBroker | Self::NoTables | Self::NoAuditLog | Self::NoJobs => StatusCode::NOT_IMPLEMENTED,
        }
    }
}

/// Any refusal as the answer of a handler.
pub(super) struct Refused {
    status: StatusCode,
    detail: Cow<'static, str>,
}

impl Refused {
    /// With this status and sentence.
    pub fn with(status: StatusCode, detail: impl Into<Cow<'static, str>>) -> Self {
        Self { status, detail: detail.into() }
    }

    /// 400: the request is not understood.
    pub fn bad(detail: impl Into<Cow<'static, str>>) -> Self {
        Self::with(StatusCode::BAD_REQUEST, detail)
    }
}

impl<E: Into<Refusal>> From<E> for Refused {
    fn from(refusal: E) -> Self {
        let refusal = refusal.into();
        Self::with(refusal.status(), format!("{refusal}."))
    }
}

impl From<ImportError> for Refusal {
    fn from(error: ImportError) -> Self {
        match error {
            ImportError::Refusal(refusal) => refusal,
            // A body in memory can be read unless it is not UTF-8, and then it is not JSON.
            ImportError::Read(_) => Self::NotJson { line: 1 },
        }
    }
}

impl IntoResponse for Refused {
    fn into_response(self) -> Response {
        problem(self.status, self.detail)
    }
}
