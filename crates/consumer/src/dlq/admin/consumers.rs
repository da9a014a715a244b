//! `GET /admin/consumers`: who consumes.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use pipeline::ports::Heartbeats;
use serde::Serialize;

use super::Admin;
use super::answer::Refused;
use crate::fleet::{ConsumerView, consumers};

#[derive(Serialize)]
pub(super) struct Consumers {
    consumers: Vec<ConsumerView>,
}

/// Those that are there, and after them those that are gone without having said so.
pub(super) async fn list<Q, P, T: Heartbeats>(State(admin): State<Arc<Admin<Q, P, T>>>) -> Result<Json<Consumers>, Refused> {
    Ok(Json(Consumers { consumers: consumers(admin.context.tables()?).await? }))
}
