//! Members come and go under load.

use std::time::Duration;

use testkit::eventually;
use testkit::proxy::{Network, Proxy};
use tokio::time::sleep;

use super::invariants::check;
use super::member::Member;
use super::place::Place;
use super::servers::Servers;
use super::sharing::{BROKERS, COOPERATIVE, RANGE, Sharing};
use super::stream::Stream;
use super::watch::watched;

const BOUND: Duration = Duration::from_secs(120);
/// What a member logs that has joined.
const ASSIGNED: &str = "partitions were assigned";
/// What one logs that the brokers do not let in.
const NOT_LET_IN: &str = "no partitions: ";
/// Within this time after its return a member would commit what it had finished before.
const LATE: Duration = Duration::from_secs(2);
/// How long a request to Redis takes one member, each way.
const SLOW: Duration = Duration::from_millis(500);
/// Small batches: more moments at which a partition can move between two steps.
const SMALL: (&str, &str) = ("BATCH_MAX_EVENTS", "20");
/// Records per second.
const RATE: f64 = 250.0;

/// 2 → 3 → 1 members: one joins, one is killed and started again, one is stopped for longer than its session and goes on, two leave.
async fn members_come_and_go(sharing: Sharing, seed: u64) {
    let Some(servers) = Servers::configured().await else { return };
    let place = Place::on(&servers).await;
    let stream = Stream::new(9_000, seed, Some(20));
    // One member waits long for its dead letters, so that it is stopped in the middle of a batch: when it goes on, the batch is another's.
    let slow = Proxy::before(servers.redis_port).await;
    slow.set(Network::Delays(SLOW));
    let slow = slow.port.to_string();
    let start = || place.start(&[&sharing[..], &[SMALL]].concat());
    let more = async |records: i64| {
        let reached = place.committed().await.unwrap();
        place.until_committed((reached + records).min(stream.total()), BOUND).await;
    };
    let (first_half, second_half) = stream.records.split_at(stream.records.len() / 2);
    watched(&place, &stream, async {
        let members = async {
            let (first, second) = (start(), start());
            more(300).await;
            let third = place.start(&[&sharing[..], &[SMALL, ("REDIS_PORT", &slow)]].concat());
            eventually(BOUND, "the third member has partitions", async || third.logged(ASSIGNED) > 0).await;
            second.kill();
            let second = start();
            more(300).await;
            stop_without_lock(&place, &third).await;
            (first, second, third)
        };
        let ((first, second, third), ()) = tokio::join!(members, place.sender.send(first_half, Some(RATE)));
        // The group gives the stopped member up. Nothing is left to commit, so that a late commit of its old batch would be seen.
        place.until_committed(first_half.len() as i64, BOUND).await;
        let assigned = third.logged(ASSIGNED);
        third.signal("CONT");
        eventually(BOUND, "the third member is back", async || third.logged(ASSIGNED) > assigned).await;
        sleep(LATE).await;
        let leaving = async {
            more(300).await;
            first.stop().await;
            more(300).await;
            third.stop().await;
        };
        tokio::join!(leaving, place.sender.send(second_half, Some(RATE)));
        place.until_done(&stream, BOUND).await;
        second.stop().await;
    })
    .await;
    check(&place, &stream).await;
}

/// Stops a member at a moment at which it does not hold the lock of the shared file: the others would wait for that as long as it stands still.
async fn stop_without_lock(place: &Place, member: &Member) {
    let tables = rusqlite::Connection::open(place.file()).unwrap();
    tables.busy_timeout(Duration::from_secs(1)).unwrap();
    eventually(BOUND, "the member stands still and holds no lock", async || {
        member.signal("STOP");
        let is_free = tables.execute_batch("BEGIN IMMEDIATE; ROLLBACK").is_ok();
        if !is_free {
            member.signal("CONT");
        }
        is_free
    })
    .await;
}

/// A running group goes from the classic protocol to that of the brokers, and back, member by member: each leaves, and comes back with the
/// other. A member of the group is there all the time, and records keep coming. Beside members that share cooperatively the brokers let none of
/// their own protocol in: it waits, ready, until the last of them has left.
async fn members_change_protocol(sharing: Sharing, seed: u64) {
    let Some(servers) = Servers::configured().await else { return };
    let place = Place::on(&servers).await;
    let stream = Stream::new(9_000, seed, Some(20));
    let start = |sharing: Sharing| place.start(&[&sharing[..], &[SMALL]].concat());
    let joined = async |member: &Member| {
        eventually(BOUND, "the member has partitions", async || member.given_partitions() > 0).await;
    };
    let waits = async |member: &Member| {
        eventually(BOUND, "the member says why it waits", async || member.logged(NOT_LET_IN) > 0).await;
        member.until_ready(BOUND).await;
        assert_eq!(member.given_partitions(), 0);
    };
    // One that joins before the others have settled may be let in, or not.
    let left = async |leaving: Member, staying: &Member| {
        let before = staying.given_partitions();
        leaving.stop().await;
        eventually(BOUND, "the group has settled", async || staying.given_partitions() > before).await;
    };
    watched(&place, &stream, async {
        let moving = async {
            let (mut first, mut second) = (start(sharing), start(sharing));
            joined(&first).await;
            joined(&second).await;
            for other in [BROKERS, sharing] {
                left(first, &second).await;
                first = start(other);
                if (sharing, other) == (COOPERATIVE, BROKERS) {
                    waits(&first).await;
                } else {
                    joined(&first).await;
                }
                left(second, &first).await;
                second = start(other);
                joined(&second).await;
            }
            (first, second)
        };
        let ((first, second), ()) = tokio::join!(moving, place.sender.send(&stream.records, Some(RATE)));
        place.until_done(&stream, BOUND).await;
        first.stop().await;
        second.stop().await;
    })
    .await;
    check(&place, &stream).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn members_that_come_go_die_and_stall_lose_and_double_nothing_cooperative() {
    members_come_and_go(COOPERATIVE, 8).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn members_that_come_go_die_and_stall_lose_and_double_nothing_range() {
    members_come_and_go(RANGE, 9).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn members_that_come_go_die_and_stall_lose_and_double_nothing_where_brokers_share() {
    members_come_and_go(BROKERS, 10).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_group_that_changes_its_protocol_and_back_loses_and_doubles_nothing_cooperative() {
    members_change_protocol(COOPERATIVE, 11).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_group_that_changes_its_protocol_and_back_loses_and_doubles_nothing_range() {
    members_change_protocol(RANGE, 12).await;
}
