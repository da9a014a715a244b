//! Kafka is away: at start, for moments and for a minute, killed and stalled.

use std::time::{Duration, Instant};

use tokio::time::sleep;

use super::broker::Broker;
use super::invariants::check;
use super::member::{Member, is_away};
use super::place::Place;
use super::servers::Servers;
use super::stream::Stream;
use super::watch::watched;

/// Kafka as a part of the health report.
const KAFKA: &str = "kafka";
/// An outage is noticed within this time, also one without an error.
const NOTICED: Duration = Duration::from_secs(20);
/// After the return of Kafka, everything goes on within this time.
const RECOVERED: Duration = Duration::from_secs(30);
const BOUND: Duration = Duration::from_secs(120);
/// Records per second.
const RATE: f64 = 100.0;

/// A way to be away.
#[derive(Clone, Copy, Debug)]
enum Away {
    /// Nobody listens.
    Killed,
    /// Connections stay, and nothing is answered.
    Stalled,
}

/// Takes the broker away for so long. The program says so, and goes on by itself.
async fn outage(place: &Place, broker: &Broker, member: &Member, away: Away, length: Duration) {
    let began = Instant::now();
    let (warnings, log) = (member.warnings().len(), member.log());
    let before = |what: &str| log.iter().filter(|(_, message)| message.starts_with(what)).count();
    match away {
        Away::Killed => broker.kill().await,
        Away::Stalled => broker.signal("STOP"),
    }
    let reason = member.until_down(KAFKA, NOTICED).await;
    assert!(is_away(&reason, "Kafka"), "{reason}");
    // What is in the tables can be read.
    let users = reqwest::get(format!("{}/users/recent", member.api().await)).await.unwrap();
    assert_eq!(users.status(), 200);
    sleep(length.saturating_sub(began.elapsed())).await;
    assert_eq!(member.health().await.0, 503);
    match away {
        Away::Killed => broker.start_again().await,
        Away::Stalled => broker.signal("CONT"),
    }
    let back = Instant::now();
    member.until_ready(RECOVERED).await;
    place.until_goes_on(RECOVERED.saturating_sub(back.elapsed())).await;
    // One line when it begins, from whoever measures, and one when it ends. The client tells of its connection and of its session,
    // whatever the outage's length: when the broker starts again, it may see it come and go once more.
    let logged = |what: &str| member.logged(what) - before(what);
    assert_eq!((logged("not reachable"), logged("reachable")), (1, 1), "{:?}", member.log());
    assert!(member.warnings().len() - warnings <= 4, "{:?}", member.warnings());
}

#[tokio::test(flavor = "multi_thread")]
async fn kafka_that_is_away_at_the_start_and_for_seconds_under_load_loses_and_doubles_nothing() {
    let Some(servers) = Servers::configured().await else { return };
    let Some(broker) = Broker::start().await else { return };
    let place = Place::with_broker(&servers, &broker.address).await;
    let stream = Stream::new(6_000, 6, Some(20));
    broker.kill().await;
    let member = place.start(&[]);
    sleep(Duration::from_secs(3)).await;
    broker.start_again().await;
    member.until_ready(RECOVERED).await;
    watched(&place, &stream, async {
        let outages = async {
            place.until_committed(100, BOUND).await;
            outage(&place, &broker, &member, Away::Killed, Duration::from_secs(5)).await;
            outage(&place, &broker, &member, Away::Stalled, Duration::from_secs(5)).await;
        };
        tokio::join!(place.sender.send(&stream.records, Some(RATE)), outages);
        place.until_done(&stream, BOUND).await;
    })
    .await;
    check(&place, &stream).await;
    member.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn kafka_that_is_away_for_a_minute_under_load_loses_and_doubles_nothing() {
    let Some(servers) = Servers::configured().await else { return };
    let Some(broker) = Broker::start().await else { return };
    let place = Place::with_broker(&servers, &broker.address).await;
    let stream = Stream::new(8_000, 7, Some(20));
    let member = place.start(&[]);
    watched(&place, &stream, async {
        let minute = async {
            place.until_committed(100, BOUND).await;
            outage(&place, &broker, &member, Away::Killed, Duration::from_secs(60)).await;
        };
        tokio::join!(place.sender.send(&stream.records, Some(RATE)), minute);
        place.until_done(&stream, BOUND).await;
    })
    .await;
    check(&place, &stream).await;
    member.stop().await;
}
