//! Users who claim each other's e-mail addresses, in any order.
//!
//! Which of two users holds an address may depend on the order of arrival: what was applied stays applied. What must hold in any order is
//! checked here.

use std::collections::{BTreeMap, BTreeSet};

use events::{Body, Event, Timestamp, UserCreated};
use pipeline::ParkedEvent;
use readmodel::RecentUser;
use uuid::Uuid;

use super::{Database, order_view, user_view};
use crate::builders::{Build, order, unique, user};
use crate::delivery::Delivery;
use crate::seed::Seed;
use crate::views::recent_user;

/// Histories of a case.
const HISTORIES: usize = 12;

/// Claims of some users for few addresses, and an order of each user.
struct Claims {
    events: Vec<Event<'static>>,
    users: Vec<Uuid>,
    orders: Vec<(Uuid, Uuid)>,
}

fn claimed<'e>(event: &'e Event<'_>) -> Option<&'e UserCreated<'e>> {
    if let Body::UserCreated(user) = &event.body { Some(user) } else { None }
}

impl Claims {
    /// Times are few, so that ties are many; some claims are for an address that nobody else wants.
    fn random(seed: &mut Seed) -> Self {
        let addresses: Vec<_> = (0..seed.number(2..=4)).map(|_| unique("mail")).collect();
        let users: Vec<_> = (0..seed.number(2..=6)).map(|_| seed.id()).collect();
        let orders: Vec<_> = users.iter().map(|user_id| (seed.id(), *user_id)).collect();
        let mut events: Vec<_> = orders.iter().map(|(order_id, user_id)| order(*order_id, *user_id)).collect();
        for &user_id in &users {
            for version in 0..seed.number(1..=4) {
                let email = if seed.chance(0.25) { unique("own") } else { seed.pick(&addresses).clone() };
                let claim = user(user_id).with_user(|user| {
                    (user.email, user.first_name) = (email.into(), format!("version {version}").into());
                });
                events.push(claim.later(seed.number(0..=4).into()).with_id(seed.id()));
            }
        }
        Self { events, users, orders }
    }

    /// Users none of whose addresses anybody else claims.
    fn undisputed(&self) -> BTreeSet<Uuid> {
        let mut claimants: BTreeMap<String, BTreeSet<Uuid>> = BTreeMap::new();
        for user in self.events.iter().filter_map(claimed) {
            claimants.entry(user.email_key()).or_default().insert(user.user_id);
        }
        let disputed: BTreeSet<Uuid> = claimants.into_values().filter(|users| users.len() > 1).flatten().collect();
        self.users.iter().copied().filter(|user_id| !disputed.contains(user_id)).collect()
    }

    /// The events of this user, the newest last.
    fn versions(&self, user_id: Uuid) -> Vec<&Event<'static>> {
        let mut versions: Vec<_> = self.events.iter().filter(|event| claimed(event).is_some_and(|user| user.user_id == user_id)).collect();
        versions.sort_unstable_by_key(|event| (event.at, event.id));
        versions
    }
}

/// What the store holds of the claims.
struct Held<'c> {
    /// The event that each user's row shows.
    shown: BTreeMap<Uuid, &'c Event<'static>>,
    /// Claims that are parked.
    waiting: Vec<&'c Event<'static>>,
}

impl<'c> Held<'c> {
    /// # Panics
    /// A row shows no event as a whole, or an order is there without its user.
    async fn read<S: Database>(store: &S, claims: &'c Claims) -> Self {
        let mut held = Self { shown: BTreeMap::new(), waiting: Vec::new() };
        for &user_id in &claims.users {
            let Some(view) = user_view(store, user_id).await else { continue };
            let row = RecentUser { updated_at: Timestamp::UNIX_EPOCH, ..view.user };
            let event = claims.versions(user_id).into_iter().find(|event| recent_user(event, Timestamp::UNIX_EPOCH) == row);
            held.shown.insert(user_id, event.expect("a row shows one event as a whole"));
        }
        for event in claims.events.iter().filter(|event| claimed(event).is_some()) {
            if !store.trace(event.id, None).await.expect("the store traces").parked.is_empty() {
                held.waiting.push(event);
            }
        }
        for (order_id, user_id) in &claims.orders {
            let is_there = order_view(store, *order_id).await.is_some();
            assert_eq!(is_there, held.shown.contains_key(user_id), "an order follows its user");
        }
        held
    }

    fn holders(&self) -> BTreeMap<String, Uuid> {
        let holders: BTreeMap<_, _> =
            self.shown.values().filter_map(|event| claimed(event)).map(|user| (user.email_key(), user.user_id)).collect();
        assert_eq!(holders.len(), self.shown.len(), "an address has one holder");
        holders
    }

    /// What holds in any order of arrival, once nothing moves any more.
    fn check(&self, claims: &Claims) {
        let holders = self.holders();
        for event in &self.waiting {
            let user = claimed(event).expect("a user");
            assert!(
                holders.get(&user.email_key()).is_some_and(|holder| *holder != user.user_id),
                "an address that is waited for is another's"
            );
            let shown = self.shown.get(&user.user_id);
            assert!(shown.is_none_or(|shown| (shown.at, shown.id) < (event.at, event.id)), "what is out of date does not wait");
        }
        let undisputed = claims.undisputed();
        for &user_id in &claims.users {
            let versions = claims.versions(user_id);
            let newest = versions.last().expect("each user has one");
            let is_shown = self.shown.get(&user_id).is_some_and(|shown| shown.id == newest.id);
            let waits = self.waiting.iter().any(|event| event.id == newest.id);
            assert!(is_shown != waits, "the newest claim is applied or waits: {is_shown}, {waits}");
            assert!(is_shown || !undisputed.contains(&user_id), "who shares no address is exactly its newest event");
        }
    }
}

async fn deliver<S: Database>(delivery: &mut Delivery<'_, S>, seed: &mut Seed, claims: &Claims) {
    let events = seed.shuffled_with_duplicates(&claims.events);
    for part in seed.parts(&events) {
        let size = usize::try_from(seed.number(1..=6)).unwrap_or(1);
        for some in part.chunks(size) {
            delivery.deliver(some).await;
            if seed.chance(0.3) {
                delivery.sweep().await;
            }
        }
    }
    delivery.sweep().await;
}

pub async fn in_any_order_each_claim_is_applied_or_waits_and_no_awaited_address_is_free<S: Database>(store: &S) {
    let mut seed = Seed::of_test("addresses");
    let mut waited = 0;
    for _ in 0..HISTORIES {
        let claims = Claims::random(&mut seed);
        let mut delivery = Delivery::new(store);
        deliver(&mut delivery, &mut seed, &claims).await;
        let held = Held::read(store, &claims).await;
        held.check(&claims);
        waited += held.waiting.len();
        // A replay of everything, in another order, takes nothing from anybody.
        deliver(&mut delivery, &mut seed, &claims).await;
        let after = Held::read(store, &claims).await;
        after.check(&claims);
        for (user_id, shown) in held.shown {
            assert!((after.shown[&user_id].at, after.shown[&user_id].id) >= (shown.at, shown.id), "no row goes back");
        }
    }
    assert!(waited > 0, "some had to wait");
}

pub async fn an_address_that_is_given_up_goes_to_the_earliest_who_waits<S: Database>(store: &S) {
    let mut seed = Seed::of_test("given_up");
    let mut contested = 0;
    for _ in 0..HISTORIES {
        let mut claims = Claims::random(&mut seed);
        let mut delivery = Delivery::new(store);
        deliver(&mut delivery, &mut seed, &claims).await;
        let held = Held::read(store, &claims).await;
        let Some((key, holder)) = held.holders().into_iter().find(|(key, holder)| {
            let waits = |event: &&Event<'_>| claimed(event).is_some_and(|user| user.email_key() == *key);
            held.waiting.iter().copied().filter(waits).count() > 0
                && !held.waiting.iter().any(|event| claimed(event).is_some_and(|user| user.user_id == *holder))
        }) else {
            continue;
        };
        let claimants: Vec<_> = held.waiting.iter().filter(|event| claimed(event).is_some_and(|user| user.email_key() == key)).collect();
        let earliest = claimants.iter().map(|event| (event.at, event.id)).min().expect("somebody waits").1;
        let free = user(holder).later(100);
        crate::delivery::apply(store, std::slice::from_ref(&free)).await;
        let found: BTreeSet<Uuid> =
            delivery.sweepable().await.iter().filter(|event| claims_key(event, &key)).map(|event| event.event_id).collect();
        assert_eq!(found, BTreeSet::from([earliest]));
        contested += 1;
        claims.events.push(free);
        delivery.sweep().await;
        Held::read(store, &claims).await.check(&claims);
    }
    assert!(contested > 0, "some waited for the same address");
}

fn claims_key(event: &ParkedEvent, key: &str) -> bool {
    event.email_claim().is_some_and(|claim| claim.key == key)
}
