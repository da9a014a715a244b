//! The coordinator of the group: who owns which partition.
//!
//! A member learns of a rebalance when it polls. Under the eager protocol it gives everything up first and gets its share anew, under the
//! cooperative one it gives up only what goes to another. Who does not poll for too long, or stands still, loses its partitions without having
//! been asked, and learns of that when it polls again: until then it is a zombie.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

/// How long a member may stand still before the group gives it up.
pub const SESSION: Duration = Duration::from_secs(10);

/// The group.
#[derive(Debug)]
pub struct Group {
    eager: bool,
    joined: u64,
    rebalances: u64,
    members: BTreeMap<u64, Member>,
    /// Who owns a partition, or will when it polls.
    owners: BTreeMap<i32, u64>,
    /// No offset can be written before this time of the run.
    pub read_only_until: Duration,
}

#[derive(Debug, Default)]
struct Member {
    expire: BTreeSet<i32>,
    gain: BTreeSet<i32>,
    /// Since when it stands still.
    still_since: Option<Duration>,
}

/// What a member learns when it polls.
#[derive(Debug, Default)]
pub struct News {
    /// Taken away.
    pub revoked: BTreeSet<i32>,
    /// Given, after what was taken away.
    pub assigned: BTreeSet<i32>,
}

impl Group {
    /// A group without members.
    pub const fn new(eager: bool) -> Self {
        Self { eager, joined: 0, rebalances: 0, members: BTreeMap::new(), owners: BTreeMap::new(), read_only_until: Duration::ZERO }
    }

    /// Another member; returns its number.
    pub fn join(&mut self, partitions: usize) -> u64 {
        self.joined += 1;
        self.members.insert(self.joined, Member::default());
        self.rebalance(partitions);
        self.joined
    }

    /// A member is gone, whether it left, died or was expired.
    pub fn remove(&mut self, member: u64, partitions: usize) {
        if self.members.remove(&member).is_some() {
            self.owners.retain(|_, owner| *owner != member);
            self.rebalance(partitions);
        }
    }

    /// Whether it is a member.
    pub fn knows(&self, member: u64) -> bool {
        self.members.contains_key(&member)
    }

    /// Whether there is no member.
    pub fn is_empty(&self) -> bool {
        self.members.is_empty()
    }

    /// Whether a member has still to give something up: its commits may be refused meanwhile.
    pub fn is_rebalancing(&self, member: u64) -> bool {
        self.members.get(&member).is_some_and(|member| !member.expire.is_empty())
    }

    /// A member begins or ends to stand still.
    pub fn stand_still(&mut self, member: u64, since: Option<Duration>) {
        if let Some(member) = self.members.get_mut(&member) {
            member.still_since = since;
        }
    }

    /// The members that have stood still for too long.
    pub fn expired(&self, now: Duration) -> Vec<u64> {
        let is_expired = |member: &Member| member.still_since.is_some_and(|since| now >= since + SESSION);
        self.members.iter().filter(|(_, member)| is_expired(member)).map(|(number, _)| *number).collect()
    }

    /// What a member learns now. Who is no member any more loses everything: it has to join anew.
    pub fn poll(&mut self, member: u64, partitions: usize) -> Option<News> {
        let expired = std::mem::take(&mut self.members.get_mut(&member)?.expire);
        for partition in &expired {
            self.owners.remove(partition);
        }
        if !expired.is_empty() {
            self.give_away(partitions);
        }
        let assigned = std::mem::take(&mut self.members.get_mut(&member)?.gain);
        Some(News { revoked: expired, assigned })
    }

    /// Divides the partitions anew.
    pub fn rebalance(&mut self, partitions: usize) {
        self.rebalances += 1;
        let target = self.target(partitions);
        for (partition, owner) in self.owners.clone() {
            let Some(member) = self.members.get_mut(&owner) else { continue };
            if !self.eager && target.get(&partition) == Some(&owner) {
                member.expire.remove(&partition);
            } else if member.gain.remove(&partition) {
                // What has not come yet needs not be expired.
                self.owners.remove(&partition);
            } else {
                member.expire.insert(partition);
            }
        }
        self.give_away(partitions);
    }

    /// Gives what nobody owns to whom it belongs.
    fn give_away(&mut self, partitions: usize) {
        for (partition, target) in self.target(partitions) {
            if let std::collections::btree_map::Entry::Vacant(owner) = self.owners.entry(partition)
                && let Some(member) = self.members.get_mut(&target)
            {
                owner.insert(target);
                member.gain.insert(partition);
            }
        }
    }

    /// Whose each partition should be.
    fn target(&self, partitions: usize) -> BTreeMap<i32, u64> {
        let members: Vec<u64> = self.members.keys().copied().collect();
        if members.is_empty() {
            return BTreeMap::new();
        }
        // The eager protocol turns the shares round, so that partitions really move.
        let turn = if self.eager { self.rebalances as usize } else { 0 };
        (0..partitions).map(|partition| (partition as i32, members[(partition + turn) % members.len()])).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(numbers: &[i32]) -> BTreeSet<i32> {
        numbers.iter().copied().collect()
    }

    #[test]
    fn under_the_cooperative_protocol_only_what_goes_to_another_is_given_up() {
        let mut group = Group::new(false);
        let first = group.join(4);
        assert_eq!(group.poll(first, 4).unwrap().assigned, all(&[0, 1, 2, 3]));
        let second = group.join(4);
        assert_eq!(group.poll(second, 4).unwrap().assigned, all(&[]), "the first has not given it up");
        let news = group.poll(first, 4).unwrap();
        assert_eq!((news.revoked, news.assigned), (all(&[1, 3]), all(&[])));
        assert_eq!(group.poll(second, 4).unwrap().assigned, all(&[1, 3]));
    }

    #[test]
    fn under_the_eager_protocol_everything_is_given_up_first() {
        let mut group = Group::new(true);
        let first = group.join(2);
        group.poll(first, 2);
        let second = group.join(2);
        let news = group.poll(first, 2).unwrap();
        assert_eq!((news.revoked, news.assigned.len()), (all(&[0, 1]), 1));
        assert_eq!(group.poll(second, 2).unwrap().assigned.len(), 1);
    }

    #[test]
    fn who_is_removed_learns_it_at_its_next_poll() {
        let mut group = Group::new(false);
        let (first, second) = (group.join(2), group.join(2));
        group.poll(first, 2);
        group.poll(second, 2);
        group.stand_still(first, Some(Duration::ZERO));
        assert_eq!(group.expired(SESSION), [first]);
        group.remove(first, 2);
        assert!(group.poll(first, 2).is_none());
        assert_eq!(group.poll(second, 2).unwrap().assigned, all(&[0]));
    }
}
