//! What readers see.

use pipeline::dead_letter::Entry;
use pipeline::ports::{DeadLetterQueue as _, DeadLetterReader as _, RedriveQueue as _};
use redis_dlq::{Fsync, Persistence};

use crate::place::{Place, as_user, letters};

#[tokio::test]
async fn pages_are_cut_where_asked_and_an_empty_one_is_empty() {
    let Some(place) = Place::any() else { return };
    let queue = place.queue();
    let letters = letters(5);
    queue.push(&letters).await.unwrap();
    let page = async |start, limit| -> Vec<usize> {
        let entries = queue.page(start, limit).await.unwrap();
        entries.iter().map(|entry| letters.iter().position(|letter| letter.json == *entry).unwrap()).collect()
    };
    assert_eq!(page(0, 2).await, [4, 3]);
    assert_eq!(page(2, 2).await, [2, 1]);
    assert_eq!(page(4, 100).await, [0]);
    assert_eq!(page(1, u64::MAX).await, [3, 2, 1, 0]);
    for (start, limit) in [(0, 0), (3, 0), (5, 1), (u64::MAX, 1), (u64::MAX, u64::MAX)] {
        assert!(page(start, limit).await.is_empty(), "{start} {limit}");
    }
}

#[tokio::test]
async fn entries_that_others_pushed_are_returned_untouched() {
    let Some(place) = Place::any() else { return };
    let queue = place.queue();
    let five = r#"{"eventId":"x",  "originalData":"{}","error":"boom","timestamp":"2025-01-01T00:00:00Z","retryCount":0}"#;
    let list = &place.config.list;
    let _: i64 = place.raw(redis::cmd("LPUSH").arg(list).arg(b"\xff not UTF-8").arg("not JSON").arg(five)).await;
    let page = queue.page(0, 10).await.unwrap();
    assert_eq!(page, [five, "not JSON", "\u{FFFD} not UTF-8"]);
    assert_eq!(Entry::parse(&page[0]).unwrap().error, "boom");
    assert_eq!(queue.claim(five).await, Ok(true));
    assert_eq!(queue.claim(&page[2]).await, Ok(false), "its text is not what stands in the list");
    assert_eq!(queue.depth().await, Ok(2));
}

#[tokio::test]
async fn a_dropped_call_does_not_leave_its_reply_to_the_next_one() {
    let Some(place) = Place::any() else { return };
    let queue = place.queue();
    queue.push(&letters(7)).await.unwrap();
    for _ in 0..50 {
        // Sent, and dropped before the reply can be there.
        let dropped = tokio::time::timeout(std::time::Duration::ZERO, queue.page(0, 3)).await;
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
