//! An address that leads nowhere.

use std::sync::Arc;

use axum::Extension;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;

use super::problem::{Chrome, problem};
use crate::access::Visitor;
use crate::port::Operations;
use crate::routes::Console;

/// Any other address under `/console/`.
pub(crate) async fn show<O: Operations>(State(console): State<Arc<Console<O>>>, Extension(visitor): Extension<Visitor>) -> Response {
    problem(Chrome::visitor(&console.gate, &visitor), StatusCode::NOT_FOUND, "The console has no such page.")
}
