//! How far the tables hold the log: what is moved with the batches of a poll, and what by itself at its end.

use std::collections::BTreeMap;

use pipeline::offsets::Commit;
use pipeline::ports::{LogPositions, Unstarted};
use pipeline::{LogId, LogPosition};

use super::{Consumer, timed};
use crate::backends::Backends;
use crate::waiting::Stopped;

/// The partitions that were started, and how far their positions were moved.
#[derive(Default)]
pub(super) struct Positions {
    started: BTreeMap<i32, Started>,
}

struct Started {
    assignment: u64,
    log: LogId,
    /// What the tables have, or more.
    moved: i64,
}

impl Positions {
    /// A partition begins there, and the tables know it.
    pub(super) fn start(&mut self, Unstarted { partition, assignment }: Unstarted, log: LogId, offset: i64) {
        self.started.insert(partition, Started { assignment, log, moved: offset });
    }

    /// Nothing is started any more.
    pub(super) fn forget(&mut self) {
        self.started.clear();
    }

    /// The log that is read, where any is.
    pub(super) fn log(&self) -> Option<LogId> {
        self.started.values().map(|started| started.log).next()
    }

    /// How far each partition has come.
    pub(super) fn reached(&self) -> BTreeMap<i32, i64> {
        self.started.iter().map(|(partition, started)| (*partition, started.moved)).collect()
    }

    /// The positions that these offsets mean, without those that the tables have. What belongs to another assignment has none: it may be of
    /// another log.
    pub(super) fn to_move(&self, finished: &Commit) -> Vec<LogPosition> {
        let position = |(topic, partition, next): (&str, i32, pipeline::offsets::NextOffset)| {
            let started = self.started.get(&partition)?;
            let moves = started.assignment == next.assignment && started.moved < next.offset;
            moves.then(|| LogPosition { log: started.log, topic: topic.into(), partition, next_offset: next.offset })
        };
        finished.iter().filter_map(position).collect()
    }

    /// The tables have them.
    pub(super) fn moved(&mut self, positions: &[LogPosition]) {
        for position in positions {
            if let Some(started) = self.started.get_mut(&position.partition).filter(|started| started.log == position.log) {
                started.moved = started.moved.max(position.next_offset);
            }
        }
    }
}

impl<P: Backends> Consumer<P> {
    /// Moves the positions of what is finished, where no batch has done so: it ended among the dead letters, waits, or held no event.
    pub(super) async fn advance(&mut self, finished: &Commit) -> Result<(), Stopped> {
        let positions = self.positions.to_move(finished);
        if !positions.is_empty() {
            self.waiting.until_done(|| timed(&self.metrics, "advance", self.store.advance(&positions))).await?;
            self.positions.moved(&positions);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use pipeline::offsets::NextOffset;
    use uuid::Uuid;

    use super::*;

    const LOG: LogId = LogId(Uuid::from_u128(1));

    fn finished(partition: i32, offset: i64, assignment: u64) -> Commit {
        let mut commit = Commit::default();
        commit.add(Arc::from("events"), partition, NextOffset { offset, assignment });
        commit
    }

    #[test]
    fn a_position_moves_once_and_only_for_the_assignment_that_was_started() {
        let mut positions = Positions::default();
        assert!(positions.to_move(&finished(0, 7, 1)).is_empty(), "nobody said which log it is");
        positions.start(Unstarted { partition: 0, assignment: 1 }, LOG, 5);
        let moves = positions.to_move(&finished(0, 7, 1));
        assert_eq!(moves, [LogPosition { log: LOG, topic: "events".into(), partition: 0, next_offset: 7 }]);
        assert!(positions.to_move(&finished(0, 7, 2)).is_empty());
        positions.moved(&moves);
        assert!(positions.to_move(&finished(0, 7, 1)).is_empty());
        assert_eq!((positions.log(), positions.reached()), (Some(LOG), [(0, 7)].into()));
        positions.forget();
        assert!(positions.to_move(&finished(0, 9, 1)).is_empty());
    }
}
