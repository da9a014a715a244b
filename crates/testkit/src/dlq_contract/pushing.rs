//! What a push leaves behind.

use pipeline::DeadLetter;
use pipeline::dead_letter::Entry;
use pipeline::ports::End;

use super::{LONG, Queue, all, claim, give_back, json, push, settle};
use crate::builders::dead_letter;

pub async fn a_letter_that_is_pushed_again_is_there_once<Q: Queue>(queue: &Q) {
    let [a, b, c] = ["a", "b", "c"].map(dead_letter);
    assert_eq!(push(queue, &[a.clone(), a.clone(), b.clone()]).await, 2, "also inside one push");
    // Consumed again, the record becomes a dead letter with another time, and still the same.
    let again = DeadLetter { json: b.json.replace("2026", "2027"), ..b.clone() };
    assert_ne!(again.json, b.json);
    assert_eq!(push(queue, &[again, c.clone(), a.clone()]).await, 1);
    assert_eq!(all(queue).await, json([&c, &b, &a]));
}

pub async fn letters_that_look_alike_are_each_kept<Q: Queue>(queue: &Q) {
    let first = dead_letter("a");
    let second = DeadLetter { identity: dead_letter("b").identity, ..first.clone() };
    assert_eq!(push(queue, &[first.clone(), second.clone()]).await, 2);
    assert_eq!(all(queue).await, json([&first, &second]));
}

pub async fn the_bytes_of_an_entry_are_unchanged<Q: Queue>(queue: &Q) {
    let values: [&[u8]; 6] =
        [b"", b"{\"a\": \"\\u0000\", \"b\"", "👩‍👩‍👧‍👦 \u{2028}\r\n'\"\\%s".as_bytes(), b"\xff\xfe\x00", b"\0", &[b'x'; 100_000]];
    for value in values {
        let pushed = dead_letter(value);
        push(queue, std::slice::from_ref(&pushed)).await;
        let shown = queue.page(End::Newest, 0, 1).await.unwrap();
        assert_eq!(shown, json([&pushed]));
        assert_eq!(Entry::parse(&shown[0]).unwrap().value().as_deref(), Some(value));
        let claims = claim(queue, &shown, LONG).await;
        assert_eq!(claims[0].entry, pushed.json, "it is found by its text");
        assert_eq!(give_back(queue, &claims).await, 1);
        assert_eq!(queue.page(End::Oldest, 0, 1).await.unwrap(), shown);
        assert_eq!(settle(queue, &claim(queue, &shown, LONG).await).await, 1);
    }
    assert_eq!(all(queue).await, Vec::<String>::new());
}

pub async fn an_identity_outlives_its_entry<Q: Queue>(queue: &Q) {
    let a = dead_letter("a");
    push(queue, std::slice::from_ref(&a)).await;
    let claims = claim(queue, &json([&a]), LONG).await;
    assert_eq!(push(queue, std::slice::from_ref(&a)).await, 0, "a claimed letter is known");
    assert_eq!(settle(queue, &claims).await, 1);
    assert_eq!(push(queue, std::slice::from_ref(&a)).await, 0, "a replay does not list solved letters again");
    assert_eq!(all(queue).await, Vec::<String>::new());
}

pub async fn many_letters_are_pushed_at_once<Q: Queue>(queue: &Q) {
    let dead_letters: Vec<_> = (0..2000).map(|number| dead_letter(format!("letter {number}"))).collect();
    assert_eq!(push(queue, &dead_letters).await, 2000);
    assert_eq!(all(queue).await, json(dead_letters.iter().rev()));
}

pub async fn entries_are_put_back_in_order_whether_or_not_they_are_there<Q: Queue>(queue: &Q) {
    let dead_letters: Vec<_> = (0..1203).map(|number| dead_letter(format!("letter {number}"))).collect();
    push(queue, &dead_letters[..2]).await;
    queue.restore(&[]).await.unwrap();
    queue.restore(&json(&dead_letters)).await.unwrap();
    assert_eq!(all(queue).await, json(dead_letters.iter().rev().chain([&dead_letters[1], &dead_letters[0]])));
}
