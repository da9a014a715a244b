//! Requests that change the list: each is logged with what, how many, and the token's name.

use std::collections::BTreeSet;
use std::fmt::Display;
use std::sync::Arc;

use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use pipeline::audit::AuditAction;
use pipeline::ports::{AuditLog, ClaimQueue, Clock as _, DeadLetterArchive, DeadLetterReader, DryRun, EventTrace, LogPositions, Publisher};
use serde::Serialize;
use serde_json::json;
use telemetry::problem::problem_with;

use super::Admin;
use super::query::{EditQuery, ImportQuery, RedriveBody};
use crate::admin::answer::Refused;
use crate::admin::guard::Caller;
use crate::admin::request::{Asked, Content, asked, body, received};
use crate::audit::{Subject, Who, outcome};
use crate::backends::SystemClock;
use crate::dlq::RedriveRequest;
use crate::dlq::after_redrive::{SentLetter, after_redrive};
use crate::dlq::dry_run::dry_run;
use crate::dlq::edit::{Revision, resend};
use crate::dlq::ended::{EndedCounts, EndedLetter};
use crate::dlq::filter::Filter;
use crate::dlq::find::{find, find_all};
use crate::dlq::jobs::{self, JobTables};
use crate::dlq::purge::{Purged, purge};
use crate::dlq::refusal::Refusal;
use crate::dlq::summary::Report;
use crate::dlq::transfer;

/// Entries that one request sends, where nothing is asked for, and at most.
const LIMITS: (u64, u64) = (1000, 10_000);
/// The longest time that a request may take at its rate, in seconds.
const LONGEST: f64 = 600.0;

/// What a request says whose redrive has ended by a defect.
const DEFECT: &str = "The redrive has ended by a defect of this program, which the log tells of; another process goes on with its job.";

type Shared<Q, P, T> = State<Arc<Admin<Q, P, T>>>;

/// Which entries are meant. What is wrong in itself is refused before the queue is asked for ids.
async fn selection(queue: &impl DeadLetterReader, asked: &RedriveBody) -> Result<Filter, Refused> {
    let filter = asked.filter(BTreeSet::new())?;
    if asked.ids().is_empty() {
        return Ok(filter);
    }
    let ids = find_all(queue, asked.ids()).await?.into_iter().map(|listed| listed.id).collect();
    asked.filter(ids)
}

/// `POST /admin/dlq/redrive`: a job, which goes on where the client goes away.
pub(super) async fn send<Q, P, T>(
    State(admin): Shared<Q, P, T>,
    Extension(Caller(caller)): Extension<Caller>,
    content: Content,
) -> Result<Response, Refused>
where
    Q: DeadLetterReader + ClaimQueue + Clone + 'static,
    P: Publisher + Clone + 'static,
    T: DryRun + EventTrace + JobTables + LogPositions,
{
    let asked: RedriveBody = body(&received(content)?)?;
    let context = &admin.context;
    let limit = asked.limit.unwrap_or(LIMITS.0);
    let rate = asked.rate()?;
    let wait = asked.wait();
    let longest = rate.map_or(0.0, |rate| limit as f64 / rate) + wait.unwrap_or_default().as_secs_f64();
    if limit > LIMITS.1 || longest > LONGEST {
        return Err(Refused::bad(
            "One request sends 10000 dead letters at most, and takes 600 seconds at most, its wait among them: lower limit or wait, or raise rate.",
        ));
    }
    if asked.dry_run && wait.is_some() {
        return Err(Refused::bad("With dryRun nothing is sent, so there is nothing to wait for."));
    }
    let filter = selection(&context.queue, &asked).await?;
    let order = RedriveRequest { filter, limit: Some(limit), rate, max_retries: asked.max_retries.unwrap_or(context.terms.max_retries) };
    if asked.dry_run {
        let mut entries = Vec::new();
        let totals = dry_run(&context.queue, context.tables()?, &order, context.terms.rules, |preview| entries.push(preview)).await?;
        return Ok(Json(json!({ "dryRun": true, "totals": totals, "entries": entries })).into_response());
    }
    let held = jobs::plan(context, Who::http(&caller), &order).await?;
    let number = held.number;
    let tables = context.tables()?;
    let (held, mut settled) = held.followed();
    // On a task of its own: it goes on where the client goes away.
    let (running, stop) = (context.clone(), admin.stop.clone());
    let summary = tokio::spawn(async move { jobs::run(&running, held, &stop, |_| {}).await }).await;
    let summary = summary.map_err(|_| Refused::with(StatusCode::INTERNAL_SERVER_ERROR, DEFECT))?;
    let ended = match wait {
        Some(bound) => {
            let sent = std::iter::from_fn(|| settled.try_recv().ok()).filter_map(SentLetter::of);
            let letters = after_redrive((&context.queue, tables), sent, bound, &admin.stop).await;
            Some(HowEnded { counts: EndedCounts::of(&letters), letters })
        }
        None => None,
    };
    let done = Done { report: summary.report(number), ended };
    let (redriven, failed) = (summary.redriven, summary.failed);
    tracing::info!(caller = &*caller, job = number, redriven, failed, gone = summary.gone, "dead letters redriven");
    Ok(match &summary.fault {
        Some(fault) => incomplete(fault, done),
        None if admin.stop.is_cancelled() && summary.stopped => incomplete(&"the program is being stopped", done),
        None => Json(done).into_response(),
    })
}

/// What a redrive has come to.
#[derive(Serialize)]
struct Done {
    #[serde(flatten)]
    report: Report,
    /// Where that was asked.
    #[serde(skip_serializing_if = "Option::is_none")]
    ended: Option<HowEnded>,
}

/// How letters ended that were sent, those that need somebody first.
#[derive(Serialize)]
struct HowEnded {
    #[serde(flatten)]
    counts: EndedCounts,
    letters: Vec<EndedLetter>,
}

/// What was done of a request, and why not all of it.
fn incomplete(why: &dyn Display, done: impl Serialize) -> Response {
    problem_with(StatusCode::SERVICE_UNAVAILABLE, format!("Not all of it was done: {why}."), done)
}

/// `POST /admin/dlq/purge`.
pub(super) async fn remove<Q, P, T>(
    State(admin): Shared<Q, P, T>,
    Extension(Caller(caller)): Extension<Caller>,
    content: Content,
) -> Result<Response, Refused>
where
    Q: DeadLetterReader + ClaimQueue,
    T: AuditLog,
{
    let asked: RedriveBody = body(&received(content)?)?;
    if asked.says_how_to_send() {
        return Err(Refused::bad("A purge takes filters, all and dryRun alone."));
    }
    let (queue, now) = (&admin.context.queue, SystemClock.now());
    let filter = selection(queue, &asked).await?;
    if asked.dry_run {
        let meant = crate::dlq::purge::count(queue, &filter, now).await?;
        return Ok(Json(json!({ "dryRun": true, "meant": meant })).into_response());
    }
    let mut operation = admin.context.audit()?.begin(Who::http(&caller), AuditAction::Purge, Subject::new(&filter)).await?;
    let purged = purge(queue, &filter, now, &mut operation).await;
    operation.end(&purged).await;
    let Purged { removed, fault } = purged;
    tracing::info!(caller = &*caller, removed, "dead letters purged");
    let done = json!({ "removed": removed });
    Ok(match fault {
        None => Json(done).into_response(),
        Some(fault) => incomplete(&fault, done),
    })
}

/// `POST /admin/dlq/{id}/edit`: the body is the new payload.
pub(super) async fn edit<Q, P, T>(
    State(admin): Shared<Q, P, T>,
    Extension(Caller(caller)): Extension<Caller>,
    id: Result<Path<String>, PathRejection>,
    query: Asked<EditQuery>,
    content: Content,
) -> Result<Response, Refused>
where
    Q: DeadLetterReader + ClaimQueue,
    P: Publisher,
    T: AuditLog,
{
    let Path(id) = id.map_err(|_| Refusal::NotAnId)?;
    let query = asked(query)?;
    let content = received(content)?;
    let payload = std::str::from_utf8(&content).map_err(|_| Refused::bad("The body is not UTF-8."))?;
    let context = &admin.context;
    let listed = find(&context.queue, &id).await?;
    let revision = Revision::new(&listed, payload, context.terms.rules, &context.terms.topic)?;
    let (event_id, diff) = (revision.event_id, revision.diff.clone());
    if query.dry_run {
        return Ok(Json(json!({ "dryRun": true, "eventId": event_id, "diff": diff })).into_response());
    }
    let delivered = resend(&context.route(&admin.stop)?, (context.audit()?, Who::http(&caller)), revision).await?;
    tracing::info!(caller = &*caller, entry = listed.id, eventId = %event_id, edited = 1, "a dead letter was edited and sent");
    let (partition, offset) = (delivered.partition, delivered.offset);
    Ok(Json(json!({ "eventId": event_id, "diff": diff, "partition": partition, "offset": offset })).into_response())
}

/// `POST /admin/dlq/import`: JSON lines.
pub(super) async fn import<Q, P, T>(
    State(admin): Shared<Q, P, T>,
    Extension(Caller(caller)): Extension<Caller>,
    query: Asked<ImportQuery>,
    content: Content,
) -> Result<Response, Refused>
where
    Q: DeadLetterReader + DeadLetterArchive,
    T: AuditLog,
{
    let query = asked(query)?;
    let content = received(content)?;
    let lines = std::str::from_utf8(&content).map_err(|_| Refused::bad("The body is not UTF-8."))?;
    let mut operation = admin.context.audit()?.begin(Who::http(&caller), AuditAction::Import, Subject::new("lines of a request")).await?;
    let lines = lines.split('\n').map(|line| Ok(line.to_owned()));
    let imported = transfer::import(&admin.context.queue, lines, query.any, &mut operation).await;
    operation.end(outcome(&imported, ToString::to_string)).await;
    let imported = imported.map_err(Refusal::from).inspect_err(|_| {
        tracing::warn!(caller = &*caller, "an import of dead letters ended early; some may be in the list");
    })?;
    tracing::info!(caller = &*caller, imported = imported.imported, skipped = imported.skipped, "dead letters imported");
    Ok(Json(imported).into_response())
}
