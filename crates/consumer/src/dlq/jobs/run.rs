//! Going on with a job, whoever began it.

use std::collections::{BTreeSet, HashMap};
use std::sync::Mutex;

use pipeline::audit::AuditAction;
use pipeline::fault::Fault;
use pipeline::ports::{ClaimQueue, DeadLetterReader, Publisher};
use pipeline::redrive_job::{JobChange, JobState, LetterResult, RedriveJob};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::time::{Instant, sleep};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::noting::Noting;
use super::{JobTables, LEASE, LOOK, PAGE, find, in_words, lease_of};
use crate::audit::{Handled, Operation, Subject, Who, Witness as _};
use crate::dlq::choice::{self, RedriveRequest};
use crate::dlq::context::AdminContext;
use crate::dlq::filter::Filter;
use crate::dlq::redrive::redrive;
use crate::dlq::summary::Summary;
use crate::reason::{self, reason};

/// A job that this process has the lease of.
pub struct Held<T> {
    /// Its number.
    pub number: i64,
    holder: Uuid,
    operation: Operation<T>,
    request: RedriveRequest,
    letters: HashMap<String, LetterResult>,
    /// Whoever had it before may have left claims, which are no older than this.
    claims_since: Option<Instant>,
    follower: Option<UnboundedSender<Handled>>,
}

impl<T> Held<T> {
    pub(super) const fn new(
        number: i64,
        holder: Uuid,
        operation: Operation<T>,
        request: RedriveRequest,
        letters: HashMap<String, LetterResult>,
    ) -> Self {
        Self { number, holder, operation, request, letters, claims_since: None, follower: None }
    }

    pub(super) fn may_have_claims(self, claims_since: Option<Instant>) -> Self {
        Self { claims_since, ..self }
    }

    /// The same, and each letter that is sent, with its place, as soon as that is settled.
    pub fn followed(self) -> (Self, UnboundedReceiver<Handled>) {
        let (follower, letters) = unbounded_channel();
        (Self { follower: Some(follower), ..self }, letters)
    }

    /// How many letters it is of.
    pub fn letters(&self) -> u64 {
        self.letters.len() as u64
    }
}

/// Takes a job that runs and that nobody has the lease of. `None` where somebody has, or it does not run (any more).
///
/// # Errors
/// The tables are away.
pub async fn take<T: JobTables>(tables: &T, number: i64) -> Result<Option<Held<T>>, Fault> {
    let holder = Uuid::new_v4();
    if !tables.take_lease(&lease_of(number), holder, LEASE).await? {
        return Ok(None);
    }
    let Some(RedriveJob { plan, .. }) = find(tables, number).await?.filter(|job| job.state == JobState::Running) else {
        tables.release_lease(&lease_of(number), holder).await?;
        return Ok(None);
    };
    let mut letters = HashMap::new();
    let mut after = String::new();
    loop {
        let page = tables.job_letters(number, &after, PAGE).await?;
        let Some(last) = page.last() else { break };
        after.clone_from(&last.id);
        letters.extend(page.into_iter().map(|letter| (letter.id, letter.result)));
        // The list may be long.
        tables.take_lease(&lease_of(number), holder, LEASE).await?;
    }
    let who = Who::again(&plan.actor, &plan.origin);
    let operation = Operation::resumed(tables.clone(), who, AuditAction::Redrive, plan.operation, Subject::new(&plan.subject));
    let request = RedriveRequest { filter: Filter::default(), limit: None, rate: plan.rate, max_retries: plan.max_retries };
    Ok(Some(Held::new(number, holder, operation, request, letters).may_have_claims(Some(Instant::now()))))
}

/// Why a job was told to stop that the process itself goes on after.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Told {
    /// An operator has taken it to this state.
    State(JobState),
    /// An operator has given it this rate.
    Rate(Option<f64>),
    /// Somebody else has its lease: this process was away for too long.
    Lost,
}

/// Goes on with a job until each of its letters has a result, an operator pauses or cancels it, it cannot go on, or `stop` is cancelled: then the
/// job goes on running, and whoever finds it next goes on. Returns what this process has done of it. `seen` is called after each group.
pub async fn run<Q, P, T>(
    context: &AdminContext<Q, P, T>,
    held: Held<T>,
    stop: &CancellationToken,
    mut seen: impl FnMut(&Summary),
) -> Summary
where
    Q: DeadLetterReader + ClaimQueue,
    P: Publisher,
    T: JobTables,
{
    let Held { number, holder, operation, mut request, letters, claims_since, follower, .. } = held;
    let Some(tables) = context.tables.clone() else { return Summary::default() };
    let mut noting = Noting::new(tables.clone(), number, operation, letters);
    noting.follower = follower;
    noting.since = find(&tables, number).await.ok().flatten().map(|job| job.updated_at);
    let mut done = Summary::default();
    // The first round of who has made it knows the whole filter, and counts what that does not mean.
    if claims_since.is_some() {
        request.filter.ids = noting.open().cloned().collect();
    }
    let told = loop {
        let (summary, told) = round(context, (number, holder), &request, &mut noting, stop, |round| seen(&done.clone().and(round))).await;
        done = done.and(&summary);
        if let Some(Told::Rate(rate)) = told
            && summary.fault.is_none()
        {
            (request.rate, done.stopped) = (rate, false);
        } else if told.is_some() || summary.fault.is_some() || summary.stopped || noting.open().next().is_none() {
            break told;
        } else if !may_come_back(context, claims_since).await {
            // Looked for in the whole list, after every claim of whoever was at it before had ended.
            let gone: Vec<String> = noting.open().cloned().collect();
            done.gone += gone.len() as u64;
            let gone = gone
                .into_iter()
                .map(|id| Handled { result: Some(LetterResult::Gone), ..Handled::new(id, None, choice::told(LetterResult::Gone)) });
            if let Err(fault) = noting.handled(gone.collect()).await {
                done.fault.get_or_insert(fault);
            }
            break None;
        } else {
            tokio::select! {
                () = sleep(LOOK) => {}
                () = stop.cancelled() => {
                    done.stopped = true;
                    break None;
                }
            }
        }
        request = RedriveRequest { filter: Filter { ids: noting.open().cloned().collect(), ..Filter::default() }, limit: None, ..request };
    };
    finish(&tables, (number, holder), noting, &mut done, told).await;
    done
}

/// One walk through the list. Says what it was told to stop for, where that was not the process's own stop.
async fn round<Q, P, T>(
    context: &AdminContext<Q, P, T>,
    (number, holder): (i64, Uuid),
    request: &RedriveRequest,
    noting: &mut Noting<T>,
    stop: &CancellationToken,
    seen: impl FnMut(&Summary),
) -> (Summary, Option<Told>)
where
    Q: DeadLetterReader + ClaimQueue,
    P: Publisher,
    T: JobTables,
{
    let stop = stop.child_token();
    let (Ok(route), Some(tables)) = (context.route(&stop), &context.tables) else { return (Summary::default(), None) };
    // No ids would stand for any: nothing has this one.
    let mut request = request.clone();
    if request.filter.ids.is_empty() {
        request.filter.ids = BTreeSet::from([String::new()]);
    }
    let told = Mutex::new(None);
    let tell = |what| {
        *told.lock().unwrap_or_else(std::sync::PoisonError::into_inner) = Some(what);
        stop.cancel();
    };
    let summary = tokio::select! {
        summary = redrive(route, &request, noting, seen) => summary,
        () = listen(tables, (number, holder), request.rate, &stop, tell) => Summary::default(),
    };
    let told = told.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner);
    (summary, told)
}

/// Keeps the lease, and tells once what an operator has changed. Does not end: what is in flight is waited for.
async fn listen<T: JobTables>(tables: &T, (number, holder): (i64, Uuid), rate: Option<f64>, stop: &CancellationToken, tell: impl Fn(Told)) {
    loop {
        sleep(LOOK).await;
        // What cannot be asked now is asked again; where that takes long, somebody else goes on, and finds this process's claims in its way.
        let is_held = tables.take_lease(&lease_of(number), holder, LEASE).await;
        if stop.is_cancelled() {
            continue;
        }
        match (is_held, find(tables, number).await) {
            (Ok(false), _) => tell(Told::Lost),
            (_, Ok(None)) => tell(Told::State(JobState::Cancelled)),
            (_, Ok(Some(job))) if job.state != JobState::Running => tell(Told::State(job.state)),
            (_, Ok(Some(job))) if job.plan.rate != rate => tell(Told::Rate(job.plan.rate)),
            _ => {}
        }
    }
}

/// Whether letters that are not in the list may be among the claims of whoever was at the job before.
async fn may_come_back<Q: DeadLetterReader, P, T>(context: &AdminContext<Q, P, T>, claims_since: Option<Instant>) -> bool {
    let Some(since) = claims_since else { return false };
    // One look more than the claims last: what comes back at the end is met.
    since.elapsed() < context.terms.lease + 2 * LOOK && context.queue.claimed().await.is_ok_and(|claimed| claimed > 0)
}

async fn finish<T: JobTables>(tables: &T, (number, holder): (i64, Uuid), noting: Noting<T>, done: &mut Summary, told: Option<Told>) {
    let change = match (told, &done.fault) {
        (_, Some(fault)) => Some(JobChange::Fail(reason(fault))),
        (Some(Told::State(JobState::Cancelled)), None) => None,
        // Somebody goes on with it, now or when it is resumed.
        (Some(_), None) => {
            drop(noting);
            return release(tables, number, holder).await;
        }
        (None, None) if done.stopped => return release(tables, number, holder).await,
        (None, None) => Some(JobChange::Finish),
    };
    let counts: Vec<_> = in_words(&noting.counts).into_iter().map(|(name, letters)| format!("{letters} {name}")).collect();
    let why = done.why_not_whole().map_or_else(String::new, |why| format!("; {why}"));
    noting.operation.end(format!("{}{why}", counts.join(", "))).await;
    if let Some(change) = change
        && let Err(fault) = tables.change_job(number, &change).await
    {
        let (class, code) = (fault.class.label(), fault.code);
        tracing::warn!(
            job = number,
            class,
            code,
            "the end of a redrive cannot be noted: {}; somebody goes on with it, and finds nothing left to do",
            reason::told(&fault)
        );
    }
    release(tables, number, holder).await;
    let (redriven, failed, gone) = (done.redriven, done.failed, done.gone);
    tracing::info!(job = number, redriven, failed, gone, "dead letters redriven");
}

async fn release<T: JobTables>(tables: &T, number: i64, holder: Uuid) {
    // Otherwise it ends by itself.
    tables.release_lease(&lease_of(number), holder).await.ok();
}
