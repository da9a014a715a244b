//! Redis is away: at start, for moments and for a minute, cut off and mute.

use std::time::{Duration, Instant};

use testkit::proxy::{Network, Proxy};
use tokio::time::sleep;

use super::invariants::{check, dead_letters};
use super::member::{Member, is_away};
use super::place::Place;
use super::servers::Servers;
use super::stream::Stream;
use super::watch::watched;

/// Redis as a part of the health report, and the write path.
const REDIS: &str = "dead_letter_queue";
const PIPELINE: &str = "pipeline";
/// An outage is noticed within this time, also one without an error.
const NOTICED: Duration = Duration::from_secs(15);
/// After the return of Redis, everything goes on within this time.
const RECOVERED: Duration = Duration::from_secs(30);
const BOUND: Duration = Duration::from_secs(120);
/// Records per second.
const RATE: f64 = 150.0;

/// A place whose program reaches Redis through a proxy only.
async fn behind_proxy(servers: &Servers) -> (Place, Proxy) {
    let mut place = Place::on(servers).await;
    let proxy = Proxy::before(servers.redis_port).await;
    place.redis.port = proxy.port;
    (place, proxy)
}

/// Breaks the network for so long, and mends it. The program says so, holds, and goes on by itself.
async fn outage(place: &Place, proxy: &Proxy, member: &Member, network: Network, length: Duration) {
    let counts = || [member.logged("waiting: "), member.logged("the work goes on"), member.logged("reachable"), member.warnings().len()];
    let before = counts();
    let began = Instant::now();
    proxy.set(network);
    for part in [REDIS, PIPELINE] {
        let reason = member.until_down(part, NOTICED).await;
        assert!(is_away(&reason, "the dead letter queue"), "{reason}");
    }
    // The read API does not need Redis.
    let users = reqwest::get(format!("{}/users/recent", member.api().await)).await.unwrap();
    assert_eq!(users.status(), 200);
    // What was under way when Redis went has ended one way or the other: from now on nothing new is listed.
    let listed = dead_letters(place).await.len();
    sleep(length.saturating_sub(began.elapsed())).await;
    assert_eq!(member.health().await.0, 503);
    assert_eq!(dead_letters(place).await.len(), listed);

    let committed = place.committed().await.unwrap();
    proxy.set(Network::Works);
    let back = Instant::now();
    member.until_ready(RECOVERED).await;
    place.until_committed(committed + 1, RECOVERED.saturating_sub(back.elapsed())).await;
    // One line when it begins and one when it ends, from whoever waits; one more from whoever measures, where it notices by itself.
    let after = counts();
    let [waiting, goes_on, reachable, warnings] = std::array::from_fn(|line| after[line] - before[line]);
    assert_eq!((waiting, goes_on), (1, 1), "{:?}", member.warnings());
    assert!(reachable <= 1 && (1..=2).contains(&warnings), "{:?}", member.log());
}

#[tokio::test(flavor = "multi_thread")]
async fn redis_that_is_away_at_the_start_holds_what_needs_it_and_nothing_else() {
    let Some(servers) = Servers::configured().await else { return };
    let (place, proxy) = behind_proxy(&servers).await;
    let stream = Stream::new(2_000, 3, Some(20));
    proxy.set(Network::Cut);
    let member = place.start(&[]);
    watched(&place, &stream, async {
        place.sender.send(&stream.records, None).await;
        for part in [REDIS, PIPELINE] {
            member.until_down(part, NOTICED).await;
        }
        // Time for several tries, of which the log says nothing.
        sleep(Duration::from_secs(3)).await;
        assert!(dead_letters(&place).await.is_empty());
        proxy.set(Network::Works);
        member.until_ready(RECOVERED).await;
        place.until_done(&stream, RECOVERED).await;
    })
    .await;
    check(&place, &stream).await;
    assert_eq!(member.warnings().len(), 2, "{:?}", member.warnings());
    member.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn redis_that_is_cut_off_or_mute_for_seconds_under_load_loses_and_doubles_nothing() {
    let Some(servers) = Servers::configured().await else { return };
    let (place, proxy) = behind_proxy(&servers).await;
    let stream = Stream::new(4_000, 4, Some(20));
    let member = place.start(&[]);
    watched(&place, &stream, async {
        let outages = async {
            place.until_committed(100, BOUND).await;
            for network in [Network::Cut, Network::Holds, Network::LosesReplies] {
                outage(&place, &proxy, &member, network, Duration::from_secs(5)).await;
            }
        };
        tokio::join!(place.sender.send(&stream.records, Some(RATE)), outages);
        place.until_done(&stream, BOUND).await;
    })
    .await;
    check(&place, &stream).await;
    member.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn redis_that_is_mute_for_a_minute_under_load_loses_and_doubles_nothing() {
    let Some(servers) = Servers::configured().await else { return };
    let (place, proxy) = behind_proxy(&servers).await;
    let stream = Stream::new(9_000, 5, Some(20));
    let member = place.start(&[]);
    watched(&place, &stream, async {
        let minute = async {
            place.until_committed(100, BOUND).await;
            outage(&place, &proxy, &member, Network::Holds, Duration::from_secs(60)).await;
        };
        tokio::join!(place.sender.send(&stream.records, Some(RATE)), minute);
        place.until_done(&stream, BOUND).await;
    })
    .await;
    check(&place, &stream).await;
    member.stop().await;
}
