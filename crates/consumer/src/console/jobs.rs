//! Redrive jobs as the console shows and changes them, whichever process they run in.

use std::collections::BTreeSet;
use std::time::Duration;

use console::{Caller, Job, JobControl, JobLetters, JobState, LetterEnd, Order, RefusalKind, Refused, Selection};
use pipeline::ports::{ClaimQueue, Clock as _, DeadLetterReader, EventTrace, Publisher};
use pipeline::redrive_job::{self, JobChange, JobLetter, JobPlan, LetterResult, RedriveJob};
use tokio_util::sync::CancellationToken;

use super::index::Places;
use super::keeper::{Keeper, OwnChanges};
use super::words::problem;
use crate::audit::Who;
use crate::backends::SystemClock;
use crate::dlq::choice::told;
use crate::dlq::ended::{Ended, EndedLetter};
use crate::dlq::jobs::ended::{ASKED, by_id, ended};
use crate::dlq::jobs::{self, CANARY, JobTables, control, in_words};
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

/// A job, and a page of its letters with how each ended.
pub(super) async fn one<Q, T>(
    (queue, tables): (&Q, &T),
    keeper: &Keeper<Q>,
    (number, after, limit): (u64, &str, usize),
    stop: &CancellationToken,
) -> Result<JobLetters, Refused>
where
    Q: DeadLetterReader + 'static,
    T: EventTrace + JobTables,
{
    let number = i64::try_from(number).unwrap_or(i64::MAX);
    let found = jobs::find(tables, number).await.map_err(Refusal::from)?.ok_or(Refusal::NoSuchJob(number))?;
    let limit = limit.min(ASKED);
    let page = tables.job_letters(number, after, limit).await.map_err(Refusal::from)?;
    let next = page.last().filter(|_| page.len() == limit).map(|last| last.id.clone());
    let ended = ends((queue, tables), keeper, &page, stop).await?;
    let end_of = by_id(&ended);
    let mut letters: Vec<_> = page.iter().map(|letter| job_letter(letter, end_of.get(&*letter.id).copied())).collect();
    letters.sort_by(|one, other| (one.end, &one.id).cmp(&(other.end, &other.id)));
    let words = found.plan.subject.strip_prefix(CANARY).unwrap_or(&found.plan.subject);
    let selection = RedriveRequest::filter_from_words(words).map(selection);
    Ok(JobLetters { job: job(found), letters, next, selection })
}

/// How they ended. What came back while it was looked is asked for once more: the consumer may have passed it after the list was read.
async fn ends<Q, T>(
    parts: (&Q, &T),
    keeper: &Keeper<Q>,
    letters: &[JobLetter],
    stop: &CancellationToken,
) -> Result<Vec<EndedLetter>, Refused>
where
    Q: DeadLetterReader + 'static,
    T: EventTrace + JobTables,
{
    let mut told = ends_by_index(parts, keeper, letters, stop).await?;
    let unknown: BTreeSet<_> = told.iter().filter(|letter| letter.ended == Ended::NotKnown).map(|letter| letter.id.clone()).collect();
    // Of those whose place nobody has noted, no other answer comes.
    let asked_again = |letter: &&JobLetter| letter.landed.is_some() && unknown.contains(&letter.id);
    let letters: Vec<_> = letters.iter().filter(asked_again).cloned().collect();
    if !letters.is_empty() {
        told.retain(|letter| letters.iter().all(|again| again.id != letter.id));
        told.extend(ends_by_index(parts, keeper, &letters, stop).await?);
    }
    Ok(told)
}

/// By what is known of the list, and where that is not known now, or has changed since, by the queue itself.
async fn ends_by_index<Q, T>(
    (queue, tables): (&Q, &T),
    keeper: &Keeper<Q>,
    letters: &[JobLetter],
    stop: &CancellationToken,
) -> Result<Vec<EndedLetter>, Refused>
where
    Q: DeadLetterReader + 'static,
    T: EventTrace + JobTables,
{
    let ids: BTreeSet<String> = letters.iter().filter(|letter| letter.landed.is_some()).map(|letter| letter.id.clone()).collect();
    if !ids.is_empty() {
        // What has come back a moment ago is wanted too.
        keeper.changes().note();
        match keeper.index().await {
            Ok(index) if index.unknown() == 0 => {
                let places = index.places(&Filter { ids, ..Filter::default() }, SystemClock.now());
                let meant = Places::new(queue, index, places);
                let told = ended((&meant, tables), letters, stop).await;
                if !meant.moved() {
                    return Ok(told);
                }
            }
            // As long as a redrive changes a long list, it is read again and again.
            Ok(_) | Err(Refused { kind: RefusalKind::Reading, .. }) => {}
            Err(refused) => return Err(refused),
        }
    }
    Ok(ended((queue, tables), letters, stop).await)
}

fn job_letter(letter: &JobLetter, ended: Option<&EndedLetter>) -> console::JobLetter {
    let (end, why) = match ended {
        Some(ended) => (end(ended.ended), problem(&ended.why)),
        None if letter.result.is_open() => (LetterEnd::Pending, problem(&told(letter.result))),
        None => (LetterEnd::NotSent, problem(&told(letter.result))),
    };
    console::JobLetter {
        id: letter.id.clone(),
        end,
        why,
        event_id: ended.and_then(|ended| ended.event_id).map(|id| id.to_string()),
        is_listed: end == LetterEnd::FailedAgain || (end == LetterEnd::NotSent && letter.result != LetterResult::Gone),
    }
}

const fn end(ended: Ended) -> LetterEnd {
    match ended {
        Ended::FailedAgain => LetterEnd::FailedAgain,
        Ended::NotKnown => LetterEnd::NotKnown,
        Ended::NotYet => LetterEnd::NotYet,
        Ended::Parked => LetterEnd::Parked,
        Ended::Stale => LetterEnd::Stale,
        Ended::Duplicate => LetterEnd::Duplicate,
        Ended::Applied => LetterEnd::Applied,
    }
}

/// As it is meant now: what came later is meant too.
fn selection(filter: Filter) -> Selection {
    let Filter { ids, reason, fingerprint, event_type, older_than, until: _ } = filter;
    let older_than = older_than.map(|age| format!("{}s", age.as_secs()));
    let all = ids.is_empty() && [&reason, &fingerprint, &event_type, &older_than].into_iter().all(Option::is_none);
    Selection { ids: ids.into_iter().collect(), reason, fingerprint, event_type, older_than, until: None, all }
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
        is_canary: subject.starts_with(CANARY),
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

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use pipeline::fault::Fault;
    use pipeline::landed::Landed;
    use pipeline::ports::{DeadLetterArchive as _, Delivered, End, ListState, LogPositions as _, RedriveJobs as _};
    use pipeline::redrive_job::JobCounts;
    use pipeline::{LogId, LogPosition};
    use sqlite::Sqlite;
    use testkit::builders::{id, second};

    use super::*;

    /// A list that can be looked through, and is never read to its end: one that a redrive changes all the time.
    #[derive(Clone)]
    struct Restless(Sqlite);

    impl DeadLetterReader for Restless {
        async fn list_state(&self) -> Result<ListState, Fault> {
            std::future::pending().await
        }

        async fn depth(&self) -> Result<u64, Fault> {
            self.0.depth().await
        }

        async fn claimed(&self) -> Result<u64, Fault> {
            self.0.claimed().await
        }

        async fn reasons(&self) -> Result<BTreeMap<String, u64>, Fault> {
            self.0.reasons().await
        }

        async fn page(&self, end: End, start: u64, limit: u64) -> Result<Vec<String>, Fault> {
            self.0.page(end, start, limit).await
        }
    }

    #[tokio::test(start_paused = true)]
    async fn what_failed_again_is_found_while_the_list_is_being_read() {
        let (tables, stop) = (Sqlite::temporary().unwrap(), CancellationToken::new());
        let again = r#"{"originalData":"{","error":"boom","timestamp":"2026-01-15T10:00:00Z","retryCount":1}"#.to_owned();
        let letter = pipeline::dead_letter::entry_id(&again);
        tables.restore(&[again]).await.unwrap();
        let subject = format!("{CANARY}dead letters: reason not_json, 10 at most");
        let plan = JobPlan {
            operation: id(),
            made_at: second(0),
            actor: "ada".to_owned(),
            origin: "console".to_owned(),
            subject,
            rate: None,
            max_retries: 5,
        };
        let number = tables.plan_job(&plan).await.unwrap();
        let landed = Landed { topic: "events".to_owned(), place: Delivered { partition: 0, offset: 7 }, about: None, before: None };
        let sent = [JobLetter { id: letter.clone(), result: LetterResult::Sent, landed: Some(landed) }];
        tables.note_letters(number, &sent, &JobCounts::of(&sent)).await.unwrap();
        let position = LogPosition { log: LogId(id()), topic: "events".into(), partition: 0, next_offset: 8 };
        tables.advance(&[position]).await.unwrap();

        let queue = Restless(tables.clone());
        let keeper = Keeper::new(queue.clone(), stop.clone());
        let shown = one((&queue, &tables), &keeper, (number.unsigned_abs(), "", 10), &stop).await.unwrap();
        assert_eq!(shown.letters.iter().map(|letter| (&letter.id, letter.end)).collect::<Vec<_>>(), [(&letter, LetterEnd::FailedAgain)]);
        assert_eq!(shown.selection, Some(Selection { reason: Some("not_json".to_owned()), ..Selection::default() }));
    }
}
