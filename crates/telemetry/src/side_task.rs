//! Tasks beside the main one. None of them ends without anybody noticing: it is started again, or the process ends with an error.

use std::future::Future;
use std::time::Duration;

use tokio::task::{JoinError, JoinHandle, JoinSet};
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

use crate::{Health, Shutdown};

/// The pause before a task is started again, and how long it must run until it counts as healthy.
const PAUSE: Duration = Duration::from_secs(5);

/// Keeps a task running until `stop`: one that ends or panics is logged, shown as a part that is down, and started again after 5 s. If this
/// future is dropped, the task ends with it.
pub async fn keep_running<T>(name: &'static str, health: Health, stop: CancellationToken, mut start: impl FnMut() -> T)
where
    T: Future<Output = ()> + Send + 'static,
{
    let mut failed = false;
    while !stop.is_cancelled() {
        // A set of one: dropping it ends the task.
        let mut task = JoinSet::new();
        task.spawn(start());
        let ended = loop {
            tokio::select! {
                () = stop.cancelled() => return,
                Some(ended) = task.join_next() => break ended,
                () = sleep(PAUSE), if failed => {
                    failed = false;
                    health.up(name);
                    tracing::info!(task = name, "runs again");
                }
            }
        };
        // It may have been told to stop by the same token.
        if stop.is_cancelled() {
            return;
        }
        failed = true;
        let how = how_it_ended(ended.err().as_ref());
        health.down(name, how);
        tracing::error!(task = name, "{how}, which is a defect of this program; it is started again");
        tokio::select! {
            () = stop.cancelled() => {}
            () = sleep(PAUSE) => {}
        }
    }
}

/// Watches a task that the process cannot do without, and that ends only when `shutdown` asks. One that ends by itself, or panics, is logged
/// and shown as a part that is down, and the process is asked to stop.
pub fn guard<T>(name: &'static str, task: JoinHandle<T>, health: Health, shutdown: Shutdown) -> JoinHandle<Result<T, Ended>>
where
    T: Send + 'static,
{
    tokio::spawn(async move {
        let error = match task.await {
            Ok(value) if shutdown.is_requested() => return Ok(value),
            ended => ended.err(),
        };
        let how = how_it_ended(error.as_ref());
        health.down(name, how);
        tracing::error!(task = name, "{how}, which is a defect of this program; stopping");
        shutdown.request();
        Err(Ended { name, how })
    })
}

/// A task that should have run on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{name} {how}, which is a defect of this program")]
pub struct Ended {
    name: &'static str,
    how: &'static str,
}

/// Without the text of the panic, which may hold data; it stands on stderr.
fn how_it_ended(error: Option<&JoinError>) -> &'static str {
    match error {
        Some(error) if error.is_panic() => "has panicked",
        _ => "has ended by itself",
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicU32, Ordering};

    use super::*;

    const NAME: &str = "monitor";

    /// Panics the first time, ends by itself the second time, and stays from the third time on.
    async fn third_time_lucky(starts: Arc<AtomicU32>) {
        match starts.fetch_add(1, Ordering::Relaxed) {
            0 => panic!("on purpose"),
            1 => {}
            _ => std::future::pending().await,
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_task_that_ends_or_panics_is_shown_and_started_again() {
        let (health, stop, starts) = (Health::new(&[], None), CancellationToken::new(), Arc::new(AtomicU32::new(0)));
        let counted = Arc::clone(&starts);
        let kept = tokio::spawn(keep_running(NAME, health.clone(), stop.clone(), move || third_time_lucky(Arc::clone(&counted))));
        let reason = || health.ready_report().parts.get(NAME).and_then(|part| part.reason.clone());
        sleep(Duration::from_millis(1)).await;
        assert_eq!((reason().as_deref(), health.ready()), (Some("has panicked"), false));
        sleep(PAUSE).await;
        assert_eq!((reason().as_deref(), starts.load(Ordering::Relaxed)), (Some("has ended by itself"), 2));
        sleep(PAUSE).await;
        assert_eq!((reason().is_some(), starts.load(Ordering::Relaxed)), (true, 3), "it has yet to show that it stays");
        sleep(PAUSE).await;
        assert!(health.is_up(NAME) && health.ready());
        sleep(10 * PAUSE).await;
        assert_eq!(starts.load(Ordering::Relaxed), 3);
        stop.cancel();
        kept.await.unwrap();
    }

    #[tokio::test]
    async fn a_task_that_is_stopped_is_no_failure() {
        let (health, stop) = (Health::new(&[], None), CancellationToken::new());
        let obedient = stop.clone();
        let kept = tokio::spawn(keep_running(NAME, health.clone(), stop.clone(), move || obedient.clone().cancelled_owned()));
        stop.cancel();
        kept.await.unwrap();
        assert!(health.ready());
    }

    #[tokio::test]
    async fn a_task_that_the_process_needs_ends_it() {
        for panics in [true, false] {
            let (health, shutdown) = (Health::new(&[], None), Shutdown::new());
            let task = tokio::spawn(async move { assert!(!panics, "on purpose") });
            let ended = guard(NAME, task, health.clone(), shutdown.clone()).await.unwrap().unwrap_err();
            let how = if panics { "has panicked" } else { "has ended by itself" };
            assert_eq!(ended.to_string(), format!("monitor {how}, which is a defect of this program"));
            assert!(shutdown.is_requested() && !health.ready());
        }
    }

    #[tokio::test]
    async fn a_task_that_ends_when_it_is_asked_gives_its_value() {
        let (health, shutdown) = (Health::new(&[], None), Shutdown::new());
        let asked = shutdown.requested();
        let task = tokio::spawn(async move {
            asked.await;
            7
        });
        let guarded = guard(NAME, task, health.clone(), shutdown.clone());
        shutdown.request();
        assert_eq!((guarded.await.unwrap(), health.ready()), (Ok(7), true));
    }
}
