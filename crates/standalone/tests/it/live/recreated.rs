//! The topic is deleted and created again while a member consumes it, and while a member is frozen.

use std::time::Duration;

use rdkafka::ClientConfig;
use rdkafka::admin::{AdminClient, AdminOptions};
use rdkafka::client::DefaultClientContext;
use testkit::eventually;

use super::invariants::check_tables;
use super::place::Place;
use super::sender::Sender;
use super::servers::Servers;
use super::sharing::{BROKERS, COOPERATIVE, Sharing};
use super::stream::Stream;

const BOUND: Duration = Duration::from_secs(120);
/// What the program says, once.
const ANOTHER: &str = "the topic's log is another one, or was cut: it is read from its beginning";

/// Deletes the topic and creates it again, with nothing in it.
async fn recreate(place: &mut Place) {
    let admin: AdminClient<DefaultClientContext> = ClientConfig::new().set("bootstrap.servers", &place.kafka.brokers).create().unwrap();
    let deleted = admin.delete_topics(&[&place.kafka.topic], &AdminOptions::new()).await.unwrap();
    assert!(deleted.iter().all(Result::is_ok), "{deleted:?}");
    eventually(BOUND, "the topic is gone", async || kafka::topic_partitions(&place.kafka).await.is_err()).await;
    place.create_topic(1).await;
    // One that knows nothing of the topic that is gone.
    place.sender = Sender::to(&place.kafka);
}

/// Sends a third of a stream, and the rest, which is longer, to another topic of the same name.
async fn two_logs(seed: u64, sharing: Sharing, frozen: bool) {
    let Some(servers) = Servers::configured().await else { return };
    let (mut place, stream) = (Place::on(&servers).await, Stream::new(3_000, seed, None));
    let member = place.start(&sharing);
    let (first, second) = stream.records.split_at(stream.records.len() / 3);
    place.sender.send(first, None).await;
    place.until_committed(first.len() as i64, BOUND).await;
    if frozen {
        member.signal("STOP");
    }
    recreate(&mut place).await;
    place.sender.send(second, None).await;
    if frozen {
        member.signal("CONT");
    }
    place.until_done(&stream, BOUND).await;
    check_tables(&place, &stream).await;
    member.until_ready(BOUND).await;
    assert_eq!(member.logged(ANOTHER), 1);
    member.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_topic_that_is_created_anew_under_a_running_member_is_consumed_from_its_beginning() {
    two_logs(31, COOPERATIVE, false).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_topic_that_is_created_anew_where_brokers_share_is_consumed_from_its_beginning() {
    two_logs(33, BROKERS, false).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_topic_that_is_created_anew_while_a_member_is_frozen_is_consumed_from_its_beginning() {
    two_logs(32, COOPERATIVE, true).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_topic_that_is_created_anew_while_a_member_is_frozen_where_brokers_share_is_consumed_from_its_beginning() {
    two_logs(34, BROKERS, true).await;
}
