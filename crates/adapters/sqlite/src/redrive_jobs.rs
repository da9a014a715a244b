//! `RedriveJobs`: redrives that outlive the process that does them.

use events::Timestamp;
use pipeline::landed::Landed;
use pipeline::ports::RedriveJobs;
use pipeline::redrive_job::{JobChange, JobCounts, JobLetter, JobPlan, JobState, KEPT_JOBS, LetterResult, RedriveJob};
use pipeline::{Dependency, Fault};
use rusqlite::types::Type;
use rusqlite::{Connection, Error, Result, Row, params};

use crate::database::{Sqlite, now};
use crate::faults::Failure;
use crate::values::{Id, Micros, id, limit as to_limit, time};

const PART: Dependency = Dependency::Database;

impl RedriveJobs for Sqlite {
    async fn plan_job(&self, plan: &JobPlan) -> std::result::Result<i64, Fault> {
        let (plan, now) = (plan.clone().fitting(), now());
        self.write(PART, "plan_job", |transaction| self::plan(transaction, &plan, now)).await
    }

    async fn note_letters(&self, job: i64, letters: &[JobLetter], counts: &JobCounts) -> std::result::Result<(), Fault> {
        let (counts, now) = (counts.to_stored(), now());
        let noted = self.write(PART, "note_letters", |transaction| {
            let sql = "INSERT INTO redrive_job_letters (job, id, result, landed) VALUES (?1, ?2, ?3, ?4) \
                       ON CONFLICT DO UPDATE SET result = ?3, landed = ?4";
            let mut note = transaction.prepare_cached(sql)?;
            for JobLetter { id, result, landed } in letters {
                note.execute(params![job, id, result.label(), landed.as_ref().and_then(Landed::to_stored)])?;
            }
            let mut update = transaction.prepare_cached("UPDATE redrive_jobs SET counts = ?2, updated_at = ?3 WHERE number = ?1")?;
            Ok(update.execute(params![job, counts, Micros(now)])?)
        });
        noted.await.map(drop)
    }

    async fn change_job(&self, job: i64, change: &JobChange) -> std::result::Result<bool, Fault> {
        let (to, problem, rate, now) = (change.to().label(), change.problem(), change.rate(), now());
        let changed = self.write(PART, "change_job", |transaction| {
            let state = "SELECT state FROM redrive_jobs WHERE number = ?1";
            let state: Option<String> = transaction.prepare_cached(state)?.query_map([job], |row| row.get(0))?.next().transpose()?;
            if !change.from().iter().any(|from| Some(from.label()) == state.as_deref()) {
                return Ok(false);
            }
            let sql = "UPDATE redrive_jobs SET state = ?2, problem = ?3, rate = coalesce(?4, rate), updated_at = ?5 WHERE number = ?1";
            transaction.prepare_cached(sql)?.execute(params![job, to, problem, rate, Micros(now)])?;
            Ok(true)
        });
        changed.await
    }

    async fn jobs_before(&self, number: i64, limit: usize) -> std::result::Result<Vec<RedriveJob>, Fault> {
        let read = self.read(|file| {
            let sql = "SELECT number, operation, made_at, actor, origin, subject, rate, max_retries, state, problem, counts, updated_at \
                       FROM redrive_jobs WHERE number < ?1 ORDER BY number DESC LIMIT ?2";
            let mut jobs = file.prepare_cached(sql)?;
            Ok(jobs.query_map(params![number, to_limit(limit)], job)?.collect::<Result<Vec<_>>>()?)
        });
        read.await.map_err(|failure| failure.into_fault(PART, "jobs_before"))
    }

    async fn running_jobs(&self) -> std::result::Result<Vec<i64>, Fault> {
        let read = self.read(|file| {
            let mut numbers = file.prepare_cached("SELECT number FROM redrive_jobs WHERE state = ?1 ORDER BY number")?;
            Ok(numbers.query_map([JobState::Running.label()], |row| row.get(0))?.collect::<Result<Vec<_>>>()?)
        });
        read.await.map_err(|failure| failure.into_fault(PART, "running_jobs"))
    }

    async fn job_letters(&self, job: i64, after: &str, limit: usize) -> std::result::Result<Vec<JobLetter>, Fault> {
        let read = self.read(|file| {
            let sql = "SELECT id, result, landed FROM redrive_job_letters WHERE job = ?1 AND id > ?2 ORDER BY id LIMIT ?3";
            let mut letters = file.prepare_cached(sql)?;
            Ok(letters.query_map(params![job, after, to_limit(limit)], letter)?.collect::<Result<Vec<_>>>()?)
        });
        read.await.map_err(|failure| failure.into_fault(PART, "job_letters"))
    }
}

fn plan(transaction: &Connection, plan: &JobPlan, now: Timestamp) -> std::result::Result<i64, Failure> {
    let JobPlan { operation, made_at, actor, origin, subject, rate, max_retries } = plan;
    let sql = "INSERT INTO redrive_jobs (operation, made_at, actor, origin, subject, rate, max_retries, state, counts, updated_at) \
               VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, '', ?9) ON CONFLICT (operation) DO NOTHING";
    let state = JobState::Planned.label();
    let values = params![Id(operation), Micros(*made_at), actor, origin, subject, rate, max_retries, state, Micros(now)];
    transaction.prepare_cached(sql)?.execute(values)?;
    let number = "SELECT number FROM redrive_jobs WHERE operation = ?1";
    let number: i64 = transaction.prepare_cached(number)?.query_row([Id(operation)], |row| row.get(0))?;
    let forgotten = "number <= ?1 AND state IN ('done', 'cancelled', 'failed')";
    for table in [
        format!("redrive_job_letters WHERE job IN (SELECT number FROM redrive_jobs WHERE {forgotten})"),
        format!("redrive_jobs WHERE {forgotten}"),
    ] {
        transaction.prepare_cached(&format!("DELETE FROM {table}"))?.execute([number - KEPT_JOBS])?;
    }
    Ok(number)
}

fn job(row: &Row<'_>) -> Result<RedriveJob> {
    Ok(RedriveJob {
        number: row.get(0)?,
        plan: JobPlan {
            operation: id(row, 1)?,
            made_at: time(row, 2)?,
            actor: row.get(3)?,
            origin: row.get(4)?,
            subject: row.get(5)?,
            rate: row.get(6)?,
            max_retries: row.get(7)?,
        },
        state: labelled(row, 8, JobState::of_label)?,
        problem: row.get(9)?,
        counts: JobCounts::from_stored(&row.get::<_, String>(10)?),
        updated_at: time(row, 11)?,
    })
}

fn letter(row: &Row<'_>) -> Result<JobLetter> {
    let landed: Option<String> = row.get(2)?;
    Ok(JobLetter {
        id: row.get(0)?,
        result: labelled(row, 1, LetterResult::of_label)?,
        landed: landed.as_deref().and_then(Landed::from_stored),
    })
}

/// What a label stands for; one that only a newer program knows is told as a column of another kind.
fn labelled<T>(row: &Row<'_>, column: usize, of_label: impl Fn(&str) -> Option<T>) -> Result<T> {
    let label: String = row.get(column)?;
    of_label(&label).ok_or_else(|| Error::InvalidColumnType(column, "label".to_owned(), Type::Text))
}
