//! A log in memory: ready records without a broker, so that the pipeline is measured alone.

use std::collections::{BTreeMap, BTreeSet};
use std::iter::Peekable;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use pipeline::fault::Fault;
use pipeline::offsets::Commit;
use pipeline::ports::{GroupProgress, Lost, Message, PollLimits, Skipped, Unstarted};
use pipeline::{LogId, LogState, OffsetCommitter, PartitionState, Position, Record, RecordSource};

/// Nothing more comes once a log is at its end: there is no reason to wait long.
const PAUSE: Duration = Duration::from_millis(5);
/// The topic of every record here.
static TOPIC: LazyLock<Arc<str>> = LazyLock::new(|| "events".into());

/// Records as a poll returns them.
type Records = Box<dyn Iterator<Item = Record> + Send + Sync>;

/// One partition whose records are all there already.
pub struct MemoryLog {
    records: Peekable<Records>,
}

/// How far the only member has come.
#[derive(Clone, Default)]
pub struct MemoryOffsets {
    committed: Arc<AtomicI64>,
}

impl MemoryLog {
    /// A log of these messages. They are made into records as they are taken, so that a lazy iterator needs no memory.
    pub fn new(messages: impl Iterator<Item = Message> + Send + Sync + 'static) -> Self {
        let records: Records = Box::new((0..).zip(messages).map(|(offset, message)| record(offset, message)));
        Self { records: records.peekable() }
    }

    /// A log of these records.
    pub fn of(records: Vec<Record>) -> Self {
        let records: Records = Box::new(records.into_iter());
        Self { records: records.peekable() }
    }
}

/// A message as the record at this offset.
pub fn record(offset: i64, message: Message) -> Record {
    let position = Position { topic: Arc::clone(&TOPIC), partition: 0, offset };
    Record {
        position,
        assignment: 1,
        timestamp_ms: None,
        timestamp_type: None,
        key: message.key,
        value: message.value,
        headers: Vec::new(),
    }
}

impl RecordSource for MemoryLog {
    async fn poll_batch(&mut self, limits: PollLimits, patience: Duration) -> Result<Vec<Record>, Fault> {
        let (mut taken, mut bytes) = (Vec::with_capacity(limits.records), 0);
        while taken.len() < limits.records {
            let fits = |next: &Record| taken.is_empty() || bytes + next.size() <= limits.bytes;
            let Some(next) = self.records.next_if(fits) else { break };
            bytes += next.size();
            taken.push(next);
        }
        if taken.is_empty() {
            tokio::time::sleep(patience.min(PAUSE)).await;
        }
        Ok(taken)
    }

    fn passed(&self) -> Commit {
        Commit::default()
    }

    fn unstarted(&self) -> Vec<Unstarted> {
        Vec::new()
    }

    async fn start(&mut self, _: Unstarted, _: i64) -> Result<(), Fault> {
        Ok(())
    }

    async fn reopen(&mut self) -> Result<(), Fault> {
        Ok(())
    }

    fn lost(&self) -> Option<Lost> {
        None
    }

    fn skipped(&mut self) -> Vec<Skipped> {
        Vec::new()
    }

    fn held_back(&self) -> BTreeMap<i32, u64> {
        BTreeMap::new()
    }

    async fn pause(&mut self, duration: Duration) {
        tokio::time::sleep(duration).await;
    }

    fn assigned(&self) -> BTreeSet<i32> {
        BTreeSet::from([0])
    }
}

impl OffsetCommitter for MemoryOffsets {
    async fn commit(&self, commit: &Commit) -> Result<usize, Fault> {
        for (_, _, next) in commit.iter() {
            self.committed.store(next.offset, Ordering::Relaxed);
        }
        Ok(commit.iter().count())
    }
}

impl GroupProgress for MemoryOffsets {
    /// What is not taken yet does not count as in the log.
    async fn log(&self) -> Result<LogState, Fault> {
        let end = self.committed.load(Ordering::Relaxed);
        Ok(LogState { id: LogId::UNKNOWN, partitions: [(0, PartitionState { first: 0, end, committed: Some(end) })].into() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PATIENCE: Duration = Duration::from_millis(1);

    fn log(sizes: &[usize]) -> MemoryLog {
        let sizes = sizes.to_vec();
        MemoryLog::new(sizes.into_iter().map(|size| Message { key: None, value: Some(vec![b'x'; size]), headers: Vec::new() }))
    }

    async fn take(log: &mut MemoryLog) -> Vec<i64> {
        let limits = PollLimits { records: 3, bytes: 100 };
        log.poll_batch(limits, PATIENCE).await.unwrap().iter().map(|record| record.position.offset).collect()
    }

    #[tokio::test]
    async fn a_take_ends_at_the_number_or_the_bytes_and_a_large_record_goes_alone() {
        let mut log = log(&[10, 10, 10, 60, 60, 500, 1]);
        let mut takes = Vec::new();
        for _ in 0..6 {
            takes.push(take(&mut log).await);
        }
        assert_eq!(takes, [vec![0, 1, 2], vec![3], vec![4], vec![5], vec![6], vec![]]);
    }
}
