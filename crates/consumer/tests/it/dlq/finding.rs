//! Entries by the beginning of their id, and what the list consists of.

use consumer::audit::Unwitnessed;
use consumer::dlq::find::{find, find_all};
use consumer::dlq::purge::Purged;
use consumer::dlq::stats::{By, stats};
use consumer::dlq::{Filter, Refusal, purge};
use pipeline::dead_letter::entry_id;
use testkit::builders::{dead_letter, id, order, second};

use super::bench::{Queue, Step, five_fields, orphan, push};

/// So many entries of which two have ids with the same first four digits.
fn entries_of_which_two_begin_alike() -> (Vec<String>, [String; 2]) {
    let mut texts: Vec<String> = Vec::new();
    for number in 0.. {
        let text = format!("entry {number}");
        let digits = entry_id(&text)[..4].to_owned();
        if let Some(other) = texts.iter().find(|other| entry_id(other).starts_with(&digits)).cloned() {
            texts.push(text.clone());
            return (texts, [other, text]);
        }
        texts.push(text);
    }
    unreachable!("there are only so many beginnings");
}

#[tokio::test]
async fn a_beginning_that_names_one_entry_is_enough_and_one_that_names_two_is_refused_with_both() {
    let queue = Queue::new();
    let (texts, alike) = entries_of_which_two_begin_alike();
    queue.put(&texts).await;
    let mut ids = alike.clone().map(|text| entry_id(&text));
    ids.sort_unstable();
    assert_eq!(find(&queue, &ids[0][..4]).await, Err(Refusal::Ambiguous(ids.to_vec())));
    assert_eq!(find(&queue, &ids[0].to_uppercase()).await.unwrap().id, ids[0]);
    assert_eq!(find_all(&queue, &ids).await.unwrap().len(), 2);
    for wrong in ["", "abc", "xyzw", "0123456789abc"] {
        assert_eq!(find(&queue, wrong).await, Err(Refusal::NotAnId), "{wrong}");
    }
    assert_eq!(find(&Queue::new(), &ids[0]).await, Err(Refusal::NotFound));
}

#[tokio::test]
async fn entries_that_look_alike_are_found_as_one() {
    let queue = Queue::new();
    queue.put(&["boom".to_owned(), "boom".to_owned()]).await;
    assert_eq!(find(&queue, &entry_id("boom")[..6]).await.unwrap().text, "boom");
}

#[tokio::test]
async fn the_numbers_of_each_kind_add_up() {
    let queue = Queue::new();
    push(&queue, &[dead_letter("boom"), dead_letter("bang"), orphan(&order(id(), id()))]).await;
    queue.put(&[five_fields(r#"{"eventType":"OrderPlaced"}"#, 3), "no letter".to_owned()]).await;
    let stats = stats(&queue, &Filter::default(), &[], second(7200)).await.unwrap();
    assert_eq!(stats.entries, 5);
    let pairs = |counts: &std::collections::BTreeMap<String, u64>| {
        counts.iter().map(|(label, count)| format!("{label} {count}")).collect::<Vec<_>>()
    };
    assert_eq!(pairs(&stats.by_reason), ["missing_parent 1", "not_json 2", "unknown 1", "unreadable 1"]);
    assert_eq!(pairs(&stats.by_event_type), ["OrderPlaced 2", "unknown 3"]);
    let fingerprints = ["missing_parent:OrderPlaced:userId 1", "not_json:unknown: 2", "unknown:OrderPlaced: 1", "unreadable 1"];
    assert_eq!(pairs(&stats.by_fingerprint), fingerprints);
    assert_eq!(stats.by_retries.into_iter().collect::<Vec<_>>(), [(0, 4), (3, 1)]);
    assert_eq!(stats.by_age.into_iter().collect::<Vec<_>>(), [("1h to 1d", 4), ("untold", 1)]);
    assert!(stats.by_key.is_empty() && stats.by_minute.is_empty(), "nobody has asked for them");
}

#[tokio::test]
async fn only_what_is_meant_is_counted_by_key_and_minute_where_they_are_asked_for() {
    let queue = Queue::new();
    push(&queue, &[dead_letter("boom"), dead_letter("bang"), orphan(&order(id(), id()))]).await;
    queue.put(&["no letter".to_owned()]).await;
    let filter = Filter { reason: Some("not_json".to_owned()), ..Filter::default() };
    let counted = stats(&queue, &filter, &[By::Key, By::Minute], second(7200)).await.unwrap();
    assert_eq!((counted.entries, counted.by_key["(none)"], counted.by_topic.values().sum::<u64>()), (2, 2, 2));
    assert_eq!(counted.by_partition.values().sum::<u64>(), 2);
    let minutes: Vec<_> = counted.by_minute.iter().map(|(minute, count)| (minute.len(), minute.ends_with('Z'), *count)).collect();
    assert_eq!(minutes, [("2026-01-15T10:30Z".len(), true, 2)]);
    let text = counted.to_string();
    assert!(text.contains("by key\n          2  (none)\n\nby minute, the newest first\n          2  20"), "{text}");
}

#[tokio::test]
async fn a_purge_removes_what_the_filter_names_unreadable_ones_too() {
    let queue = Queue::new();
    let stays = five_fields("{}", 0);
    let mut texts: Vec<_> = (0..1200).map(|number| format!("no letter {number}")).collect();
    texts.insert(600, stays.clone());
    queue.put(&texts).await;
    let unreadable = Filter { reason: Some("unreadable".to_owned()), ..Filter::default() };
    assert_eq!(purge::count(&queue, &unreadable, second(0)).await, Ok(1200));
    assert_eq!(purge::purge(&queue, &unreadable, second(0), &mut Unwitnessed).await, Purged { removed: 1200, fault: None });
    assert_eq!(queue.texts().await, [stays]);
    assert_eq!(purge::purge(&queue, &Filter::default(), second(0), &mut Unwitnessed).await, Purged { removed: 1, fault: None });
}

#[tokio::test]
async fn a_purge_whose_queue_goes_away_says_so_beside_what_it_has_removed() {
    let queue = Queue::new();
    let text = five_fields("{}", 0);
    queue.put(std::slice::from_ref(&text)).await;
    queue.fail(Some(Step::Claim));
    let Purged { removed, fault } = purge::purge(&queue, &Filter::default(), second(0), &mut Unwitnessed).await;
    assert!(removed == 0 && fault.is_some());
    assert_eq!(queue.texts().await, [text]);
}
