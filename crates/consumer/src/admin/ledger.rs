//! `POST /admin/ledger/compact`: folding old lines of the ledger of stock.

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use futures_util::future::BoxFuture;
use serde::Deserialize;
use telemetry::problem::problem_with;

use super::Shared;
use super::answer::Refused;
use super::guard::Caller;
use super::request::{Content, body, received};
use crate::audit::Who;
use crate::ledger::{CompactArgs, Refusal, Report, age};

/// Folds old lines of the ledger, or says what it would fold.
pub type Compact = Arc<dyn Fn(Who, CompactArgs) -> BoxFuture<'static, Result<Report, Refusal>> + Send + Sync>;

/// What a request says whose compaction has ended by a defect.
const DEFECT: &str = "The compaction has ended by a defect of this program, which the log tells of; the next one goes on with it.";

/// The body.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct CompactBody {
    older_than: Option<String>,
    #[serde(default)]
    execute: bool,
}

/// What would be folded; with `execute` it is, unless something needs the lines. It goes on where the client goes away, and what is broken off by the end of
/// the process is gone on with by the next one.
pub(super) async fn fold<G, T, Q, P>(
    State(admin): Shared<G, T, Q, P>,
    Extension(Caller(caller)): Extension<Caller>,
    content: Content,
) -> Result<Response, Refused> {
    let CompactBody { older_than, execute } = body(&received(content)?)?;
    let older_than = older_than.as_deref().and_then(|text| age(text).ok());
    let older_than = older_than.ok_or_else(|| Refused::bad("olderThan must be a number with a unit, such as 12h or 90d."))?;
    admin.parts.shared.context.audit()?;
    let Ok(turn) = Arc::clone(&admin.compactions).try_lock_owned() else {
        return Err(Refused::with(
            StatusCode::CONFLICT,
            "Another request compacts the ledger at this moment: ask again when it has ended.",
        ));
    };
    let compacted = (admin.parts.compact)(Who::http(&caller), CompactArgs { older_than, execute, json: true });
    let compacted = tokio::spawn(async move {
        let _turn = turn;
        compacted.await
    });
    let report = compacted.await.map_err(|_| Refused::with(StatusCode::INTERNAL_SERVER_ERROR, DEFECT))??;
    if execute && !report.obstacles.is_empty() {
        return Ok(problem_with(
            StatusCode::CONFLICT,
            "Nothing was folded: result.obstacles says what still needs the lines.",
            report.to_json(),
        ));
    }
    if let Some(folded) = report.folded {
        tracing::info!(caller = &*caller, folded, "lines of the ledger folded");
    }
    Ok(Json(report.to_json()).into_response())
}

impl From<Refusal> for Refused {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::Unaudited(refusal) => refusal.into(),
            refusal @ (Refusal::BrokenOff(_) | Refusal::Fault(_)) => Self::with(StatusCode::SERVICE_UNAVAILABLE, format!("{refusal}.")),
        }
    }
}
