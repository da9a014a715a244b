//! Which events go into one batch, and which are superseded inside it.

use std::collections::HashMap;
use std::collections::hash_map::Entry as Slot;

use events::{Body, Event};
use uuid::Uuid;

use crate::batch::Item;
use crate::outcome::{Outcome, WaitsFor};
use crate::parking::ParkedKey;

/// An event to write, and where it comes from.
#[derive(Clone, Debug)]
pub struct Candidate<'a> {
    /// The event.
    pub event: Event<'a>,
    /// Its row in the parking table, if it comes from there.
    pub parked: Option<ParkedKey<'a>>,
}

/// Candidates that can be written in one transaction.
#[derive(Clone, Debug, Default)]
pub struct Round {
    /// Indices of the candidates to send, in the order of the batch.
    pub leaders: Vec<usize>,
    /// Candidates that need not be sent if their leader is persisted.
    pub followers: Vec<Follower>,
}

/// A candidate that another one of its batch makes superfluous.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Follower {
    /// Index of the candidate.
    pub index: usize,
    /// Index of the candidate that is sent in its place.
    pub leader: usize,
    /// Its outcome, if the leader is persisted. If it is not, the follower is put back and written by itself.
    pub outcome: Outcome,
}

/// Divides candidates, given by their indices, into rounds, to be written one after the other.
///
/// In one round there is at most one event per entity (two new rows with one key would fail with 2627, two on an existing row with 8672) and
/// each adjustment's event id once: the newest is sent and the others follow it. An event supersedes only one with the same parent, since
/// with another parent it could be parked while the older one could be applied; there the round is cut. A round holds at most `max_rows` rows, so
/// that no statement escalates its locks, unless a single event has more.
pub fn plan(candidates: &[Candidate<'_>], indices: impl IntoIterator<Item = usize>, max_rows: usize) -> Vec<Round> {
    let mut rounds = Vec::new();
    let mut open = OpenRound::default();
    for index in indices {
        if open.rows > 0 && open.rows + rows(&candidates[index].event) > max_rows {
            rounds.push(std::mem::take(&mut open).close(candidates));
        }
        if !open.take(candidates, index) {
            rounds.push(std::mem::take(&mut open).close(candidates));
            open.take(candidates, index);
        }
    }
    if open.rows > 0 {
        rounds.push(open.close(candidates));
    }
    rounds
}

/// The items of a round: its leaders, each with the parked rows that leave with it.
pub fn items<'a>(candidates: &'a [Candidate<'a>], round: &Round) -> Vec<Item<'a>> {
    let mut releases: HashMap<usize, Vec<ParkedKey<'a>>> = HashMap::new();
    for follower in &round.followers {
        if let Some(key) = candidates[follower.index].parked {
            releases.entry(follower.leader).or_default().push(key);
        }
    }
    let item = |&index: &usize| {
        let candidate = &candidates[index];
        let followers = releases.remove(&index).unwrap_or_default();
        Item { event: &candidate.event, releases: candidate.parked.into_iter().chain(followers).collect() }
    };
    round.leaders.iter().map(item).collect()
}

/// What may occur once in a batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
enum Key {
    User(Uuid),
    Order(Uuid),
    Payment(Uuid),
    Adjustment(Uuid),
}

fn key(event: &Event<'_>) -> Key {
    match &event.body {
        Body::UserCreated(user) => Key::User(user.user_id),
        Body::OrderPlaced(order) => Key::Order(order.order_id),
        Body::PaymentSettled(payment) => Key::Payment(payment.payment_id),
        Body::InventoryAdjusted(_) => Key::Adjustment(event.id),
    }
}

fn rows(event: &Event<'_>) -> usize {
    match &event.body {
        Body::OrderPlaced(order) => 1 + order.items.len(),
        // The ledger's row and the stock's.
        Body::InventoryAdjusted(_) => 2,
        Body::UserCreated(_) | Body::PaymentSettled(_) => 1,
    }
}

/// How two events with one key stand to each other.
enum Standing {
    /// They cannot be in one batch.
    Apart,
    /// The older one follows the newer one, and ends like this.
    Superseded { newcomer_leads: bool, outcome: Outcome },
}

fn standing(leader: &Event<'_>, newcomer: &Event<'_>) -> Standing {
    let equal = leader == newcomer;
    if matches!(leader.body, Body::InventoryAdjusted(_)) {
        // One id with other content is for the ledger to decide, after the first is persisted.
        return if equal { Standing::Superseded { newcomer_leads: false, outcome: Outcome::Duplicate } } else { Standing::Apart };
    }
    if WaitsFor::parent_of(&leader.body) != WaitsFor::parent_of(&newcomer.body) {
        return Standing::Apart;
    }
    let newcomer_leads = (newcomer.at, newcomer.id) > (leader.at, leader.id);
    let outcome = if leader.id == newcomer.id { Outcome::Duplicate } else { Outcome::Stale };
    Standing::Superseded { newcomer_leads, outcome }
}

#[derive(Default)]
struct OpenRound {
    leaders: HashMap<Key, usize>,
    /// Index, key and outcome. Who leads them is settled when the round is closed: until then a newer one may come.
    followers: Vec<(usize, Key, Outcome)>,
    rows: usize,
}

impl OpenRound {
    /// Takes a candidate into the round; `false` if it cannot be in one batch with what is there.
    fn take(&mut self, candidates: &[Candidate<'_>], index: usize) -> bool {
        let event = &candidates[index].event;
        let key = key(event);
        match self.leaders.entry(key) {
            Slot::Vacant(slot) => {
                slot.insert(index);
            }
            Slot::Occupied(mut slot) => match standing(&candidates[*slot.get()].event, event) {
                Standing::Apart => return false,
                Standing::Superseded { newcomer_leads, outcome } => {
                    let follower = if newcomer_leads { slot.insert(index) } else { index };
                    self.followers.push((follower, key, outcome));
                }
            },
        }
        self.rows += rows(event);
        true
    }

    fn close(self, candidates: &[Candidate<'_>]) -> Round {
        let Self { leaders: by_key, followers, .. } = self;
        let follow = |(index, key, outcome)| Follower { index, leader: by_key[&key], outcome };
        let followers = followers.into_iter().map(follow).collect();
        let mut leaders: Vec<usize> = by_key.into_values().collect();
        // Tables in one order, rows in one order: two writers that meet wait for each other, and do not lock each other out.
        leaders.sort_unstable_by_key(|&index| key(&candidates[index].event));
        Round { leaders, followers }
    }
}

#[cfg(test)]
mod tests {
    use events::{EventType, samples};

    use super::*;
    use crate::record::{Position, RecordId};

    fn candidate(event: Event<'static>) -> Candidate<'static> {
        Candidate { event, parked: None }
    }

    /// The sample with another event id and so many microseconds later.
    fn version(event_type: EventType, id: u128, later: i64) -> Event<'static> {
        let sample = samples::of(event_type);
        Event { id: Uuid::from_u128(id), at: sample.at.plus_micros(later), ..sample }
    }

    fn plan_of(events: Vec<Event<'static>>) -> Vec<Round> {
        let candidates: Vec<_> = events.into_iter().map(candidate).collect();
        plan(&candidates, 0..candidates.len(), 1000)
    }

    #[test]
    fn parents_come_before_children_and_stock_comes_last() {
        let types = [EventType::InventoryAdjusted, EventType::PaymentSettled, EventType::OrderPlaced, EventType::UserCreated];
        let rounds = plan_of(types.map(samples::of).to_vec());
        assert_eq!(rounds.len(), 1);
        assert_eq!(rounds[0].leaders, [3, 2, 1, 0]);
    }

    #[test]
    fn the_newest_of_an_entity_is_sent_and_the_others_follow_it() {
        let user = EventType::UserCreated;
        let rounds = plan_of(vec![version(user, 1, 5), version(user, 2, 9), version(user, 3, 7), version(user, 2, 9)]);
        assert_eq!(rounds.len(), 1);
        assert_eq!(rounds[0].leaders, [1]);
        let follower = |index, outcome| Follower { index, leader: 1, outcome };
        assert_eq!(rounds[0].followers, [follower(0, Outcome::Stale), follower(2, Outcome::Stale), follower(3, Outcome::Duplicate)]);
    }

    #[test]
    fn equal_times_are_ordered_by_event_id() {
        let user = EventType::UserCreated;
        assert_eq!(plan_of(vec![version(user, 2, 0), version(user, 1, 0)])[0].leaders, [0]);
        assert_eq!(plan_of(vec![version(user, 1, 0), version(user, 2, 0)])[0].leaders, [1]);
    }

    #[test]
    fn an_event_supersedes_only_one_with_the_same_parent() {
        let order = version(EventType::OrderPlaced, 1, 0);
        let mut moved = version(EventType::OrderPlaced, 2, 1);
        if let Body::OrderPlaced(order) = &mut moved.body {
            order.user_id = Uuid::from_u128(77);
        }
        let rounds = plan_of(vec![order, moved]);
        assert_eq!(rounds.iter().map(|round| round.leaders.clone()).collect::<Vec<_>>(), [[0], [1]]);
    }

    #[test]
    fn adjustments_of_one_id_collapse_only_when_they_are_equal() {
        let stock = EventType::InventoryAdjusted;
        let mut other = version(stock, 1, 0);
        if let Body::InventoryAdjusted(adjustment) = &mut other.body {
            adjustment.quantity += 1;
        }
        let rounds = plan_of(vec![version(stock, 1, 0), version(stock, 1, 0), version(stock, 2, 0), other]);
        assert_eq!(rounds.len(), 2);
        assert_eq!(rounds[0].leaders, [0, 2]);
        assert_eq!(rounds[0].followers, [Follower { index: 1, leader: 0, outcome: Outcome::Duplicate }]);
        assert_eq!(rounds[1].leaders, [3]);
    }

    #[test]
    fn a_round_is_cut_before_it_has_too_many_rows_but_a_large_event_still_goes() {
        let order = |id: u128, items: usize| {
            let mut event = version(EventType::OrderPlaced, id, 0);
            if let Body::OrderPlaced(order) = &mut event.body {
                order.order_id = Uuid::from_u128(id);
                order.items = vec![order.items[0].clone(); items];
            }
            candidate(event)
        };
        let rounds = plan(&[order(1, 5), order(2, 3), order(3, 50), order(4, 1)], 0..4, 10);
        assert_eq!(rounds.iter().map(|round| round.leaders.clone()).collect::<Vec<_>>(), [vec![0, 1], vec![2], vec![3]]);
        let sizes =
            |orders: &[Candidate<'_>]| plan(orders, 0..orders.len(), 10).iter().map(|round| round.leaders.len()).collect::<Vec<_>>();
        assert_eq!(sizes(&[order(1, 5), order(2, 4)]), [1, 1], "an order is a row and one for each item");
        assert_eq!(sizes(&[order(1, 50), order(2, 1)]), [1, 1], "no round is empty");
        assert!(sizes(&[]).is_empty());
    }

    #[test]
    fn a_parked_event_that_is_superseded_leaves_the_table_with_its_leader() {
        let positions: Vec<Position> = (0..2).map(|offset| Position { topic: "events".into(), partition: 0, offset }).collect();
        let record = RecordId::default();
        let candidates: Vec<_> = positions
            .iter()
            .zip([version(EventType::OrderPlaced, 1, 0), version(EventType::OrderPlaced, 2, 1)])
            .map(|(position, event)| Candidate { event, parked: Some(ParkedKey { position, record: &record }) })
            .collect();
        let rounds = plan(&candidates, 0..2, 1000);
        let items = items(&candidates, &rounds[0]);
        assert_eq!(items.len(), 1);
        assert_eq!(items[0].releases, [1, 0].map(|index| ParkedKey { position: &positions[index], record: &record }));
    }
}
