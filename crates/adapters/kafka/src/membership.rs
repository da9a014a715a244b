//! Which partitions are owned, under which assignment, and what may be said about them.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, MutexGuard, PoisonError};

use pipeline::offsets::Commit;

/// The member's view of one topic. The rebalance callbacks change it, inside polling; source, committer and monitor read it.
#[derive(Default)]
pub(crate) struct Membership {
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// The number of the last assignment.
    assignments: u64,
    owned: BTreeMap<i32, Share>,
    /// Whether nothing can be processed, so that partitions are paused, also those that come.
    standing_by: bool,
    /// What is paused: only this may be resumed. librdkafka starts a partition over that it is told to resume and that was not paused.
    paused: BTreeSet<i32>,
    /// How often partitions were taken away.
    revocations: u64,
    /// Records that the broker had dropped before they were consumed.
    missing: u64,
}

/// One owned partition.
struct Share {
    assignment: u64,
    /// The highest offset committed under this assignment.
    committed: Option<i64>,
    /// The next offset, where offsets have no gaps and the start is known.
    expected: Option<i64>,
}

/// What is known of a record that arrived.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Arrival {
    /// The assignment that it belongs to.
    pub(crate) assignment: u64,
    /// How many records before it are gone.
    pub(crate) missing: u64,
}

/// An offset that may be committed now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Committable {
    pub(crate) partition: i32,
    pub(crate) offset: i64,
    pub(crate) assignment: u64,
}

impl Membership {
    /// Partitions came, each with the offset it must begin at, where that is known.
    pub(crate) fn assign(&self, partitions: impl IntoIterator<Item = (i32, Option<i64>)>) {
        let mut state = self.lock();
        state.assignments += 1;
        let assignment = state.assignments;
        state
            .owned
            .extend(partitions.into_iter().map(|(partition, expected)| (partition, Share { assignment, committed: None, expected })));
    }

    /// Partitions are taken away; returns those that are paused. They must be resumed, or they would come back paused.
    pub(crate) fn revoke(&self, partitions: &[i32]) -> Vec<i32> {
        let mut state = self.lock();
        state.revocations += 1;
        for partition in partitions {
            state.owned.remove(partition);
        }
        partitions.iter().copied().filter(|partition| state.paused.remove(partition)).collect()
    }

    /// From now on everything is paused; returns what is not yet.
    pub(crate) fn stand_by(&self) -> Vec<i32> {
        let mut state = self.lock();
        state.standing_by = true;
        state.pause_owned()
    }

    /// While standing by, what was assigned and is not paused yet.
    pub(crate) fn to_pause(&self) -> Vec<i32> {
        let mut state = self.lock();
        if state.standing_by { state.pause_owned() } else { Vec::new() }
    }

    /// Standing by is over; returns what is paused.
    pub(crate) fn resume(&self) -> Vec<i32> {
        let mut state = self.lock();
        state.standing_by = false;
        std::mem::take(&mut state.paused).into_iter().collect()
    }

    /// Notes the arrival of a record; `None` where its partition is not owned.
    pub(crate) fn arrival(&self, partition: i32, offset: i64) -> Option<Arrival> {
        let mut state = self.lock();
        let share = state.owned.get_mut(&partition)?;
        let missing = share.expected.map_or(0, |expected| u64::try_from(offset - expected).unwrap_or_default());
        if let Some(expected) = &mut share.expected {
            *expected = offset + 1;
        }
        let assignment = share.assignment;
        state.missing += missing;
        Some(Arrival { assignment, missing })
    }

    /// Whether a partition is owned under this assignment.
    pub(crate) fn owns(&self, partition: i32, assignment: u64) -> bool {
        self.lock().owned.get(&partition).is_some_and(|share| share.assignment == assignment)
    }

    /// What of a commit may be made now: partitions still owned under the assignment that delivered the records, never back.
    pub(crate) fn committable(&self, topic: &str, commit: &Commit) -> Vec<Committable> {
        let state = self.lock();
        let of_topic = commit.iter().filter(|(name, _, _)| *name == topic);
        let all = of_topic.map(|(_, partition, next)| Committable { partition, offset: next.offset, assignment: next.assignment });
        all.filter(|next| {
            let share = state.owned.get(&next.partition).filter(|share| share.assignment == next.assignment);
            share.is_some_and(|share| share.committed.is_none_or(|committed| committed < next.offset))
        })
        .collect()
    }

    /// Notes what was committed.
    pub(crate) fn committed(&self, commits: &[Committable]) {
        let mut state = self.lock();
        for Committable { partition, offset, assignment } in commits {
            if let Some(share) = state.owned.get_mut(partition).filter(|share| share.assignment == *assignment) {
                share.committed = share.committed.max(Some(*offset));
            }
        }
    }

    /// The partitions that are owned.
    pub(crate) fn assigned(&self) -> BTreeSet<i32> {
        self.lock().owned.keys().copied().collect()
    }

    /// How often partitions came.
    pub(crate) fn assignments(&self) -> u64 {
        self.lock().assignments
    }

    /// How often partitions were taken away.
    pub(crate) fn revocations(&self) -> u64 {
        self.lock().revocations
    }

    /// How many records the broker had dropped before they were consumed.
    pub(crate) fn missing(&self) -> u64 {
        self.lock().missing
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn pause_owned(&mut self) -> Vec<i32> {
        let fresh: Vec<_> = self.owned.keys().copied().filter(|partition| !self.paused.contains(partition)).collect();
        self.paused.extend(&fresh);
        fresh
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use pipeline::{Position, Record};

    fn commit(partition: i32, offset: i64, assignment: u64) -> Commit {
        let position = Position { topic: "events".into(), partition, offset };
        Commit::covering(&[Record { position, assignment, timestamp_ms: None, key: None, value: None, retry_count: 0 }])
    }

    fn owning(partitions: &[i32]) -> Membership {
        let membership = Membership::default();
        membership.assign(partitions.iter().map(|partition| (*partition, None)));
        membership
    }

    #[test]
    fn a_partition_that_left_or_came_back_is_not_committed_for_its_former_assignment() {
        let membership = owning(&[0, 1]);
        let assignment = membership.arrival(0, 4).unwrap().assignment;
        let first = commit(0, 4, assignment);
        assert_eq!(membership.committable("events", &first).len(), 1);
        assert!(membership.committable("others", &first).is_empty());
        membership.revoke(&[0]);
        assert!(membership.committable("events", &first).is_empty());
        membership.assign([(0, None)]);
        assert!(membership.committable("events", &first).is_empty());
        assert!(!membership.owns(0, assignment));
        assert!(membership.owns(1, assignment), "what was not taken away keeps its assignment");
    }

    #[test]
    fn a_commit_never_goes_back() {
        let membership = owning(&[0]);
        let next = membership.committable("events", &commit(0, 9, 1));
        membership.committed(&next);
        assert!(membership.committable("events", &commit(0, 9, 1)).is_empty());
        assert!(membership.committable("events", &commit(0, 5, 1)).is_empty());
        assert_eq!(membership.committable("events", &commit(0, 10, 1))[0].offset, 11);
    }

    #[test]
    fn what_comes_while_standing_by_is_paused_and_only_what_was_paused_is_resumed() {
        let membership = owning(&[0, 1]);
        assert_eq!(membership.stand_by(), [0, 1]);
        assert!(membership.stand_by().is_empty(), "not paused twice");
        membership.assign([(2, None)]);
        assert_eq!(membership.to_pause(), [2]);
        assert_eq!(membership.revoke(&[1]), [1], "would come back paused otherwise");
        assert_eq!(membership.resume(), [0, 2]);
        assert!(membership.resume().is_empty());
        membership.assign([(3, None)]);
        assert!(membership.to_pause().is_empty());
        assert!(membership.revoke(&[3]).is_empty());
    }

    #[test]
    fn gaps_are_counted_from_where_the_partition_had_to_begin() {
        let membership = Membership::default();
        membership.assign([(0, Some(100)), (1, None)]);
        let missing = |partition, offset| membership.arrival(partition, offset).unwrap().missing;
        assert_eq!(missing(0, 150), 50);
        assert_eq!(missing(0, 151), 0);
        assert_eq!(missing(0, 153), 1);
        assert_eq!(missing(0, 151), 0, "a record that comes again is no gap");
        assert_eq!(missing(1, 7), 0, "not known where it begins");
        assert_eq!(missing(1, 70), 0, "a real log has gaps of its own: compaction, transactions");
        assert_eq!(membership.missing(), 51);
        assert_eq!(membership.arrival(9, 0), None);
    }
}
