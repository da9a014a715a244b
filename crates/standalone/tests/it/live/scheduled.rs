//! Verifying on a schedule, beside the consumer.

use std::time::Duration;

use rusqlite::Connection;
use testkit::eventually;

use super::member::Member;
use super::place::Place;
use super::servers::Servers;
use super::stream::Stream;

const BOUND: Duration = Duration::from_secs(120);
const SCHEDULED: (&str, &str) = ("VERIFY_INTERVAL", "1h");

/// The value of a metric of the program.
async fn metric(member: &Member, name: &str) -> Option<f64> {
    let text = reqwest::get(format!("{}/metrics", member.api().await)).await.unwrap().text().await.unwrap();
    text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' ')?.parse().ok())
}

async fn until_verified(member: &Member) {
    let is_verified = async || metric(member, "pipeline_verify_last_success_timestamp_seconds").await > Some(0.0);
    eventually(BOUND, "the tables are verified", is_verified).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_member_verifies_and_tells_a_row_that_somebody_else_has_changed() {
    let Some(servers) = Servers::configured().await else { return };
    let place = Place::on(&servers).await;
    let stream = Stream::new(3_000, 41, Some(100));
    let member = place.start(&[SCHEDULED]);
    place.sender.send(&stream.records, None).await;
    place.until_done(&stream, BOUND).await;
    member.stop().await;

    let tables = Connection::open(place.file()).unwrap();
    // The members of before are gone without a word.
    tables.execute("DELETE FROM leases", []).unwrap();
    assert_eq!(tables.execute("UPDATE users SET last_name = 'Nobody' WHERE rowid = 1", []).unwrap(), 1);
    let member = place.start(&[SCHEDULED]);
    until_verified(&member).await;
    assert_eq!(metric(&member, "pipeline_verify_differences{entity=\"users\",kind=\"changed\"}").await, Some(1.0));
    assert_eq!(metric(&member, "pipeline_verify_verified_events").await, Some(stream.total() as f64));
    assert_eq!(member.logged("the tables differ from the log"), 1);
    assert_eq!(member.logged("dead letter:"), 0, "they were told when they were consumed");
    let other = place.start(&[SCHEDULED]);
    other.until_ready(BOUND).await;

    // The database tells it to whoever asks.
    let is_told = async || {
        let status = place.command(&[]).arg("status").output().unwrap();
        String::from_utf8(status.stdout).unwrap().contains(" ago: 1 difference from the log, see `verify`")
    };
    eventually(BOUND, "the member's verdict is told", is_told).await;

    let verify = |more: &[&str]| {
        let mut command = place.command(&[]);
        command.arg("verify").args(more).output().unwrap()
    };
    let repaired = verify(&["--repair", "--yes"]);
    assert!(repaired.status.success(), "{repaired:?}");
    let changes = String::from_utf8(repaired.stderr).unwrap();
    assert!(changes.contains("consumer::verify::repair") && !changes.contains("Nobody"), "{changes}");
    assert!(verify(&["--dead-letters"]).status.success());
    assert_eq!(metric(&other, "pipeline_verify_last_success_timestamp_seconds").await, Some(0.0), "the first one has the lease");
    other.stop().await;
    member.stop().await;
}
