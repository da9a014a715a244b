//! `/admin/verify`: the last verification of this process, and beginning one.

use axum::extract::State;
use axum::http::StatusCode;
use axum::{Extension, Json};

use super::answer::Refused;
use super::guard::Caller;
use super::{Admin, Shared};
use crate::verify::last::{LastVerification, NO_SCHEDULE};

/// `GET /admin/verify`.
pub(super) async fn show<G, T, Q, P>(State(admin): Shared<G, T, Q, P>) -> Json<LastVerification> {
    Json(last(&admin))
}

/// `POST /admin/verify`: one is begun now, or as soon as the one that is under way has come to its end, unless another process does it. Answers what was
/// found the last time.
pub(super) async fn begin<G, T, Q, P>(
    State(admin): Shared<G, T, Q, P>,
    Extension(Caller(caller)): Extension<Caller>,
) -> Result<(StatusCode, Json<LastVerification>), Refused> {
    let verify = admin.parts.shared.verify.as_ref().ok_or_else(|| Refused::with(StatusCode::NOT_IMPLEMENTED, NO_SCHEDULE))?;
    verify.begin();
    tracing::info!(caller = &*caller, "a verification is wanted now");
    Ok((StatusCode::ACCEPTED, Json(last(&admin))))
}

fn last<G, T, Q, P>(Admin { parts, .. }: &Admin<G, T, Q, P>) -> LastVerification {
    LastVerification::read(&parts.shared.metrics.encode(), parts.shared.verify.is_some())
}
