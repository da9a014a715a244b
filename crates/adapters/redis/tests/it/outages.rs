//! Redis goes away and comes back.

use std::net::Ipv4Addr;
use std::time::{Duration, Instant};

use pipeline::FaultClass;
use pipeline::ports::{DeadLetterQueue as _, DeadLetterReader as _};
use redis_dlq::{RedisConfig, RedisDlq};
use testkit::proxy::{Network, Proxy};
use tokio::net::TcpListener;

use crate::place::{Place, SOON, dead_letters};

const AWAY: FaultClass = FaultClass::Unavailable { timed_out: false };
const LATE: FaultClass = FaultClass::Unavailable { timed_out: true };

#[tokio::test]
async fn a_queue_that_was_built_while_redis_was_away_works_once_it_is_there() {
    let Some(mut place) = Place::own(&[]) else { return };
    place.server().kill();
    let queue = place.queue();
    assert_eq!(queue.push(&dead_letters(1)).await.unwrap_err().class, AWAY);
    place.server().restart();
    assert_eq!(queue.push(&dead_letters(1)).await, Ok(1));
}

#[tokio::test]
async fn what_was_acknowledged_is_there_after_redis_was_killed() {
    let Some(mut place) = Place::own(&[]) else { return };
    let queue = place.queue();
    let dead_letters = dead_letters(3);
    queue.push(&dead_letters[..2]).await.unwrap();
    place.server().kill();
    assert_eq!(queue.push(&dead_letters).await.unwrap_err().class, AWAY);
    assert_eq!(queue.depth().await.unwrap_err().class, AWAY);
    place.server().restart();
    let back = async || queue.push(&dead_letters).await == Ok(1);
    testkit::eventually(SOON, "pushed after the restart", back).await;
    assert_eq!(place.listed().await.len(), 3);
}

#[tokio::test]
async fn a_peer_that_is_gone_without_a_word_is_left_for_a_new_connection() {
    let Some(place) = Place::own(&[]) else { return };
    let proxy = Proxy::before(place.config.port).await;
    let timeout = Duration::from_secs(2);
    let queue = RedisDlq::new(&RedisConfig { port: proxy.port, timeout, ..place.config.clone() }).unwrap();
    queue.ping().await.unwrap();
    proxy.set(Network::LosesReplies);
    assert_eq!(queue.ping().await.unwrap_err().class, LATE);
    // New connections work; the old one stays open and mute.
    proxy.set(Network::Works);
    assert_eq!(queue.ping().await, Ok(()));
}

#[tokio::test]
async fn a_peer_that_accepts_and_never_answers_costs_each_call_its_timeout() {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let timeout = Duration::from_millis(200);
    let queue = RedisDlq::new(&RedisConfig { timeout, database: 1, ..crate::place::config(port) }).unwrap();
    let started = Instant::now();
    let dead_letters = dead_letters(1);
    let answers = tokio::join!(queue.push(&dead_letters), queue.depth(), queue.ping());
    assert_eq!((answers.0.unwrap_err().class, answers.1.unwrap_err().class, answers.2.unwrap_err().class), (LATE, LATE, LATE));
    assert!(started.elapsed() < SOON, "{:?}", started.elapsed());
}

#[tokio::test]
async fn a_peer_that_is_not_redis_is_an_outage() {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            tokio::io::AsyncWriteExt::write_all(&mut stream, b"HTTP/1.1 400 Bad Request\r\n\r\n").await.unwrap();
        }
    });
    let queue = RedisDlq::new(&crate::place::config(port)).unwrap();
    assert_eq!(queue.ping().await.unwrap_err().class, AWAY);
}
