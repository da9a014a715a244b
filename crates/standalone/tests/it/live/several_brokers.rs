//! Three brokers, of which one or two are away: restarted, killed, without their records.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tokio::time::sleep;

use super::cluster::{COPIES, Cluster, NODES};
use super::invariants::{Ids, check};
use super::member::{Member, is_away};
use super::place::Place;
use super::servers::Servers;
use super::sharing::{BROKERS, COOPERATIVE, Sharing, usual};
use super::stream::Stream;
use super::watch::watched;

/// Kafka as a part of the health report.
const KAFKA: &str = "kafka";
/// Without a majority the program is not ready within this time.
const NOTICED: Duration = Duration::from_secs(30);
/// How long two brokers stay away after that: longer than any pause of the program between two tries, so that what it may read it has read.
const AWAY: Duration = Duration::from_secs(35);
/// After a broker's end others lead its partitions within 9 s, and after its return everything goes on within this time, also on a machine that
/// has other things to do.
const RECOVERED: Duration = Duration::from_secs(120);
const BOUND: Duration = Duration::from_secs(240);
/// Records per second while brokers come and go.
const RATE: f64 = 30.0;

/// What a case works on.
struct Case {
    // In the order in which they end: the member's log is in the place, and nobody else's turn begins before the cluster has ended.
    member: Member,
    stream: Stream,
    place: Place,
    cluster: Arc<Cluster>,
    _servers: Servers,
}

impl Case {
    /// A member on a topic of the cluster; `None` where something that it needs is not there.
    async fn new(seed: u64, sharing: Sharing) -> Option<Self> {
        let cluster = Cluster::share()?;
        let servers = Servers::configured().await?;
        let place = Place::with_brokers(&servers, cluster.up().await, COPIES).await;
        cluster.until_in_sync().await;
        cluster.until_balanced().await;
        let member = place.start(&[&sharing[..], &[("BATCH_MAX_EVENTS", "50")]].concat());
        member.until_ready(RECOVERED).await;
        Some(Self { member, stream: Stream::new(12_000, seed, Some(20)), place, cluster, _servers: servers })
    }

    /// Does something to the brokers under load, and waits until everything that was sent is consumed.
    async fn under_load(&self, work: impl Future<Output = ()>) {
        let Self { place, stream, .. } = self;
        watched(place, stream, async {
            let done = AtomicBool::new(false);
            let mut records = stream.records.iter();
            let during = std::iter::from_fn(|| if done.load(Ordering::Relaxed) { None } else { records.next() });
            let work = async {
                place.until_committed(100, BOUND).await;
                work.await;
                done.store(true, Ordering::Relaxed);
            };
            tokio::join!(place.sender.send_each(during, Some(RATE)), work);
            let rest = records.as_slice();
            assert!(!rest.is_empty(), "the load lasted as long as the work");
            place.sender.send(rest, None).await;
            place.until_done(stream, BOUND).await;
        })
        .await;
        // While partitions still move, the question where they end may be refused.
        self.cluster.until_in_sync().await;
        self.cluster.until_balanced().await;
        place.until_done(stream, BOUND).await;
        check(place, stream).await;
        self.member.until_ready(RECOVERED).await;
    }

    /// Two of three brokers are enough. Then this one comes back, and gets what it lacks.
    async fn goes_on_without(&self, node: i32) {
        self.goes_on().await;
        self.cluster.start_again(&[node]).await;
        self.cluster.until_in_sync().await;
        self.goes_on().await;
    }

    /// Waits until the consumer has gone on.
    async fn goes_on(&self) {
        self.place.until_goes_on(RECOVERED).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn brokers_that_are_restarted_one_after_the_other_lose_and_double_nothing() {
    let Some(case) = Case::new(21, usual()).await else { return };
    case.under_load(async {
        for node in NODES {
            case.cluster.stop(node).await;
            case.goes_on_without(node).await;
        }
    })
    .await;
    case.member.stop().await;
}

async fn without_leader_and_coordinator(seed: u64, sharing: Sharing) {
    let Some(case) = Case::new(seed, sharing).await else { return };
    case.under_load(async {
        let leader = case.cluster.leader(&case.place.kafka.topic, 0);
        for role in ["leader", "coordinator"] {
            let node = if role == "leader" { leader } else { case.cluster.coordinator(&case.place.kafka.group) };
            case.cluster.kill(node).await;
            case.goes_on_without(node).await;
        }
    })
    .await;
    case.member.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_leader_and_a_coordinator_that_are_killed_lose_and_double_nothing() {
    without_leader_and_coordinator(22, COOPERATIVE).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_leader_and_a_coordinator_that_are_killed_where_brokers_share_lose_and_double_nothing() {
    without_leader_and_coordinator(25, BROKERS).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn without_two_of_three_brokers_nothing_is_consumed_and_with_them_nothing_is_lost_or_doubled() {
    let Some(case) = Case::new(23, usual()).await else { return };
    case.under_load(async {
        // The group's own broker is one of those that are away; then it is the one that stays.
        for stays in [false, true] {
            let coordinator = case.cluster.coordinator(&case.place.kafka.group);
            let mut away = NODES.to_vec();
            let left = if stays { coordinator } else { *NODES.iter().find(|node| **node != coordinator).unwrap() };
            away.retain(|node| *node != left);
            tokio::join!(case.cluster.kill(away[0]), case.cluster.kill(away[1]));
            let reason = case.member.until_down(KAFKA, NOTICED).await;
            assert!(is_away(&reason, "Kafka"), "{reason}");
            let acknowledged = case.place.sender.sent();
            sleep(AWAY).await;
            assert_eq!(case.place.sender.sent().len(), acknowledged.len(), "what one broker alone has is not acknowledged");
            // What had come before, and is on two brokers, is still written. What one broker alone has is given to nobody.
            let known: BTreeSet<_> = acknowledged.values().filter_map(|value| Some(events::decode(value).ok()?.id)).collect();
            let Ids { applied, parked, .. } = Ids::read(&case.place);
            let unknown: Vec<_> = applied.union(&parked).filter(|id| !known.contains(id)).collect();
            assert!(unknown.is_empty(), "consumed, and on one broker alone: {unknown:?}");
            assert_eq!(case.member.health().await.0, 503);
            case.cluster.start_again(&away).await;
            case.member.until_ready(RECOVERED).await;
            case.goes_on().await;
            case.cluster.until_in_sync().await;
            // The one that stayed has led every partition since: alone with all of them it would answer every question.
            case.cluster.until_balanced().await;
        }
    })
    .await;
    case.member.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_broker_that_comes_back_without_its_records_gets_them_and_nothing_is_lost_or_doubled() {
    let Some(mut case) = Case::new(24, usual()).await else { return };
    let node = case.cluster.leader(&case.place.kafka.topic, 0);
    case.under_load(async {
        case.cluster.kill(node).await;
        case.cluster.empty(node);
        case.cluster.start_again(&[node]).await;
        case.cluster.until_in_sync().await;
        case.goes_on().await;
        // It leads again, from what it got from the others.
        case.cluster.until_balanced().await;
        assert_eq!(case.cluster.leader(&case.place.kafka.topic, 0), node);
        case.goes_on().await;
    })
    .await;
    case.member.stop().await;
    // What it got is all that was sent.
    case.place.start_over("replay");
    case.member = case.place.start(&[]);
    case.place.until_done(&case.stream, BOUND).await;
    check(&case.place, &case.stream).await;
    case.member.stop().await;
}
