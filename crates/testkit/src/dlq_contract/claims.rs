//! Claim, settle, give back.

use pipeline::DeadLetter;
use pipeline::ports::{Claim, End};

use super::{LONG, Queue, all, claim, dead_letter, give_back, give_back_overdue, json, push, settle};
use crate::builders::id;

pub async fn claimed_entries_leave_the_list_and_are_gone_when_settled<Q: Queue>(queue: &Q) {
    let dead_letters = ["a", "b", "c", "d"].map(dead_letter);
    push(queue, &dead_letters).await;
    let claims = claim(queue, &json([&dead_letters[1], &dead_letters[3]]), LONG).await;
    assert_eq!(claims.iter().map(|claim| &claim.entry).collect::<Vec<_>>(), [&dead_letters[1].json, &dead_letters[3].json]);
    assert_eq!(all(queue).await, json([&dead_letters[2], &dead_letters[0]]));
    assert_eq!((queue.depth().await, queue.claimed().await), (Ok(2), Ok(2)), "each is in one of the two");
    assert_eq!(queue.claim(&json([&dead_letters[1]]), LONG).await.unwrap(), [None], "it is claimed already");
    assert_eq!(settle(queue, &claims).await, 2);
    assert_eq!(queue.claimed().await, Ok(0));
    assert_eq!(settle(queue, &claims).await, 0, "once more is harmless");
    assert_eq!((give_back(queue, &claims).await, give_back_overdue(queue).await), (0, 0));
    assert_eq!(all(queue).await, json([&dead_letters[2], &dead_letters[0]]));
}

pub async fn claims_that_are_given_back_stand_at_the_old_end<Q: Queue>(queue: &Q) {
    let dead_letters = ["a", "b", "c", "d"].map(dead_letter);
    push(queue, &dead_letters).await;
    let oldest = claim(queue, &json(&dead_letters[..2]), LONG).await;
    assert_eq!(give_back(queue, &oldest).await, 2);
    assert_eq!(all(queue).await, json(dead_letters.iter().rev()), "the first of them is the oldest again");
    assert_eq!(give_back(queue, &oldest).await, 0, "once more is harmless");
    let others = claim(queue, &json([&dead_letters[2], &dead_letters[0]]), LONG).await;
    assert_eq!(settle(queue, &others[1..]).await, 1);
    assert_eq!(give_back(queue, &others).await, 1, "what is settled does not come back");
    assert_eq!(queue.page(End::Oldest, 0, 10).await.unwrap(), json([&dead_letters[2], &dead_letters[1], &dead_letters[3]]));
    assert_eq!(settle(queue, &claim(queue, &json([&dead_letters[2]]), LONG).await).await, 1, "it can be claimed again");
}

pub async fn only_an_entry_of_the_list_can_be_claimed<Q: Queue>(queue: &Q) {
    let [a, b] = ["a", "b"].map(dead_letter);
    push(queue, std::slice::from_ref(&a)).await;
    let absent = [b.json.clone(), String::new(), a.json[1..].to_owned(), a.json.to_uppercase()];
    assert_eq!(queue.claim(&absent, LONG).await.unwrap(), [None, None, None, None]);
    let made_up = absent.map(|entry| Claim { token: id(), entry });
    assert_eq!((settle(queue, &made_up).await, give_back(queue, &made_up).await), (0, 0));
    let mixed = queue.claim(&[b.json.clone(), a.json.clone(), b.json], LONG).await.unwrap();
    assert_eq!(mixed.iter().map(Option::is_some).collect::<Vec<_>>(), [false, true, false]);
    assert_eq!(all(queue).await, Vec::<String>::new());
    let claims: Vec<_> = mixed.into_iter().flatten().collect();
    assert_eq!(give_back(queue, &[Claim { token: id(), ..claims[0].clone() }]).await, 0, "a claim is known by its token");
    assert_eq!(give_back(queue, &claims).await, 1);
    assert_eq!(all(queue).await, json([&a]));
}

pub async fn look_alikes_are_claimed_one_by_one<Q: Queue>(queue: &Q) {
    let (entries, _) = look_alikes(queue).await;
    let three = [entries.clone(), entries[..1].to_vec()].concat();
    let claims = queue.claim(&three, LONG).await.unwrap();
    let [Some(first), Some(second), None] = claims.as_slice() else { panic!("{claims:?}") };
    assert_ne!(first.token, second.token);
    assert_eq!(all(queue).await.len(), 1);
    assert_eq!(give_back(queue, std::slice::from_ref(second)).await, 1);
    assert_eq!(give_back(queue, std::slice::from_ref(second)).await, 0, "the other one stays claimed");
    assert_eq!(all(queue).await.len(), 2);
}

pub async fn one_claim_settles_one_of_two_look_alikes<Q: Queue>(queue: &Q) {
    let (entries, other) = look_alikes(queue).await;
    let claims = claim(queue, &entries, LONG).await;
    assert_eq!(settle(queue, &claims[..1]).await, 1);
    assert_eq!(give_back(queue, &claims).await, 1);
    assert_eq!(all(queue).await, [other, entries[0].clone()]);
}

/// Two entries of one text, and another one that is newer.
async fn look_alikes<Q: Queue>(queue: &Q) -> (Vec<String>, String) {
    let (first, other) = (dead_letter("a"), dead_letter("c"));
    let second = DeadLetter { identity: dead_letter("b").identity, ..first.clone() };
    push(queue, &[first.clone(), second.clone(), other.clone()]).await;
    (json([&first, &second]), other.json)
}

pub async fn many_entries_are_claimed_settled_and_given_back<Q: Queue>(queue: &Q) {
    let dead_letters: Vec<_> = (0..1203).map(|number| dead_letter(format!("letter {number}"))).collect();
    push(queue, &dead_letters).await;
    let claims = claim(queue, &json(&dead_letters), LONG).await;
    assert_eq!(all(queue).await, Vec::<String>::new());
    assert_eq!(settle(queue, &claims[..601]).await, 601);
    assert_eq!(give_back(queue, &claims).await, 602);
    assert_eq!(all(queue).await, json(dead_letters[601..].iter().rev()));
}
