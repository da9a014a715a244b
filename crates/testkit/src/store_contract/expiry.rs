//! Giving up. These cases see the parking table as a whole, so each puts away what it parked.

use std::time::Duration;

use events::{Body, Event, Timestamp};
use pipeline::{FaultClass, ParkedEvent, WaitsFor};

use super::{Database, park, places, swept};
use crate::builders::{Build, id, order, parked, parked_at, payment, position, user};
use crate::delivery::{apply, try_release};
use crate::wait::eventually;

/// More than any test parks.
const ALL: usize = 100_000;

/// Claims, and returns what of it is ours.
async fn claimed<S: Database>(store: &S, cutoff: Timestamp, own: &[ParkedEvent]) -> Vec<ParkedEvent> {
    let claimed = store.claim_expired(cutoff, ALL).await.expect("the store claims parked events");
    claimed.into_iter().filter(|event| own.iter().any(|own| own.parked_key() == event.parked_key())).collect()
}

/// An instant after everything parked so far and before everything parked from now on.
async fn a_moment_between<S: Database>(store: &S) -> Timestamp {
    let cutoff = store.now().await.unwrap().plus_micros(1);
    eventually(Duration::from_secs(10), "the store's clock moves on", async || store.now().await.unwrap() > cutoff.plus_micros(1)).await;
    cutoff
}

async fn put_away<S: Database>(store: &S, events: &[ParkedEvent]) {
    let keys: Vec<_> = events.iter().map(ParkedEvent::parked_key).collect();
    store.discard(&keys).await.unwrap();
}

/// Another user that claims the address of this one.
fn at_the_address_of(holder: &Event<'_>) -> Event<'static> {
    let Body::UserCreated(holder) = &holder.body else { panic!("not a user") };
    user(id()).with_user(|user| user.email = holder.email.to_string().into())
}

pub async fn what_is_waited_for_is_counted_and_told_with_its_first_children<S: Database>(store: &S) {
    let (large, small) = (id(), id());
    let of = |parent, count: usize| (0..count).map(|_| parked(&order(id(), parent))).collect::<Vec<_>>();
    let others = store.awaited(0, 0).await.expect("the store tells what is waited for");
    assert_eq!(others.largest, []);
    let first = of(large, 1);
    park(store, &first).await;
    a_moment_between(store).await;
    let rest = [of(large, 6), of(small, 2), vec![parked(&payment(id(), id()))]].concat();
    park(store, &rest).await;
    let found = store.awaited(100, 3).await.expect("the store tells what is waited for");
    let parent = |wanted| found.largest.iter().find(|parent| parent.waits_for == wanted).expect("it is waited for");
    let told = parent(WaitsFor::User(large));
    assert_eq!((told.children, told.first.len(), told.oldest), (7, 3, told.first[0].parked_at));
    assert_eq!((told.first[0].event_id, &told.first[0].position), (first[0].event_id, &first[0].position), "the one that waits longest");
    assert!(told.first[1..].iter().all(|child| child.parked_at > told.oldest && rest.iter().any(|event| event.event_id == child.event_id)));
    let told = parent(WaitsFor::User(small));
    assert_eq!((told.children, told.first.len()), (2, 2));
    let WaitsFor::Order(_) = rest[8].waits_for else { panic!("a payment waits for its order") };
    assert_eq!(parent(rest[8].waits_for).first[0].event_id, rest[8].event_id);
    assert!(found.largest.is_sorted_by_key(|parent| std::cmp::Reverse(parent.children)));
    assert_eq!((found.parents, found.events), (found.largest.len() as u64, found.largest.iter().map(|parent| parent.children).sum()));
    let one = store.awaited(1, 1).await.expect("the store tells what is waited for");
    assert_eq!((one.parents, one.events, one.largest.len(), one.largest[0].first.len()), (found.parents, found.events, 1, 1));
    put_away(store, &[first, rest].concat()).await;
}

pub async fn a_parent_that_is_there_is_told_as_written<S: Database>(store: &S) {
    let (present, placed, absent) = (id(), id(), id());
    let born = user(present);
    apply(store, &[born.clone(), order(placed, present)]).await;
    let waiting = [order(id(), present), payment(id(), placed), order(id(), absent), payment(id(), present), at_the_address_of(&born)];
    let waiting = waiting.map(|event| parked(&event));
    park(store, &waiting).await;
    let found = store.awaited(100, 1).await.expect("the store tells what is waited for");
    let written = |wanted| found.largest.iter().find(|parent| parent.waits_for == wanted).expect("it is waited for").written;
    assert!(written(WaitsFor::User(present)) && written(WaitsFor::Order(placed)));
    assert!(!written(WaitsFor::User(absent)) && !written(WaitsFor::Email));
    assert!(!written(WaitsFor::Order(present)), "a user of this id is no order");
    put_away(store, &waiting).await;
}

pub async fn only_old_events_without_a_parent_are_given_up<S: Database>(store: &S) {
    let (present, placed) = (id(), id());
    let born = user(present);
    apply(store, &[born.clone(), order(placed, present)]).await;
    let lost = [order(id(), id()), payment(id(), id()), at_the_address_of(&born)].map(|event| parked(&event));
    let found = [order(id(), present), payment(id(), placed), user(id())].map(|event| parked(&event));
    park(store, &lost).await;
    park(store, &found).await;
    let cutoff = a_moment_between(store).await;
    let young = [parked(&order(id(), id()))];
    park(store, &young).await;

    let all = [&lost[..], &found, &young].concat();
    assert_eq!(claimed(store, Timestamp::UNIX_EPOCH, &all).await, []);
    let expired = claimed(store, cutoff, &all).await;
    assert_eq!(expired.len(), lost.len());
    for event in &expired {
        let expected = lost.iter().find(|own| own.parked_key() == event.parked_key()).expect("the parent is missing, and it is old");
        assert_eq!(*event, ParkedEvent { parked_at: event.parked_at, ..expected.clone() });
    }
    assert_eq!(swept(store, &all).await.len(), found.len(), "their parents are there, and an address is free");
    put_away(store, &all).await;
}

pub async fn what_is_given_up_is_not_released<S: Database>(store: &S) {
    let user_id = id();
    let placed = order(id(), user_id);
    let holder = user(id());
    apply(store, std::slice::from_ref(&holder)).await;
    let waiting = [parked(&placed), parked(&at_the_address_of(&holder))];
    park(store, &waiting).await;
    let cutoff = a_moment_between(store).await;
    assert_eq!(claimed(store, cutoff, &waiting).await.len(), 2);
    let stranger = [parked(&order(id(), id()))];
    park(store, &stranger).await;
    let born = user(user_id);
    let applied = crate::delivery::try_apply(store, std::slice::from_ref(&born)).await.unwrap();
    assert!(!applied.children_wait, "it does not wait any more, only a stranger does");
    assert_eq!((swept(store, &waiting).await, super::children_of(store, &born).await), (vec![], vec![]));
    assert!(store.trace(placed.id, None).await.unwrap().parked[0].expired);
    let fault = try_release(store, &placed, waiting[0].parked_key()).await.unwrap_err();
    assert_eq!(fault.class, FaultClass::ReleaseLost, "no event is both applied and dead");
    put_away(store, &[&waiting[..], &stranger].concat()).await;
    assert_eq!(claimed(store, cutoff, &waiting).await, []);
}

pub async fn what_was_given_up_and_not_discarded_is_returned_again<S: Database>(store: &S) {
    let user_id = id();
    let waiting = [parked(&order(id(), user_id)), parked(&order(id(), id()))];
    park(store, &waiting).await;
    let cutoff = a_moment_between(store).await;
    let first = claimed(store, cutoff, &waiting).await;
    assert_eq!(first.len(), 2);
    // A crash may have come before the dead letter; then it is claimed still, although its parent is persisted and nothing is due.
    apply(store, &[user(user_id)]).await;
    assert_eq!(claimed(store, Timestamp::UNIX_EPOCH, &waiting).await, first);
    put_away(store, &waiting[..1]).await;
    assert_eq!(places(&claimed(store, cutoff, &waiting).await), [&waiting[1].position]);
    put_away(store, &waiting).await;
}

pub async fn records_of_one_place_are_all_given_up<S: Database>(store: &S) {
    let place = position();
    let waiting = [(); 2].map(|()| parked_at(&order(id(), id()), place.clone()));
    park(store, &waiting).await;
    let cutoff = a_moment_between(store).await;
    let expired = claimed(store, cutoff, &waiting).await;
    assert_eq!(expired.len(), 2);
    put_away(store, &expired[..1]).await;
    assert_eq!(claimed(store, cutoff, &waiting).await, expired[1..]);
    put_away(store, &waiting).await;
}

pub async fn a_claim_takes_no_more_than_its_limit<S: Database>(store: &S) {
    let waiting: Vec<_> = (0..5).map(|_| parked(&order(id(), id()))).collect();
    park(store, &waiting).await;
    let cutoff = a_moment_between(store).await;
    assert_eq!(store.claim_expired(cutoff, 2).await.unwrap().len(), 2);
    let mut claimed_already = 0;
    for event in &waiting {
        claimed_already += usize::from(store.trace(event.event_id, None).await.unwrap().parked[0].expired);
    }
    assert!(claimed_already <= 2, "what is not returned can still be released");
    assert_eq!(claimed(store, cutoff, &waiting).await.len(), 5);
    put_away(store, &waiting).await;
}

/// Not one of the macro's cases: a row of a newer program is put there by a statement, which `make_unknown` runs. It lets this event wait for
/// something of number 200, and says whether it is claimed.
pub async fn what_waits_for_something_unknown_is_left_alone<S: Database>(store: &S, make_unknown: impl AsyncFn(&ParkedEvent, bool)) {
    let user_id = id();
    let (placed, lost) = (order(id(), user_id), parked(&order(id(), id())));
    let known = [parked(&placed), lost];
    let unknown = [parked(&order(id(), id())), parked(&order(id(), user_id))];
    park(store, &[&unknown[..], &known].concat()).await;
    make_unknown(&unknown[0], false).await;
    make_unknown(&unknown[1], true).await;
    let (count, _) = store.parked().await.unwrap();
    apply(store, &[user(user_id)]).await;
    let cutoff = a_moment_between(store).await;

    let all = [&unknown[..], &known].concat();
    assert_eq!(places(&swept(store, &all).await), [&known[0].position], "it is not released");
    try_release(store, &placed, known[0].parked_key()).await.unwrap();
    assert_eq!(places(&claimed(store, cutoff, &all).await), [&known[1].position], "nor given up");
    put_away(store, &known).await;
    assert_eq!(claimed(store, cutoff, &all).await, []);
    assert!(count >= 3 && store.parked().await.unwrap().0 >= 1, "it is counted");
    put_away(store, &unknown).await;
}

pub async fn the_parked_are_counted_since_the_oldest<S: Database>(store: &S) {
    let (before, _) = store.parked().await.unwrap();
    let waiting = [parked(&order(id(), id())), parked(&user(id()))];
    assert_eq!(waiting.each_ref().map(|event| event.waits_for.type_number()), [1, WaitsFor::Email.type_number()]);
    park(store, &waiting[..1]).await;
    let cutoff = a_moment_between(store).await;
    park(store, &waiting[1..]).await;
    let (count, oldest) = store.parked().await.unwrap();
    assert_eq!(count, before + 2);
    assert!(oldest.unwrap() < cutoff);
    put_away(store, &waiting).await;
    assert_eq!(store.parked().await.unwrap().0, before);
    assert!(before > 0 || store.parked().await.unwrap().1.is_none(), "nothing is parked, since never");
}
