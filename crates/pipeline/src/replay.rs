//! Where a partition begins once an operator has moved the group's offset back, so that records are consumed again.
//!
//! The group's offset alone decides that, as long as it goes back: a position that the tables hold beyond it stays where it is, and [`start`] follows
//! the smaller of the two. Forward nothing can be moved: what the tables do not hold is read all the same.

use crate::log::{LogPosition, LogState};
use crate::start::{Finding, start};

/// What moving the group's offset of one partition would do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Replay {
    /// The first offset that the log still has.
    pub first: i64,
    /// Where the partition begins as things stand.
    pub now: i64,
    /// Where it would begin: at or before [`Replay::now`].
    pub then: i64,
    /// Why nothing of it comes again, where nothing does.
    pub unmoved: Option<Unmoved>,
}

/// Why nothing comes again that would not come anyway.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unmoved {
    /// The group has committed nothing, the tables know another log alone, or the log was cut: it is read from its beginning.
    FromTheBeginning,
    /// The partition begins there, or before.
    NotThatFar,
}

impl Replay {
    /// Offsets that come again.
    pub fn again(&self) -> u64 {
        u64::try_from(self.now - self.then).unwrap_or_default()
    }
}

/// Says what becomes of a partition of this log whose records from `wanted` on are to come again. `known` holds the tables' positions of every log of
/// this topic. Once the group has committed [`Replay::then`], [`start`] begins there.
pub fn replay(partition: i32, log: &LogState, known: &[LogPosition], wanted: i64) -> Replay {
    let state = log.partitions.get(&partition).copied().unwrap_or_default();
    let begins = start(partition, log, known);
    let (first, now) = (state.first, begins.offset);
    let then = wanted.max(first).min(now);
    let is_read_whole = state.committed.is_none() || matches!(begins.finding, Finding::AnotherLog { .. } | Finding::Cut { .. });
    let unmoved = (then == now).then_some(if is_read_whole { Unmoved::FromTheBeginning } else { Unmoved::NotThatFar });
    Replay { first, now, then, unmoved }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;
    use crate::log::{LogId, PartitionState};

    const THIS: LogId = LogId(Uuid::from_u128(1));
    const OTHER: LogId = LogId(Uuid::from_u128(2));

    fn log(first: i64, end: i64, committed: Option<i64>) -> LogState {
        LogState { id: THIS, partitions: [(0, PartitionState { first, end, committed })].into() }
    }

    fn at(log: LogId, next_offset: i64) -> LogPosition {
        LogPosition { log, topic: "events".into(), partition: 0, next_offset }
    }

    #[test]
    fn the_tables_position_does_not_keep_records_from_coming_again() {
        let found = replay(0, &log(0, 90, Some(90)), &[at(THIS, 90)], 30);
        assert_eq!((found, found.again()), (Replay { first: 0, now: 90, then: 30, unmoved: None }, 60));
        let restored = replay(0, &log(0, 90, Some(90)), &[at(THIS, 50)], 30);
        assert_eq!((restored.now, restored.then), (50, 30), "tables from a backup begin at their own position anyway");
        let empty = replay(0, &log(0, 90, Some(90)), &[], 0);
        assert_eq!((empty.now, empty.then), (90, 0), "an empty database knows nothing, and the group would go on at its end");
    }

    #[test]
    fn what_is_gone_from_the_log_does_not_come_again() {
        assert_eq!(replay(0, &log(40, 90, Some(90)), &[], 0), Replay { first: 40, now: 90, then: 40, unmoved: None });
    }

    #[test]
    fn nothing_is_skipped_and_what_comes_anyway_is_told_so() {
        let unmoved = |log: &LogState, known: &[LogPosition], wanted| {
            let found = replay(0, log, known, wanted);
            assert_eq!((found.then, found.again()), (found.now, 0));
            found.unmoved
        };
        assert_eq!(unmoved(&log(0, 90, Some(30)), &[at(THIS, 30)], 60), Some(Unmoved::NotThatFar));
        assert_eq!(unmoved(&log(0, 90, Some(30)), &[], 30), Some(Unmoved::NotThatFar));
        assert_eq!(unmoved(&log(0, 90, None), &[], 60), Some(Unmoved::FromTheBeginning), "a commit would skip what nobody has read");
        assert_eq!(unmoved(&log(0, 90, Some(90)), &[at(OTHER, 90)], 60), Some(Unmoved::FromTheBeginning));
        assert_eq!(unmoved(&log(0, 20, Some(90)), &[at(THIS, 90)], 10), Some(Unmoved::FromTheBeginning), "it was cut");
    }

    /// Whatever the log, the group and the tables are like, the partition begins where it was said, and records come at least once.
    #[test]
    fn after_the_commit_the_partition_begins_where_it_was_said() {
        let offsets = [0, 3, 7, 10, 12];
        let committed = offsets.map(Some).into_iter().chain([None]);
        let positions = offsets.iter().flat_map(|offset| [vec![at(THIS, *offset)], vec![at(OTHER, 5), at(THIS, *offset)]]);
        let positions: Vec<_> = positions.chain([Vec::new(), vec![at(OTHER, 5)]]).collect();
        let mut moved = 0;
        for (first, end) in [(0, 10), (3, 10), (10, 10), (0, 0)] {
            for committed in committed.clone() {
                for known in &positions {
                    for wanted in offsets {
                        let before = log(first, end, committed);
                        let found = replay(0, &before, known, wanted);
                        assert_eq!(found.now, start(0, &before, known).offset);
                        if found.again() > 0 {
                            moved += 1;
                            let after = start(0, &log(first, end, Some(found.then)), known);
                            assert_eq!((after.offset, found.unmoved), (found.then, None), "{before:?} {known:?} {wanted}");
                            assert!(found.then == wanted.max(first));
                        } else {
                            assert!(found.unmoved.is_some() && found.then == found.now);
                        }
                    }
                }
            }
        }
        assert!(moved > 50, "{moved}");
    }
}
