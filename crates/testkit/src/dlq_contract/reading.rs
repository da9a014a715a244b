//! Looking at the list.

use std::collections::BTreeMap;

use pipeline::dead_letter::Entry;
use pipeline::ports::End;

use super::{LONG, OVER, Queue, all, claim, dead_letter, give_back, give_back_overdue, json, push, settle};

/// As others write it.
const FIVE_FIELDS: &str =
    r#"{ "eventId": null, "originalData": "{}", "error": "boom", "timestamp": "2025-01-01T00:00:00Z", "retryCount": 0 }"#;

pub async fn an_empty_queue_has_nothing<Q: Queue>(queue: &Q) {
    assert_eq!(all(queue).await, Vec::<String>::new());
    assert_eq!(queue.page(End::Oldest, 0, 10).await.unwrap(), Vec::<String>::new());
    assert_eq!(queue.reasons().await.unwrap(), BTreeMap::new());
    assert_eq!(push(queue, &[]).await, 0);
    assert_eq!(queue.claim(&[], LONG).await.unwrap(), []);
    assert_eq!((settle(queue, &[]).await, give_back(queue, &[]).await, give_back_overdue(queue).await), (0, 0, 0));
}

pub async fn letters_are_listed_from_either_end<Q: Queue>(queue: &Q) {
    let [a, b, c] = ["a", "b", "c"].map(dead_letter);
    assert_eq!(push(queue, &[a.clone(), b.clone()]).await, 2);
    assert_eq!(push(queue, std::slice::from_ref(&c)).await, 1);
    assert_eq!(all(queue).await, json([&c, &b, &a]));
    assert_eq!(queue.page(End::Oldest, 0, 10).await.unwrap(), json([&a, &b, &c]));
}

pub async fn a_page_begins_where_it_is_asked_to<Q: Queue>(queue: &Q) {
    let oldest_first = ["a", "b", "c", "d", "e"].map(dead_letter);
    push(queue, &oldest_first).await;
    let newest_first: Vec<_> = oldest_first.iter().rev().cloned().collect();
    for (end, dead_letters) in [(End::Newest, newest_first.as_slice()), (End::Oldest, &oldest_first)] {
        let page = async |start, limit| queue.page(end, start, limit).await.unwrap();
        assert_eq!(page(1, 2).await, json(&dead_letters[1..3]));
        assert_eq!(page(4, 2).await, json(&dead_letters[4..]));
        assert_eq!(page(1, u64::MAX).await, json(&dead_letters[1..]));
        for (start, limit) in [(5, 2), (0, 0), (3, 0), (u64::MAX, 1), (u64::MAX, u64::MAX)] {
            assert_eq!(page(start, limit).await, Vec::<String>::new(), "{end:?} {start} {limit}");
        }
    }
}

pub async fn places_counted_from_the_old_end_stay_while_letters_come<Q: Queue>(queue: &Q) {
    let dead_letters: Vec<_> = (0..30).map(|number| dead_letter(format!("letter {number}"))).collect();
    push(queue, &dead_letters[..20]).await;
    let mut seen = Vec::new();
    for start in 0..20 {
        push(queue, &dead_letters[20 + start / 2..=20 + start / 2]).await;
        seen.extend(queue.page(End::Oldest, start as u64, 1).await.unwrap());
    }
    assert_eq!(seen, json(&dead_letters[..20]));
}

pub async fn entries_are_counted_by_the_reason_that_they_tell<Q: Queue>(queue: &Q) {
    let data = ["not JSON", "nor this", "{}"].map(dead_letter);
    push(queue, &data).await;
    let others = [
        FIVE_FIELDS,
        r#"{ "reason" : "spelled with space", "retryCount": 0 }"#,
        "{\"reason\"\n:\t\"spelled with space\"}",
        r#"{"reason":"made \"up\" \u00e9"}"#,
        r#"{"reason":null}"#,
        r#"{"reason":7}"#,
        r#"{"reason":{"reason":"deep"}}"#,
        r#"{"detail":{"reason":"deep","fingerprint":""}}"#,
        r#"["reason","listed"]"#,
        r#""reason""#,
        "not JSON",
        r#"{"reason":"broken off"#,
        "",
    ];
    queue.restore(&others.map(str::to_owned)).await.unwrap();
    let expected = [("made \"up\" é", 1), ("missing_field", 1), ("not_json", 2), ("spelled with space", 2), ("unknown", 10)];
    assert_eq!(queue.reasons().await.unwrap(), expected.map(|(reason, count)| (reason.to_owned(), count)).into());
}

pub async fn what_stands_inside_the_data_is_no_reason<Q: Queue>(queue: &Q) {
    let inside = r#"{"reason":"inside"}"#;
    push(queue, &[dead_letter(inside), dead_letter(format!("\\{inside}")), dead_letter("\"reason"), dead_letter("reason\"")]).await;
    let five = format!("{{\"originalData\":{}}}", serde_json::Value::from(inside));
    let similar_key = r#"{"\"reason":"inside a name"}"#.to_owned();
    queue.restore(&[five, similar_key]).await.unwrap();
    let reasons = queue.reasons().await.unwrap();
    assert_eq!(reasons, [("not_json".to_owned(), 3), ("missing_field".to_owned(), 1), ("unknown".to_owned(), 2)].into());
}

pub async fn claimed_entries_are_not_counted<Q: Queue>(queue: &Q) {
    let dead_letters = ["a", "b", "c"].map(dead_letter);
    push(queue, &dead_letters).await;
    let claims = claim(queue, &json(&dead_letters[..2]), LONG).await;
    assert_eq!(queue.reasons().await.unwrap(), [("not_json".to_owned(), 1)].into());
    give_back(queue, &claims).await;
    assert_eq!(queue.reasons().await.unwrap(), [("not_json".to_owned(), 3)].into());
}

pub async fn many_entries_are_counted<Q: Queue>(queue: &Q) {
    let entries: Vec<_> = (0..5000).map(|number| format!("{{\"reason\":\"r{}\"}}", number % 3)).collect();
    queue.restore(&entries).await.unwrap();
    queue.restore(&vec!["x".repeat(200_000); 12]).await.unwrap();
    let expected = [("r0", 1667), ("r1", 1667), ("r2", 1666), ("unknown", 12)];
    assert_eq!(queue.reasons().await.unwrap(), expected.map(|(reason, count)| (reason.to_owned(), count)).into());
}

pub async fn the_state_of_the_list_tells_whether_it_only_grew<Q: Queue>(queue: &Q) {
    let state = async || queue.list_state().await.expect("the queue tells the state of its list");
    let dead_letters = ["a", "b", "c", "d"].map(dead_letter);
    let empty = state().await;
    assert_eq!(empty.depth, 0);
    push(queue, &dead_letters[..2]).await;
    queue.restore(&json(&dead_letters[2..])).await.unwrap();
    let grown = state().await;
    assert_eq!((grown.depth, grown.moves), (4, empty.moves), "what comes to the new end moves nothing");
    let _ = (all(queue).await, queue.reasons().await.unwrap(), give_back_overdue(queue).await);
    assert_eq!(state().await, grown, "nor does a look");

    let claims = claim(queue, &json(&dead_letters[1..3]), LONG).await;
    let claimed = state().await;
    assert!(claimed.depth == 2 && claimed.moves > grown.moves, "{claimed:?}");
    assert_eq!(settle(queue, &claims[..1]).await, 1);
    assert_eq!(state().await.depth, 2, "a claim that is settled has left the list before");
    assert_eq!(give_back(queue, &claims[1..]).await, 1);
    let returned = state().await;
    assert!(returned.depth == 3 && returned.moves > claimed.moves, "{returned:?}");
    let late = claim(queue, &json(&dead_letters[3..]), OVER).await;
    let away = state().await;
    assert_eq!(give_back_overdue(queue).await, 1);
    let overdue = state().await;
    assert!(overdue.depth == 3 && overdue.moves > away.moves, "{overdue:?}");
    assert_eq!(settle(queue, &late).await, 1, "out of the list, whereto it went back");
    let settled = state().await;
    assert!(settled.depth == 2 && settled.moves > overdue.moves, "{settled:?}");
}

pub async fn an_entry_of_others_is_like_any<Q: Queue>(queue: &Q) {
    queue.restore(&[FIVE_FIELDS.to_owned()]).await.unwrap();
    let page = queue.page(End::Oldest, 0, 1).await.unwrap();
    assert_eq!(page, [FIVE_FIELDS]);
    assert_eq!(Entry::parse(&page[0]).unwrap().value().as_deref(), Some(&b"{}"[..]));
    let claims = claim(queue, &page, LONG).await;
    assert_eq!(give_back(queue, &claims).await, 1);
    assert_eq!(settle(queue, &claim(queue, &page, LONG).await).await, 1);
    assert_eq!(all(queue).await, Vec::<String>::new());
}
