//! `GET /admin/consumers`: who consumes.

use axum::Json;
use axum::extract::State;
use pipeline::ports::Heartbeats;
use serde::Serialize;

use super::Shared;
use super::answer::Refused;
use crate::fleet::{ConsumerView, consumers};

#[derive(Serialize)]
pub(super) struct Consumers {
    consumers: Vec<ConsumerView>,
}

/// Those that are there, and after them those that are gone without having said so.
pub(super) async fn list<G, T: Heartbeats, Q, P>(State(admin): Shared<G, T, Q, P>) -> Result<Json<Consumers>, Refused> {
    Ok(Json(Consumers { consumers: consumers(admin.parts.shared.context.tables()?).await? }))
}
