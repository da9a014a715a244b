//! Whose an e-mail address is.

use events::Event;
use pipeline::{FaultClass, Outcome};
use uuid::Uuid;

use super::{Database, first_name, park, quantity, swept, user_view};
use crate::builders::{Build, adjustment, id, parked, unique, user};
use crate::delivery::{apply, try_apply, try_release};

fn user_at(user_id: Uuid, email: &str) -> Event<'static> {
    user(user_id).with_user(|user| user.email = email.to_owned().into())
}

async fn email<S: Database>(store: &S, user_id: Uuid) -> Option<String> {
    user_view(store, user_id).await.map(|view| view.user.email)
}

pub async fn a_taken_address_undoes_the_batch_and_is_free_once_it_is_given_up<S: Database>(store: &S) {
    let (holder, claimant, address, sku) = (id(), id(), unique("mail"), unique("sku"));
    apply(store, &[user_at(holder, &address)]).await;
    let claim = user_at(claimant, &address);
    let fault = try_apply(store, &[claim.clone(), adjustment(&sku, 1)]).await.unwrap_err();
    assert_eq!(fault.class, FaultClass::EmailTaken, "{fault}");
    assert_eq!((user_view(store, claimant).await, quantity(store, &sku).await), (None, 0));

    let waiting = [parked(&claim)];
    park(store, &waiting).await;
    let fault = try_release(store, &claim, &waiting[0].position).await.unwrap_err();
    assert_eq!(fault.class, FaultClass::EmailTaken, "{fault}");
    assert_eq!(swept(store, &waiting).await.len(), 1, "it still waits");

    apply(store, &[user_at(holder, &unique("mail")).later(1)]).await;
    assert_eq!(try_release(store, &claim, &waiting[0].position).await.unwrap().outcomes, [Outcome::Applied]);
    assert_eq!(email(store, claimant).await, Some(address));
    assert_eq!(swept(store, &waiting).await, []);
}

pub async fn an_address_is_taken_in_any_case_of_letters<S: Database>(store: &S) {
    let (holder, name) = (id(), unique("zoë"));
    apply(store, &[user_at(holder, &format!("{name}@example.com"))]).await;
    let shouted = user_at(id(), &format!("{}@EXAMPLE.com", name.to_uppercase()));
    assert_eq!(try_apply(store, &[shouted]).await.unwrap_err().class, FaultClass::EmailTaken);
    let accentless = user_at(id(), &format!("{}@example.com", name.replace('ë', "e")));
    assert_eq!(apply(store, &[accentless]).await, [Outcome::Applied], "an accent makes another address");
    let own = user_at(holder, &format!("{}@example.com", name.to_uppercase())).later(1);
    assert_eq!(apply(store, &[own]).await, [Outcome::Applied], "one's own address is not taken");
}

pub async fn an_address_changes_hands_inside_one_batch<S: Database>(store: &S) {
    for holder_is_first in [true, false] {
        let [first, second] = ordered_ids();
        let (holder, claimant) = if holder_is_first { (first, second) } else { (second, first) };
        let address = unique("mail");
        apply(store, &[user_at(holder, &address)]).await;
        let batch = [user_at(holder, &unique("mail")).later(1), user_at(claimant, &address)];
        assert_eq!(apply(store, &batch).await, [Outcome::Applied, Outcome::Applied], "whichever is written first");
        assert_eq!(email(store, claimant).await, Some(address));
    }
}

/// Two users, the one that is written first before the other.
fn ordered_ids() -> [Uuid; 2] {
    let mut ids = [id(), id()];
    ids.sort_unstable();
    ids
}

pub async fn two_users_swap_their_addresses_inside_one_batch<S: Database>(store: &S) {
    let ([one, two], first, second) = (ordered_ids(), unique("mail"), unique("mail"));
    apply(store, &[user_at(one, &first), user_at(two, &second)]).await;
    let swap = [user_at(one, &second).later(1), user_at(two, &first).later(1)];
    assert_eq!(apply(store, &swap).await, [Outcome::Applied, Outcome::Applied]);
    assert_eq!((email(store, one).await, email(store, two).await), (Some(second), Some(first)));
}

pub async fn a_stale_user_is_stale_although_the_address_is_taken<S: Database>(store: &S) {
    let (holder, late, address) = (id(), id(), unique("mail"));
    let newest = user(late).later(1).with_user(|user| user.first_name = "Grace".into());
    apply(store, &[user_at(holder, &address), newest]).await;
    assert_eq!(apply(store, &[user_at(late, &address)]).await, [Outcome::Stale]);
    assert_eq!(first_name(store, late).await.as_deref(), Some("Grace"));
}
