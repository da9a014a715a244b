//! Which partitions are owned, under which assignment, and what may be said about them.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, MutexGuard, PoisonError};

use pipeline::offsets::Commit;
use pipeline::ports::{Skipped, Unstarted};

/// How many skipped ranges are remembered until somebody asks; beyond that, neighbours become one range.
const SKIPPED: usize = 256;

/// The member's view of one topic. The rebalance callbacks change it, inside polling; source, committer and monitor read it.
///
/// A client may be replaced by another one (see [`Membership::renew`]): what an older one still reports is ignored.
#[derive(Default)]
pub(crate) struct Membership {
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// Which client counts.
    generation: u64,
    /// The number of the last assignment.
    assignments: u64,
    owned: BTreeMap<i32, Share>,
    /// Whether nothing can be processed, so that partitions are paused, also those that come.
    pausing: bool,
    /// What is paused: only this may be resumed. librdkafka starts a partition over that it is told to resume and that was not paused.
    paused: BTreeSet<i32>,
    /// How often partitions were taken away.
    revocations: u64,
    /// Records that the broker had dropped before they were consumed.
    missing: u64,
    /// Offsets that did not come, since somebody asked last.
    skipped: Vec<Skipped>,
    /// Whether a partition has delivered an offset for the second time.
    went_back: bool,
}

/// One owned partition.
struct Share {
    assignment: u64,
    /// Whether it was said where it begins; nothing of it counts before.
    started: bool,
    /// The highest offset committed under this assignment.
    committed: Option<i64>,
    /// One after the last record, or where it began.
    next: i64,
    /// The position that was told last as passed.
    passed: i64,
    /// Records behind the first open transaction, where the broker told.
    held_back: u64,
}

/// What is known of a record that arrived.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Arrival {
    /// The assignment that it belongs to.
    pub(crate) assignment: u64,
    /// How many offsets before it did not come.
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
    /// Another client is the member from now on; returns its generation. Nothing is owned any more.
    pub(crate) fn renew(&self) -> u64 {
        let mut state = self.lock();
        state.generation += 1;
        state.revocations += 1;
        state.owned.clear();
        state.paused.clear();
        state.skipped.clear();
        state.went_back = false;
        state.generation
    }

    /// Whether the client of this generation is still the member.
    pub(crate) fn is_current(&self, generation: u64) -> bool {
        self.lock().generation == generation
    }

    /// Partitions came. Nothing of them counts until they are started.
    pub(crate) fn assign(&self, partitions: impl IntoIterator<Item = i32>) {
        let mut state = self.lock();
        state.assignments += 1;
        let assignment = state.assignments;
        let share = |_| Share { assignment, started: false, committed: None, next: 0, passed: 0, held_back: 0 };
        state.owned.extend(partitions.into_iter().map(|partition| (partition, share(partition))));
    }

    /// The partitions that wait to be started.
    pub(crate) fn unstarted(&self) -> Vec<Unstarted> {
        let state = self.lock();
        let waiting = state.owned.iter().filter(|(_, share)| !share.started);
        waiting.map(|(partition, share)| Unstarted { partition: *partition, assignment: share.assignment }).collect()
    }

    /// A partition begins at this offset.
    pub(crate) fn start(&self, unstarted: Unstarted, offset: i64) {
        let mut state = self.lock();
        let share = state.owned.get_mut(&unstarted.partition).filter(|share| share.assignment == unstarted.assignment);
        if let Some(share) = share {
            (share.started, share.next, share.passed) = (true, offset, offset);
        }
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
    pub(crate) fn pause(&self) -> Vec<i32> {
        let mut state = self.lock();
        state.pausing = true;
        state.pause(|_| true)
    }

    /// What was assigned, must not deliver now, and is not paused yet.
    pub(crate) fn to_pause(&self) -> Vec<i32> {
        let mut state = self.lock();
        let pausing = state.pausing;
        state.pause(|share| pausing || !share.started)
    }

    /// Standing by is over; returns what is paused and may deliver.
    pub(crate) fn resume(&self) -> Vec<i32> {
        let mut state = self.lock();
        state.pausing = false;
        let State { owned, paused, .. } = &mut *state;
        let may_deliver = |partition: &i32| owned.get(partition).is_none_or(|share| share.started);
        let resumed: Vec<_> = paused.iter().copied().filter(may_deliver).collect();
        paused.retain(|partition| !may_deliver(partition));
        resumed
    }

    /// Notes the arrival of a record; `None` where its partition is not owned, or waits to be started.
    pub(crate) fn arrival(&self, partition: i32, offset: i64) -> Option<Arrival> {
        let mut state = self.lock();
        let State { owned, skipped, went_back, .. } = &mut *state;
        let share = owned.get_mut(&partition).filter(|share| share.started)?;
        let missing = u64::try_from(offset - share.next).unwrap_or_default();
        if missing > 0 {
            note_skipped(skipped, Skipped { partition, from: share.next, to: offset });
        }
        *went_back |= offset < share.next;
        share.next = offset + 1;
        Some(Arrival { assignment: share.assignment, missing })
    }

    /// Counts records that the broker had dropped before they were consumed.
    pub(crate) fn add_missing(&self, records: u64) {
        self.lock().missing += records;
    }

    /// What was skipped since the last call.
    pub(crate) fn take_skipped(&self) -> Vec<Skipped> {
        std::mem::take(&mut self.lock().skipped)
    }

    /// Whether a partition has delivered an offset for the second time: then the log was cut or made anew.
    pub(crate) fn went_back(&self) -> bool {
        self.lock().went_back
    }

    /// Notes how many records stand behind an open transaction.
    pub(crate) fn hold_back(&self, partition: i32, records: u64) {
        if let Some(share) = self.lock().owned.get_mut(&partition) {
            share.held_back = records;
        }
    }

    /// How many records stand behind an open transaction, in each partition that is owned.
    pub(crate) fn held_back(&self) -> BTreeMap<i32, u64> {
        self.lock().owned.iter().map(|(partition, share)| (*partition, share.held_back)).collect()
    }

    /// The positions of the client that are further than what was told before, and their assignments. A client's position is one after the
    /// last record or marker that it has handed over or passed.
    pub(crate) fn passed(&self, positions: &[(i32, i64)]) -> Vec<Committable> {
        let mut state = self.lock();
        let mut passed = Vec::new();
        for (partition, position) in positions {
            let share = state.owned.get_mut(partition).filter(|share| share.started && share.passed < *position);
            if let Some(share) = share {
                share.passed = *position;
                passed.push(Committable { partition: *partition, offset: *position, assignment: share.assignment });
            }
        }
        passed
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
    fn pause(&mut self, which: impl Fn(&Share) -> bool) -> Vec<i32> {
        let fresh = self.owned.iter().filter(|(partition, share)| which(share) && !self.paused.contains(partition));
        let fresh: Vec<_> = fresh.map(|(partition, _)| *partition).collect();
        self.paused.extend(&fresh);
        fresh
    }
}

fn note_skipped(skipped: &mut Vec<Skipped>, range: Skipped) {
    let is_full = skipped.len() >= SKIPPED;
    match skipped.iter_mut().rev().find(|known| is_full && known.partition == range.partition) {
        Some(known) => known.to = range.to,
        None => skipped.push(range),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use pipeline::{Position, Record};

    fn commit(partition: i32, offset: i64, assignment: u64) -> Commit {
        let position = Position { topic: "events".into(), partition, offset };
        Commit::covering(&[Record {
            position,
            assignment,
            timestamp_ms: None,
            timestamp_type: None,
            key: None,
            value: None,
            headers: Vec::new(),
        }])
    }

    fn start_all(membership: &Membership, offset: i64) {
        membership.unstarted().into_iter().for_each(|unstarted| membership.start(unstarted, offset));
    }

    fn owning(partitions: &[i32]) -> Membership {
        let membership = Membership::default();
        membership.assign(partitions.iter().copied());
        start_all(&membership, 0);
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
        membership.assign([0]);
        start_all(&membership, 0);
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
        assert_eq!(membership.pause(), [0, 1]);
        assert!(membership.pause().is_empty(), "not paused twice");
        membership.assign([2]);
        start_all(&membership, 0);
        assert_eq!(membership.to_pause(), [2]);
        assert_eq!(membership.revoke(&[1]), [1], "would come back paused otherwise");
        assert_eq!(membership.resume(), [0, 2]);
        assert!(membership.resume().is_empty());
        membership.assign([3]);
        start_all(&membership, 0);
        assert!(membership.to_pause().is_empty());
        assert!(membership.revoke(&[3]).is_empty());
    }

    #[test]
    fn a_partition_delivers_nothing_before_it_is_started_and_begins_where_it_is_told() {
        let membership = Membership::default();
        membership.assign([0, 1]);
        assert_eq!(membership.to_pause(), [0, 1], "it must not deliver");
        assert_eq!(membership.arrival(0, 7), None);
        assert!(membership.resume().is_empty(), "what is not started stays paused");
        let first = membership.unstarted()[0];
        membership.assign([0]);
        membership.start(first, 100);
        assert_eq!(membership.unstarted().len(), 2, "that assignment is over");
        start_all(&membership, 100);
        assert_eq!(membership.resume(), [0, 1]);
        assert_eq!(membership.arrival(0, 100).unwrap().missing, 0);
    }

    #[test]
    fn what_is_skipped_is_told_once_and_what_goes_back_is_noticed() {
        let membership = Membership::default();
        membership.assign([0, 1]);
        start_all(&membership, 100);
        let missing = |partition, offset| membership.arrival(partition, offset).unwrap().missing;
        assert_eq!((missing(0, 150), missing(0, 151), missing(1, 100)), (50, 0, 0));
        assert_eq!(membership.take_skipped(), [Skipped { partition: 0, from: 100, to: 150 }]);
        assert!(membership.take_skipped().is_empty() && !membership.went_back());
        assert_eq!(missing(0, 151), 0, "a record that comes again is no gap");
        assert!(membership.went_back());
        assert_eq!(membership.arrival(9, 0), None);
        membership.renew();
        assert!(!membership.went_back() && membership.assigned().is_empty());
    }

    #[test]
    fn many_skipped_ranges_take_no_more_memory() {
        let membership = owning(&[0]);
        for number in 1..2_000 {
            membership.arrival(0, number * 2);
        }
        let skipped = membership.take_skipped();
        assert_eq!((skipped.len(), skipped.last().unwrap().to), (SKIPPED, 3_998));
    }

    #[test]
    fn a_position_is_told_when_it_has_passed_something() {
        let membership = owning(&[0, 1]);
        let passed = |positions: &[(i32, i64)]| membership.passed(positions).iter().map(|next| next.offset).collect::<Vec<_>>();
        assert_eq!(passed(&[(0, 0), (1, 5), (7, 9)]), [5], "the others have not moved, or are not ours");
        assert_eq!(passed(&[(0, 3), (1, 5)]), [3]);
        assert!(passed(&[(0, 3), (1, 4)]).is_empty());
    }
}
