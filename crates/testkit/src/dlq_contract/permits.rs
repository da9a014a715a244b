//! What is permitted of a flood, and what is no part of one.

use pipeline::ports::Permit;

use super::{Queue, dead_letter, push};

pub async fn a_flood_passes_as_far_as_it_is_permitted<Q: Queue>(queue: &Q) {
    let spend = async |records| queue.spend(records).await.expect("the queue knows its permit");
    assert_eq!(spend(1).await, 0, "nothing is permitted at first");
    queue.permit(Permit::Records(150)).await.unwrap();
    assert_eq!(spend(100).await, 100);
    assert_eq!(spend(100).await, 50, "the rest of the permit, and no more");
    assert_eq!(spend(1).await, 0);
    queue.permit(Permit::Everything).await.unwrap();
    for _ in 0..3 {
        assert_eq!(spend(1_000_000).await, 1_000_000);
    }
    queue.permit(Permit::Nothing).await.unwrap();
    assert_eq!(spend(1).await, 0);
}

pub async fn letters_that_were_pushed_before_are_known<Q: Queue>(queue: &Q) {
    let letters: Vec<_> = (0..1200).map(|number| dead_letter(format!("letter {number}"))).collect();
    let known = async |range: std::ops::Range<usize>| queue.known(&letters[range]).await.expect("the queue knows its letters");
    assert_eq!(known(0..1200).await, [false; 1200]);
    assert_eq!(push(queue, &letters[100..800]).await, 700);
    let expected: Vec<_> = (0..1200).map(|number| (100..800).contains(&number)).collect();
    assert_eq!(known(0..1200).await, expected, "in order, whatever one call holds");
    let entries: Vec<_> = letters[100..101].iter().map(|letter| letter.json.clone()).collect();
    let claims = super::claim(queue, &entries, super::LONG).await;
    assert_eq!(super::settle(queue, &claims).await, 1);
    assert_eq!(known(100..101).await, [true], "what left the list is known too");
    assert_eq!(known(0..0).await, [false; 0]);
}
