//! `/admin/check`: the check of this process, and running one.

use axum::extract::State;
use axum::http::StatusCode;
use axum::{Extension, Json};

use super::Shared;
use super::answer::Refused;
use super::guard::Caller;
use crate::check::Checked;

/// What is said where none was run.
const NEVER: &str = "This process has not been checked since it started: POST /admin/check runs the check.";

/// `GET /admin/check`: what the last one came to.
pub(super) async fn show<G, T, Q, P>(State(admin): Shared<G, T, Q, P>) -> Result<Json<Checked>, Refused> {
    let last = admin.parts.shared.check.last().ok_or_else(|| Refused::with(StatusCode::NOT_FOUND, NEVER))?;
    Ok(Json(Checked::clone(&last)))
}

/// `POST /admin/check`: runs one and answers what it came to. Where one is under way, that is waited for: each opens connections of its own.
pub(super) async fn run<G, T, Q, P>(State(admin): Shared<G, T, Q, P>, Extension(Caller(caller)): Extension<Caller>) -> Json<Checked> {
    Json(Checked::clone(&*admin.parts.shared.check.run(&caller).await))
}
