//! One member's view of the log: what it owns, what it has received, and what it may say about that. It keeps the rules of the Kafka adapter's
//! `membership`, `receiver` and `kept`.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

use pipeline::offsets::{Commit, NextOffset};
use pipeline::ports::{PollLimits, Skipped, Unstarted};
use pipeline::{LogId, Record};

use super::topic::Entry;
use crate::defect::Defect;
use crate::dice::stream;
use crate::world::State;

/// A member's view.
#[derive(Debug)]
pub(crate) struct Client {
    /// Who it is, in stories.
    pub(crate) name: String,
    /// Its number in the group.
    pub(crate) member: u64,
    assignments: u64,
    owned: BTreeMap<i32, Share>,
    kept: BTreeMap<i32, VecDeque<Record>>,
    left_over: BTreeMap<i32, VecDeque<Record>>,
    pausing: bool,
    pub(crate) skipped: Vec<Skipped>,
    pub(crate) went_back: bool,
    pub(crate) lost: bool,
    pub(crate) passed: Commit,
    /// The log that there was when it joined the group last.
    joined_for: LogId,
    /// How often it has joined anew since then, for nothing.
    joined_in_vain: u32,
}

/// One owned partition.
#[derive(Debug)]
struct Share {
    assignment: u64,
    /// The log that there was when it came.
    log: LogId,
    started: bool,
    committed: Option<i64>,
    /// One after the last record that arrived.
    next: i64,
    /// The client's position: one after the last entry that it has passed.
    position: i64,
    /// The position that was told last.
    passed: i64,
}

/// An offset to commit.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Committable {
    pub(crate) partition: i32,
    pub(crate) offset: i64,
    pub(crate) assignment: u64,
    /// The log that there was when the partition came: its offsets may mean nothing in a later one.
    pub(crate) log: LogId,
}

impl Client {
    pub(crate) fn new(name: &str, state: &mut State) -> Self {
        let member = state.group.join(state.topic.partitions.len());
        Self {
            name: name.to_owned(),
            member,
            assignments: 0,
            owned: BTreeMap::new(),
            kept: BTreeMap::new(),
            left_over: BTreeMap::new(),
            pausing: false,
            skipped: Vec::new(),
            went_back: false,
            lost: false,
            passed: Commit::default(),
            joined_for: state.topic.id,
            joined_in_vain: 0,
        }
    }

    /// Leaves the group and joins it anew, with nothing remembered.
    pub(crate) fn reopen(&mut self, state: &mut State) {
        let has_reason = self.lost || self.went_back || self.joined_for != state.topic.id;
        self.joined_in_vain = if has_reason { 0 } else { self.joined_in_vain + 1 };
        self.joined_for = state.topic.id;
        state.rejoined(&self.name, self.joined_in_vain);
        let partitions = state.topic.partitions.len();
        state.group.remove(self.member, partitions);
        self.member = state.group.join(partitions);
        self.owned.clear();
        for (partition, mut queue) in std::mem::take(&mut self.kept) {
            self.left_over.entry(partition).or_default().append(&mut queue);
        }
        self.skipped.clear();
        (self.went_back, self.lost) = (false, false);
    }

    /// Learns what the group has decided.
    pub(crate) fn poll(&mut self, state: &mut State) {
        let partitions = state.topic.partitions.len();
        state.group.stand_still(self.member, None);
        let news = if let Some(news) = state.group.poll(self.member, partitions) {
            news
        } else {
            state.tell(&self.name, "given-up", || "the group had given it up; it joins again".to_owned());
            self.revoke(self.owned.keys().copied().collect::<Vec<_>>());
            self.member = state.group.join(partitions);
            state.group.poll(self.member, partitions).unwrap_or_default()
        };
        if !news.revoked.is_empty() {
            state.tell(&self.name, "revoked", || format!("{:?}", news.revoked));
            self.revoke(news.revoked);
        }
        if !news.assigned.is_empty() {
            self.assignments += 1;
            state.tell(&self.name, "assigned", || format!("{:?} as {}", news.assigned, self.assignments));
            let (assignment, log) = (self.assignments, state.topic.id);
            let share = |_: i32| Share { assignment, log, started: false, committed: None, next: 0, position: 0, passed: 0 };
            self.owned.extend(news.assigned.into_iter().map(|partition| (partition, share(partition))));
        }
    }

    fn revoke(&mut self, partitions: impl IntoIterator<Item = i32>) {
        for partition in partitions {
            self.owned.remove(&partition);
            self.kept.remove(&partition);
        }
    }

    pub(crate) fn unstarted(&self) -> Vec<Unstarted> {
        let waiting = self.owned.iter().filter(|(_, share)| !share.started);
        waiting.map(|(partition, share)| Unstarted { partition: *partition, assignment: share.assignment }).collect()
    }

    pub(crate) fn start(&mut self, unstarted: Unstarted, offset: i64) {
        let share = self.owned.get_mut(&unstarted.partition).filter(|share| share.assignment == unstarted.assignment);
        if let Some(share) = share {
            (share.started, share.next, share.position, share.passed) = (true, offset, offset, offset);
        }
    }

    pub(crate) fn assigned(&self) -> BTreeSet<i32> {
        self.owned.keys().copied().collect()
    }

    pub(crate) const fn pause(&mut self, pausing: bool) {
        self.pausing = pausing;
    }

    /// Receives some of what is there, as it stands in the log of now.
    pub(crate) fn fetch(&mut self, state: &mut State) {
        if self.pausing {
            return;
        }
        let now = state.elapsed();
        let started = self.owned.iter_mut().filter(|(_, share)| share.started);
        for (number, share) in started {
            let most = state.dice.between(stream(&self.name) ^ 0xfe7c, 1, 40);
            let Some(log) = state.topic.partitions.get(*number as usize).filter(|log| log.leaderless_until <= now) else { continue };
            if share.position < log.first || share.position > log.end() {
                // Out of range: librdkafka begins at the earliest offset.
                share.position = log.first;
            }
            let end = log.stable().min(share.position + most as i64);
            while share.position < end {
                let offset = share.position;
                share.position += 1;
                if let Entry::Record(sent) = log.entries[offset as usize] {
                    if offset > share.next {
                        self.skipped.push(Skipped { partition: *number, from: share.next, to: offset });
                    }
                    self.went_back |= offset < share.next;
                    share.next = offset + 1;
                    self.kept.entry(*number).or_default().push_back(state.topic.record(sent, share.assignment));
                }
            }
        }
    }

    /// Takes the oldest records up to the limits, partitions merged by time; what a former client left comes first.
    pub(crate) fn take(&mut self, limits: PollLimits) -> Vec<Record> {
        let queues = if self.left_over.is_empty() { &mut self.kept } else { &mut self.left_over };
        let (mut taken, mut bytes) = (Vec::new(), 0);
        loop {
            let oldest = queues.values_mut().filter(|queue| !queue.is_empty());
            let Some(queue) = oldest.min_by_key(|queue| queue[0].timestamp_ms) else { break };
            let size = queue[0].size();
            if !taken.is_empty() && (taken.len() >= limits.records || bytes + size > limits.bytes) {
                break;
            }
            bytes += size;
            taken.extend(queue.pop_front());
        }
        queues.retain(|_, queue| !queue.is_empty());
        taken
    }

    /// Notes how far the client has come in each partition of which nothing is kept.
    pub(crate) fn note_passed(&mut self, topic: &Arc<str>) {
        for (partition, share) in &mut self.owned {
            if share.started && share.passed < share.position && !self.kept.contains_key(partition) {
                share.passed = share.position;
                let next = NextOffset { offset: share.position, assignment: share.assignment };
                self.passed.add(Arc::clone(topic), *partition, next);
            }
        }
    }

    /// What of a commit may be made: of partitions still owned under the assignment that delivered the records, never back.
    pub(crate) fn committable(&self, commit: &Commit, defect: Option<Defect>) -> Vec<Committable> {
        let mut all = Vec::new();
        for (_, partition, NextOffset { offset, assignment }) in commit.iter() {
            let share = self.owned.get(&partition);
            let is_ours = match defect {
                Some(Defect::OwnershipFilterGone) => true,
                Some(Defect::AssignmentIgnored) => share.is_some(),
                _ => {
                    share.is_some_and(|share| share.assignment == assignment && share.committed.is_none_or(|committed| committed < offset))
                }
            };
            if is_ours {
                let log = share.map_or(LogId::UNKNOWN, |share| share.log);
                all.push(Committable { partition, offset, assignment, log });
            }
        }
        all
    }

    pub(crate) fn committed(&mut self, commits: &[Committable]) {
        for Committable { partition, offset, assignment, .. } in commits {
            if let Some(share) = self.owned.get_mut(partition).filter(|share| share.assignment == *assignment) {
                share.committed = share.committed.max(Some(*offset));
            }
        }
    }
}
