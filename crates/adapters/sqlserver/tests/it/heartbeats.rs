//! Who has not been seen for long is forgotten.

use std::time::Duration;

use pipeline::ports::Heartbeats as _;
use sqlserver::{SqlServer, migrate};
use testkit::builders::{heartbeat, id};

use crate::real;
use crate::scripted::{Scripted, Step, done};

const LONG: Duration = Duration::from_secs(400 * 86_400);

#[tokio::test]
async fn a_consumer_says_that_it_is_there_in_one_round_trip() {
    let server = Scripted::open(vec![vec![Step::Answer(done()), Step::Answer(done())]]).await;
    let store = SqlServer::new(server.config());
    assert_eq!(store.beat(&heartbeat(id())).await, Ok(()));
    assert_eq!(store.end_heartbeat(id()).await, Ok(()));
    assert_eq!((server.heard("UPDATE h").len(), server.heard("DELETE h").len()), (1, 2), "the first one may remove others, too");
}

#[tokio::test]
async fn a_consumer_that_comes_new_removes_who_was_seen_last_more_than_a_day_ago() {
    let Some(config) = real::server() else { return };
    migrate(&config).await.unwrap();
    let store = SqlServer::new(config.clone());
    let [young, old] = [heartbeat(id()), heartbeat(id())];
    for (known, hours) in [(&young, 23), (&old, 25)] {
        store.beat(known).await.unwrap();
        let sql = "UPDATE dbo.consumer_heartbeats SET heartbeat_at = DATEADD(hour, -@P2, heartbeat_at) WHERE instance = @P1";
        real::execute(&config, sql, &[&known.instance, &hours]).await;
    }
    assert_eq!(store.consumers(LONG).await.unwrap().len(), 2);
    let new = heartbeat(id());
    store.beat(&new).await.unwrap();
    let mut seen: Vec<_> = store.consumers(LONG).await.unwrap().into_iter().map(|seen| seen.heartbeat.instance).collect();
    seen.sort_unstable();
    let mut expected = [young.instance, new.instance];
    expected.sort_unstable();
    assert_eq!(seen, expected);
}
