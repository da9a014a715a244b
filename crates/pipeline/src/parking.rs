//! Events that wait for a parent or an e-mail address, and when they are expired.
//!
//! **Addresses do not converge as rows do.** Of two users who claim one address for good, which one holds it may depend on the order of arrival.
//! It cannot be otherwise: (a) a user whose address is taken is not applied, since its row needs the address, and so are its orders; (b) what
//! was applied stays applied. Say B claims an address, then orders; both are applied. Then A's earlier claim arrives. To end as if A had come
//! first, B's row and its orders, applied long ago, would have to leave their tables. The rule that holds in any order of arrival is: an address
//! has at most one holder, who keeps it until its own newer event gives it up. Of those who claim it in one batch, and of those who wait for it
//! when it becomes free, the earliest claim by (event timestamp, event id) gets it. Whoever has to wait is parked, applied when its turn comes, or
//! becomes a dead letter; nobody is lost or half written. Users who share no address with others end the same in any order.

use std::collections::BTreeMap;
use std::time::Duration;

use events::{Body, Timestamp};
use uuid::Uuid;

use crate::headers::{Header, Redriven};
use crate::log::{LogId, LogState};
use crate::outcome::WaitsFor;
use crate::record::{Position, Record, RecordId};

/// Which parked event: what identifies its row.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ParkedKey<'a> {
    /// Where the record stood.
    pub position: &'a Position,
    /// Which record stood there.
    pub record: &'a RecordId,
}

/// An event that waits. Holds the whole record, so that it can still become a dead letter with its bytes unchanged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ParkedEvent {
    /// Where the record stood.
    pub position: Position,
    /// Which record stood there: one place may have held several, one after the other. As it is stored, so empty where a program has parked
    /// the event that kept no identities.
    pub record: RecordId,
    /// The record's own timestamp in milliseconds since 1970.
    pub timestamp_ms: Option<i64>,
    /// The message key.
    pub key: Option<Vec<u8>>,
    /// The message value: an event that keeps the contract.
    pub value: String,
    /// The headers, in order.
    pub headers: Vec<Header>,
    /// Its `eventId`.
    pub event_id: Uuid,
    /// What it waits for.
    pub waits_for: WaitsFor,
    /// Since when, by the database's clock; the order in which events are released. Set by the store.
    pub parked_at: Timestamp,
}

/// Events that wait, those that are about to expire among them, gathered by what they wait for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Awaited {
    /// How many there are.
    pub events: u64,
    /// For how many parents, or e-mail addresses, which count as one.
    pub parents: u64,
    /// Those that the most wait for, these first.
    pub largest: Vec<AwaitedParent>,
}

/// What some events wait for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AwaitedParent {
    /// What it is.
    pub waits_for: WaitsFor,
    /// How many wait for it.
    pub children: u64,
    /// Since when the first of them does, by the database's clock.
    pub oldest: Timestamp,
    /// Whether it is in its table already, so that they are released soon; `false` for an e-mail address.
    pub written: bool,
    /// Those that have waited longest.
    pub first: Vec<AwaitedChild>,
}

/// An event that waits, without what it holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AwaitedChild {
    /// Its `eventId`.
    pub event_id: Uuid,
    /// Where the record stood.
    pub position: Position,
    /// Since when, by the database's clock.
    pub parked_at: Timestamp,
}

impl ParkedEvent {
    /// The event of this record, to be parked: its JSON without a frame. It is UTF-8, since an event was decoded from it.
    pub fn new(record: &Record, event_id: Uuid, waits_for: WaitsFor) -> Self {
        let value = record.value.as_deref().unwrap_or_default();
        Self {
            position: record.position.clone(),
            record: record.id(),
            timestamp_ms: record.timestamp_ms,
            key: record.key.clone(),
            value: String::from_utf8_lossy(events::unframed(value).unwrap_or(value)).into_owned(),
            headers: record.headers.clone(),
            event_id,
            waits_for,
            parked_at: Timestamp::UNIX_EPOCH,
        }
    }

    /// How often it was redriven.
    pub fn retry_count(&self) -> u32 {
        Redriven::read(&self.headers).retry_count
    }

    /// What identifies it.
    pub const fn parked_key(&self) -> ParkedKey<'_> {
        ParkedKey { position: &self.position, record: &self.record }
    }

    /// What it claims, if it waits for an e-mail address.
    pub fn email_claim(&self) -> Option<EmailClaim> {
        if self.waits_for != WaitsFor::Email {
            return None;
        }
        let event = events::decode(self.value.as_bytes()).ok()?;
        let Body::UserCreated(user) = &event.body else { return None };
        Some(EmailClaim { key: user.email_key(), user_id: user.user_id, at: event.at })
    }

    /// The record as it was consumed, but for a schema registry's frame. It belongs to no assignment: its offset was committed when it was parked.
    pub fn to_record(&self) -> Record {
        Record {
            position: self.position.clone(),
            assignment: 0,
            timestamp_ms: self.timestamp_ms,
            timestamp_type: None,
            key: self.key.clone(),
            value: Some(self.value.clone().into_bytes()),
            headers: self.headers.clone(),
        }
    }
}

/// What an event claims that waits for an e-mail address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EmailClaim {
    /// The address, in the form in which addresses are compared.
    pub key: String,
    /// The user that claims it.
    pub user_id: Uuid,
    /// The event's own time: with its id, what the earliest claim is found by.
    pub at: Timestamp,
}

/// Whose children are asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Parents {
    /// The children of these users and orders, which have just been persisted.
    These {
        /// Users.
        users: Vec<Uuid>,
        /// Orders.
        orders: Vec<Uuid>,
        /// Also what waits for an e-mail address that is free, whichever it is.
        addresses: bool,
    },
    /// The children of any parent, and what waits for an e-mail address that is free: the sweep.
    Any,
}

impl Parents {
    /// Nobody's.
    pub const fn none() -> Self {
        Self::These { users: Vec::new(), orders: Vec::new(), addresses: false }
    }

    /// Whether nobody's children are asked for.
    pub const fn is_none(&self) -> bool {
        matches!(self, Self::These { users, orders, addresses: false } if users.is_empty() && orders.is_empty())
    }

    /// Asks also for what waits for these.
    pub fn add(&mut self, parents: impl IntoIterator<Item = WaitsFor>) {
        if let Self::These { users, orders, addresses } = self {
            for parent in parents {
                match parent {
                    WaitsFor::User(id) => users.push(id),
                    WaitsFor::Order(id) => orders.push(id),
                    WaitsFor::Email => *addresses = true,
                }
            }
        }
    }

    /// Takes the first of these out: `count` users and orders at most, and what waits for an address with the first.
    pub fn take(&mut self, count: usize) -> Self {
        match self {
            Self::Any => std::mem::replace(self, Self::none()),
            Self::These { users, orders, addresses } => {
                let some_users: Vec<_> = users.drain(..count.min(users.len())).collect();
                let some_orders = orders.drain(..(count - some_users.len()).min(orders.len())).collect();
                Self::These { users: some_users, orders: some_orders, addresses: std::mem::take(addresses) }
            }
        }
    }

    /// Asks for the children of the others too.
    pub fn join(&mut self, others: Self) {
        match (self, others) {
            (
                Self::These { users, orders, addresses },
                Self::These { users: more_users, orders: more_orders, addresses: more_addresses },
            ) => {
                users.extend(more_users);
                orders.extend(more_orders);
                *addresses |= more_addresses;
            }
            (parents @ Self::These { .. }, Self::Any) => *parents = Self::Any,
            (Self::Any, _) => {}
        }
    }
}

/// Decides from when on parked events may be expired.
///
/// An event is expired only when it is older than the deadline *and* the group has consumed every partition up to where it reached when
/// we looked: until then, the parent may sit in a backlog, of ours or of a member that is down, or behind a transaction that is still open.
#[derive(Clone, Debug, Default)]
pub struct ExpiryGate {
    watch: Option<Watch>,
}

/// A look at the log, and what must be consumed before its answer counts.
#[derive(Clone, Debug)]
struct Watch {
    seen_at: Timestamp,
    log: LogId,
    ends: BTreeMap<i32, i64>,
}

impl ExpiryGate {
    /// Given the log as it is at `now` (by the database's clock): the parking time up to which events may be expired, once the group has
    /// consumed what an earlier look saw. The first look of a kind only begins to watch.
    ///
    /// A watch that can never be fulfilled lapses, and the next look begins anew: the log is another one, or shorter, or has lost a partition.
    pub fn look(&mut self, now: Timestamp, log: &LogState, deadline: Duration) -> Option<Timestamp> {
        if self.watch.as_ref().is_some_and(|watch| !watch.can_be_fulfilled(log)) {
            self.watch = None;
        }
        let watch = self.watch.get_or_insert_with(|| Watch { seen_at: now, log: log.id, ends: log.ends() });
        let seen_at = watch.is_fulfilled(log).then_some(watch.seen_at)?;
        self.watch = None;
        let micros = i64::try_from(deadline.as_micros()).unwrap_or(i64::MAX);
        Some(seen_at.plus_micros(-micros))
    }
}

impl Watch {
    fn can_be_fulfilled(&self, log: &LogState) -> bool {
        let reaches = |(partition, end): (&i32, &i64)| log.partitions.get(partition).is_some_and(|state| state.end >= *end);
        self.log == log.id && self.ends.iter().all(reaches)
    }

    fn is_fulfilled(&self, log: &LogState) -> bool {
        let passed = |(partition, end): (&i32, &i64)| log.partitions.get(partition).is_some_and(|state| state.next() >= *end);
        self.ends.iter().all(passed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::headers::RETRY_COUNT_HEADER;
    use crate::log::PartitionState;

    const DEADLINE: Duration = Duration::from_secs(900);

    fn parked(event: &events::Event<'_>, waits_for: WaitsFor) -> ParkedEvent {
        let position = Position { topic: "events".into(), partition: 0, offset: 0 };
        let record = Record {
            position,
            assignment: 1,
            timestamp_ms: None,
            timestamp_type: None,
            key: None,
            value: Some(event.to_json()),
            headers: Vec::new(),
        };
        ParkedEvent::new(&record, event.id, waits_for)
    }

    #[test]
    fn only_what_waits_for_an_address_claims_one() {
        let born = events::samples::of(events::EventType::UserCreated);
        let Body::UserCreated(user) = &born.body else { panic!("a user") };
        let claim = EmailClaim { key: user.email_key(), user_id: user.user_id, at: born.at };
        assert_eq!(parked(&born, WaitsFor::Email).email_claim(), Some(claim));
        let placed = events::samples::of(events::EventType::OrderPlaced);
        assert_eq!(parked(&placed, WaitsFor::User(user.user_id)).email_claim(), None);
    }

    #[test]
    fn parents_are_taken_some_at_a_time_and_none_is_lost_or_taken_twice() {
        let ids = |numbers: std::ops::Range<u128>| numbers.map(Uuid::from_u128).collect::<Vec<_>>();
        let mut rest = Parents::These { users: ids(0..3), orders: ids(10..14), addresses: true };
        let mut taken = Vec::new();
        while !rest.is_none() {
            taken.push(rest.take(2));
        }
        let these = |users, orders, addresses| Parents::These { users, orders, addresses };
        assert_eq!(
            taken,
            [
                these(ids(0..2), vec![], true),
                these(ids(2..3), ids(10..11), false),
                these(vec![], ids(11..13), false),
                these(vec![], ids(13..14), false)
            ]
        );
        let mut any = Parents::Any;
        assert_eq!((any.take(2), any), (Parents::Any, Parents::none()));
    }

    #[test]
    fn an_address_that_is_free_is_asked_for_like_a_parent() {
        let mut parents = Parents::none();
        assert!(parents.is_none());
        parents.add([WaitsFor::Email]);
        assert!(!parents.is_none());
        let mut others = Parents::none();
        others.join(parents);
        assert_eq!(others, Parents::These { users: Vec::new(), orders: Vec::new(), addresses: true });
    }

    #[test]
    fn children_of_all_that_are_joined_are_asked_for_and_any_is_everybody() {
        let (user, order) = (Uuid::from_u128(1), Uuid::from_u128(2));
        let mut parents = Parents::none();
        parents.add([WaitsFor::User(user)]);
        let mut others = Parents::none();
        others.add([WaitsFor::Order(order)]);
        assert!(!parents.is_none() && !others.is_none() && !Parents::Any.is_none());
        parents.join(others);
        assert_eq!(parents, Parents::These { users: vec![user], orders: vec![order], addresses: false });
        parents.join(Parents::Any);
        parents.join(Parents::none());
        assert_eq!(parents, Parents::Any);
    }

    #[test]
    fn a_parked_record_comes_back_as_it_was_consumed() {
        let position = Position { topic: "events".into(), partition: 3, offset: 42 };
        let (key, value) = (Some(vec![0xff]), Some(b"{}".to_vec()));
        let record = Record {
            position,
            assignment: 7,
            timestamp_ms: Some(5),
            timestamp_type: None,
            key,
            value,
            headers: vec![Header::text(RETRY_COUNT_HEADER, "2")],
        };
        let parked = ParkedEvent::new(&record, Uuid::from_u128(1), WaitsFor::Email);
        assert_eq!((parked.parked_key().position, parked.parked_key().record), (&record.position, &record.id()));
        assert_eq!(parked.to_record(), Record { assignment: 0, ..record });
    }

    fn at(second: i64) -> Timestamp {
        Timestamp::UNIX_EPOCH.plus_micros(second * 1_000_000)
    }

    /// A log whose partitions end and were committed there.
    fn log(id: u128, partitions: &[(i64, Option<i64>)]) -> LogState {
        let state = |(end, committed): &(i64, Option<i64>)| PartitionState { first: 0, end: *end, committed: *committed };
        LogState { id: LogId(Uuid::from_u128(id)), partitions: (0..).zip(partitions.iter().map(state)).collect() }
    }

    #[test]
    fn nothing_is_given_up_while_a_partition_has_a_backlog_whoever_owns_it() {
        let mut gate = ExpiryGate::default();
        let ends = |first, second| log(1, &[(10, Some(first)), (20, second), (0, None)]);
        assert_eq!(gate.look(at(1000), &ends(10, None), DEADLINE), None, "partition 1 was never committed");
        assert_eq!(gate.look(at(1500), &ends(10, Some(19)), DEADLINE), None);
        assert_eq!(gate.look(at(2000), &ends(10, Some(20)), DEADLINE), Some(at(100)), "by the first look");
    }

    #[test]
    fn the_first_look_counts_although_the_log_grows() {
        let mut gate = ExpiryGate::default();
        assert_eq!(gate.look(at(1000), &log(1, &[(10, Some(9))]), DEADLINE), None);
        assert_eq!(gate.look(at(2000), &log(1, &[(500, Some(10))]), DEADLINE), Some(at(100)));
        assert_eq!(gate.look(at(3000), &log(1, &[(900, Some(500))]), DEADLINE), None, "each cutoff needs a look of its own");
    }

    #[test]
    fn a_log_that_is_consumed_needs_no_second_look() {
        assert_eq!(ExpiryGate::default().look(at(1000), &log(1, &[(10, Some(10)), (0, None)]), DEADLINE), Some(at(100)));
    }

    #[test]
    fn a_watch_that_can_never_be_fulfilled_lapses() {
        let watched = log(1, &[(10, Some(10)), (20, Some(3))]);
        for other in [log(2, &[(50, Some(50)), (60, Some(60))]), log(1, &[(10, Some(10)), (5, Some(5))]), log(1, &[(10, Some(10))])] {
            let mut gate = ExpiryGate::default();
            assert_eq!(gate.look(at(1000), &watched, DEADLINE), None);
            assert_eq!(gate.look(at(5000), &other, DEADLINE), Some(at(4100)), "a watch of its own, from when it was looked at");
        }
    }
}
