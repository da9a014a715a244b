//! `POST /admin/resume`: letting a held flood of unwritable records go.

use axum::extract::State;
use axum::{Extension, Json};
use pipeline::ports::{AuditLog, FloodPermits, Permit};
use serde::Deserialize;
use serde_json::{Value, json};

use super::Shared;
use super::answer::Refused;
use super::guard::Caller;
use super::request::{Content, body, received};
use crate::audit::Who;
use crate::resume::{change_permit, told};

/// The body: exactly one of them.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct ResumeBody {
    records: Option<u64>,
    #[serde(default)]
    always: bool,
    #[serde(default)]
    never: bool,
}

impl ResumeBody {
    fn permit(&self) -> Result<Permit, Refused> {
        match (self.records, self.always, self.never) {
            (Some(1..), false, false) => Ok(Permit::Records(self.records.unwrap_or_default())),
            (None, true, false) => Ok(Permit::Everything),
            (None, false, true) => Ok(Permit::Nothing),
            _ => Err(Refused::bad(
                "Say what may pass, in one way: records, 1 or more, or always: true; never: true takes back what was permitted.",
            )),
        }
    }
}

/// Permits it, for all consumers of this dead letter queue.
pub(super) async fn permit<G, T: AuditLog, Q: FloodPermits, P>(
    State(admin): Shared<G, T, Q, P>,
    Extension(Caller(caller)): Extension<Caller>,
    content: Content,
) -> Result<Json<Value>, Refused> {
    let permit = body::<ResumeBody>(&received(content)?)?.permit()?;
    let context = &admin.parts.shared.context;
    change_permit(&context.queue, (context.audit()?, Who::http(&caller)), permit).await?;
    tracing::info!(caller = &*caller, ?permit, "what may pass of a flood was changed");
    Ok(Json(json!({ "permitted": told(permit) })))
}
