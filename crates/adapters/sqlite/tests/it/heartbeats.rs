//! Who has not been seen for long is forgotten.

use std::time::Duration;

use pipeline::ports::{Heartbeats as _, LogPositions as _};
use pipeline::{LogId, LogPosition};
use readmodel::ReadStore as _;
use rusqlite::Connection;
use sqlite::Sqlite;
use testkit::builders::{heartbeat, id};

const LONG: Duration = Duration::from_secs(400 * 86_400);

async fn seen(store: &Sqlite) -> usize {
    store.consumers(LONG).await.unwrap().len()
}

#[tokio::test]
async fn a_consumer_that_comes_new_removes_who_was_seen_last_more_than_a_day_ago() {
    let store = Sqlite::temporary().unwrap();
    let [young, old] = [heartbeat(id()), heartbeat(id())];
    for known in [&young, &old] {
        store.beat(known).await.unwrap();
    }
    let file = Connection::open(store.path()).unwrap();
    let back = |micros: i64, instance: uuid::Uuid| {
        let sql = "UPDATE consumer_heartbeats SET heartbeat_at = heartbeat_at - ?1 WHERE instance = ?2";
        assert_eq!(file.execute(sql, (micros, instance.as_bytes())).unwrap(), 1);
    };
    back(86_390_000_000, young.instance);
    back(86_400_000_001, old.instance);
    assert_eq!(seen(&store).await, 2);
    store.beat(&young).await.unwrap();
    assert_eq!(seen(&store).await, 2, "it is not new");
    back(86_390_000_000, young.instance);
    store.beat(&heartbeat(id())).await.unwrap();
    assert!(store.consumers(LONG).await.unwrap().iter().all(|seen| seen.heartbeat.instance != old.instance));
    assert_eq!(seen(&store).await, 2);
}

#[tokio::test]
async fn tables_are_as_old_as_the_last_position_or_heartbeat_that_was_written() {
    let store = Sqlite::temporary().unwrap();
    assert_eq!(store.as_of().await, Ok(None), "nobody has written");
    store.beat(&heartbeat(id())).await.unwrap();
    let beaten = store.as_of().await.unwrap().unwrap();
    assert!(beaten.age() < Duration::from_secs(600), "{beaten:?}");
    let file = Connection::open(store.path()).unwrap();
    file.execute("UPDATE consumer_heartbeats SET heartbeat_at = heartbeat_at - 3600000000", ()).unwrap();
    assert!(store.as_of().await.unwrap().unwrap().age() > Duration::from_secs(3000));
    let position = LogPosition { log: LogId::UNKNOWN, topic: "events".into(), partition: 0, next_offset: 1 };
    store.advance(&[position]).await.unwrap();
    assert!(store.as_of().await.unwrap().unwrap().written_at >= beaten.written_at, "a batch counts as a heartbeat does");
}
