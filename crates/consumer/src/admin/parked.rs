//! `GET /admin/parked`, `/admin/parked/{parent}`: what events wait for, and who waits.

use axum::Json;
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use pipeline::ports::AwaitedParents;
use serde::Deserialize;
use serde_json::Value;

use super::Shared;
use super::answer::Refused;
use super::request::{Asked, asked};
use crate::parked::{self, ParentName};

/// Parents of one answer, at most.
const MOST: usize = 1000;

/// The parameters of a list.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct ListQuery {
    limit: Option<usize>,
}

/// What is waited for, those for which the most events wait first.
pub(super) async fn list<G, T: AwaitedParents, Q, P>(
    State(admin): Shared<G, T, Q, P>,
    query: Asked<ListQuery>,
) -> Result<Json<Value>, Refused> {
    let limit = asked(query)?.limit.unwrap_or(parked::LISTED).min(MOST);
    Ok(Json(parked::document(&parked::list(admin.parts.shared.context.tables()?, limit).await?)))
}

/// The events that wait for one of them, those that have waited longest first.
pub(super) async fn show<G, T: AwaitedParents, Q, P>(
    State(admin): Shared<G, T, Q, P>,
    parent: Result<Path<String>, PathRejection>,
) -> Result<Json<Value>, Refused> {
    let name = parent.ok().and_then(|Path(text)| text.parse::<ParentName>().ok());
    let name = name.ok_or_else(|| Refused::bad("What is waited for is the id of a user or an order in full, or email."))?;
    let found = parked::find(admin.parts.shared.context.tables()?, name).await?;
    let found = found.ok_or_else(|| Refused::with(StatusCode::NOT_FOUND, "Nothing waits for it."))?;
    Ok(Json(parked::parent_document(&found)))
}
