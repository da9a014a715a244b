//! `GET /admin/openapi.json`: these routes described, in a document that the tests hold to its word.

use axum::http::header::CONTENT_TYPE;
use axum::response::IntoResponse;

/// Beside the dead letters, of which `/admin/dlq/{id}` takes every name.
pub(super) const PATH: &str = "/admin/openapi.json";

/// OpenAPI 3.1.
const DOCUMENT: &str = include_str!("../../admin-openapi.json");

pub(super) async fn document() -> impl IntoResponse {
    ([(CONTENT_TYPE, "application/json")], DOCUMENT)
}
