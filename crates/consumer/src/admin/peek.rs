//! `GET /admin/peek`: what the group has not consumed.

use axum::extract::State;
use axum::http::StatusCode;
use axum::{Extension, Json};
use serde::Deserialize;

use super::answer::Refused;
use super::request::{Asked, asked};
use super::{AdminRole, Shared};
use crate::peek::{PeekArgs, Peeked, Refusal};

/// Records of one answer, where nothing is asked for, and at most.
const RECORDS: (u64, u64) = (20, 1000);

/// The parameters.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct PeekQuery {
    records: Option<u64>,
    partition: Option<i32>,
    #[serde(default)]
    broken: bool,
}

/// The records, the oldest first. A key may be personal data: it is told to editors alone. One request at a time: each fetches anew from the brokers.
pub(super) async fn look<G, T, Q, P>(
    State(admin): Shared<G, T, Q, P>,
    Extension(role): Extension<AdminRole>,
    query: Asked<PeekQuery>,
) -> Result<Json<Peeked>, Refused> {
    let PeekQuery { records, partition, broken } = asked(query)?;
    let records = records.unwrap_or(RECORDS.0);
    if !(1..=RECORDS.1).contains(&records) {
        return Err(Refused::bad(format!("records must be from 1 to {}.", RECORDS.1)));
    }
    let Ok(_turn) = admin.peeks.try_lock() else {
        return Err(Refused::with(
            StatusCode::CONFLICT,
            "Another request looks at the log at this moment, and each fetches anew: ask again when it has ended.",
        ));
    };
    let peeked = (admin.parts.shared.peek)(PeekArgs { records, partition, broken, json: true }).await?;
    Ok(Json(if role < AdminRole::Editor { peeked.without_keys() } else { peeked }))
}

impl From<Refusal> for Refused {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::Fault(fault) => fault.into(),
            refusal @ Refusal::NoPartition { .. } => Self::with(StatusCode::NOT_FOUND, format!("{refusal}.")),
        }
    }
}
