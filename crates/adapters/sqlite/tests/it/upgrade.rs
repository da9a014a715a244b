//! Files of older versions become files of this one, and lose nothing.

use std::path::{Path, PathBuf};

use events::Body;
use pipeline::ports::{DeadLetterReader, ParkingExpiry};
use pipeline::{LogPosition, Outcome, Parents, ParkingLot, WaitsFor};
use readmodel::ReadStore;
use rusqlite::Connection;
use sqlite::Sqlite;
use tempfile::TempDir;
use testkit::builders::{Build, adjustment, id, order, parked, user};
use testkit::delivery::{apply, try_apply_moving, try_release};
use uuid::Uuid;

/// The tables as the program of version 2 made them.
const VERSION_2: &str = include_str!("fixtures/schema_2.sql");

/// Rows of each table, written by statements of version 2. The user and the event ids are those of the statements below.
const ROWS: &str = "
    INSERT INTO users VALUES (x'00000000000000000000000000000001', 'ada@example.com', 'ada@example.com', 'Ada', 'Lovelace', 1, zeroblob(16), 1, 2);
    INSERT INTO orders VALUES (x'00000000000000000000000000000002', x'00000000000000000000000000000001', '1', 'EUR', 1, zeroblob(16), 1, 2);
    INSERT INTO order_items VALUES (x'00000000000000000000000000000002', 1, 'sku', 1, '1');
    INSERT INTO payments VALUES (zeroblob(16), x'00000000000000000000000000000002', '1', 'EUR', 'card', 'settled', 1, zeroblob(16), 1, 2);
    INSERT INTO inventory VALUES ('sku', 5, 1);
    INSERT INTO inventory_adjustments VALUES (zeroblob(16), 'sku', 5, 'add', 'delivery', 1, 1, 1);
    INSERT INTO parked_events VALUES ('events', 3, 42, x'6b', 7, 1, zeroblob(16), 1, x'00000000000000000000000000000009', 5, 0, '{}');
    INSERT INTO parked_events VALUES ('events', 3, 43, NULL, NULL, 0, zeroblob(16), 3, NULL, 6, 1, '{}');
    INSERT INTO dead_letters (entry, token, lease_ends) VALUES ('{}', zeroblob(16), 9), ('{}', NULL, NULL);
    INSERT INTO dead_letters_seen VALUES ('identity', 1);
    UPDATE flood_permit SET records = 12;";

const TABLES: [&str; 10] = [
    "users",
    "orders",
    "order_items",
    "payments",
    "inventory",
    "inventory_adjustments",
    "parked_events",
    "dead_letters",
    "dead_letters_seen",
    "flood_permit",
];

/// A file of version 2 with rows.
pub fn old_file() -> (TempDir, PathBuf) {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("events.db");
    let file = Connection::open(&path).unwrap();
    file.execute_batch(VERSION_2).unwrap();
    file.execute_batch(ROWS).unwrap();
    file.pragma_update(None, "user_version", 2).unwrap();
    (folder, path)
}

/// What is in the file, comments and white space aside.
fn schema(path: &Path) -> Vec<(String, String, String)> {
    let file = Connection::open(path).unwrap();
    let mut objects = file.prepare("SELECT type, name, coalesce(sql, '') FROM sqlite_schema ORDER BY type, name").unwrap();
    let objects = objects.query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get::<_, String>(2)?))).unwrap();
    objects.map(Result::unwrap).map(|(kind, name, sql)| (kind, name, plain(&sql))).collect()
}

fn plain(sql: &str) -> String {
    let words = sql.lines().map(|line| line.split("--").next().unwrap_or_default()).flat_map(str::split_whitespace);
    words.collect::<Vec<_>>().join(" ")
}

/// The rows of a table, of the columns that version 2 has.
fn rows(path: &Path, table: &str) -> Vec<Vec<rusqlite::types::Value>> {
    let old = Connection::open_in_memory().unwrap();
    old.execute_batch(VERSION_2).unwrap();
    let columns: String = {
        let sql = "SELECT group_concat(name, ', ') FROM pragma_table_info(?1)";
        old.query_row(sql, [table], |row| row.get(0)).unwrap()
    };
    let file = Connection::open(path).unwrap();
    // What belongs to an order is keyed by the number of its row since version 13.
    let by_number = file.prepare("SELECT order_row FROM order_items").is_ok();
    let from = if by_number && ["order_items", "payments"].contains(&table) {
        "(SELECT t.*, o.order_id FROM {table} t JOIN orders o USING (order_row))"
    } else {
        "{table}"
    };
    let from = from.replace("{table}", table);
    let mut select = file.prepare(&format!("SELECT {columns} FROM {from} ORDER BY {columns}")).unwrap();
    let count = select.column_count();
    let rows = select.query_map([], |row| (0..count).map(|column| row.get(column)).collect()).unwrap();
    rows.map(Result::unwrap).collect()
}

#[test]
fn an_upgraded_file_has_the_tables_of_a_new_one_and_keeps_every_row() {
    let (_folder, path) = old_file();
    let before = TABLES.map(|table| rows(&path, table));
    assert!(before.iter().all(|rows| !rows.is_empty()), "there is something to lose in each");
    drop(Sqlite::open(&path).unwrap());
    assert_eq!(TABLES.map(|table| rows(&path, table)), before);

    let new = Sqlite::temporary().unwrap();
    assert_eq!(schema(&path), schema(new.path()));
    let version = |path| Connection::open(path).unwrap().query_row("PRAGMA user_version", [], |row| row.get::<_, i64>(0)).unwrap();
    assert_eq!(version(path.as_path()), version(new.path()));
    let file = Connection::open(&path).unwrap();
    assert_eq!(file.query_row("PRAGMA integrity_check", [], |row| row.get::<_, String>(0)).unwrap(), "ok");
    assert_eq!(file.query_row("SELECT count(*) FROM pragma_foreign_key_check", [], |row| row.get::<_, i64>(0)).unwrap(), 0);
    drop(Sqlite::open(&path).expect("the second time there is nothing to do"));
}

#[tokio::test]
async fn an_upgraded_file_works_on() {
    let (_folder, path) = old_file();
    let store = Sqlite::open(&path).unwrap();
    assert_eq!(store.user(Uuid::from_u128(1)).await.unwrap().unwrap().orders.len(), 1);
    assert_eq!((store.depth().await.unwrap(), store.parked().await.unwrap().0), (1, 2));
    let user_id = id();
    assert_eq!(apply(&store, &[user(user_id), order(id(), user_id)]).await, [Outcome::Applied, Outcome::Applied]);
    let moved = [LogPosition { log: pipeline::LogId::UNKNOWN, topic: "events".into(), partition: 0, next_offset: 7 }];
    try_apply_moving(&store, &[adjustment("sku", 1)], &moved).await.unwrap();
    assert_eq!(pipeline::ports::LogPositions::positions(&store, "events").await.unwrap(), moved);
    assert_eq!(store.inventory("sku").await.unwrap().unwrap().quantity, 6);
}

#[test]
fn an_upgrade_that_fails_leaves_the_file_as_it_is() {
    let (_folder, path) = old_file();
    Connection::open(&path).unwrap().execute_batch("CREATE TABLE log_positions (theirs)").unwrap();
    let before = schema(&path);
    Sqlite::open(&path).unwrap_err();
    assert_eq!(schema(&path), before);
    let version = Connection::open(&path).unwrap().query_row("PRAGMA user_version", [], |row| row.get::<_, i64>(0)).unwrap();
    assert_eq!(version, 2);
}

#[tokio::test]
async fn a_claim_that_an_older_program_parked_is_tried_at_each_sweep_and_given_up_by_its_age() {
    let store = Sqlite::temporary().unwrap();
    let holder = user(id());
    let Body::UserCreated(held) = &holder.body else { unreachable!() };
    let claim = user(id()).with_user(|user| user.email = held.email.to_string().into());
    apply(&store, std::slice::from_ref(&holder)).await;
    let waiting = [parked(&claim)];
    assert!(!store.park(&waiting).await.unwrap());
    let found = async || store.releasable(&Parents::Any, None, 10).await.unwrap().len();
    assert_eq!(found().await, 0, "ours is not tried while the address is taken");
    let file = Connection::open(store.path()).unwrap();
    file.execute_batch("UPDATE parked_events SET waits_for_key = NULL, claimed_by = NULL, claimed_at = NULL").unwrap();
    assert_eq!(found().await, 1);
    let addresses = Parents::These { users: Vec::new(), orders: Vec::new(), addresses: true };
    assert_eq!(store.releasable(&addresses, None, 10).await.unwrap(), [], "an address that becomes free does not know it");
    assert_eq!(try_release(&store, &claim, waiting[0].parked_key()).await.unwrap().outcomes, [Outcome::Parked(WaitsFor::Email)]);
    let now = store.now().await.unwrap();
    assert_eq!(store.claim_expired(now, 10).await.unwrap().len(), 1);
}
