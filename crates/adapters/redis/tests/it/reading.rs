//! What readers see.

use std::time::Duration;

use pipeline::dead_letter::Entry;
use pipeline::ports::{ClaimQueue as _, DeadLetterArchive as _, DeadLetterQueue as _, DeadLetterReader as _, End};
use redis_dlq::{Fsync, Persistence};

use crate::place::{Place, as_user, dead_letters};

#[tokio::test]
async fn entries_that_others_pushed_are_returned_untouched() {
    let Some(place) = Place::any() else { return };
    let queue = place.queue();
    let five = r#"{"eventId":"x",  "originalData":"{}","error":"boom","timestamp":"2025-01-01T00:00:00Z","retryCount":0}"#;
    let list = &place.config.list;
    let _: i64 = place.raw(redis::cmd("LPUSH").arg(list).arg(b"\xff not UTF-8").arg("not JSON").arg(five)).await;
    let page = queue.page(End::Newest, 0, 10).await.unwrap();
    assert_eq!(page, [five, "not JSON", "\u{FFFD} not UTF-8"]);
    assert_eq!(Entry::parse(&page[0]).unwrap().error, "boom");
    let claimed: Vec<_> = queue.claim(&page, Duration::from_secs(60)).await.unwrap().iter().map(Option::is_some).collect();
    assert_eq!(claimed, [true, true, false], "its text is not what stands in the list");
    assert_eq!(queue.depth().await, Ok(1));
}

/// What one call brings over the network, and not how long it takes, is counted: that is the same on any machine.
#[tokio::test]
async fn no_page_of_large_entries_holds_more_than_a_mebibyte_or_one_entry() {
    let Some(place) = Place::any() else { return };
    let queue = place.queue();
    // As a record of 300 kB makes them, between many small ones, and one that is larger than a page.
    let sizes = [vec![300_000; 40], vec![100; 700], vec![300_000; 20], vec![3 << 20], vec![10; 3]].concat();
    let entries: Vec<_> = sizes.iter().enumerate().map(|(number, size)| format!("{number} {}", "x".repeat(*size))).collect();
    queue.restore(&entries).await.unwrap();
    for end in [End::Oldest, End::Newest] {
        let (mut seen, mut pages) = (Vec::new(), 0);
        loop {
            let page = queue.page(end, seen.len() as u64, 500).await.unwrap();
            let bytes: usize = page.iter().map(String::len).sum();
            assert!(page.len() == 1 || bytes <= 1 << 20, "{} entries of {bytes} bytes", page.len());
            if page.is_empty() {
                break;
            }
            pages += 1;
            seen.extend(page);
        }
        if end == End::Newest {
            seen.reverse();
        }
        assert!(seen == entries, "each is met once and in order: {} of {}", seen.len(), entries.len());
        // Sixty of 300 kB, three to a page; one alone; 703 small ones.
        assert!(pages < 30, "{pages} pages");
    }
}

#[tokio::test]
async fn small_entries_come_in_one_call() {
    let Some(place) = Place::any() else { return };
    let queue = place.queue();
    queue.push(&dead_letters(501)).await.unwrap();
    assert_eq!(queue.page(End::Oldest, 0, 500).await.unwrap().len(), 500);
    assert_eq!(queue.page(End::Oldest, u64::MAX, u64::MAX).await.unwrap(), [""; 0]);
}

#[tokio::test]
async fn a_dropped_call_does_not_leave_its_reply_to_the_next_one() {
    let Some(place) = Place::any() else { return };
    let queue = place.queue();
    queue.push(&dead_letters(7)).await.unwrap();
    for _ in 0..50 {
        // Sent, and dropped before the reply can be there.
        let dropped = tokio::time::timeout(Duration::ZERO, queue.page(End::Newest, 0, 3)).await;
        assert_eq!(queue.depth().await, Ok(7), "{dropped:?}");
    }
}

#[tokio::test]
async fn redis_is_asked_how_durable_it_is() {
    let Some(place) = Place::own(&["--maxmemory-policy", "allkeys-lru"]) else { return };
    let queue = place.queue();
    let says = async || queue.persistence().await.unwrap();
    let safe = Persistence { append_only: Some(true), fsync: Some(Fsync::Always), evicts: Some(true) };
    assert_eq!(says().await, safe);
    let _: () = place.run("CONFIG SET appendfsync everysec maxmemory-policy noeviction appendonly no").await;
    assert_eq!(says().await, Persistence { append_only: Some(false), fsync: Some(Fsync::EverySecond), evicts: Some(false) });
}

#[tokio::test]
async fn a_user_who_may_not_ask_how_durable_redis_is_gets_no_answer() {
    let Some(place) = Place::own(&[]) else { return };
    let _: () = place.run("ACL SETUSER queue reset on >queue ~* +@all -config -info").await;
    let queue = redis_dlq::RedisDlq::new(&as_user(&place.config, "queue")).unwrap();
    assert_eq!(queue.persistence().await, Ok(Persistence::default()));
    let _: () = place.run("ACL SETUSER queue off").await;
    let queue = redis_dlq::RedisDlq::new(&as_user(&place.config, "queue")).unwrap();
    assert!(queue.persistence().await.is_err(), "a login that fails is no missing right");
}
