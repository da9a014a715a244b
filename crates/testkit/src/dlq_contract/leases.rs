//! Leases that end, and two operators at once. A lease of zero is over at once, so that no case has to wait.

use std::time::Duration;

use super::{LONG, OVER, Queue, all, claim, dead_letter, give_back, give_back_overdue, json, push, settle};

pub async fn two_operators_do_not_take_each_others_claims<Q: Queue>(queue: &Q) {
    let dead_letters = ["a", "b", "c"].map(dead_letter);
    push(queue, &dead_letters).await;
    let ours = claim(queue, &json(&dead_letters[..1]), LONG).await;
    assert_eq!(give_back_overdue(queue).await, 0, "theirs, as they begin");
    let theirs = claim(queue, &json(&dead_letters[1..2]), LONG).await;
    assert_eq!(give_back_overdue(queue).await, 0, "ours, as we go on");
    assert_eq!(all(queue).await, json(&dead_letters[2..]));
    assert_eq!((settle(queue, &ours).await, give_back(queue, &theirs).await), (1, 1));
    assert_eq!(all(queue).await, json([&dead_letters[2], &dead_letters[1]]));
}

pub async fn only_one_of_two_operators_gets_an_entry<Q: Queue>(queue: &Q) {
    let dead_letters: Vec<_> = (0..100).map(|number| dead_letter(format!("letter {number}"))).collect();
    push(queue, &dead_letters).await;
    let entries = json(&dead_letters);
    let one = async || {
        let mut claims = Vec::new();
        for entry in &entries {
            claims.extend(queue.claim(std::slice::from_ref(entry), LONG).await.unwrap().into_iter().flatten());
        }
        claims
    };
    let (ours, theirs) = tokio::join!(one(), one());
    let mut taken: Vec<_> = ours.iter().chain(&theirs).map(|claim| claim.entry.clone()).collect();
    taken.sort_unstable();
    let mut expected = entries.clone();
    expected.sort_unstable();
    assert_eq!(taken, expected);
}

pub async fn an_overdue_claim_comes_back<Q: Queue>(queue: &Q) {
    let dead_letters = ["a", "b", "c"].map(dead_letter);
    push(queue, &dead_letters).await;
    let crashed = claim(queue, &json(&dead_letters[..2]), OVER).await;
    let live = claim(queue, &json(&dead_letters[2..]), LONG).await;
    assert_eq!(all(queue).await, Vec::<String>::new(), "only when someone asks for it");
    assert_eq!(settle(queue, &crashed[..1]).await, 1, "an overdue claim is still one");
    assert_eq!(give_back_overdue(queue).await, 1);
    assert_eq!(all(queue).await, json([&dead_letters[1]]));
    assert_eq!(give_back(queue, &crashed).await, 0, "it is back already");
    assert_eq!(all(queue).await, json([&dead_letters[1]]));
    assert_eq!(settle(queue, &live).await, 1);
}

pub async fn overdue_claims_come_back_in_the_order_in_which_they_were_claimed<Q: Queue>(queue: &Q) {
    let dead_letters: Vec<_> = (0..503).map(|number| dead_letter(format!("letter {number}"))).collect();
    push(queue, &dead_letters).await;
    let entries = json(&dead_letters);
    claim(queue, &entries[..202], OVER).await;
    claim(queue, &entries[202..402], OVER).await;
    assert_eq!(give_back_overdue(queue).await, 402);
    assert_eq!(give_back_overdue(queue).await, 0);
    assert_eq!(all(queue).await, json(dead_letters.iter().rev()), "the first one claimed is the oldest again");
}

pub async fn settling_an_overdue_claim_removes_it_from_the_list<Q: Queue>(queue: &Q) {
    let dead_letters = ["a", "b"].map(dead_letter);
    push(queue, &dead_letters).await;
    let late = claim(queue, &json(&dead_letters[..1]), OVER).await;
    assert_eq!(give_back_overdue(queue).await, 1);
    assert_eq!(all(queue).await.len(), 2);
    assert_eq!(settle(queue, &late).await, 1);
    assert_eq!(settle(queue, &late).await, 0, "once more is harmless");
    assert_eq!(all(queue).await, json(&dead_letters[1..]));
}

pub async fn settling_what_someone_else_has_claimed_since_leaves_theirs<Q: Queue>(queue: &Q) {
    let dead_letters = [dead_letter("a")];
    let entries = json(&dead_letters);
    push(queue, &dead_letters).await;
    let late = claim(queue, &entries, OVER).await;
    assert_eq!(give_back_overdue(queue).await, 1);
    let theirs = claim(queue, &entries, LONG).await;
    assert_eq!(settle(queue, &late).await, 0);
    assert_eq!(give_back(queue, &theirs).await, 1, "they still hold it");
    assert_eq!(all(queue).await, entries);
}

pub async fn giving_back_what_someone_else_has_claimed_since_leaves_theirs<Q: Queue>(queue: &Q) {
    let dead_letters = [dead_letter("a")];
    let entries = json(&dead_letters);
    push(queue, &dead_letters).await;
    let late = claim(queue, &entries, OVER).await;
    assert_eq!(give_back_overdue(queue).await, 1);
    let theirs = claim(queue, &entries, LONG).await;
    assert_eq!(give_back(queue, &late).await, 0);
    assert_eq!(all(queue).await, Vec::<String>::new());
    assert_eq!(settle(queue, &theirs).await, 1);
}

pub async fn a_lease_longer_than_any_life_is_a_lease<Q: Queue>(queue: &Q) {
    let dead_letters = [dead_letter("a")];
    push(queue, &dead_letters).await;
    let claims = claim(queue, &json(&dead_letters), Duration::MAX).await;
    assert_eq!(give_back_overdue(queue).await, 0);
    assert_eq!(give_back(queue, &claims).await, 1);
}
