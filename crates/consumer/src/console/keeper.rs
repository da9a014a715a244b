//! The index of the dead letters, kept up to date as long as somebody looks.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use console::{RefusalKind, Refused};
use pipeline::fault::Fault;
use pipeline::ports::DeadLetterReader;
use tokio::sync::{Notify, watch};
use tokio::time::{Instant, timeout};
use tokio_util::sync::CancellationToken;

use super::index::{Index, Progress, follow, read};
use crate::dlq::Refusal;

/// How old what is shown may be, where reading the list takes no longer than a part of it.
const FRESH: Duration = Duration::from_secs(2);
/// How often the queue is asked whether the list has changed, while somebody looks.
const INTERVAL: Duration = Duration::from_secs(1);
/// After a reading that took long, a multiple of its time passes before the next one: a part of one processor is left to the consumer.
const REST: u32 = 4;
/// How often the whole list is read even if nothing is told to have changed: other programs need not tell.
const ANEW: Duration = Duration::from_secs(60);
/// How long a page waits for the list to be read.
const PATIENCE: Duration = Duration::from_millis(500);
/// So long after the last look the memory is given back.
const UNUSED: Duration = Duration::from_secs(300);

/// The dead letters of a queue, as pages show them. Clones are the same.
pub(super) struct Keeper<Q>(Arc<Shared<Q>>);

impl<Q> Clone for Keeper<Q> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

struct Shared<Q> {
    queue: Q,
    stop: CancellationToken,
    known: Mutex<Known>,
    changes: OwnChanges,
    told: watch::Sender<Told>,
    wanted: Notify,
    progress: Progress,
}

#[derive(Default)]
struct Known {
    index: Option<Arc<Index>>,
    /// Whether there is a task that keeps it.
    is_kept: bool,
    looked_at: Option<Instant>,
}

/// What the task that keeps the index tells those who wait for it.
#[derive(Clone, Debug, Default)]
struct Told {
    /// Everything that had happened to the list until then is in the index.
    until: Option<Instant>,
    /// How old it may become.
    bound: Duration,
    /// How often the queue was asked, and why it could not be at the last attempt.
    turn: u64,
    fault: Option<Fault>,
}

/// When this process has changed the list itself: whoever has done something wants to see it done. Clones are the same.
#[derive(Clone, Debug, Default)]
pub(super) struct OwnChanges(Arc<Mutex<Option<Instant>>>);

impl OwnChanges {
    /// The list has been changed until now.
    pub fn note(&self) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(Instant::now());
    }

    fn last(&self) -> Option<Instant> {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<Q: DeadLetterReader + 'static> Keeper<Q> {
    /// Of this queue, until it is stopped. Reads nothing before somebody looks.
    pub fn new(queue: Q, stop: CancellationToken) -> Self {
        let shared = Shared {
            queue,
            stop,
            known: Mutex::default(),
            changes: OwnChanges::default(),
            told: watch::Sender::default(),
            wanted: Notify::new(),
            progress: Progress::default(),
        };
        Self(Arc::new(shared))
    }

    /// Where changes are told that this process makes itself.
    pub fn changes(&self) -> OwnChanges {
        self.0.changes.clone()
    }

    /// The dead letters as they were two seconds ago at most, and with all that this process has done to them. While a long list is read that
    /// was known before, as it was then.
    ///
    /// # Errors
    /// The queue is away, or the list is being read for the first time.
    pub async fn index(&self) -> Result<Arc<Index>, Refused> {
        let asked_at = Instant::now();
        self.look(asked_at);
        let mut told = self.0.told.subscribe();
        let (own, turn) = (self.0.changes.last(), told.borrow().turn);
        let needed = asked_at.checked_sub(told.borrow().bound.max(FRESH));
        // What was read at the very moment of a change may have been read before it.
        let shows_own = |told: &Told| own.is_none() || told.until > own;
        let is_known = |told: &Told| told.until.is_some() && told.until >= needed && shows_own(told);
        if !is_known(&told.borrow()) {
            self.0.wanted.notify_one();
            let is_over = |told: &Told| is_known(told) || (told.fault.is_some() && told.turn > turn);
            let answer = timeout(PATIENCE, told.wait_for(is_over)).await;
            let told = answer.map_or_else(|_| self.0.told.borrow().clone(), |told| told.map(|told| told.clone()).unwrap_or_default());
            if let Some(fault) = told.fault {
                return Err(Refusal::from(fault).into());
            }
            if !is_known(&told) && (told.until.is_none() || !shows_own(&told)) {
                return Err(self.being_read());
            }
        }
        self.0.known().index.clone().ok_or_else(|| self.being_read())
    }

    /// What is known already, however old: to find an entry in the queue sooner than by looking through all of it.
    pub fn at_hand(&self) -> Option<Arc<Index>> {
        self.look(Instant::now());
        self.0.known().index.clone()
    }

    /// Notes that somebody looks, and begins to read if nobody has.
    fn look(&self, now: Instant) {
        let mut known = self.0.known();
        known.looked_at = Some(now);
        if !known.is_kept {
            known.is_kept = true;
            drop(tokio::spawn(keep(Arc::clone(&self.0))));
        }
    }

    fn being_read(&self) -> Refused {
        let (done, all) = self.0.progress.told();
        Refused { kind: RefusalKind::Reading, sentence: format!("The dead letters are being read: {done} of {all} so far.") }
    }
}

impl<Q> Shared<Q> {
    fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Gives the memory back, if nobody has looked for long. Returns whether that is so.
    fn is_unused(&self) -> bool {
        let mut known = self.known();
        let is_unused = known.looked_at.is_none_or(|at| at.elapsed() >= UNUSED);
        if is_unused {
            *known = Known::default();
            self.told.send_replace(Told::default());
        }
        is_unused
    }
}

/// Keeps the index until nobody has looked for long, or the process stops.
async fn keep<Q: DeadLetterReader>(shared: Arc<Shared<Q>>) {
    let _guard = Guard(&shared);
    let mut read_at = None;
    while !shared.is_unused() {
        let began = Instant::now();
        let outcome = refresh(&shared, &mut read_at).await;
        let rest = began.elapsed() * REST;
        shared.told.send_modify(|told| match outcome {
            Ok(()) => *told = Told { until: Some(began), bound: rest, turn: told.turn + 1, fault: None },
            Err(fault) => (told.turn, told.fault) = (told.turn + 1, Some(fault)),
        });
        tokio::select! {
            biased;
            () = shared.stop.cancelled() => return,
            () = tokio::time::sleep(rest.max(INTERVAL)) => {}
            () = shared.wanted.notified() => {}
        }
    }
}

/// Follows the list, or reads it where that does not do.
async fn refresh<Q: DeadLetterReader>(shared: &Shared<Q>, read_at: &mut Option<Instant>) -> Result<(), Fault> {
    let known = shared.known().index.clone();
    if let Some(mut index) = known.clone().filter(|_| read_at.is_some_and(|at| at.elapsed() < ANEW)) {
        let is_whole = follow(&shared.queue, &mut index).await?;
        if is_whole {
            shared.known().index = Some(index);
            return Ok(());
        }
    }
    let began = Instant::now();
    let index = read(&shared.queue, known.as_deref(), &shared.progress).await?;
    shared.known().index = Some(Arc::new(index));
    *read_at = Some(began);
    Ok(())
}

/// Where the task ends by a defect, the next look begins another.
struct Guard<'s, Q>(&'s Shared<Q>);

impl<Q> Drop for Guard<'_, Q> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.0.known().is_kept = false;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::sync::atomic::{AtomicBool, Ordering};

    use pipeline::fault::{Dependency, FaultClass};
    use pipeline::ports::{ClaimQueue as _, DeadLetterArchive as _, End, ListState};
    use sqlite::Sqlite;

    use super::*;

    const LONG: Duration = Duration::from_secs(3600);

    /// A queue that is away as long as it is told to be, or does not answer at all.
    #[derive(Clone)]
    struct Queue(Sqlite, Arc<(AtomicBool, AtomicBool)>);

    impl Queue {
        fn new() -> Self {
            Self(Sqlite::temporary().unwrap(), Arc::default())
        }

        async fn answer(&self) -> Result<&Sqlite, Fault> {
            let (away, mute) = &*self.1;
            if mute.load(Ordering::Relaxed) {
                std::future::pending::<()>().await;
            }
            let class = FaultClass::Unavailable { timed_out: false };
            let fault = Fault { dependency: Dependency::DeadLetterQueue, class, code: None, subject: "connect" };
            if away.load(Ordering::Relaxed) { Err(fault) } else { Ok(&self.0) }
        }
    }

    impl DeadLetterReader for Queue {
        async fn list_state(&self) -> Result<ListState, Fault> {
            self.answer().await?.list_state().await
        }

        async fn depth(&self) -> Result<u64, Fault> {
            self.answer().await?.depth().await
        }

        async fn claimed(&self) -> Result<u64, Fault> {
            self.answer().await?.claimed().await
        }

        async fn reasons(&self) -> Result<BTreeMap<String, u64>, Fault> {
            self.answer().await?.reasons().await
        }

        async fn page(&self, end: End, start: u64, limit: u64) -> Result<Vec<String>, Fault> {
            self.answer().await?.page(end, start, limit).await
        }
    }

    async fn filled(count: usize) -> (Queue, Keeper<Queue>) {
        let queue = Queue::new();
        queue.0.restore(&(0..count).map(|number| format!("letter {number}")).collect::<Vec<_>>()).await.unwrap();
        (queue.clone(), Keeper::new(queue, CancellationToken::new()))
    }

    async fn depth(keeper: &Keeper<Queue>) -> u64 {
        keeper.index().await.unwrap().state().depth
    }

    async fn remove(queue: &Queue, letter: &str) {
        let claims = queue.0.claim(&[letter.to_owned()], LONG).await.unwrap();
        assert_eq!(queue.0.settle(&claims.into_iter().flatten().collect::<Vec<_>>()).await, Ok(1));
    }

    #[tokio::test(start_paused = true)]
    async fn what_others_remove_and_add_is_seen_within_two_seconds_and_what_we_do_at_once() {
        let (queue, keeper) = filled(3).await;
        assert_eq!(depth(&keeper).await, 3);
        remove(&queue, "letter 1").await;
        queue.0.restore(&["letter 3".to_owned(), "letter 4".to_owned()]).await.unwrap();
        tokio::time::advance(FRESH + Duration::from_millis(1)).await;
        assert_eq!(depth(&keeper).await, 4);
        remove(&queue, "letter 0").await;
        keeper.changes().note();
        tokio::time::advance(Duration::from_nanos(1)).await;
        assert_eq!(depth(&keeper).await, 3, "at once");
    }

    #[tokio::test(start_paused = true)]
    async fn nothing_is_read_before_somebody_looks_and_the_memory_is_given_back_when_nobody_has_for_long() {
        let (_queue, keeper) = filled(3).await;
        assert!(!keeper.0.known().is_kept && keeper.0.known().index.is_none());
        assert_eq!(depth(&keeper).await, 3);
        assert!(keeper.0.known().is_kept && keeper.0.known().index.is_some());
        let given_back = async || !keeper.0.known().is_kept && keeper.0.known().index.is_none();
        testkit::eventually(UNUSED * 2, "the memory is given back", given_back).await;
        assert_eq!(depth(&keeper).await, 3, "whoever looks again is answered");
    }

    #[tokio::test(start_paused = true)]
    async fn a_queue_that_is_away_is_told_and_its_return_is_seen() {
        let (queue, keeper) = filled(3).await;
        queue.1.0.store(true, Ordering::Relaxed);
        assert_eq!(keeper.index().await.unwrap_err().kind, RefusalKind::Unavailable);
        queue.1.0.store(false, Ordering::Relaxed);
        assert_eq!(depth(&keeper).await, 3);
    }

    #[tokio::test(start_paused = true)]
    async fn a_list_that_takes_long_to_read_is_told_to_be_read_and_one_that_is_known_is_shown_as_it_was() {
        let (queue, keeper) = filled(3).await;
        queue.1.1.store(true, Ordering::Relaxed);
        let refused = keeper.index().await.unwrap_err();
        assert_eq!((refused.kind, &*refused.sentence), (RefusalKind::Reading, "The dead letters are being read: 0 of 0 so far."));
        let (queue, keeper) = filled(3).await;
        assert_eq!(depth(&keeper).await, 3);
        queue.1.1.store(true, Ordering::Relaxed);
        tokio::time::advance(FRESH * 2).await;
        assert_eq!(depth(&keeper).await, 3);
        keeper.changes().note();
        assert_eq!(keeper.index().await.unwrap_err().kind, RefusalKind::Reading, "not what we have changed ourselves");
    }
}
