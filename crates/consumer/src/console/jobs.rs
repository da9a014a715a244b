//! Redrives that this process does, from their beginning to their end.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use console::{Caller, Job, Order, RefusalKind, Refused};
use pipeline::audit::AuditAction;
use pipeline::ports::{AuditLog, ClaimQueue, Clock as _, DeadLetterReader, Publisher};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::keeper::OwnChanges;
use super::words::problem;
use crate::audit::{Audit, Subject, Who};
use crate::backends::SystemClock;
use crate::dlq::{AdminContext, Filter, RedriveRequest, Refusal, Summary, redrive};

/// Jobs that are remembered after their end.
const KEPT: usize = 100;
/// Jobs that run at one time: each holds claims.
const RUNNING: usize = 4;

/// The jobs of a process. Clones are the same.
#[derive(Clone)]
pub(super) struct Jobs {
    list: Arc<Mutex<List>>,
    /// Told at the end of each.
    changes: OwnChanges,
}

#[derive(Default)]
struct List {
    /// The newest first.
    jobs: VecDeque<Begun>,
    last: u64,
}

/// A job that was begun.
struct Begun {
    number: u64,
    caller: String,
    began: String,
    order: Order,
    /// The length of the list when it began.
    depth: u64,
    since: Instant,
    stop: CancellationToken,
    /// Who has stopped it.
    stopped_by: Option<String>,
    summary: Summary,
    ended: bool,
    /// Why it came to its end before its time, where no summary tells.
    broken_off: Option<String>,
}

/// What a job says whose task has ended by a defect.
const DEFECT: &str = "It ended by a defect of this program, which the log tells of. What it had claimed comes back when the claims end.";

/// Tells the end of a job whose task ends without telling it: a defect must not leave it running for ever.
struct Unfinished {
    jobs: Jobs,
    number: u64,
}

impl Drop for Unfinished {
    fn drop(&mut self) {
        self.jobs.break_off(self.number, DEFECT);
    }
}

impl Jobs {
    pub fn new(changes: OwnChanges) -> Self {
        Self { list: Arc::default(), changes }
    }

    /// Begins a redrive, which goes on by itself until it is done or `stop` is cancelled.
    pub async fn begin<Q, P, T>(
        &self,
        context: AdminContext<Q, P, T>,
        stop: &CancellationToken,
        (Caller(caller), order): (&Caller, &Order),
        filter: Filter,
    ) -> Result<u64, Refused>
    where
        Q: DeadLetterReader + ClaimQueue + 'static,
        P: Publisher + 'static,
        T: AuditLog + Clone + 'static,
    {
        let stop = stop.child_token();
        // Refused before a job is made of it.
        context.route(&stop)?;
        let depth = context.queue.depth().await.map_err(Refusal::from)?;
        let request = RedriveRequest { filter, limit: order.limit, rate: order.rate, max_retries: context.terms.max_retries };
        let audit = Audit(context.tables.clone().ok_or(Refusal::NoAuditLog)?);
        let mut operation = audit.begin(Who::console(caller), AuditAction::Redrive, Subject::new(&request)).await?;
        let number = match self.add(caller, order, depth, &stop) {
            Ok(number) => number,
            Err(refused) => {
                operation.end(format!("refused: {}", refused.sentence)).await;
                return Err(refused);
            }
        };
        tracing::info!(caller, job = number, limit = order.limit, rate = order.rate, "a redrive begins");
        let (jobs, caller) = (self.clone(), caller.clone());
        // It ends by itself: what is in flight when the process stops is finished, and the rest stays in the list.
        drop(tokio::spawn(async move {
            let _unfinished = Unfinished { jobs: jobs.clone(), number };
            let ended = match context.route(&stop) {
                Ok(route) => redrive(route, &request, &mut operation, |summary| jobs.note(number, summary, false)).await,
                Err(refusal) => {
                    jobs.break_off(number, &problem(&refusal));
                    return operation.end(format!("refused: {refusal}")).await;
                }
            };
            let stopped_by = jobs.stopped_by(number).map_or_else(String::new, |name| format!("; stopped by {name}"));
            operation.end(format!("{}{stopped_by}", ended.outcome())).await;
            let (redriven, failed, gone) = (ended.redriven, ended.failed, ended.gone);
            tracing::info!(caller, job = number, redriven, failed, gone, "dead letters redriven");
            jobs.note(number, &ended, true);
        }));
        Ok(number)
    }

    /// Adds a job that begins, unless too many run. Returns its number.
    fn add(&self, caller: &str, order: &Order, depth: u64, stop: &CancellationToken) -> Result<u64, Refused> {
        let mut list = self.list();
        if list.jobs.iter().filter(|job| !job.ended).count() >= RUNNING {
            let sentence = format!("{RUNNING} redrives run already: wait for one of them, or stop it.");
            return Err(Refused { kind: RefusalKind::Impossible, sentence });
        }
        list.last += 1;
        let number = list.last;
        list.jobs.push_front(Begun {
            number,
            caller: caller.to_owned(),
            began: SystemClock.now().to_string(),
            order: order.clone(),
            depth,
            since: Instant::now(),
            stop: stop.clone(),
            stopped_by: None,
            summary: Summary::default(),
            ended: false,
            broken_off: None,
        });
        // One that runs can be stopped as long as it does.
        let mut ended = 0;
        list.jobs.retain(|job| {
            ended += usize::from(job.ended);
            !job.ended || ended <= KEPT
        });
        Ok(number)
    }

    /// Stops a job. Returns whether there was such a job and it ran.
    pub fn stop(&self, number: u64, caller: &str) -> bool {
        let mut list = self.list();
        let Some(job) = list.jobs.iter_mut().find(|job| job.number == number && !job.ended) else { return false };
        job.stopped_by.get_or_insert_with(|| caller.to_owned());
        job.stop.cancel();
        true
    }

    fn stopped_by(&self, number: u64) -> Option<String> {
        self.list().jobs.iter().find(|job| job.number == number).and_then(|job| job.stopped_by.clone())
    }

    /// The newest first.
    pub fn all(&self) -> Vec<Job> {
        self.list().jobs.iter().map(Begun::job).collect()
    }

    fn note(&self, number: u64, summary: &Summary, ended: bool) {
        if let Some(job) = self.list().jobs.iter_mut().find(|job| job.number == number) {
            job.summary = summary.clone();
            job.ended = ended;
            if ended {
                self.changes.note();
            }
            if !ended {
                // It is told by the redrive itself at its end alone.
                job.summary.took = job.since.elapsed();
            }
        }
    }

    /// Ends a job that has not told its end, for this reason.
    fn break_off(&self, number: u64, why: &str) {
        if let Some(job) = self.list().jobs.iter_mut().find(|job| job.number == number && !job.ended) {
            job.summary.took = job.since.elapsed();
            (job.ended, job.broken_off) = (true, Some(why.to_owned()));
            self.changes.note();
        }
    }

    fn list(&self) -> MutexGuard<'_, List> {
        self.list.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Begun {
    fn job(&self) -> Job {
        let summary = &self.summary;
        let state = match self.ended {
            false => "running",
            true if self.broken_off.is_some() => "failed",
            true if summary.stopped => "stopped",
            true if summary.is_whole() => "done",
            true => "failed",
        };
        let counts = summary.counts().into_iter().filter(|(name, count)| *count > 0 || *name == "redriven");
        Job {
            number: self.number,
            caller: self.caller.clone(),
            began: self.began.clone(),
            order: self.order.clone(),
            state,
            examined: (summary.examined(), self.depth.max(summary.examined())),
            counts: counts.map(|(name, count)| (name.to_owned(), count)).collect(),
            problem: self.broken_off.clone().or_else(|| summary.why_not_whole().map(|why| problem(&why))),
            took: if self.ended { summary.took } else { self.since.elapsed() },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_job_whose_task_ends_by_a_defect_has_failed_and_says_so() {
        let jobs = Jobs::new(OwnChanges::default());
        let order = Order { selection: console::Selection::default(), limit: None, rate: None };
        let number = jobs.add("ada", &order, 7, &CancellationToken::new()).unwrap();
        assert_eq!(jobs.all()[0].state, "running");
        let unfinished = Unfinished { jobs: jobs.clone(), number };
        let task = tokio::spawn(async move {
            let _unfinished = unfinished;
            panic!("a defect");
        });
        task.await.unwrap_err();
        let job = jobs.all().remove(0);
        assert_eq!((job.state, job.problem.as_deref()), ("failed", Some(DEFECT)));
        assert!(!jobs.stop(number, "ada"), "it has ended");
        // One that has told its end keeps what it told.
        let number = jobs.add("ada", &order, 7, &CancellationToken::new()).unwrap();
        jobs.note(number, &Summary { redriven: 3, ..Summary::default() }, true);
        drop(Unfinished { jobs: jobs.clone(), number });
        assert_eq!((jobs.all()[0].state, jobs.all()[0].problem.as_deref()), ("done", None));
    }
}
