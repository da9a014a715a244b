//! Whose an e-mail address is.

use events::Event;
use pipeline::{Outcome, WaitsFor};
use uuid::Uuid;

use super::{Database, first_name, park, quantity, swept, user_view};
use crate::builders::{Build, adjustment, id, order, parked, unique, user};
use crate::delivery::{apply, try_release};

fn user_at(user_id: Uuid, email: &str) -> Event<'static> {
    user(user_id).with_user(|user| user.email = email.to_owned().into())
}

async fn email<S: Database>(store: &S, user_id: Uuid) -> Option<String> {
    user_view(store, user_id).await.map(|view| view.user.email)
}

const WAITS: Outcome = Outcome::Parked(WaitsFor::Email);

pub async fn a_taken_address_parks_its_claim_alone_and_is_free_once_it_is_given_up<S: Database>(store: &S) {
    let (holder, claimant, address, sku) = (id(), id(), unique("mail"), unique("sku"));
    apply(store, &[user_at(holder, &address)]).await;
    let claim = user_at(claimant, &address);
    let placed = order(id(), claimant);
    let outcomes = apply(store, &[claim.clone(), placed.clone(), adjustment(&sku, 1)]).await;
    assert_eq!(outcomes, [WAITS, Outcome::Parked(WaitsFor::User(claimant)), Outcome::Applied]);
    assert_eq!((user_view(store, claimant).await, quantity(store, &sku).await), (None, 1));
    assert_eq!(email(store, holder).await.as_ref(), Some(&address));

    let waiting = [parked(&claim)];
    park(store, &[waiting[0].clone(), parked(&placed)]).await;
    let applied = try_release(store, &claim, waiting[0].parked_key()).await.unwrap();
    assert_eq!((applied.outcomes, applied.children_wait), (vec![WAITS], false), "a user that is not there has no children to release");

    apply(store, &[user_at(holder, &unique("mail")).later(1)]).await;
    assert_eq!(swept(store, &waiting).await.len(), 1, "it still waited");
    let applied = try_release(store, &claim, waiting[0].parked_key()).await.unwrap();
    assert_eq!((applied.outcomes, applied.children_wait), (vec![Outcome::Applied], true));
    assert_eq!(email(store, claimant).await, Some(address));
    assert_eq!(swept(store, &waiting).await, []);
}

pub async fn a_user_that_cannot_have_its_new_address_keeps_its_row_as_it_was<S: Database>(store: &S) {
    let (holder, claimant, address) = (id(), id(), unique("mail"));
    let shown = user(claimant);
    apply(store, &[user_at(holder, &address), shown.clone()]).await;
    let before = user_view(store, claimant).await;
    let claim = user_at(claimant, &address).later(1).with_user(|user| user.first_name = "Grace".into());
    assert_eq!(apply(store, &[claim.clone(), user(id())]).await, [WAITS, Outcome::Applied]);
    assert_eq!(user_view(store, claimant).await, before, "also updatedAt");
    assert_eq!(apply(store, &[shown]).await, [Outcome::Duplicate]);
    apply(store, &[user(holder).later(1)]).await;
    assert_eq!(apply(store, &[claim]).await, [Outcome::Applied]);
    assert_eq!((email(store, claimant).await, first_name(store, claimant).await.as_deref()), (Some(address), Some("Grace")));
}

pub async fn of_several_claims_in_one_batch_the_earliest_gets_the_address<S: Database>(store: &S) {
    // Whoever is written first: users are written in the order of their identities.
    for times in [[5, 3, 4], [3, 5, 4], [4, 5, 3]] {
        let (address, mut users) = (unique("mail"), [id(), id(), id()]);
        users.sort_unstable();
        let claims: Vec<_> = users.iter().zip(times).map(|(user_id, time)| user_at(*user_id, &address).later(time)).collect();
        let won = |time| if time == 3 { Outcome::Applied } else { WAITS };
        assert_eq!(apply(store, &claims).await, times.map(won), "{times:?}");
    }
    // Of equal times, the event id in the order of its text.
    for [first, second] in [["1", "f"], ["f", "1"]] {
        let (address, [one, two]) = (unique("mail"), ordered_ids());
        let numbered = |user_id, digit: &str| user_at(user_id, &address).with_id(with_first_digit(digit));
        let outcomes = apply(store, &[numbered(one, first), numbered(two, second)]).await;
        let expected = if first < second { [Outcome::Applied, WAITS] } else { [WAITS, Outcome::Applied] };
        assert_eq!(outcomes, expected, "{first} and {second}");
    }
}

/// A random identity that begins with this digit.
fn with_first_digit(digit: &str) -> Uuid {
    let mut text = id().to_string();
    text.replace_range(..1, digit);
    text.parse().expect("an identity")
}

pub async fn whoever_holds_an_address_keeps_it_against_an_earlier_claim<S: Database>(store: &S) {
    for holder_is_first in [true, false] {
        let ([one, two], address) = (ordered_ids(), unique("mail"));
        let (holder, claimant) = if holder_is_first { (one, two) } else { (two, one) };
        apply(store, &[user_at(holder, &address).later(5)]).await;
        let renamed = user_at(holder, &address.to_uppercase()).later(9);
        assert_eq!(apply(store, &[user_at(claimant, &address), renamed]).await, [WAITS, Outcome::Applied]);
        assert_eq!(email(store, holder).await, Some(address.to_uppercase()));
    }
}

/// Users in the order in which they are written, each with an address of its own, or backwards.
async fn in_a_row<S: Database, const N: usize>(store: &S, backwards: bool) -> ([Uuid; N], [String; N]) {
    let mut users = [(); N].map(|()| id());
    users.sort_unstable();
    if backwards {
        users.reverse();
    }
    let addresses = [(); N].map(|()| unique("mail"));
    let born: Vec<_> = users.iter().zip(&addresses).map(|(user_id, address)| user_at(*user_id, address)).collect();
    apply(store, &born).await;
    (users, addresses)
}

pub async fn a_chain_moves_only_when_its_last_link_does<S: Database>(store: &S) {
    for backwards in [false, true] {
        let ([c, d, e, f], [at_c, at_d, at_e, at_f]) = in_a_row(store, backwards).await;
        let chain = [user_at(c, &at_d).later(1), user_at(d, &at_e).later(1), user_at(e, &at_f).later(1)];
        assert_eq!(apply(store, &chain).await, [WAITS, WAITS, WAITS], "the last address stays taken");
        for (user_id, address) in [(c, &at_c), (d, &at_d), (e, &at_e), (f, &at_f)] {
            assert_eq!(email(store, user_id).await.as_ref(), Some(address), "nothing of it is half written");
        }
        let [one, two, three] = chain;
        let outcomes = apply(store, &[one, two, three, user(f).later(1)]).await;
        assert_eq!(outcomes, vec![Outcome::Applied; 4]);
        for (user_id, address) in [(c, at_d), (d, at_e), (e, at_f)] {
            assert_eq!(email(store, user_id).await, Some(address));
        }
    }
}

pub async fn whoever_loses_its_new_address_makes_no_room<S: Database>(store: &S) {
    for backwards in [false, true] {
        let ([mover, claimant], [held, other]) = in_a_row(store, backwards).await;
        let (rival, wanted) = (id(), unique("mail"));
        let batch = [user_at(mover, &wanted).later(2), user_at(claimant, &held).later(1), user_at(rival, &wanted).later(1)];
        assert_eq!(apply(store, &batch).await, [WAITS, WAITS, Outcome::Applied]);
        let held_by = (email(store, mover).await, email(store, claimant).await, email(store, rival).await);
        assert_eq!(held_by, (Some(held), Some(other), Some(wanted)));
    }
}

pub async fn a_circle_moves_inside_one_batch_unless_an_earlier_claim_breaks_it<S: Database>(store: &S) {
    for backwards in [false, true] {
        let ([a, b, c], [at_a, at_b, at_c]) = in_a_row(store, backwards).await;
        let circle = [user_at(a, &at_b).later(5), user_at(b, &at_c).later(5), user_at(c, &at_a).later(5)];
        let [one, two, three] = circle.clone();
        let outcomes = apply(store, &[one, two, three, user_at(id(), &at_a).later(4)]).await;
        assert_eq!(outcomes, vec![WAITS; 4], "the earlier claim comes first, and nobody makes room for it");
        let [one, two, three] = circle;
        let outcomes = apply(store, &[one, two, three, user_at(id(), &at_a).later(6)]).await;
        assert_eq!(outcomes, [Outcome::Applied, Outcome::Applied, Outcome::Applied, WAITS]);
        let held = (email(store, a).await, email(store, b).await, email(store, c).await);
        assert_eq!(held, (Some(at_b), Some(at_c), Some(at_a)));
    }
}

pub async fn an_address_is_taken_in_any_case_of_letters<S: Database>(store: &S) {
    let (holder, name) = (id(), unique("zoë"));
    apply(store, &[user_at(holder, &format!("{name}@example.com"))]).await;
    let shouted = user_at(id(), &format!("{}@EXAMPLE.com", name.to_uppercase()));
    assert_eq!(apply(store, &[shouted]).await, [WAITS]);
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
