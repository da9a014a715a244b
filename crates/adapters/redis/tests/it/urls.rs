//! `REDIS_URL`, against a real server.

use pipeline::ports::DeadLetterQueue as _;
use redis_dlq::{RedisConfig, RedisDlq};
use settings::Reader;

use crate::place::{Place, dead_letters};

/// The queue that these settings name.
fn queue(settings: &[(&str, &str)]) -> RedisDlq {
    let mut env = Reader::from_pairs(settings.iter().copied());
    let config = RedisConfig::read(&mut env);
    env.finish().unwrap();
    RedisDlq::new(&config).unwrap()
}

#[tokio::test]
async fn a_url_logs_a_user_in_to_a_database() {
    let Some(place) = Place::own(&[]) else { return };
    let _: () = place.run("ACL SETUSER ada reset on >p@ss/word ~* &* +@all").await;
    let list = ("REDIS_DLQ_KEY", place.config.list.as_str());
    let url = format!("redis://ada:p%40ss%2Fword@127.0.0.1:{}/3", place.config.port);
    assert_eq!(queue(&[("REDIS_URL", &url), list]).push(&dead_letters(2)).await, Ok(2));
    let keyspace: String = place.run("INFO keyspace").await;
    assert!(keyspace.contains("db3:keys=2"), "{keyspace}");
}

#[tokio::test]
async fn a_url_leads_to_a_socket() {
    let folder = tempfile::tempdir().unwrap();
    let socket = folder.path().join("redis.sock");
    let Some(place) = Place::own(&["--unixsocket", &socket.display().to_string(), "--requirepass", "canary"]) else { return };
    let list = ("REDIS_DLQ_KEY", place.config.list.as_str());
    let url = format!("unix://{}", socket.display());
    assert_eq!(queue(&[("REDIS_URL", &format!("{url}?pass=canary&db=1")), list]).push(&dead_letters(1)).await, Ok(1));
    assert_eq!(queue(&[("REDIS_URL", &url), ("REDIS_PASSWORD", "canary"), list]).push(&dead_letters(1)).await, Ok(1));
    let fault = queue(&[("REDIS_URL", &format!("{url}?pass=wrong-canary")), list]).push(&dead_letters(1)).await.unwrap_err();
    assert!(fault.subject.contains("REDIS_URL") && !fault.to_string().contains("canary"), "{fault}");
}
