//! That a dry run leaves the whole file as it is.

use pipeline::plan::Candidate;
use pipeline::{Outcome, ParkingLot};
use rusqlite::Connection;
use rusqlite::types::Value;
use sqlite::Sqlite;
use testkit::builders::{id, order, parked};
use testkit::delivery::{Delivery, try_dry_run_candidates};
use testkit::history::History;
use testkit::seed::Seed;

/// Every row of every table.
fn dump(store: &Sqlite) -> Vec<(String, Vec<Vec<Value>>)> {
    let file = Connection::open(store.path()).unwrap();
    let mut tables = file.prepare("SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name").unwrap();
    let tables: Vec<String> = tables.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect();
    let rows = |table: &String| {
        let mut rows = file.prepare(&format!("SELECT * FROM {table} ORDER BY 1")).unwrap();
        let columns = rows.column_count();
        rows.query_map([], |row| (0..columns).map(|column| row.get(column)).collect()).unwrap().map(Result::unwrap).collect()
    };
    tables.into_iter().map(|table| (table.clone(), rows(&table))).collect()
}

#[tokio::test]
async fn no_table_holds_anything_of_a_rehearsal() {
    let store = Sqlite::temporary().unwrap();
    // Always the same choices, so that each table holds something.
    let mut seed = Seed::numbered(1, "rehearsal");
    let history = History::random(&mut seed);
    let delivered = seed.shuffled_with_duplicates(&history.events);
    let (first, second) = delivered.split_at(delivered.len() / 2);
    let mut delivery = Delivery::new(&store);
    for part in seed.parts(first) {
        delivery.deliver(&part).await;
    }
    let waiting = order(id(), history.users[0]);
    let parked = parked(&waiting);
    store.park(std::slice::from_ref(&parked)).await.unwrap();
    let before = dump(&store);
    for name in ["users", "orders", "order_items", "payments", "inventory", "inventory_adjustments", "parked_events"] {
        assert!(before.iter().any(|(table, rows)| table == name && !rows.is_empty()), "{name}: there is something to lose");
    }
    for event in second {
        try_dry_run_candidates(&store, &[Candidate { event: event.clone(), parked: None }]).await.unwrap();
    }
    let release = Candidate { event: waiting, parked: Some(parked.parked_key()) };
    assert_eq!(try_dry_run_candidates(&store, &[release]).await.unwrap().outcomes, [Outcome::Applied]);
    assert_eq!(dump(&store), before);
}
