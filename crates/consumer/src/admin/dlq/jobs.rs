//! Redrive jobs, of whatever process: looking at them, pausing, resuming and cancelling one.

use std::sync::Arc;

use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use pipeline::ports::{DeadLetterReader, EventTrace};
use pipeline::redrive_job::JobChange;
use serde_json::{Value, json};

use super::Admin;
use super::query::{LettersQuery, ResumeQuery};
use crate::admin::answer::Refused;
use crate::admin::guard::Caller;
use crate::admin::request::{Asked, asked};
use crate::audit::Who;
use crate::dlq::ended::EndedCounts;
use crate::dlq::jobs::ended::{ASKED, by_id, ended};
use crate::dlq::jobs::report::{JobReport, LetterReport};
use crate::dlq::jobs::{JobTables, control, find};
use crate::dlq::refusal::Refusal;

/// Jobs of one answer.
const JOBS: usize = 100;
/// Letters of one answer.
const LETTERS: usize = 1000;

type Shared<Q, P, T> = State<Arc<Admin<Q, P, T>>>;

fn tables<Q, P, T>(admin: &Admin<Q, P, T>) -> Result<&T, Refusal> {
    admin.context.tables.as_ref().ok_or(Refusal::NoJobs)
}

fn number(path: Result<Path<String>, PathRejection>) -> Result<i64, Refused> {
    let parsed = path.ok().and_then(|Path(number)| number.parse().ok()).filter(|number: &i64| *number > 0);
    parsed.ok_or_else(|| Refused::bad("A job has a number."))
}

/// `GET /admin/dlq/jobs`: the newest first.
pub(super) async fn list<Q, P, T: JobTables>(State(admin): Shared<Q, P, T>) -> Result<Json<Value>, Refused> {
    let jobs = tables(&admin)?.jobs_before(i64::MAX, JOBS).await?;
    Ok(Json(json!({ "jobs": jobs.iter().map(JobReport::of).collect::<Vec<_>>() })))
}

/// `GET /admin/dlq/jobs/{id}`: a job with its letters, in the order of their ids. `next` is the id after which to ask on. How they ended is asked only
/// where that is wanted, and of fewer letters: the list of dead letters is looked through for it.
pub(super) async fn show<Q, P, T>(
    State(admin): Shared<Q, P, T>,
    path: Result<Path<String>, PathRejection>,
    query: Asked<LettersQuery>,
) -> Result<Json<Value>, Refused>
where
    Q: DeadLetterReader,
    T: EventTrace + JobTables,
{
    let query = asked(query)?;
    let (number, tables) = (number(path)?, tables(&admin)?);
    let job = find(tables, number).await?.ok_or(Refusal::NoSuchJob(number))?;
    let most = if query.ended { ASKED } else { LETTERS };
    let letters = tables.job_letters(number, query.after.as_deref().unwrap_or_default(), most).await?;
    let next = letters.last().filter(|_| letters.len() == most).map(|letter| &letter.id);
    let job = JobReport::of(&job);
    if !query.ended {
        return Ok(Json(json!({ "job": job, "letters": letters.iter().map(LetterReport::of).collect::<Vec<_>>(), "next": next })));
    }
    let ends = ended((&admin.context.queue, tables), &letters, &admin.stop).await;
    let end_of = by_id(&ends);
    let reports: Vec<_> = letters.iter().map(|letter| LetterReport::with_end(letter, end_of.get(&*letter.id).copied())).collect();
    Ok(Json(json!({ "job": job, "letters": reports, "next": next, "ended": EndedCounts::of(&ends) })))
}

/// `POST /admin/dlq/jobs/{id}/pause`.
pub(super) async fn pause<Q, P, T: JobTables>(
    state: Shared<Q, P, T>,
    caller: Extension<Caller>,
    path: Result<Path<String>, PathRejection>,
) -> Result<Response, Refused> {
    change(state, caller, path, &JobChange::Pause).await
}

/// `POST /admin/dlq/jobs/{id}/resume`.
pub(super) async fn resume<Q, P, T: JobTables>(
    state: Shared<Q, P, T>,
    caller: Extension<Caller>,
    path: Result<Path<String>, PathRejection>,
    query: Asked<ResumeQuery>,
) -> Result<Response, Refused> {
    let query = asked(query)?;
    change(state, caller, path, &JobChange::Resume(query.rate()?)).await
}

/// `POST /admin/dlq/jobs/{id}/cancel`.
pub(super) async fn cancel<Q, P, T: JobTables>(
    state: Shared<Q, P, T>,
    caller: Extension<Caller>,
    path: Result<Path<String>, PathRejection>,
) -> Result<Response, Refused> {
    change(state, caller, path, &JobChange::Cancel).await
}

/// The job as it is afterwards: whoever runs it hears it within about a second.
async fn change<Q, P, T: JobTables>(
    State(admin): Shared<Q, P, T>,
    Extension(Caller(caller)): Extension<Caller>,
    path: Result<Path<String>, PathRejection>,
    change: &JobChange,
) -> Result<Response, Refused> {
    let (number, tables) = (number(path)?, tables(&admin)?);
    control(tables, Who::http(&caller), number, change).await?;
    tracing::info!(caller = &*caller, job = number, state = change.to().label(), "a redrive is changed");
    let job = find(tables, number).await?.ok_or(Refusal::NoSuchJob(number))?;
    Ok(Json(json!({ "job": JobReport::of(&job) })).into_response())
}
