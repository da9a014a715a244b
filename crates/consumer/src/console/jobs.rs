//! Redrive jobs as the console shows and changes them, whichever process they run in.

use std::time::Duration;

use console::{Caller, Job, JobControl, JobState, Order, Refused};
use pipeline::ports::{ClaimQueue, Clock as _, DeadLetterReader, Publisher};
use pipeline::redrive_job::{self, JobChange, JobPlan, LetterResult, RedriveJob};
use tokio_util::sync::CancellationToken;

use super::keeper::OwnChanges;
use super::words::problem;
use crate::audit::Who;
use crate::backends::SystemClock;
use crate::dlq::jobs::{self, JobTables, control, in_words};
use crate::dlq::{AdminContext, Filter, RedriveRequest, Refusal};

/// Jobs that are shown.
const SHOWN: usize = 50;
/// Jobs that run at one time, in all processes, before the console begins no other: each holds claims.
const RUNNING: usize = 4;

/// Makes a job, which goes on by itself until it is done or `stop` is cancelled: then another process goes on with it. `changes` are told its end.
pub(super) async fn begin<Q, P, T>(
    context: AdminContext<Q, P, T>,
    stop: CancellationToken,
    changes: OwnChanges,
    (Caller(caller), order): (&Caller, &Order),
    filter: Filter,
) -> Result<u64, Refused>
where
    Q: DeadLetterReader + ClaimQueue + 'static,
    P: Publisher + 'static,
    T: JobTables,
{
    let tables = context.tables.as_ref().ok_or(Refusal::NoAuditLog)?;
    if tables.running_jobs().await.map_err(Refusal::from)?.len() >= RUNNING {
        return Err(Refusal::TooManyJobs(RUNNING).into());
    }
    let request = RedriveRequest { filter, limit: order.limit, rate: order.rate, max_retries: context.terms.max_retries };
    let who = Who::console(caller);
    let held =
        if order.is_canary { jobs::plan_canary(&context, who, &request).await? } else { jobs::plan(&context, who, &request).await? };
    let number = held.number;
    tracing::info!(caller, job = number, limit = order.limit, rate = order.rate, "a redrive begins");
    drop(tokio::spawn(async move {
        jobs::run(&context, held, &stop, |_| {}).await;
        changes.note();
    }));
    Ok(number.unsigned_abs())
}

/// The newest first.
pub(super) async fn all(tables: &impl JobTables) -> Result<Vec<Job>, Refused> {
    let jobs = tables.jobs_before(i64::MAX, SHOWN).await.map_err(Refusal::from)?;
    Ok(jobs.into_iter().map(job).collect())
}

/// Pauses, resumes or cancels a job.
pub(super) async fn change(tables: &impl JobTables, caller: &str, number: u64, wanted: JobControl) -> Result<(), Refused> {
    let change = match wanted {
        JobControl::Pause => JobChange::Pause,
        JobControl::Resume => JobChange::Resume(None),
        JobControl::Cancel => JobChange::Cancel,
    };
    Ok(control(tables, Who::console(caller), i64::try_from(number).unwrap_or(i64::MAX), &change).await?)
}

fn job(job: RedriveJob) -> Job {
    let RedriveJob { number, plan, state, problem: why, counts, updated_at } = job;
    let JobPlan { made_at, actor, subject, rate, .. } = plan;
    let until = if state == redrive_job::JobState::Running { SystemClock.now() } else { updated_at };
    let took = u64::try_from(until.unix_micros() - made_at.unix_micros()).unwrap_or(0);
    Job {
        number: number.unsigned_abs(),
        caller: actor,
        began: made_at.to_string(),
        subject: problem(&subject),
        rate,
        state: match state {
            redrive_job::JobState::Planned => JobState::Planned,
            redrive_job::JobState::Running => JobState::Running,
            redrive_job::JobState::Paused => JobState::Paused,
            redrive_job::JobState::Done => JobState::Done,
            redrive_job::JobState::Failed => JobState::Failed,
            redrive_job::JobState::Cancelled => JobState::Cancelled,
        },
        done: (counts.all() - counts.get(LetterResult::Pending), counts.all()),
        counts: in_words(&counts).into_iter().map(|(name, letters)| (name.to_owned(), letters)).collect(),
        problem: why.map(|why| problem(&why)),
        took: Duration::from_micros(took),
        updated: updated_at.to_string(),
    }
}
