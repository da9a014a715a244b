//! An address that leads nowhere.

use std::sync::Arc;

use axum::Extension;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;

use super::problem::{Chrome, problem};
use crate::access::Visitor;
use crate::port::Operations;
use crate::state::Console;

/// Any other address under `/console/`.
pub(crate) async fn show<O: Operations>(State(console): State<Arc<Console<O>>>, Extension(visitor): Extension<Visitor>) -> Response {
    problem(Chrome::visitor(&console.gate, &visitor), StatusCode::NOT_FOUND, "The console has no such page.")
}

/// An address that takes forms only, opened like a page.
pub(crate) async fn method(headers: HeaderMap) -> Response {
    problem(Chrome::stranger(&headers), StatusCode::METHOD_NOT_ALLOWED, "This address takes forms of the console only.")
}
