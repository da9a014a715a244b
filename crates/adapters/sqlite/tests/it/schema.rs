//! That the file holds what the views show, and that its statements use its indexes.

use rusqlite::Connection;
use sqlite::Sqlite;
use testkit::delivery::Delivery;
use testkit::history::History;
use testkit::seed::Seed;

use crate::upgrade::old_file;

#[tokio::test]
async fn the_stock_is_the_sum_of_the_ledger_and_no_row_is_an_orphan() {
    let store = Sqlite::temporary().unwrap();
    let mut seed = Seed::of_test("sums");
    let history = History::random(&mut seed);
    let delivered = seed.shuffled_with_duplicates(&history.events);
    let mut delivery = Delivery::new(&store);
    for part in seed.parts(&delivered) {
        delivery.deliver(&part).await;
    }
    let file = Connection::open(store.path()).unwrap();
    let count = |sql: &str| file.query_row(sql, [], |row| row.get::<_, i64>(0)).unwrap();
    let differing = "SELECT count(*) FROM inventory AS i
                     WHERE quantity <> (SELECT sum(delta) FROM inventory_adjustments AS a WHERE a.sku = i.sku)";
    assert_eq!(count(differing), 0);
    assert_eq!(count("SELECT count(*) FROM pragma_foreign_key_check"), 0);
    assert_eq!(count("SELECT count(*) FROM parked_events"), 0);
    assert_eq!(count("SELECT count(*) FROM users"), history.users.len() as i64);
    assert_eq!(file.query_row("PRAGMA integrity_check", [], |row| row.get::<_, String>(0)).unwrap(), "ok");
}

#[test]
fn statements_find_their_rows_by_an_index() {
    for sql in [
        include_str!("../../sql/releasable_any.sql"),
        include_str!("../../sql/releasable_of.sql"),
        include_str!("../../sql/addresses_wanted.sql"),
        include_str!("../../sql/child_waits.sql"),
        include_str!("../../sql/parent_persisted.sql"),
        include_str!("../../sql/address_free.sql"),
        include_str!("../../sql/claim_expired.sql"),
        include_str!("../../sql/expired.sql"),
        include_str!("../../sql/awaited_parents.sql"),
        include_str!("../../sql/awaited_children.sql"),
        include_str!("../../sql/read_user.sql"),
        include_str!("../../sql/read_recent_users.sql"),
        include_str!("../../sql/read_order.sql"),
    ] {
        for steps in plans(sql) {
            let scans: Vec<_> =
                steps.iter().filter(|step| step.starts_with("SCAN") && !step.contains("INDEX") && !is_small(step)).collect();
            assert!(scans.is_empty(), "{sql}\n{steps:#?}");
        }
    }
}

/// The index by age holds all that waits: a statement that is asked for each batch and goes through it costs more the more waits, a backlog with
/// children before their parents the square of its length.
#[test]
fn what_is_asked_for_each_batch_does_not_look_at_all_that_waits() {
    for sql in [
        include_str!("../../sql/releasable_of.sql"),
        include_str!("../../sql/addresses_wanted.sql"),
        include_str!("../../sql/child_waits.sql"),
        include_str!("../../sql/parent_persisted.sql"),
        include_str!("../../sql/address_free.sql"),
    ] {
        for steps in plans(sql) {
            assert!(!steps.iter().any(|step| step.contains("ix_parked_events_age")), "{sql}\n{steps:#?}");
        }
    }
}

/// How SQLite goes about a statement, step by step, in tables without statistics: in a new file, and in one of an early version that was upgraded. Of two
/// indexes that promise as much it takes the one that was made last, and the two files made theirs in another order.
fn plans(sql: &str) -> [Vec<String>; 2] {
    let (_folder, old) = old_file();
    [Sqlite::temporary().unwrap(), Sqlite::open(&old).unwrap()].map(|store| {
        let file = Connection::open(store.path()).unwrap();
        let mut plan = file.prepare(&format!("EXPLAIN QUERY PLAN {sql}")).unwrap();
        let values = vec![rusqlite::types::Null; plan.parameter_count()];
        plan.query_map(rusqlite::params_from_iter(values), |row| row.get("detail")).unwrap().map(Result::unwrap).collect()
    })
}

/// Reading through what the statement itself has made, or the caller has given.
fn is_small(step: &str) -> bool {
    ["SCAN j ", "SCAN o", "SCAN p", "SCAN CONSTANT ROW", "SCAN (subquery"].iter().any(|small| step.starts_with(small))
}
