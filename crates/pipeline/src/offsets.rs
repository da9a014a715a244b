//! What may be committed.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::record::Record;

/// The next offset to read of each partition of which a batch was finished.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Commit {
    next: BTreeMap<(Arc<str>, i32), NextOffset>,
}

/// How far one partition is finished.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NextOffset {
    /// One after the last finished record: Kafka commits the next offset to read.
    pub offset: i64,
    /// The assignment under which the records came; see [`Record::assignment`].
    pub assignment: u64,
}

impl Commit {
    /// The commit that covers these records, all of which are finished.
    pub fn covering<'r>(records: impl IntoIterator<Item = &'r Record>) -> Self {
        let mut commit = Self::default();
        for Record { position, assignment, .. } in records {
            let next = NextOffset { offset: position.offset + 1, assignment: *assignment };
            commit.raise(Arc::clone(&position.topic), position.partition, next);
        }
        commit
    }

    /// Adds what another commit covers.
    pub fn extend(&mut self, other: Self) {
        for ((topic, partition), next) in other.next {
            self.raise(topic, partition, next);
        }
    }

    /// Adds one partition.
    pub fn add(&mut self, topic: Arc<str>, partition: i32, next: NextOffset) {
        self.raise(topic, partition, next);
    }

    fn raise(&mut self, topic: Arc<str>, partition: i32, next: NextOffset) {
        let entry = self.next.entry((topic, partition)).or_insert(next);
        // A partition that came back within a batch counts by its newest assignment.
        if (next.assignment, next.offset) > (entry.assignment, entry.offset) {
            *entry = next;
        }
    }

    /// Topic, partition and next offset.
    pub fn iter(&self) -> impl Iterator<Item = (&str, i32, NextOffset)> {
        self.next.iter().map(|((topic, partition), next)| (topic.as_ref(), *partition, *next))
    }

    /// Whether there is nothing to commit.
    pub fn is_empty(&self) -> bool {
        self.next.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::Position;

    fn record(partition: i32, offset: i64, assignment: u64) -> Record {
        let position = Position { topic: "events".into(), partition, offset };
        Record { position, assignment, timestamp_ms: None, timestamp_type: None, key: None, value: None, headers: Vec::new() }
    }

    #[test]
    fn a_commit_names_the_offset_after_the_last_finished_record_of_each_partition() {
        let commit = Commit::covering(&[record(0, 4, 1), record(1, 9, 1), record(0, 6, 1), record(0, 5, 1)]);
        let next: Vec<_> = commit.iter().map(|(_, partition, next)| (partition, next.offset)).collect();
        assert_eq!(next, [(0, 7), (1, 10)]);
    }

    #[test]
    fn commits_are_joined_and_none_goes_back() {
        let mut commit = Commit::default();
        assert!(commit.is_empty());
        commit.add("events".into(), 0, NextOffset { offset: 3, assignment: 1 });
        commit.extend(Commit::covering(&[record(0, 7, 1), record(1, 4, 1)]));
        commit.add("events".into(), 0, NextOffset { offset: 2, assignment: 1 });
        commit.add("events".into(), 2, NextOffset { offset: 6, assignment: 1 });
        assert!(!commit.is_empty());
        let next = |offset| NextOffset { offset, assignment: 1 };
        assert_eq!(commit.iter().collect::<Vec<_>>(), [("events", 0, next(8)), ("events", 1, next(5)), ("events", 2, next(6))]);
    }

    #[test]
    fn records_of_an_older_assignment_do_not_count_against_a_newer_one() {
        let commit = Commit::covering(&[record(0, 90, 1), record(0, 4, 2)]);
        assert_eq!(commit.iter().next().unwrap().2, NextOffset { offset: 5, assignment: 2 });
    }
}
