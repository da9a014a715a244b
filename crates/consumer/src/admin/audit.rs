//! `GET /admin/audit`, `/admin/audit/verify`: what operators have changed, and whether that log was changed itself.

use axum::Json;
use axum::extract::State;
use pipeline::audit::Sha256Digest;
use pipeline::ports::{AuditLog, AuditPage};
use serde::Deserialize;
use serde_json::{Value, json};

use super::Shared;
use super::answer::Refused;
use super::request::{Asked, asked, id};
use crate::audit::command::{self, to_json};

/// Entries of one answer, where nothing is asked for, and at most.
const LIMITS: (usize, usize) = (command::SHOWN, 1000);

/// The parameters of a list.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct ListQuery {
    limit: Option<usize>,
    operation: Option<String>,
    before: Option<i64>,
    after: Option<i64>,
}

impl ListQuery {
    /// The page that is meant.
    fn page(&self) -> Result<AuditPage, Refused> {
        match (&self.operation, self.before, self.after) {
            (None, before, None) => Ok(AuditPage::Before(before.unwrap_or(i64::MAX))),
            (Some(operation), None, after) => {
                Ok(AuditPage::Of { operation: id("operation", operation)?, after: after.unwrap_or_default() })
            }
            (None, _, Some(_)) => {
                Err(Refused::bad("after is for the entries of one operation; all entries are asked for from the newest back, by before."))
            }
            (Some(_), Some(_), _) => {
                Err(Refused::bad("before is for all entries; those of one operation are asked for from its first on, by after."))
            }
        }
    }
}

/// The newest entries, or the first ones of an operation; in both cases the newest last. `next` is the number to ask on from, as `before` or `after`.
pub(super) async fn list<G, T: AuditLog, Q, P>(State(admin): Shared<G, T, Q, P>, query: Asked<ListQuery>) -> Result<Json<Value>, Refused> {
    let query = asked(query)?;
    let (page, limit) = (query.page()?, query.limit.unwrap_or(LIMITS.0).min(LIMITS.1));
    let mut entries = admin.parts.shared.context.tables()?.audit_page(page, limit).await?;
    let next = entries.last().filter(|_| entries.len() == limit).map(|entry| entry.number);
    if query.operation.is_none() {
        entries.reverse();
    }
    Ok(Json(json!({ "entries": entries.iter().map(to_json).collect::<Vec<_>>(), "next": next })))
}

/// The parameters of a verification.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct VerifyQuery {
    expect: Option<String>,
}

/// Walks through the whole log.
pub(super) async fn verify<G, T: AuditLog, Q, P>(
    State(admin): Shared<G, T, Q, P>,
    query: Asked<VerifyQuery>,
) -> Result<Json<Value>, Refused> {
    let expected = asked(query)?.expect.map(|hash| hash.parse::<Sha256Digest>()).transpose();
    let expected = expected.map_err(|_| Refused::bad("expect must be a hash as this answers it, 64 hexadecimal digits."))?;
    Ok(Json(command::verify(admin.parts.shared.context.tables()?, expected).await?.to_json()))
}
