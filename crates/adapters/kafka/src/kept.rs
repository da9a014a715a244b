//! Records that arrived and were not taken yet.

use std::collections::VecDeque;

use pipeline::Record;
use pipeline::ports::TakeLimits;

/// Records in the order of their arrival. They live here, not in the future of a take, so that none is lost when that is dropped.
#[derive(Default)]
pub(crate) struct Kept {
    records: VecDeque<Record>,
    bytes: usize,
}

impl Kept {
    pub(crate) fn push(&mut self, record: Record) {
        self.bytes += record.size();
        self.records.push_back(record);
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.records.is_empty()
    }

    /// Whether there is enough for a take.
    pub(crate) fn fills(&self, limits: TakeLimits) -> bool {
        self.records.len() >= limits.records.max(1) || self.bytes >= limits.bytes
    }

    /// Forgets records that are not ours any more.
    pub(crate) fn retain(&mut self, mut ours: impl FnMut(&Record) -> bool) {
        let bytes = &mut self.bytes;
        self.records.retain(|record| {
            let keep = ours(record);
            if !keep {
                *bytes -= record.size();
            }
            keep
        });
    }

    /// Takes records up to the limits, but at least one if there is one.
    pub(crate) fn take(&mut self, limits: TakeLimits) -> Vec<Record> {
        let mut bytes = 0;
        let fits = |record: &&Record| {
            bytes += record.size();
            bytes <= limits.bytes
        };
        let count = self.records.iter().take(limits.records).take_while(fits).count().max(1).min(self.records.len());
        let taken: Vec<_> = self.records.drain(..count).collect();
        self.bytes -= taken.iter().map(Record::size).sum::<usize>();
        taken
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use pipeline::Position;

    fn kept(sizes: &[usize]) -> Kept {
        let mut kept = Kept::default();
        for (offset, size) in (0_i64..).zip(sizes) {
            let position = Position { topic: "events".into(), partition: i32::from(offset % 2 == 1), offset };
            kept.push(Record { position, assignment: 1, timestamp_ms: None, key: None, value: Some(vec![0; *size]), retry_count: 0 });
        }
        kept
    }

    fn offsets(records: &[Record]) -> Vec<i64> {
        records.iter().map(|record| record.position.offset).collect()
    }

    #[test]
    fn a_take_stops_at_either_limit_and_leaves_the_rest() {
        let mut kept = kept(&[10, 10, 10, 10]);
        assert_eq!(offsets(&kept.take(TakeLimits { records: 10, bytes: 25 })), [0, 1]);
        assert_eq!(offsets(&kept.take(TakeLimits { records: 1, bytes: 25 })), [2]);
        assert_eq!(kept.bytes, 10);
        assert_eq!(offsets(&kept.take(TakeLimits { records: 10, bytes: 25 })), [3]);
        assert!(kept.take(TakeLimits { records: 10, bytes: 25 }).is_empty());
    }

    #[test]
    fn a_record_larger_than_the_limit_is_taken_alone() {
        let mut kept = kept(&[100, 1]);
        assert_eq!(offsets(&kept.take(TakeLimits { records: 10, bytes: 25 })), [0]);
        assert_eq!(offsets(&kept.take(TakeLimits { records: 10, bytes: 25 })), [1]);
    }

    #[test]
    fn what_is_not_ours_any_more_is_forgotten_and_does_not_count() {
        let mut kept = kept(&[10, 20, 30]);
        kept.retain(|record| record.position.partition == 0);
        assert_eq!(kept.bytes, 40);
        assert_eq!(offsets(&kept.take(TakeLimits { records: 10, bytes: 100 })), [0, 2]);
        assert_eq!(kept.bytes, 0);
    }
}
