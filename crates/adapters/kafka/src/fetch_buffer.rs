//! Records that arrived and were not taken yet.

use std::cmp::Reverse;
use std::collections::binary_heap::PeekMut;
use std::collections::{BTreeMap, BinaryHeap, VecDeque};

use pipeline::Record;
use pipeline::ports::PollLimits;

/// How many bytes are read ahead of the takes, [`OVERHEAD`] included: the next piece of every partition, where there are up to 128 of them
/// and nothing is compressed.
const READ_AHEAD: usize = 16 << 20;
/// What a record takes beside its key and value, about.
const OVERHEAD: usize = 128;

/// Records by partition. They live here, not in the future of a poll, so that none is lost when that is dropped.
///
/// A backlog is fetched in pieces of one partition each. Taken as they come, the orders of one partition overtake the users of the
/// next, and have to wait for them in the parking table. So the partitions are merged by the timestamps of their records, as Kafka Streams
/// does ([KIP-353](https://cwiki.apache.org/confluence/display/KAFKA/KIP-353%3A+Improve+Kafka+Streams+Timestamp+Synchronization)): the
/// oldest record is next, as far as it can be seen ahead. Each partition keeps its own order, whatever its timestamps say.
#[derive(Default)]
pub(crate) struct FetchBuffer {
    partitions: BTreeMap<i32, VecDeque<Record>>,
    records: usize,
    bytes: usize,
}

impl FetchBuffer {
    pub(crate) fn push(&mut self, record: Record) {
        self.records += 1;
        self.bytes += record.size();
        self.partitions.entry(record.position.partition).or_default().push_back(record);
    }

    pub(crate) const fn is_empty(&self) -> bool {
        self.records == 0
    }

    /// Whether there is a record of this partition.
    pub(crate) fn holds(&self, partition: i32) -> bool {
        self.partitions.get(&partition).is_some_and(|queue| !queue.is_empty())
    }

    /// Takes over everything that another one keeps, behind what is here.
    pub(crate) fn append(&mut self, other: &mut Self) {
        for mut queue in std::mem::take(other).partitions.into_values() {
            queue.drain(..).for_each(|record| self.push(record));
        }
    }

    /// Whether there is enough for a poll, and to choose from.
    pub(crate) const fn is_full(&self, limits: PollLimits) -> bool {
        (self.records >= limits.records || self.bytes >= limits.bytes) && self.bytes + self.records * OVERHEAD >= READ_AHEAD
    }

    /// Forgets records that are not ours any more.
    pub(crate) fn retain(&mut self, ours: impl Fn(&Record) -> bool) {
        self.partitions.retain(|_, queue| {
            queue.retain(&ours);
            !queue.is_empty()
        });
        self.records = self.partitions.values().map(VecDeque::len).sum();
        self.bytes = self.partitions.values().flatten().map(Record::size).sum();
    }

    /// Takes the oldest records up to the limits, but at least one if there is one.
    pub(crate) fn take(&mut self, limits: PollLimits) -> Vec<Record> {
        let mut taken = Vec::with_capacity(self.records.min(limits.records));
        let mut bytes = 0;
        let mut heads: BinaryHeap<_> = self.partitions.values().filter_map(age_of_first).map(Reverse).collect();
        while let Some(mut oldest) = heads.peek_mut() {
            let Reverse((_, partition)) = *oldest;
            let Some(queue) = self.partitions.get_mut(&partition) else { break };
            let fits = |first: &Record| taken.len() < limits.records && bytes + first.size() <= limits.bytes;
            let is_next = queue.front().is_some_and(|first| taken.is_empty() || fits(first));
            let Some(record) = is_next.then(|| queue.pop_front()).flatten() else { break };
            bytes += record.size();
            taken.push(record);
            match age_of_first(queue) {
                Some(age) => *oldest = Reverse(age),
                None => {
                    PeekMut::pop(oldest);
                }
            }
        }
        self.records -= taken.len();
        self.bytes -= bytes;
        taken
    }
}

/// What the first record of a partition is compared by. One without a timestamp comes before all others.
fn age_of_first(queue: &VecDeque<Record>) -> Option<(Option<i64>, i32)> {
    queue.front().map(|first| (first.timestamp_ms, first.position.partition))
}

#[cfg(test)]
mod tests {
    use super::*;
    use pipeline::Position;

    const ALL: PollLimits = PollLimits { records: 100, bytes: 1000 };

    fn record(partition: i32, offset: i64, timestamp_ms: Option<i64>, size: usize) -> Record {
        let position = Position { topic: "events".into(), partition, offset };
        Record { position, assignment: 1, timestamp_ms, timestamp_type: None, key: None, value: Some(vec![0; size]), headers: Vec::new() }
    }

    /// Records of these sizes, by turns in two partitions.
    fn fetch_buffer(sizes: &[usize]) -> FetchBuffer {
        let mut fetch_buffer = FetchBuffer::default();
        for (offset, size) in (0_i64..).zip(sizes) {
            fetch_buffer.push(record(i32::from(offset % 2 == 1), offset, Some(offset), *size));
        }
        fetch_buffer
    }

    fn offsets(records: &[Record]) -> Vec<i64> {
        records.iter().map(|record| record.position.offset).collect()
    }

    #[test]
    fn a_take_stops_at_either_limit_and_leaves_the_rest() {
        let mut fetch_buffer = fetch_buffer(&[10, 10, 10, 10]);
        assert_eq!(offsets(&fetch_buffer.take(PollLimits { records: 10, bytes: 25 })), [0, 1]);
        assert_eq!(offsets(&fetch_buffer.take(PollLimits { records: 1, bytes: 25 })), [2]);
        assert_eq!((fetch_buffer.records, fetch_buffer.bytes), (1, 10));
        assert_eq!(offsets(&fetch_buffer.take(PollLimits { records: 10, bytes: 25 })), [3]);
        assert!(fetch_buffer.take(PollLimits { records: 10, bytes: 25 }).is_empty() && fetch_buffer.is_empty());
    }

    #[test]
    fn a_record_larger_than_the_limit_is_taken_alone() {
        let mut fetch_buffer = fetch_buffer(&[100, 1]);
        assert_eq!(offsets(&fetch_buffer.take(PollLimits { records: 10, bytes: 25 })), [0]);
        assert_eq!(offsets(&fetch_buffer.take(PollLimits { records: 10, bytes: 25 })), [1]);
    }

    #[test]
    fn what_is_not_ours_any_more_is_forgotten_and_does_not_count() {
        let mut fetch_buffer = fetch_buffer(&[10, 20, 30]);
        fetch_buffer.retain(|record| record.position.partition == 0);
        assert_eq!((fetch_buffer.records, fetch_buffer.bytes), (2, 40));
        assert_eq!(offsets(&fetch_buffer.take(ALL)), [0, 2]);
        assert_eq!((fetch_buffer.records, fetch_buffer.bytes), (0, 0));
    }

    #[test]
    fn partitions_that_came_one_after_the_other_are_taken_oldest_first() {
        let mut fetch_buffer = FetchBuffer::default();
        for (partition, offset, timestamp_ms) in [(2, 0, 5), (2, 1, 30), (0, 10, 1), (0, 11, 20), (0, 12, 40), (1, 20, 5)] {
            fetch_buffer.push(record(partition, offset, Some(timestamp_ms), 1));
        }
        assert_eq!(offsets(&fetch_buffer.take(PollLimits { records: 4, bytes: 100 })), [10, 20, 0, 11]);
        fetch_buffer.push(record(1, 21, Some(35), 1));
        assert_eq!(offsets(&fetch_buffer.take(ALL)), [1, 21, 12]);
    }

    #[test]
    fn a_partition_keeps_its_order_whatever_its_timestamps_say() {
        let mut fetch_buffer = FetchBuffer::default();
        for (partition, offset, timestamp_ms) in [(0, 0, Some(50)), (0, 1, Some(2)), (0, 2, None), (1, 10, Some(40)), (1, 11, Some(60))] {
            fetch_buffer.push(record(partition, offset, timestamp_ms, 1));
        }
        assert_eq!(offsets(&fetch_buffer.take(ALL)), [10, 0, 1, 2, 11]);
    }

    #[test]
    fn reading_ahead_ends_at_its_bound_but_never_before_a_take_is_full() {
        let many = fetch_buffer(&vec![1; READ_AHEAD / (OVERHEAD + 1) + 1]);
        assert!(many.is_full(PollLimits { records: 10, bytes: 10 }));
        assert!(!many.is_full(PollLimits { records: READ_AHEAD, bytes: READ_AHEAD }), "a larger take is still to be filled");
        assert!(!fetch_buffer(&[1; 20]).is_full(PollLimits { records: 10, bytes: 10 }), "there may be older ones in other partitions");
    }
}
