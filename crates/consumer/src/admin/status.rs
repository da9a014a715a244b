//! `GET /admin/status`: the pipeline on one screen.

use std::future::ready;

use axum::Json;
use axum::extract::State;
use pipeline::ports::{AuditLog, AwaitedParents, DeadLetterReader, GroupProgress, Heartbeats, ParkingExpiry};

use super::{Admin, AdminParts, Shared};
use crate::status::{Process, Progress, Sources, Status, status};

/// What this process says of itself, and what the parts say. One that cannot be asked says why in its place.
pub(super) async fn show<G, T, Q, P>(State(admin): Shared<G, T, Q, P>) -> Json<Status>
where
    G: GroupProgress,
    T: ParkingExpiry + AwaitedParents + AuditLog + Heartbeats,
    Q: DeadLetterReader,
{
    let Admin { parts: AdminParts { shared, address, .. }, .. } = &*admin;
    let topic = &shared.context.terms.topic;
    let sources = Sources {
        process: ready(Process::here(*address, &shared.health, &shared.metrics)),
        topic,
        progress: Some(Progress { topic, group: &shared.group, kafka: &shared.progress }),
        tables: shared.context.tables.as_ref().map(Ok),
        dead_letters: Some(Ok(&shared.context.queue)),
        idle_settings: &[],
    };
    Json(status(sources).await)
}
