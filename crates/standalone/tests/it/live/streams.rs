//! Without a fault: everything is persisted, again changes nothing, what cannot be written is set aside.

use std::time::Duration;

use testkit::history::Rows;

use super::invariants::check;
use super::place::Place;
use super::servers::Servers;
use super::stream::Stream;
use super::watch::watched;

const BOUND: Duration = Duration::from_secs(120);

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_of_20000_events_lands_whole_and_a_second_group_changes_nothing() {
    let Some(servers) = Servers::configured().await else { return };
    let mut place = Place::on(&servers).await;
    let stream = Stream::new(20_000, 1, None);
    let member = place.start(&[]);
    watched(&place, &stream, async {
        place.sender.send(&stream.records, None).await;
        place.until_done(&stream, BOUND).await;
    })
    .await;
    check(&place, &stream).await;
    member.stop().await;

    let before = Rows::read(&place.tables, &stream.history).await;
    place.move_to_group("replay");
    assert_eq!(place.committed().await, Some(0), "the second group begins at the beginning");
    let member = place.start(&[]);
    place.until_done(&stream, BOUND).await;
    check(&place, &stream).await;
    assert!(before == Rows::read(&place.tables, &stream.history).await, "no row changed, updatedAt included");
    assert!(member.warnings().is_empty(), "{:?}", member.warnings());
    member.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn each_unwritable_record_of_every_kind_is_one_dead_letter_and_a_replay_adds_none() {
    let Some(servers) = Servers::configured().await else { return };
    let mut place = Place::on(&servers).await;
    let stream = Stream::new(4_000, 2, Some(50));
    assert!(stream.poison.len() > 8 * producer::generate::PoisonKind::ALL.len());
    let member = place.start(&[]);
    watched(&place, &stream, async {
        place.sender.send(&stream.records, None).await;
        place.until_done(&stream, BOUND).await;
    })
    .await;
    check(&place, &stream).await;
    member.stop().await;

    place.move_to_group("replay");
    let member = place.start(&[]);
    place.until_done(&stream, BOUND).await;
    check(&place, &stream).await;
    member.stop().await;
}
