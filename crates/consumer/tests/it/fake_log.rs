//! A log in memory, and a reader of it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use events::Event;
use pipeline::fault::Fault;
use pipeline::offsets::{Commit, NextOffset};
use pipeline::ports::{GroupProgress, LogReader, Lost, PollLimits, RecordSource, Skipped, Unstarted};
use pipeline::{LogId, LogState, PartitionState, Position, Record};
use uuid::Uuid;

const PARTITIONS: i32 = 3;
/// Its id.
pub const LOG: LogId = LogId(Uuid::from_u128(7));

/// A topic that is appended to.
#[derive(Clone, Default)]
pub struct Topic(Arc<Mutex<BTreeMap<i32, Vec<Record>>>>, Arc<Mutex<Group>>);

/// What a group has committed, and how many offsets stand behind the last record of each partition.
#[derive(Default)]
struct Group {
    committed: BTreeMap<i32, i64>,
    undelivered: i64,
}

impl Topic {
    /// Appends an event where its key belongs.
    pub fn append(&self, event: &Event<'_>) {
        let key = event.key();
        let partition = key.bytes().map(i32::from).sum::<i32>() % PARTITIONS;
        self.append_bytes(partition, event.to_json());
    }

    pub fn append_bytes(&self, partition: i32, value: Vec<u8>) {
        let mut topic = self.0.lock().unwrap();
        let records = topic.entry(partition).or_default();
        let position = Position { topic: "events".into(), partition, offset: records.len() as i64 };
        records.push(Record {
            position,
            assignment: 1,
            timestamp_ms: None,
            timestamp_type: None,
            key: None,
            value: Some(value),
            headers: Vec::new(),
        });
    }

    pub fn append_keyed(&self, partition: i32, key: &str, value: Vec<u8>) {
        self.append_bytes(partition, value);
        if let Some(record) = self.0.lock().unwrap().get_mut(&partition).and_then(|records| records.last_mut()) {
            record.key = Some(key.as_bytes().to_vec());
        }
    }

    /// The group reads on from this offset.
    pub fn commit(&self, partition: i32, offset: i64) {
        self.1.lock().unwrap().committed.insert(partition, offset);
    }

    /// From now on so many offsets stand behind the last record that nobody delivers: an open transaction.
    pub fn hold_back(&self, offsets: i64) {
        self.1.lock().unwrap().undelivered = offsets;
    }

    pub fn ends(&self) -> BTreeMap<i32, i64> {
        self.0.lock().unwrap().iter().map(|(partition, records)| (*partition, records.len() as i64)).collect()
    }
}

impl GroupProgress for Topic {
    async fn log(&self) -> Result<LogState, Fault> {
        let ends = self.ends();
        let group = self.1.lock().unwrap();
        let state =
            |partition, end| PartitionState { first: 0, end: end + group.undelivered, committed: group.committed.get(&partition).copied() };
        Ok(LogState { id: LOG, partitions: ends.into_iter().map(|(partition, end)| (partition, state(partition, end))).collect() })
    }
}

/// A reader of it.
#[derive(Clone, Default)]
pub struct Reader {
    topic: Topic,
    state: Arc<Mutex<Reading>>,
}

/// Up to where it reads, and the next offset of each partition that was started.
type Reading = (BTreeMap<i32, i64>, BTreeMap<i32, i64>);

impl Reader {
    pub fn of(topic: &Topic) -> Self {
        Self { topic: topic.clone(), ..Self::default() }
    }
}

impl RecordSource for Reader {
    async fn poll_batch(&mut self, limits: PollLimits, patience: Duration) -> Result<Vec<Record>, Fault> {
        let mut taken = Vec::new();
        {
            let (topic, mut state) = (self.topic.0.lock().unwrap(), self.state.lock().unwrap());
            let (ends, next) = &mut *state;
            for (partition, next) in next.iter_mut() {
                let left = topic[partition].iter().skip(*next as usize).take((ends[partition] - *next) as usize);
                let polled: Vec<_> = left.take(limits.records - taken.len()).cloned().collect();
                *next += polled.len() as i64;
                taken.extend(polled);
            }
        }
        if taken.is_empty() {
            tokio::time::sleep(patience).await;
        }
        Ok(taken)
    }

    fn passed(&self) -> Commit {
        let mut passed = Commit::default();
        for (partition, offset) in &self.state.lock().unwrap().1 {
            passed.add("events".into(), *partition, NextOffset { offset: *offset, assignment: 1 });
        }
        passed
    }

    fn unstarted(&self) -> Vec<Unstarted> {
        let state = self.state.lock().unwrap();
        let waiting = state.0.keys().filter(|partition| !state.1.contains_key(partition));
        waiting.map(|partition| Unstarted { partition: *partition, assignment: 1 }).collect()
    }

    async fn start(&mut self, partition: Unstarted, offset: i64) -> Result<(), Fault> {
        self.state.lock().unwrap().1.insert(partition.partition, offset);
        Ok(())
    }

    async fn reopen(&mut self) -> Result<(), Fault> {
        unreachable!("the log stays the same")
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
        self.state.lock().unwrap().0.keys().copied().collect()
    }
}

impl LogReader for Reader {
    fn read_to(&self, ends: &BTreeMap<i32, i64>) {
        self.state.lock().unwrap().0.extend(ends);
    }

    fn is_read(&self) -> bool {
        let state = self.state.lock().unwrap();
        state.0.iter().all(|(partition, end)| state.1.get(partition).is_some_and(|next| next >= end))
    }

    fn another(&self) -> Result<Self, Fault> {
        Ok(Self::of(&self.topic))
    }
}
