//! Reading the topic from outside of the group, up to given offsets. Partitions are merged as those of a member are, so that few events have to
//! wait for a parent that stands in another one.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use pipeline::offsets::{Commit, NextOffset};
use pipeline::ports::{LogReader, Lost, PollLimits, Skipped, Unstarted};
use pipeline::{Fault, Record, RecordSource};
use rdkafka::consumer::{BaseConsumer, Consumer as _};
use rdkafka::error::{KafkaError, KafkaResult};
use rdkafka::{Message as _, Offset, TopicPartitionList};
use tokio::time::Instant;

use crate::config::KafkaConfig;
use crate::context::Context;
use crate::embedded::EmbeddedBroker;
use crate::fetch_buffer::FetchBuffer;
use crate::health::Health;
use crate::receiver::{positions, record};
use crate::{blocking, client, faults};

/// The only assignment that there is: partitions do not move.
const ASSIGNMENT: u64 = 1;
/// How long one wait for records may last.
const WAIT: Duration = Duration::from_millis(100);
/// How long the call that waits may take beyond that.
const SLACK: Duration = Duration::from_secs(10);

/// A reader of the topic that is no member of the group. Clones share the client.
#[derive(Clone)]
pub struct KafkaLogReader {
    config: KafkaConfig,
    shared: Arc<Shared>,
}

struct Shared {
    consumer: BaseConsumer<Context>,
    topic: Arc<str>,
    health: Arc<Health>,
    state: Mutex<State>,
    /// After the client: the broker outlives it.
    _broker: Option<EmbeddedBroker>,
}

#[derive(Default)]
struct State {
    /// Up to where each partition is read.
    ends: BTreeMap<i32, i64>,
    /// The next offset of each partition that was started.
    next: BTreeMap<i32, i64>,
    /// What the client fetches now.
    fetched: BTreeSet<i32>,
    /// What has come and was not taken.
    fetch_buffer: FetchBuffer,
    skipped: Vec<Skipped>,
}

impl KafkaLogReader {
    /// A client of these brokers. Returns at once, whether they can be reached or not.
    ///
    /// # Errors
    /// librdkafka refuses the settings (a certificate that is none).
    pub fn open(config: &KafkaConfig) -> Result<Self, Fault> {
        let health = Health::quiet();
        let context = Context::of(config, Arc::clone(&health));
        let consumer = client::log_reader(config).create_with_context(context);
        let shared = Shared {
            consumer: consumer.map_err(|error| faults::from_error(&error, "open"))?,
            topic: config.topic.as_str().into(),
            health,
            state: Mutex::default(),
            _broker: config.embedded_broker().cloned(),
        };
        Ok(Self { config: config.clone(), shared: Arc::new(shared) })
    }

    /// Lets the client go, off the worker threads, and waits for that up to `bound`; it goes on in the background.
    ///
    /// # Errors
    /// It took longer.
    pub async fn close(self, bound: Duration) -> Result<(), Fault> {
        blocking::call("close", bound, move || {
            drop(self);
            Ok(())
        })
        .await
    }
}

impl State {
    /// The partitions that are not read to their ends.
    fn open(&self) -> BTreeSet<i32> {
        self.still_open().collect()
    }

    fn still_open(&self) -> impl Iterator<Item = i32> {
        let is_open = |partition: &i32, next: &i64| self.ends.get(partition).is_some_and(|end| next < end);
        self.next.iter().filter(move |(partition, next)| is_open(partition, next)).map(|(partition, _)| *partition)
    }

    /// Whether every partition that was started is read to its end.
    fn is_at_ends(&self) -> bool {
        self.still_open().next().is_none()
    }

    /// A record at this offset has come; whether it is among those that are to be read.
    fn arrived(&mut self, partition: i32, offset: i64) -> bool {
        let is_before_end = self.ends.get(&partition).is_some_and(|end| offset < *end);
        let Some(next) = self.next.get_mut(&partition) else { return false };
        if !is_before_end || offset < *next {
            // What stands behind the end shows that nothing more comes before it. It is fetched again once the end is further.
            self.fetched.remove(&partition);
            *next = (*next).max(offset.min(self.ends.get(&partition).copied().unwrap_or(offset)));
            return false;
        }
        if offset > *next {
            self.skipped.push(Skipped { partition, from: *next, to: offset });
        }
        *next = offset + 1;
        true
    }

    /// The next offset of each partition of which nothing waits to be taken.
    fn taken(&self) -> impl Iterator<Item = (i32, i64)> {
        self.next.iter().filter(|(partition, _)| !self.fetch_buffer.holds(**partition)).map(|(partition, next)| (*partition, *next))
    }

    /// The client's position in a partition: what is before it was handed over, or holds no record.
    fn passed(&mut self, partition: i32, position: i64) {
        let end = self.ends.get(&partition).copied().unwrap_or_default();
        if let Some(next) = self.next.get_mut(&partition) {
            *next = (*next).max(position.min(end));
        }
    }
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Lets the client fetch what is not read to its end, and nothing else.
    fn assign(&self) -> KafkaResult<()> {
        let mut state = self.state();
        let open = state.open();
        // One that was read to its end goes with the next change: what comes of it until then is not kept.
        if open.is_subset(&state.fetched) && (!open.is_empty() || state.fetched.is_empty()) {
            return Ok(());
        }
        let mut list = TopicPartitionList::with_capacity(open.len());
        for partition in &open {
            list.add_partition_offset(&self.topic, *partition, Offset::Offset(state.next[partition]))?;
        }
        self.consumer.assign(&list)?;
        state.fetched = open;
        Ok(())
    }

    /// Waits for the first record, and takes the oldest of what is there.
    fn poll(&self, limits: PollLimits, patience: Duration) -> KafkaResult<Vec<Record>> {
        self.consumer.context().restore(self.consumer.client());
        self.assign()?;
        let is_empty = self.state().fetch_buffer.is_empty();
        let mut wait = if is_empty { patience.min(WAIT) } else { Duration::ZERO };
        while !self.state().fetch_buffer.is_full(limits) {
            match self.consumer.poll(wait) {
                Some(Ok(message)) => {
                    self.health.working();
                    let mut state = self.state();
                    if state.arrived(message.partition(), message.offset()) {
                        state.fetch_buffer.push(record(&message, &self.topic, ASSIGNMENT));
                        wait = Duration::ZERO;
                    }
                }
                Some(Err(KafkaError::PartitionEOF(_))) => {}
                Some(Err(error)) => return Err(error),
                None => break,
            }
            if self.state().is_at_ends() {
                break;
            }
        }
        let taken = self.state().fetch_buffer.take(limits);
        if taken.is_empty() {
            self.note_positions();
        }
        Ok(taken)
    }

    fn note_positions(&self) {
        let mut state = self.state();
        for (partition, position) in positions(&self.consumer) {
            state.passed(partition, position);
        }
    }
}

impl RecordSource for KafkaLogReader {
    async fn poll_batch(&mut self, limits: PollLimits, patience: Duration) -> Result<Vec<Record>, Fault> {
        let deadline = Instant::now() + patience;
        loop {
            let shared = Arc::clone(&self.shared);
            let left = deadline.saturating_duration_since(Instant::now());
            let polled = blocking::call("read_log", WAIT + SLACK, move || shared.poll(limits, left)).await;
            let taken = polled.map_err(|fault| self.shared.health.explain(fault))?;
            if !taken.is_empty() || left.is_zero() || self.is_read() || !self.unstarted().is_empty() {
                return Ok(taken);
            }
        }
    }

    fn passed(&self) -> Commit {
        let mut passed = Commit::default();
        for (partition, offset) in self.shared.state().taken() {
            passed.add(Arc::clone(&self.shared.topic), partition, NextOffset { offset, assignment: ASSIGNMENT });
        }
        passed
    }

    fn unstarted(&self) -> Vec<Unstarted> {
        let state = self.shared.state();
        let unstarted = state.ends.keys().filter(|partition| !state.next.contains_key(partition));
        unstarted.map(|partition| Unstarted { partition: *partition, assignment: ASSIGNMENT }).collect()
    }

    async fn start(&mut self, partition: Unstarted, offset: i64) -> Result<(), Fault> {
        self.shared.state().next.insert(partition.partition, offset);
        Ok(())
    }

    async fn reopen(&mut self) -> Result<(), Fault> {
        // Whoever reads from outside does not begin anew: the log that it was told to read is another one.
        Err(faults::bug("reopen"))
    }

    fn lost(&self) -> Option<Lost> {
        None
    }

    fn skipped(&mut self) -> Vec<Skipped> {
        std::mem::take(&mut self.shared.state().skipped)
    }

    fn held_back(&self) -> BTreeMap<i32, u64> {
        BTreeMap::new()
    }

    async fn pause(&mut self, duration: Duration) {
        tokio::time::sleep(duration).await;
    }

    fn assigned(&self) -> BTreeSet<i32> {
        self.shared.state().ends.keys().copied().collect()
    }
}

impl LogReader for KafkaLogReader {
    fn read_to(&self, ends: &BTreeMap<i32, i64>) {
        self.shared.state().ends.extend(ends);
    }

    fn is_read(&self) -> bool {
        let state = self.shared.state();
        state.is_at_ends() && state.fetch_buffer.is_empty() && state.ends.keys().all(|partition| state.next.contains_key(partition))
    }

    fn another(&self) -> Result<Self, Fault> {
        Self::open(&self.config)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn state(next: i64, end: i64) -> State {
        State { ends: [(0, end)].into(), next: [(0, next)].into(), ..State::default() }
    }

    #[test]
    fn records_count_up_to_the_end_and_no_further() {
        let mut state = state(5, 8);
        assert!(state.arrived(0, 5) && !state.arrived(0, 5), "once");
        assert!(state.arrived(0, 7) && !state.arrived(0, 8) && !state.arrived(1, 0));
        assert_eq!((state.next[&0], state.skipped.as_slice()), (8, [Skipped { partition: 0, from: 6, to: 7 }].as_slice()));
        assert!(state.open().is_empty());
    }

    #[test]
    fn what_stands_behind_the_end_shows_that_nothing_more_comes_before_it() {
        let mut state = state(5, 8);
        state.fetched.insert(0);
        assert!(!state.arrived(0, 20));
        assert_eq!((state.next[&0], state.fetched.is_empty()), (8, true), "and is fetched again once the end is further");
    }

    #[test]
    fn offsets_without_a_record_are_passed_but_never_beyond_the_end() {
        let mut state = state(5, 8);
        state.passed(0, 6);
        assert_eq!((state.next[&0], state.open()), (6, [0].into()));
        state.passed(0, 4);
        state.passed(0, 90);
        assert_eq!((state.next[&0], state.open().is_empty()), (8, true));
    }
}
