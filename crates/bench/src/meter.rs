//! Watching a consumer from both ends: when its first records were taken, and when how many of them were committed.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use pipeline::fault::Fault;
use pipeline::offsets::Commit;
use pipeline::ports::{Lost, PollLimits, Skipped, Unstarted};
use pipeline::{OffsetCommitter, Record, RecordSource};
use tokio::sync::watch;

/// What was seen so far. Clones share it.
#[derive(Clone)]
pub struct Meter(Arc<Seen>);

struct Seen {
    first: OnceLock<Instant>,
    taken: AtomicU64,
    committed: watch::Sender<(u64, Instant)>,
}

impl Default for Meter {
    fn default() -> Self {
        let (committed, _) = watch::channel((0, Instant::now()));
        Self(Arc::new(Seen { first: OnceLock::new(), taken: AtomicU64::new(0), committed }))
    }
}

impl Meter {
    /// Waits until so many records are finished and committed, and returns how long that took since the first were taken: joining the
    /// group is not measured.
    pub async fn until(&self, records: u64) -> Duration {
        let mut committed = self.0.committed.subscribe();
        // The sender lives as long as `self`.
        let end = committed.wait_for(|(count, _)| *count >= records).await.map_or_else(|_| Instant::now(), |seen| seen.1);
        self.0.first.get().map_or(Duration::ZERO, |first| end.saturating_duration_since(*first))
    }

    /// Records that are finished and committed.
    pub fn committed(&self) -> u64 {
        self.0.committed.borrow().0
    }

    /// How many that were at the last commit, and when it was.
    pub fn last_commit(&self) -> (u64, Instant) {
        *self.0.committed.borrow()
    }

    /// Records that were taken.
    pub fn taken(&self) -> u64 {
        self.0.taken.load(Ordering::Relaxed)
    }
}

/// A source or a committer under a [`Meter`].
pub struct Metered<T> {
    /// What is watched.
    pub inner: T,
    meter: Meter,
}

impl<T> Metered<T> {
    /// Watches this.
    pub const fn new(inner: T, meter: Meter) -> Self {
        Self { inner, meter }
    }
}

impl<S: RecordSource> RecordSource for Metered<S> {
    async fn poll_batch(&mut self, limits: PollLimits, patience: Duration) -> Result<Vec<Record>, Fault> {
        let taken = self.inner.poll_batch(limits, patience).await?;
        if !taken.is_empty() {
            self.meter.0.first.get_or_init(Instant::now);
            self.meter.0.taken.fetch_add(taken.len() as u64, Ordering::Relaxed);
        }
        Ok(taken)
    }

    fn passed(&self) -> Commit {
        self.inner.passed()
    }

    fn unstarted(&self) -> Vec<Unstarted> {
        self.inner.unstarted()
    }

    async fn start(&mut self, partition: Unstarted, offset: i64) -> Result<(), Fault> {
        self.inner.start(partition, offset).await
    }

    async fn reopen(&mut self) -> Result<(), Fault> {
        self.inner.reopen().await
    }

    fn lost(&self) -> Option<Lost> {
        self.inner.lost()
    }

    fn skipped(&mut self) -> Vec<Skipped> {
        self.inner.skipped()
    }

    fn held_back(&self) -> BTreeMap<i32, u64> {
        self.inner.held_back()
    }

    async fn pause(&mut self, duration: Duration) {
        self.inner.pause(duration).await;
    }

    fn assigned(&self) -> BTreeSet<i32> {
        self.inner.assigned()
    }
}

impl<O: OffsetCommitter> OffsetCommitter for Metered<O> {
    /// A consumer commits after each poll, so a commit covers all that was taken.
    async fn commit(&self, commit: &Commit) -> Result<usize, Fault> {
        let committed = self.inner.commit(commit).await?;
        self.meter.0.committed.send_replace((self.meter.taken(), Instant::now()));
        Ok(committed)
    }
}
