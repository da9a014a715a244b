//! Old lines of the ledger are folded where nothing can bring their events again, and refused with the reason where something can.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use consumer::audit::Who;
use consumer::ledger::{CompactArgs, Kept, Obstacle, Refusal, Report, compact};
use events::{Event, Timestamp};
use pipeline::audit::AuditEntry;
use pipeline::dead_letter::Diagnosis;
use pipeline::fault::Fault;
use pipeline::ledger::Cutoff;
use pipeline::ports::{
    AuditLog as _, AuditPage, ClaimQueue as _, DeadLetterReader as _, End, GroupOffsets, GroupProgress, Heartbeats as _,
    LedgerCompaction as _, ParkingExpiry as _, TableRows as _,
};
use pipeline::{DeadLetter, DeadLetterQueue as _, LogState, Outcome, ParkingLot as _, Reason};
use sqlite::Sqlite;
use testkit::builders::{Build as _, adjustment, heartbeat, id, order, parked, record};
use testkit::delivery::apply;

use crate::fake_log::Topic;

const DAY: Duration = Duration::from_secs(86_400);

/// A topic of which so many records of each partition are older than whatever is asked for.
#[derive(Default)]
pub struct Kafka {
    topic: Topic,
    older: i64,
}

impl Kafka {
    /// With this topic, of which nothing is older.
    pub fn of(topic: &Topic) -> Self {
        Self { topic: topic.clone(), older: 0 }
    }
}

impl GroupProgress for Kafka {
    async fn log(&self) -> Result<LogState, Fault> {
        self.topic.log().await
    }
}

impl GroupOffsets for Kafka {
    async fn offsets_at(&self, _: i64) -> Result<BTreeMap<i32, i64>, Fault> {
        Ok(self.topic.ends().into_iter().map(|(partition, end)| (partition, end.min(self.older))).collect())
    }

    async fn reset(&self, _: &BTreeMap<i32, i64>) -> Result<(), Fault> {
        unreachable!("a compaction moves nothing")
    }
}

pub fn kept() -> Kept {
    Kept { topic: "events".to_owned(), compacts: Some(false), retention: Some(7 * DAY) }
}

/// An adjustment that happened, and was applied, a year ago.
pub async fn old(tables: &Sqlite, sku: &str, delta: i32) -> Event<'static> {
    let at = tables.now().await.unwrap().plus_micros(-365 * 86_400 * 1_000_000);
    let event = Event { at, ..adjustment(sku, delta) };
    assert_eq!(apply(tables, std::slice::from_ref(&event)).await, [Outcome::Applied]);
    rusqlite::Connection::open(tables.path()).unwrap().execute("UPDATE inventory_adjustments SET applied_at = event_at", []).unwrap();
    event
}

async fn ask(kafka: &Kafka, tables: &Sqlite, execute: bool) -> Result<Report, Refusal> {
    let arguments = CompactArgs { older_than: 90 * DAY, execute, json: false };
    compact(kafka, tables, tables, kept(), (Who::command_line(), &arguments), &|_, _| {}).await
}

async fn noted(tables: &Sqlite) -> Vec<AuditEntry> {
    tables.audit_page(AuditPage::After(0), 100).await.unwrap()
}

#[tokio::test]
async fn nothing_is_folded_until_it_is_executed_and_then_the_audit_log_says_who_did() {
    let (kafka, tables) = (Kafka::default(), Sqlite::temporary().unwrap());
    (0..3).for_each(|_| kafka.topic.append_bytes(0, b"x".to_vec()));
    let (one, _two) = (old(&tables, "A", 3).await, old(&tables, "A", 4).await);
    let shown = ask(&kafka, &tables, false).await.unwrap();
    let foldable = shown.foldable.unwrap();
    assert_eq!((foldable.lines, foldable.articles, shown.folded), (2, 1, None));
    assert!(shown.to_string().contains("nothing was folded: --execute folds them"), "{shown}");
    assert_eq!((tables.ledger_state().await.unwrap().events_before, noted(&tables).await.len()), (None, 0));

    let progress = AtomicU64::new(0);
    let arguments = CompactArgs { older_than: 90 * DAY, execute: true, json: false };
    let on_progress = |done, _| progress.store(done, Ordering::SeqCst);
    let done = compact(&kafka, &tables, &tables, kept(), (Who::command_line(), &arguments), &on_progress).await.unwrap();
    assert_eq!((done.folded, progress.load(Ordering::SeqCst)), (Some(2), 2));
    assert!(done.to_string().contains("folded 2 lines into opening balances"), "{done}");
    assert_eq!(done.to_json()["folded"], 2);
    let told: Vec<_> = noted(&tables).await.into_iter().map(|entry| (entry.record.action, entry.record.outcome)).collect();
    assert_eq!(told, [("compact".to_owned(), "begun".to_owned()), ("compact".to_owned(), "2 lines folded".to_owned())]);
    let refused = Outcome::Rejected { reason: Reason::LedgerCompacted, code: None };
    assert_eq!(apply(&tables, &[one]).await, [refused], "a replay of it");
}

/// What is in the way of lines that are ninety days old.
async fn obstacles(kafka: &Kafka, tables: &Sqlite) -> Vec<Obstacle> {
    let report = ask(kafka, tables, true).await.unwrap();
    assert_eq!(report.folded, None, "{report}");
    assert!(report.to_string().ends_with("refused: nothing was folded"), "{report}");
    assert_eq!((tables.ledger_state().await.unwrap().events_before, noted(tables).await.len()), (None, 0));
    report.obstacles
}

#[tokio::test]
async fn a_log_that_still_holds_older_records_is_in_the_way_whatever_its_settings_say() {
    let (kafka, tables) = (Kafka { older: 2, ..Kafka::default() }, Sqlite::temporary().unwrap());
    for partition in [0, 2] {
        (0..3).for_each(|_| kafka.topic.append_bytes(partition, b"x".to_vec()));
    }
    assert_eq!(obstacles(&kafka, &tables).await, [Obstacle::StillThere(vec![0, 2])]);
}

pub fn letter(event: &Event<'_>, at: Timestamp) -> DeadLetter {
    DeadLetter::new(&record(event.to_json()), &Diagnosis::rejected(event.id, event.event_type(), Reason::EventIdConflict, None), at)
}

#[tokio::test]
async fn an_old_dead_letter_is_in_the_way_and_so_is_one_that_somebody_is_at() {
    let (kafka, tables) = (Kafka::default(), Sqlite::temporary().unwrap());
    let now = tables.now().await.unwrap();
    let at = now.plus_micros(-100 * 86_400 * 1_000_000);
    let young = Event { at: now, ..adjustment("A", 1) };
    let old = Event { at, ..adjustment("A", 2) };
    // By its event, although it became a dead letter today; wherever in the list it stands.
    tables.push(&[letter(&young, now), letter(&old, now), letter(&Event { id: id(), ..young.clone() }, now)]).await.unwrap();
    let found = obstacles(&kafka, &tables).await;
    assert!(matches!(found[..], [Obstacle::DeadLetter { at: told, .. }] if told == at), "{found:?}");
    let entry = tables.page(End::Oldest, 1, 1).await.unwrap();
    tables.claim(&entry, DAY).await.unwrap();
    assert_eq!(obstacles(&kafka, &tables).await, [Obstacle::Claimed(1)]);
}

#[tokio::test]
async fn a_dead_letter_that_is_refused_already_is_in_nobodys_way() {
    let (kafka, tables) = (Kafka::default(), Sqlite::temporary().unwrap());
    let now = tables.now().await.unwrap();
    let days = |days: i64| now.plus_micros(-days * 86_400 * 1_000_000);
    let number = tables.begin_compaction(Cutoff { events_before: days(100), applied_before: days(100) }).await.unwrap().number;
    tables.compact(number, 100).await.unwrap();
    tables.push(&[letter(&Event { at: days(101), ..adjustment("A", 2) }, now)]).await.unwrap();
    assert_eq!(ask(&kafka, &tables, true).await.unwrap().folded, Some(0));
}

#[tokio::test]
async fn an_old_parked_event_and_a_consumer_of_another_release_are_in_the_way() {
    let (kafka, tables) = (Kafka::default(), Sqlite::temporary().unwrap());
    let waiting = order(id(), id());
    tables.park(&[parked(&waiting)]).await.unwrap();
    rusqlite::Connection::open(tables.path()).unwrap().execute("UPDATE parked_events SET parked_at = 0", []).unwrap();
    let mut other = heartbeat(id());
    other.version = "0.0.9".to_owned();
    tables.beat(&other).await.unwrap();
    let expected =
        [Obstacle::Parked(Timestamp::UNIX_EPOCH), Obstacle::OtherVersion { version: "0.0.9".to_owned(), host: other.host.clone() }];
    assert_eq!(obstacles(&kafka, &tables).await, expected);
}

#[tokio::test]
async fn one_that_was_broken_off_is_gone_on_with_whatever_is_in_the_way_by_now() {
    let (kafka, tables) = (Kafka::default(), Sqlite::temporary().unwrap());
    for _ in 0..7 {
        old(&tables, "A", 1).await;
    }
    let before = tables.now().await.unwrap().plus_micros(-200 * 86_400 * 1_000_000);
    let cutoff = Cutoff { events_before: before, applied_before: before };
    let begun = tables.begin_compaction(cutoff).await.unwrap();
    assert_eq!(tables.compact(begun.number, 3).await.unwrap().folded, 3);
    // Another process opens the file; this one is gone.
    let tables = Sqlite::open(tables.path()).unwrap();
    tables.push(&[letter(&adjustment("A", 2).later(-1_000_000_000), before)]).await.unwrap();
    let shown = ask(&kafka, &tables, false).await.unwrap();
    assert!(shown.to_string().contains("broken off after 3 lines: it is gone on with first"), "{shown}");
    let done = ask(&kafka, &tables, true).await.unwrap();
    assert_eq!((done.folded, done.cutoff), (Some(4), cutoff));
    assert_eq!(tables.ledger_state().await.unwrap().under_way, None);
    assert_eq!(tables.wrong_stock(10).await.unwrap(), []);
}
