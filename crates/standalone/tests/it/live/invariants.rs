//! The end that every case must come to.

use std::collections::{BTreeMap, BTreeSet};

use consumer::ConsumerConfig;
use consumer::verify::VerifyArgs;
use consumer::wiring::verify_once;
use pipeline::dead_letter::Entry;
use pipeline::ports::GroupProgress as _;
use rusqlite::{Connection, OpenFlags};
use testkit::history::Rows;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::place::Place;
use super::sender::Spot;
use super::stream::Stream;

/// Ids of the events that rows show, and of every adjustment.
const APPLIED: &str = "SELECT event_id FROM users UNION ALL SELECT event_id FROM orders UNION ALL SELECT event_id FROM payments
                       UNION ALL SELECT event_id FROM inventory_adjustments";
const PARKED: &str = "SELECT event_id FROM parked_events WHERE expired = 0";
/// Articles whose stock is not the sum of its ledger.
const WRONG_SUMS: &str = "SELECT count(*) FROM inventory AS i
                          WHERE i.quantity <> (SELECT sum(delta) FROM inventory_adjustments AS a WHERE a.sku = i.sku)";

/// Checks, once everything is consumed:
///
/// - Committed = end of the log, and the log holds each record once.
/// - Produced ids = applied ∪ superseded ∪ parked ∪ dead-lettered, and these are disjoint.
/// - Each unwritable record is one dead letter, with its bytes and its place.
/// - Stock = the sum of distinct deltas.
/// - Every row is the one of the reference model, field by field; there is no other row.
/// - Every row and dead letter is the one that the log makes, by `verify`.
pub async fn check(place: &Place, stream: &Stream) {
    let ends = place.progress.high_watermarks().await.unwrap();
    assert_eq!(place.progress.committed().await.unwrap(), ends, "committed = end");
    assert_eq!(ends.values().sum::<i64>(), stream.total(), "the log holds what was sent");

    let dead_letters = dead_letters(place).await;
    let poison: BTreeMap<_, _> = place.sender.sent().into_iter().filter(|(_, value)| stream.poison.contains(value)).collect();
    assert_eq!(dead_letters, poison, "each unwritable record is a dead letter, once, with its bytes and its place");
    assert_eq!(poison.len(), stream.poison.len());
    check_rows(place, stream).await;
    verify(place, true).await;
}

/// What of it can be said of the tables alone, also where the log that the records came from is gone.
pub async fn check_tables(place: &Place, stream: &Stream) {
    check_rows(place, stream).await;
    verify(place, false).await;
}

async fn check_rows(place: &Place, stream: &Stream) {
    let store = Ids::read(place);
    assert_eq!(store.applied, stream.history.shown(), "the newest event of each entity and every adjustment are applied, once");
    assert_eq!(store.parked, stream.orphans, "what has no parent waits, and nothing else");
    assert_eq!(store.wrong_sums, 0, "stock is the sum of its ledger");
    let rows = Rows::read(&place.tables, &stream.history).await.without_our_clock();
    let model = stream.history.fold();
    assert_same(&rows.users, &model.users);
    assert_same(&rows.orders, &model.orders);
    assert_same(&rows.stock, &model.stock);
}

/// What `verify` says, which knows nothing of the reference model.
async fn verify(place: &Place, dead_letters: bool) {
    let arguments = VerifyArgs { dead_letters, ..VerifyArgs::default() };
    let config = ConsumerConfig::default();
    let report =
        verify_once(&place.tables, &place.dead_letters, (&place.kafka, &config), &arguments, &CancellationToken::new()).await.unwrap();
    assert!(report.is_equal() && report.disputed == 0, "{report}");
}

/// The events that are in the tables.
pub struct Ids {
    pub applied: BTreeSet<Uuid>,
    pub parked: BTreeSet<Uuid>,
    wrong_sums: i64,
}

impl Ids {
    /// All of one moment.
    pub fn read(place: &Place) -> Self {
        let mut file = Connection::open_with_flags(place.file(), OpenFlags::SQLITE_OPEN_READ_ONLY).unwrap();
        let moment = file.transaction().unwrap();
        let wrong_sums = moment.query_row(WRONG_SUMS, [], |row| row.get(0)).unwrap();
        Self { applied: ids(&moment, APPLIED), parked: ids(&moment, PARKED), wrong_sums }
    }
}

fn ids(connection: &Connection, sql: &str) -> BTreeSet<Uuid> {
    let mut statement = connection.prepare(sql).unwrap();
    let ids: Vec<Uuid> = statement.query_map([], |row| row.get(0).map(Uuid::from_bytes)).unwrap().map(Result::unwrap).collect();
    let distinct: BTreeSet<_> = ids.iter().copied().collect();
    assert_eq!(distinct.len(), ids.len(), "no event is there twice");
    distinct
}

/// The bytes of each dead letter, by the place of its record.
pub async fn dead_letters(place: &Place) -> BTreeMap<Spot, Vec<u8>> {
    let entries = place.dead_letters().await;
    let entries: Vec<_> = entries.iter().map(|json| Entry::parse(json).unwrap()).collect();
    let by_spot: BTreeMap<_, _> =
        entries.iter().map(|entry| ((entry.partition.unwrap(), entry.offset.unwrap()), entry.value().unwrap())).collect();
    assert_eq!(by_spot.len(), entries.len(), "no record is two dead letters");
    by_spot
}

/// Shows the first difference alone: a whole table would fill the screen.
fn assert_same<K: Ord + std::fmt::Debug, V: PartialEq + std::fmt::Debug>(found: &BTreeMap<K, V>, expected: &BTreeMap<K, V>) {
    for (key, value) in expected {
        assert_eq!(found.get(key), Some(value), "{key:?}");
    }
    assert_eq!(found.len(), expected.len());
}
