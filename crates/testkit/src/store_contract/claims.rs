//! Waiting for an e-mail address, and who gets it.

use events::Event;
use pipeline::plan::Candidate;
use pipeline::{Outcome, Parents, ParkedEvent, WaitsFor};
use uuid::Uuid;

use super::{Database, children_of, park, swept, user_view};
use crate::builders::{Build, id, parked, unique, user};
use crate::delivery::{apply, try_apply, try_apply_candidates, try_release};

fn user_at(user_id: Uuid, email: &str) -> Event<'static> {
    user(user_id).with_user(|user| user.email = email.to_owned().into())
}

async fn email<S: Database>(store: &S, user_id: Uuid) -> Option<String> {
    user_view(store, user_id).await.map(|view| view.user.email)
}

/// What of these is found when an address has become free.
async fn released_by_an_address<S: Database>(store: &S, parked: &[ParkedEvent]) -> Vec<ParkedEvent> {
    let addresses = Parents::These { users: Vec::new(), orders: Vec::new(), addresses: true };
    let mut found: Vec<ParkedEvent> = Vec::new();
    loop {
        let page = store.releasable(&addresses, found.last(), 100).await.expect("the store finds parked events");
        if page.is_empty() {
            found.retain(|event| parked.iter().any(|own| own.position == event.position));
            return found;
        }
        found.extend(page);
    }
}

fn ids(events: &[ParkedEvent]) -> Vec<Uuid> {
    let mut ids: Vec<_> = events.iter().map(|event| event.event_id).collect();
    ids.sort_unstable();
    ids
}

pub async fn a_claim_is_released_by_the_address_that_becomes_free<S: Database>(store: &S) {
    let (holder, claimant, address) = (id(), id(), unique("mail"));
    apply(store, &[user_at(holder, &address)]).await;
    let claim = user_at(claimant, &address);
    let waiting = [parked(&claim)];
    assert_eq!(waiting[0].waits_for, WaitsFor::Email);
    assert!(!park(store, &waiting).await, "the address is taken");
    assert_eq!((swept(store, &waiting).await, released_by_an_address(store, &waiting).await), (vec![], vec![]), "it is not even tried");
    let applied = try_apply(store, &[user_at(holder, &address).later(1), user(id())]).await.unwrap();
    assert!(!applied.addresses_free, "the holder keeps it");
    let applied = try_apply(store, &[user_at(holder, &unique("mail")).later(1), user_at(id(), &address).later(-1)]).await.unwrap();
    assert_eq!((applied.outcomes.len(), applied.addresses_free), (2, false), "the next has it already");
    let second = user_at(holder, &unique("mail"));
    assert!(!try_apply(store, &[second]).await.unwrap().addresses_free, "what changes no row gives nothing up");
    assert_eq!(released_by_an_address(store, &waiting).await, []);
    assert_eq!(children_of(store, &claim).await, [], "an address is no parent");
}

pub async fn whoever_gives_an_awaited_address_up_says_so<S: Database>(store: &S) {
    let (holder, claimant, address) = (id(), id(), unique("mail"));
    apply(store, &[user_at(holder, &address)]).await;
    let claim = user_at(claimant, &address);
    let waiting = [parked(&claim)];
    park(store, &waiting).await;
    let moved = user_at(holder, &unique("mail")).later(1);
    let applied = try_apply(store, std::slice::from_ref(&moved)).await.unwrap();
    assert_eq!((applied.outcomes, applied.children_wait, applied.addresses_free), (vec![Outcome::Applied], false, true));
    assert!(!try_apply(store, &[moved]).await.unwrap().addresses_free, "a duplicate gives nothing up");
    let found = released_by_an_address(store, &waiting).await;
    assert_eq!(found, [ParkedEvent { parked_at: found[0].parked_at, ..waiting[0].clone() }]);
    assert_eq!(swept(store, &waiting).await, found);
    assert_eq!(try_release(store, &claim, waiting[0].parked_key()).await.unwrap().outcomes, [Outcome::Applied]);
    assert_eq!(email(store, claimant).await, Some(address));
    assert!(!try_apply(store, &[user(claimant).later(1)]).await.unwrap().addresses_free, "nobody waits for it any more");
}

pub async fn of_those_who_wait_for_an_address_the_earliest_gets_it<S: Database>(store: &S) {
    let (holder, address) = (id(), unique("mail"));
    apply(store, &[user_at(holder, &address)]).await;
    let claims: Vec<_> = [3, 1, 2].into_iter().map(|second| user_at(id(), &address).later(second)).collect();
    let waiting: Vec<_> = claims.iter().map(parked).collect();
    for event in &waiting {
        park(store, std::slice::from_ref(event)).await;
    }
    apply(store, &[user(holder).later(9)]).await;
    for next in [1, 2, 0] {
        let found = swept(store, &waiting).await;
        assert_eq!(ids(&found), [claims[next].id], "one of them, whenever it was parked");
        assert_eq!(ids(&released_by_an_address(store, &waiting).await), [claims[next].id]);
        assert_eq!(try_release(store, &claims[next], waiting[next].parked_key()).await.unwrap().outcomes, [Outcome::Applied]);
        assert_eq!(swept(store, &waiting).await, [], "the others wait on");
        let events::Body::UserCreated(winner) = &claims[next].body else { unreachable!() };
        let applied = try_apply(store, &[user(winner.user_id).later(9)]).await.unwrap();
        assert_eq!(applied.addresses_free, next != 0, "until nobody waits any more");
    }
}

pub async fn parking_tells_whether_the_address_has_become_free_meanwhile<S: Database>(store: &S) {
    let (holder, address) = (id(), unique("mail"));
    apply(store, &[user_at(holder, &address)]).await;
    assert!(!park(store, &[parked(&user_at(id(), &address.to_uppercase()))]).await, "it is taken in any case of letters");
    let late = parked(&user_at(id(), &address));
    apply(store, &[user(holder).later(1)]).await;
    assert!(park(store, std::slice::from_ref(&late)).await);
    assert!(park(store, &[late]).await, "also where it was parked before");
}

pub async fn a_claim_that_is_out_of_date_leaves_and_holds_nobody_up<S: Database>(store: &S) {
    let (holder, mover, address) = (id(), id(), unique("mail"));
    apply(store, &[user_at(holder, &address)]).await;
    let (old, later) = (user_at(mover, &address), user_at(id(), &address).later(2));
    let waiting = [&old, &later].map(parked);
    park(store, &waiting).await;
    apply(store, &[user(mover).later(1)]).await;
    assert_eq!(ids(&swept(store, &waiting).await), [old.id], "although the address is taken");
    apply(store, &[user(holder).later(1)]).await;
    let both = ids(&[waiting[0].clone(), waiting[1].clone()]);
    assert_eq!((ids(&swept(store, &waiting).await), ids(&released_by_an_address(store, &waiting).await)), (both.clone(), both));
    assert_eq!(try_release(store, &old, waiting[0].parked_key()).await.unwrap().outcomes, [Outcome::Stale]);
    assert_eq!(try_release(store, &later, waiting[1].parked_key()).await.unwrap().outcomes, [Outcome::Applied]);
}

pub async fn a_newer_claim_of_the_holder_itself_does_not_wait_for_others<S: Database>(store: &S) {
    let (holder, address) = (id(), unique("mail"));
    let versions = [user_at(holder, &address).later(3), user_at(id(), &address).later(2)];
    let waiting = versions.each_ref().map(parked);
    apply(store, &[user_at(holder, &address)]).await;
    park(store, &waiting).await;
    assert_eq!(ids(&swept(store, &waiting).await), [versions[0].id]);
}

pub async fn two_who_wait_for_each_others_address_change_places<S: Database>(store: &S) {
    let ([one, two], [first, second]) = ([id(), id()], [unique("mail"), unique("mail")]);
    apply(store, &[user_at(one, &first), user_at(two, &second)]).await;
    let claims = [user_at(one, &second).later(1), user_at(two, &first).later(1)];
    let waiting = claims.each_ref().map(parked);
    assert!(!park(store, &waiting[..1]).await, "the other does not move");
    assert_eq!(swept(store, &waiting).await, []);
    assert!(park(store, &waiting[1..]).await, "now each waits for the other");
    assert_eq!(ids(&swept(store, &waiting).await), ids(&waiting));

    let candidates: Vec<_> =
        claims.iter().zip(&waiting).map(|(claim, parked)| Candidate { event: claim.clone(), parked: Some(parked.parked_key()) }).collect();
    assert_eq!(try_apply_candidates(store, &candidates).await.unwrap().outcomes, [Outcome::Applied, Outcome::Applied]);
    assert_eq!((email(store, one).await, email(store, two).await), (Some(second), Some(first)));
    assert_eq!(swept(store, &waiting).await, []);
}
