//! Where a partition begins that has just come to a member of the group.
//!
//! The group's offset alone does not say it: it may belong to a log that is gone, may have been moved by a person, and may be ahead of tables
//! that were restored from a backup. The position that the tables hold of this very log does.

use crate::log::{LogId, LogPosition, LogState};

/// Where a partition begins, and what was found about it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Start {
    /// The offset to read first.
    pub offset: i64,
    /// What somebody should know about it.
    pub finding: Finding,
    /// Records that are in neither the tables nor the log any more: retention has overtaken the group.
    pub gap: u64,
}

/// How the group's offset and the tables' position stand to each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Finding {
    /// Nothing unusual.
    Continues,
    /// The tables know another log of this topic, and nothing of this one: it is read from its beginning.
    AnotherLog {
        /// The one that they know.
        known: LogId,
    },
    /// The group's offset is behind the tables: moved back by a person, or a crash before a commit. The records come again and change nothing.
    Behind {
        /// How many offsets come again.
        offsets: u64,
    },
    /// The group's offset is ahead of the tables: moved forward by a person, or the tables are from before it. What the tables do not hold is
    /// read all the same: nothing is skipped.
    Ahead {
        /// How many offsets would have been skipped.
        offsets: u64,
    },
    /// The log ends before the position: it was cut, or it is another one of brokers that do not tell. It is read from its beginning.
    Cut {
        /// How many offsets are missing.
        offsets: u64,
    },
}

/// Decides where a partition of this log begins. `known` holds the tables' positions of every log of this topic.
pub fn start(partition: i32, log: &LogState, known: &[LogPosition]) -> Start {
    let state = log.partitions.get(&partition).copied().unwrap_or_default();
    let position = LogPosition::find(known, log.id, partition);
    let another = known.iter().filter(|known| known.log != log.id).map(|known| known.log).next();
    let (offset, finding) = match (position, another, state.committed) {
        // A group's offset outlives its log for as long as the broker takes to notice, and may have been committed for either.
        (None, Some(known), _) => (state.first, Finding::AnotherLog { known }),
        (None, None, committed) => (committed.unwrap_or(state.first), Finding::Continues),
        // A group that never committed reads everything: that is how a new group replays a topic.
        (Some(_), _, None) => (state.first, Finding::Continues),
        (Some(position), _, Some(committed)) if committed > position => {
            (position, Finding::Ahead { offsets: distance(position, committed) })
        }
        (Some(position), _, Some(committed)) if committed < position => {
            (committed, Finding::Behind { offsets: distance(committed, position) })
        }
        (Some(position), _, Some(_)) => (position, Finding::Continues),
    };
    let reached = position.into_iter().chain(state.committed.filter(|_| !matches!(finding, Finding::AnotherLog { .. }))).max();
    if let Some(reached) = reached.filter(|reached| *reached > state.end) {
        return Start { offset: state.first, finding: Finding::Cut { offsets: distance(state.end, reached) }, gap: 0 };
    }
    // What the tables hold is not lost, even if the group would read it once more. Where nobody has read any of this log, the offset is its
    // first one, and there is no gap: what is gone from it was never this group's.
    let held = position.map_or(offset, |position| position.max(offset));
    Start { offset: offset.max(state.first), finding, gap: distance(held, state.first) }
}

fn distance(from: i64, to: i64) -> u64 {
    u64::try_from(to.saturating_sub(from)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;
    use crate::log::PartitionState;

    const THIS: LogId = LogId(Uuid::from_u128(1));
    const OTHER: LogId = LogId(Uuid::from_u128(2));

    fn log(first: i64, end: i64, committed: Option<i64>) -> LogState {
        LogState { id: THIS, partitions: [(0, PartitionState { first, end, committed })].into() }
    }

    fn at(log: LogId, partition: i32, next_offset: i64) -> LogPosition {
        LogPosition { log, topic: "events".into(), partition, next_offset }
    }

    fn of(log: &LogState, known: &[LogPosition]) -> (i64, Finding, u64) {
        let Start { offset, finding, gap } = start(0, log, known);
        (offset, finding, gap)
    }

    #[test]
    fn tables_that_know_nothing_follow_the_group_and_a_new_group_reads_everything() {
        assert_eq!(of(&log(0, 90, Some(40)), &[]), (40, Finding::Continues, 0));
        assert_eq!(of(&log(12, 90, None), &[]), (12, Finding::Continues, 0), "what is gone was never this group's");
        assert_eq!(of(&log(0, 90, None), &[at(THIS, 0, 40)]), (0, Finding::Continues, 0), "a new group replays");
    }

    #[test]
    fn another_log_is_read_from_its_beginning_whatever_the_group_has_committed() {
        let another = Finding::AnotherLog { known: OTHER };
        for committed in [None, Some(7), Some(30), Some(5_000)] {
            assert_eq!(of(&log(0, 30, committed), &[at(OTHER, 0, 7)]), (0, another, 0), "{committed:?}");
        }
        assert_eq!(of(&log(3, 30, Some(20)), &[at(OTHER, 1, 7)]), (3, another, 0), "this partition is new in this log");
        assert_eq!(of(&log(0, 30, Some(20)), &[at(OTHER, 0, 7), at(THIS, 0, 20)]), (20, Finding::Continues, 0), "it was begun already");
    }

    #[test]
    fn an_offset_that_was_moved_is_told_with_its_direction_and_never_skips() {
        assert_eq!(of(&log(0, 90, Some(10)), &[at(THIS, 0, 40)]), (10, Finding::Behind { offsets: 30 }, 0));
        assert_eq!(of(&log(0, 90, Some(70)), &[at(THIS, 0, 40)]), (40, Finding::Ahead { offsets: 30 }, 0));
    }

    #[test]
    fn what_retention_took_before_it_was_read_is_a_gap() {
        assert_eq!(of(&log(12, 90, Some(5)), &[]), (12, Finding::Continues, 7));
        assert_eq!(of(&log(12, 90, Some(5)), &[at(THIS, 0, 5)]), (12, Finding::Continues, 7));
        assert_eq!(
            of(&log(12, 90, Some(5)), &[at(THIS, 0, 9)]),
            (12, Finding::Behind { offsets: 4 }, 3),
            "the tables hold four of the seven"
        );
        assert_eq!(of(&log(12, 90, Some(5)), &[at(THIS, 0, 40)]), (12, Finding::Behind { offsets: 35 }, 0), "the tables hold all of it");
        assert_eq!(of(&log(50, 90, Some(70)), &[at(THIS, 0, 40)]), (50, Finding::Ahead { offsets: 30 }, 10));
    }

    #[test]
    fn a_partition_that_is_consumed_to_its_end_goes_on_there() {
        assert_eq!(of(&log(0, 40, Some(40)), &[at(THIS, 0, 40)]), (40, Finding::Continues, 0));
        assert_eq!(of(&log(0, 40, Some(40)), &[]), (40, Finding::Continues, 0));
        assert_eq!(of(&log(40, 40, Some(40)), &[at(THIS, 0, 40)]), (40, Finding::Continues, 0), "all of it was deleted");
    }

    #[test]
    fn a_log_that_ends_before_the_position_is_read_from_its_beginning() {
        assert_eq!(of(&log(0, 30, Some(40)), &[at(THIS, 0, 40)]), (0, Finding::Cut { offsets: 10 }, 0));
        assert_eq!(of(&log(0, 30, Some(20)), &[at(THIS, 0, 40)]), (0, Finding::Cut { offsets: 10 }, 0));
        assert_eq!(of(&log(0, 30, Some(40)), &[]), (0, Finding::Cut { offsets: 10 }, 0), "brokers without topic ids");
    }
}
