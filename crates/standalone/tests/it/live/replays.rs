//! An operator moves the group's offsets back: what the tables have lost comes again, and nothing counts twice.

use std::process::Output;
use std::time::Duration;

use pipeline::ports::GroupProgress as _;
use serde_json::Value;

use super::invariants::check;
use super::place::Place;
use super::servers::Servers;
use super::stream::Stream;
use crate::process::run;

const BOUND: Duration = Duration::from_secs(120);
/// What somebody deletes who does not know better: orders with their items and payments, stock with a part of its ledger.
const DELETED: &str = "DELETE FROM payments; DELETE FROM order_items; DELETE FROM orders; DELETE FROM inventory;
                       DELETE FROM inventory_adjustments; DELETE FROM users WHERE rowid % 2 = 0;";

async fn replay(place: &Place, arguments: &[&str]) -> (Output, String, String) {
    let mut command = place.command(&[]);
    command.args(["replay", "--from", "earliest"]).args(arguments);
    tokio::task::spawn_blocking(move || run(command)).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_deleted_and_what_an_empty_database_lacks_comes_again_and_nothing_counts_twice() {
    let Some(servers) = Servers::configured().await else { return };
    let (mut place, stream) = (Place::on(&servers).await, Stream::new(2_000, 41, Some(50)));
    let member = place.start(&[]);
    place.sender.send(&stream.records, None).await;
    place.until_done(&stream, BOUND).await;
    let before = place.progress.log().await.unwrap();

    let (output, shown, _) = replay(&place, &[]).await;
    assert!(output.status.success() && shown.contains("members, to be stopped before: "), "{shown}");
    let (output, _, error) = replay(&place, &["--execute"]).await;
    assert!(output.status.code() == Some(1) && error.contains("the group has members, so nothing was moved: "), "{error}");
    assert_eq!(place.progress.log().await.unwrap(), before);
    member.stop().await;

    rusqlite::Connection::open(place.file()).unwrap().execute_batch(DELETED).unwrap();
    let (output, shown, error) = replay(&place, &["--execute", "--json"]).await;
    assert_eq!(output.status.code(), Some(0), "{error}");
    let shown: Value = serde_json::from_str(&shown).unwrap();
    assert_eq!((shown["executed"].as_bool(), shown["again"].as_i64()), (Some(true), Some(stream.total())), "{shown}");
    assert_eq!(place.committed().await, Some(0));
    let member = place.start(&[]);
    place.until_done(&stream, BOUND).await;
    check(&place, &stream).await;
    member.stop().await;

    // Another database, which knows nothing, and the same group.
    let group = place.kafka.group.clone();
    place.start_over("empty");
    place.join_group(group);
    let (output, shown, error) = replay(&place, &["--execute"]).await;
    assert!(output.status.success() && shown.contains("nobody is in the group"), "{shown}{error}");
    let member = place.start(&[]);
    place.until_done(&stream, BOUND).await;
    check(&place, &stream).await;
    member.stop().await;
}
