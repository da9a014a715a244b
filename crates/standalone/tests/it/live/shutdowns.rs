//! SIGTERM at any phase ends with 0 within ten seconds, and a second signal ends at once.

use std::net::{TcpListener, TcpStream};
use std::time::Duration;

use testkit::eventually;
use testkit::proxy::{Network, Proxy};

use super::broker::Broker;
use super::invariants::check;
use super::place::Place;
use super::servers::Servers;
use super::stream::Stream;

const BOUND: Duration = Duration::from_secs(60);

#[tokio::test(flavor = "multi_thread")]
async fn sigterm_ends_within_ten_seconds_idle_under_load_and_while_redis_is_away() {
    let Some(servers) = Servers::configured().await else { return };
    let mut place = Place::on(&servers).await;
    let proxy = Proxy::before(servers.redis_port).await;
    place.redis.port = proxy.port;
    let stream = Stream::new(6_000, 10, Some(20));

    let idle = place.start(&[]);
    idle.until_ready(BOUND).await;
    idle.stop().await;

    let busy = place.start(&[("BATCH_MAX_EVENTS", "20")]);
    let (part, rest) = stream.records.split_at(3_000);
    place.sender.send(part, None).await;
    place.until_committed(200, BOUND).await;
    busy.stop().await;
    assert!(place.committed().await.unwrap() < part.len() as i64, "stopped in the middle of the work");

    for network in [Network::Cut, Network::Holds] {
        let stuck = place.start(&[]);
        proxy.set(network);
        stuck.until_down("pipeline", BOUND).await;
        stuck.stop().await;
        proxy.set(Network::Works);
    }
    let last = place.start(&[]);
    place.sender.send(rest, None).await;
    place.until_done(&stream, BOUND).await;
    check(&place, &stream).await;
    last.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn sigterm_ends_within_ten_seconds_while_kafka_is_away_and_a_second_signal_at_once() {
    let Some(servers) = Servers::configured().await else { return };
    let Some(broker) = Broker::start().await else { return };
    let place = Place::with_broker(&servers, &broker.address).await;
    let start = async || {
        let member = place.start(&[]);
        member.until_ready(BOUND).await;
        member
    };
    let [stalled, killed] = [start().await, start().await];
    let [mut interrupted, mut terminated] = [start().await, start().await];
    broker.signal("STOP");
    stalled.until_down("kafka", BOUND).await;
    stalled.stop().await;
    // Leaving a group that does not answer takes its time: there the second signal meets a program that is stopping.
    for (member, second, code) in [(&mut interrupted, "INT", 130), (&mut terminated, "TERM", 143)] {
        member.signal("TERM");
        eventually(BOUND, "it is stopping", async || member.logged("stopping; ") == 1).await;
        member.signal(second);
        assert_eq!(member.ended(Duration::from_secs(1)).await.code(), Some(code));
    }
    broker.kill().await;
    killed.until_down("kafka", BOUND).await;
    killed.stop().await;

    // While it still waits for Kafka at its start.
    let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let early = place.start(&[("API_PORT", &address.port().to_string())]);
    eventually(BOUND, "it listens", async || TcpStream::connect(address).is_ok()).await;
    early.stop().await;
}
