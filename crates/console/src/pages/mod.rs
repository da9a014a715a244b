//! One file per screen: its handler, and what its template shows.

pub(crate) mod audit;
mod consumers;
mod draft;
pub(crate) mod flow;
pub(crate) mod groups;
pub(crate) mod health;
pub(crate) mod held;
pub(crate) mod job;
pub(crate) mod jobs;
pub(crate) mod letter;
pub(crate) mod missing;
pub(crate) mod parked;
pub(crate) mod problem;
pub(crate) mod purge;
pub(crate) mod redrive;
mod shell;
pub(crate) mod theme;
pub(crate) mod trace;
pub(crate) mod verify;

use askama::Template;
use axum::http::StatusCode;
use axum::response::{Html, IntoResponse as _, Response};

pub(crate) use shell::{Screen, Shell};

/// An answer, or the page that says why there is none.
pub(crate) type Answer = Result<Response, Response>;

/// A page. A template that cannot be written is a defect of ours, and tells nothing.
pub(crate) fn html(status: StatusCode, page: &impl Template) -> Response {
    match page.render() {
        Ok(text) => (status, Html(text)).into_response(),
        Err(error) => {
            tracing::error!(%error, "a page of the console could not be written");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    }
}
