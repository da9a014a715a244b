//! Redrives that this process does, from their beginning to their end.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use console::{Caller, Job, Order, RefusalKind, Refused};
use pipeline::ports::{ClaimQueue, Clock as _, DeadLetterReader, Publisher};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::words::problem;
use crate::backends::SystemClock;
use crate::dlq::{AdminContext, Filter, RedriveRequest, Refusal, Summary, redrive};

/// Jobs that are remembered after their end.
const KEPT: usize = 100;
/// Jobs that run at one time: each holds claims.
const RUNNING: usize = 4;

/// The jobs of a process. Clones are the same.
#[derive(Clone, Default)]
pub(super) struct Jobs(Arc<Mutex<List>>);

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
    summary: Summary,
    ended: bool,
}

impl Jobs {
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
        T: Send + Sync + 'static,
    {
        let stop = stop.child_token();
        // Refused before a job is made of it.
        context.route(&stop)?;
        let depth = context.queue.depth().await.map_err(Refusal::from)?;
        let number = {
            let mut list = self.list();
            if list.jobs.iter().filter(|job| !job.ended).count() >= RUNNING {
                let sentence = format!("{RUNNING} redrives run already: wait for one of them, or stop it.");
                return Err(Refused { kind: RefusalKind::Impossible, sentence });
            }
            list.last += 1;
            let number = list.last;
            list.jobs.push_front(Begun {
                number,
                caller: caller.clone(),
                began: SystemClock.now().to_string(),
                order: order.clone(),
                depth,
                since: Instant::now(),
                stop: stop.clone(),
                summary: Summary::default(),
                ended: false,
            });
            // One that runs can be stopped as long as it does.
            let mut ended = 0;
            list.jobs.retain(|job| {
                ended += usize::from(job.ended);
                !job.ended || ended <= KEPT
            });
            number
        };
        let request = RedriveRequest { filter, limit: order.limit, rate: order.rate, max_retries: context.terms.max_retries };
        tracing::info!(caller, job = number, limit = order.limit, rate = order.rate, "a redrive begins");
        let (jobs, caller) = (self.clone(), caller.clone());
        // It ends by itself: what is in flight when the process stops is finished, and the rest stays in the list.
        drop(tokio::spawn(async move {
            let ended = match context.route(&stop) {
                Ok(route) => redrive(route, &request, |summary| jobs.note(number, summary, false)).await,
                Err(_) => return,
            };
            let (redriven, failed, gone) = (ended.redriven, ended.failed, ended.gone);
            tracing::info!(caller, job = number, redriven, failed, gone, "dead letters redriven");
            jobs.note(number, &ended, true);
        }));
        Ok(number)
    }

    /// Stops a job. Returns whether there was such a job and it ran.
    pub fn stop(&self, number: u64) -> bool {
        let list = self.list();
        let job = list.jobs.iter().find(|job| job.number == number && !job.ended);
        job.inspect(|job| job.stop.cancel()).is_some()
    }

    /// The newest first.
    pub fn all(&self) -> Vec<Job> {
        self.list().jobs.iter().map(Begun::job).collect()
    }

    fn note(&self, number: u64, summary: &Summary, ended: bool) {
        if let Some(job) = self.list().jobs.iter_mut().find(|job| job.number == number) {
            job.summary = summary.clone();
            job.ended = ended;
            if !ended {
                // It is told by the redrive itself at its end alone.
                job.summary.took = job.since.elapsed();
            }
        }
    }

    fn list(&self) -> MutexGuard<'_, List> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Begun {
    fn job(&self) -> Job {
        let summary = &self.summary;
        let state = match self.ended {
            false => "running",
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
            problem: summary.why_not_whole().map(|why| problem(&why)),
            took: if self.ended { summary.took } else { self.since.elapsed() },
        }
    }
}
