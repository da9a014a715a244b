//! The check of a process that runs: run when an operator asks for it, one at a time, and its result kept for everyone.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use ::check::{Finding, Report};
use events::Timestamp;
use futures_util::future::BoxFuture;
use pipeline::ports::Clock as _;
use serde::Serialize;

use crate::backends::SystemClock;

/// How long all of it may take. Each question has a bound of its own, which is shorter, so that one that hangs does not hide what the others came to.
const BOUND: Duration = Duration::from_secs(30);

/// Looks at the settings and asks every part.
type Ask = Box<dyn Fn() -> BoxFuture<'static, Vec<Finding>> + Send + Sync>;

/// Checks the process in which it is. Clones are the same.
#[derive(Clone)]
pub struct SelfCheck(Arc<Inner>);

struct Inner {
    ask: Ask,
    last: Mutex<Option<Arc<Checked>>>,
    /// Held by the one that is under way.
    turn: tokio::sync::Mutex<()>,
}

/// What a check came to.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Checked {
    /// When it began.
    pub at: Timestamp,
    /// How long it took.
    pub took_ms: u64,
    /// What was found.
    #[serde(flatten)]
    pub report: Report,
}

impl SelfCheck {
    /// Of what `ask` finds.
    pub fn new(ask: impl Fn() -> BoxFuture<'static, Vec<Finding>> + Send + Sync + 'static) -> Self {
        Self(Arc::new(Inner { ask: Box::new(ask), last: Mutex::default(), turn: tokio::sync::Mutex::default() }))
    }

    /// What the last one came to, in this process.
    pub fn last(&self) -> Option<Arc<Checked>> {
        self.0.last.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Runs one and waits for it. Whoever asks while one is under way waits for that and is told what it came to. It comes to its end, and is kept, where
    /// whoever has asked goes away. The log says who asked.
    pub async fn run(&self, caller: &str) -> Arc<Checked> {
        let checked = self.run_in_turn().await;
        tracing::info!(caller, ok = checked.report.ok, "the settings and every part were checked");
        checked
    }

    async fn run_in_turn(&self) -> Arc<Checked> {
        let (check, known) = (self.clone(), self.last());
        let run = tokio::spawn(async move {
            let _turn = check.0.turn.lock().await;
            match check.last() {
                Some(other) if known.is_none_or(|known| !Arc::ptr_eq(&known, &other)) => other,
                _ => check.run_now().await,
            }
        });
        match run.await {
            Ok(checked) => checked,
            Err(_) => self.keep(SystemClock.now(), Instant::now(), vec![defect()]),
        }
    }

    async fn run_now(&self) -> Arc<Checked> {
        let (at, began) = (SystemClock.now(), Instant::now());
        let found = tokio::time::timeout(BOUND, (self.0.ask)()).await.unwrap_or_else(|_| vec![too_slow()]);
        self.keep(at, began, found)
    }

    fn keep(&self, at: Timestamp, began: Instant, found: Vec<Finding>) -> Arc<Checked> {
        let took_ms = u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX);
        let checked = Arc::new(Checked { at, took_ms, report: Report::of(found) });
        *self.0.last.lock().unwrap_or_else(PoisonError::into_inner) = Some(Arc::clone(&checked));
        checked
    }
}

fn too_slow() -> Finding {
    let found = format!("it had not come to its end after {} s: a part answers very slowly", BOUND.as_secs());
    Finding::fail("check", "time", found, "look at the parts of this process, and run `check` on a command line")
}

fn defect() -> Finding {
    Finding::fail("check", "end", "it has ended by a defect of this program", "look into the log, which tells of it, and report it")
}

#[cfg(test)]
mod tests {
    use std::future::pending;
    use std::sync::atomic::{AtomicU64, Ordering};

    use ::check::State;
    use tokio::sync::Semaphore;
    use tokio::task::yield_now;

    use super::*;

    /// What was found.
    fn found(checked: &Checked) -> Vec<(&str, State)> {
        checked.report.findings.iter().map(|finding| (&*finding.found, finding.state)).collect()
    }

    #[tokio::test]
    async fn one_is_run_at_a_time_and_whoever_asks_meanwhile_is_told_the_same() {
        let (began, open) = (Arc::new(AtomicU64::new(0)), Arc::new(Semaphore::new(0)));
        let (count, gate) = (Arc::clone(&began), Arc::clone(&open));
        let check = SelfCheck::new(move || {
            let (number, gate) = (count.fetch_add(1, Ordering::SeqCst) + 1, Arc::clone(&gate));
            Box::pin(async move {
                gate.acquire().await.unwrap().forget();
                vec![Finding::ok("Kafka", "lag", format!("check {number}"))]
            })
        });
        assert!(check.last().is_none());
        let both = async { tokio::join!(check.run("ada"), check.run("bob")) };
        let release = async {
            while began.load(Ordering::SeqCst) == 0 {
                yield_now().await;
            }
            assert!(check.last().is_none(), "it is under way");
            open.add_permits(1);
        };
        let ((first, second), ()) = tokio::join!(both, release);
        assert_eq!((found(&first), began.load(Ordering::SeqCst)), (vec![("check 1", State::Ok)], 1));
        assert!(Arc::ptr_eq(&first, &second) && Arc::ptr_eq(&first, &check.last().unwrap()));
        open.add_permits(1);
        assert_eq!(found(&*check.run("ada").await), [("check 2", State::Ok)], "what is asked for later is looked at anew");
    }

    #[tokio::test]
    async fn one_goes_on_where_whoever_asked_has_gone_away() {
        let open = Arc::new(Semaphore::new(0));
        let gate = Arc::clone(&open);
        let check = SelfCheck::new(move || {
            let gate = Arc::clone(&gate);
            Box::pin(async move {
                gate.acquire().await.unwrap().forget();
                Vec::new()
            })
        });
        {
            let mut asked = std::pin::pin!(check.run("ada"));
            assert!(futures_util::poll!(asked.as_mut()).is_pending());
        }
        open.add_permits(1);
        while check.last().is_none() {
            yield_now().await;
        }
    }

    #[tokio::test(start_paused = true)]
    async fn one_that_hangs_and_one_with_a_defect_end_with_a_finding() {
        let hangs = SelfCheck::new(|| Box::pin(pending()));
        assert!(matches!(&*found(&*hangs.run("ada").await), [(sentence, State::Fail)] if sentence.contains("after 30 s")));
        let breaks = SelfCheck::new(|| Box::pin(async { panic!("a defect") }));
        assert!(matches!(&*found(&*breaks.run("ada").await), [(sentence, State::Fail)] if sentence.contains("a defect")));
        assert!(!breaks.last().unwrap().report.ok);
    }
}
