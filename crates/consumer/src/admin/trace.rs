//! `GET /admin/trace`: what is known of one event, or of a user, an order, a payment or an article.

use axum::Json;
use axum::extract::State;
use events::Timestamp;
use pipeline::Entity;
use pipeline::ports::{AuditLog, DeadLetterReader, EventTrace};
use pipeline::trace::Subject;
use serde::Deserialize;
use serde_json::Value;
use uuid::Uuid;

use super::Shared;
use super::answer::Refused;
use super::request::{Asked as Parameters, asked, id};
use crate::trace::{Asked, Question, trace, trace_subject};

/// The parameters.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct TraceQuery {
    event: Option<String>,
    user: Option<String>,
    order: Option<String>,
    payment: Option<String>,
    sku: Option<String>,
    at: Option<String>,
}

impl TraceQuery {
    /// What is looked for, by the rules of the command.
    fn asked(self) -> Result<Asked, Refused> {
        let Self { event, user, order, payment, sku, at } = self;
        let mut entities = Vec::new();
        for (name, text, entity) in
            [("user", user, Entity::User as fn(Uuid) -> Entity), ("order", order, Entity::Order), ("payment", payment, Entity::Payment)]
        {
            if let Some(text) = text {
                entities.push(entity(id(name, &text)?));
            }
        }
        let event_at = at.map(|text| Timestamp::parse(&text)).transpose();
        let event_at = event_at.map_err(|_| Refused::bad("at must be a time such as 2026-01-15T10:30:00Z."))?;
        let event_id = event.map(|text| id("event", &text)).transpose()?;
        match (event_id, &*entities, sku) {
            (Some(event_id), [], None) => Ok(Asked::Event(Question { event_id, entity: None, event_at })),
            (Some(event_id), [entity], None) => Ok(Asked::Event(Question { event_id, entity: Some(*entity), event_at })),
            (None, _, _) if event_at.is_some() => Err(Refused::bad("at is the time of an event: name that by event.")),
            (None, [entity], None) => Ok(Asked::Subject(Subject::Entity(*entity))),
            (None, [], Some(sku)) if !sku.is_empty() => Ok(Asked::Subject(Subject::Article(sku))),
            _ => Err(Refused::bad(
                "Say what to look for: an event, beside which one user, order or payment may be named; or one user, order, payment or sku.",
            )),
        }
    }
}

/// What the tables, the parking table, the dead letters and the audit log know of it, nothing included. A part that cannot be asked says why in its place.
pub(super) async fn show<G, T, Q, P>(State(admin): Shared<G, T, Q, P>, query: Parameters<TraceQuery>) -> Result<Json<Value>, Refused>
where
    T: EventTrace + AuditLog,
    Q: DeadLetterReader,
{
    let context = &admin.parts.shared.context;
    let asked = asked(query)?.asked()?;
    let (tables, queue) = (context.tables()?, &context.queue);
    Ok(Json(match asked {
        Asked::Event(question) => trace(tables, queue, question).await.to_json(),
        Asked::Subject(subject) => trace_subject(tables, queue, subject).await.to_json(),
    }))
}
