//! Finding the jobs that nobody goes on with, and going on with them.

use std::sync::Arc;
use std::time::Duration;

use pipeline::fault::Fault;
use pipeline::ports::{ClaimQueue, DeadLetterReader, Publisher};
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;

use super::{JobTables, run, take};
use crate::dlq::context::AdminContext;
use crate::reason::told;

/// How often it is looked for jobs.
const INTERVAL: Duration = Duration::from_secs(5);
/// Jobs that one process goes on with at one time: each holds claims.
const AT_ONCE: usize = 4;

/// Goes on with jobs that run and that nobody has the lease of: those of a process that was killed or stopped, and those that were resumed. Until
/// `stop` is cancelled; then what is in flight is finished, and the rest is left to others.
pub async fn keep<Q, P, T>(context: AdminContext<Q, P, T>, stop: CancellationToken)
where
    Q: DeadLetterReader + ClaimQueue + Clone + 'static,
    P: Publisher + Clone + 'static,
    T: JobTables,
{
    let places = Arc::new(Semaphore::new(AT_ONCE));
    let mut was_away = false;
    while !stop.is_cancelled() {
        match look(&context, &stop, &places).await {
            Ok(()) => was_away = false,
            Err(fault) => {
                if !std::mem::replace(&mut was_away, true) {
                    let (class, code) = (fault.class.label(), fault.code);
                    tracing::warn!(class, code, "redrive jobs that wait cannot be looked for: {}", told(&fault));
                }
            }
        }
        tokio::select! {
            () = tokio::time::sleep(INTERVAL) => {}
            () = stop.cancelled() => {}
        }
    }
}

async fn look<Q, P, T>(context: &AdminContext<Q, P, T>, stop: &CancellationToken, places: &Arc<Semaphore>) -> Result<(), Fault>
where
    Q: DeadLetterReader + ClaimQueue + Clone + 'static,
    P: Publisher + Clone + 'static,
    T: JobTables,
{
    let Some(tables) = &context.tables else { return Ok(()) };
    for number in tables.running_jobs().await? {
        let Ok(place) = Arc::clone(places).try_acquire_owned() else { return Ok(()) };
        if let Some(held) = take(tables, number).await? {
            tracing::info!(job = number, "this process goes on with a redrive");
            let (context, stop) = (context.clone(), stop.clone());
            drop(tokio::spawn(async move {
                run(&context, held, &stop, |_| {}).await;
                drop(place);
            }));
        }
    }
    Ok(())
}
