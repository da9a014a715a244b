//! What is known of one event.

use std::sync::Arc;

use askama::Template;
use axum::Extension;
use axum::extract::{RawQuery, State};
use axum::http::StatusCode;
use axum::response::Response;

use super::problem::status;
use super::{Screen, Shell, html};
use crate::access::Visitor;
use crate::fields::Fields;
use crate::port::{Operations, Trace};
use crate::routes::Console;

#[derive(Template)]
#[template(path = "trace.html")]
struct TracePage {
    shell: Shell,
    event: String,
    trace: Option<Trace>,
    refusal: Option<String>,
}

/// `GET /console/trace?event=…`.
pub(crate) async fn show<O: Operations>(
    State(console): State<Arc<Console<O>>>,
    Extension(visitor): Extension<Visitor>,
    RawQuery(query): RawQuery,
) -> Response {
    let fields = Fields::parse(query.unwrap_or_default().as_bytes());
    let event = fields.given("event").unwrap_or_default().to_owned();
    let shell = Shell::new(&console.gate, &visitor, Screen::Trace, "Trace");
    if event.is_empty() {
        return html(StatusCode::OK, &TracePage { shell, event, trace: None, refusal: None });
    }
    match console.operations.trace(&event).await {
        Ok(trace) => html(StatusCode::OK, &TracePage { shell, event, trace: Some(trace), refusal: None }),
        // The form stays, so that the id can be mended.
        Err(why) => html(status(why.kind), &TracePage { shell, event, trace: None, refusal: Some(why.sentence) }),
    }
}
