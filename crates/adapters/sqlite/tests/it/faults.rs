//! What the file's own limits and other programs can do to a batch.

use pipeline::ports::DeadLetterQueue;
use pipeline::{Dependency, FaultClass, Outcome};
use readmodel::ReadStore;
use rusqlite::Connection;
use sqlite::Sqlite;
use tempfile::TempDir;
use testkit::builders::{adjustment, dead_letter, id, unique, user};
use testkit::delivery::{apply, try_apply};

/// Changes the file as an operator could, or a program with a fault.
fn change(store: &Sqlite, sql: &str) {
    let connection = Connection::open(store.path()).unwrap();
    connection.execute_batch(sql).unwrap();
}

#[tokio::test]
async fn stock_beyond_64_bits_is_poison_and_never_a_float() {
    let store = Sqlite::temporary().unwrap();
    for (full, delta) in [(i64::MAX, 1), (i64::MIN, -1)] {
        let sku = unique("sku");
        apply(&store, &[adjustment(&sku, 0)]).await;
        change(&store, &format!("UPDATE inventory SET quantity = {full} WHERE sku = '{sku}'"));
        let fault = try_apply(&store, &[adjustment(&sku, delta), user(id())]).await.unwrap_err();
        assert_eq!((fault.class, fault.subject), (FaultClass::Poison, "inventory_quantity"));
        assert_eq!(apply(&store, &[adjustment(&sku, -delta)]).await, [Outcome::Applied]);
        assert_eq!(store.inventory(&sku).await.unwrap().unwrap().quantity, full - i64::from(delta));
    }
    let orphans = "SELECT count(*) FROM users";
    let users: i64 = Connection::open(store.path()).unwrap().query_row(orphans, [], |row| row.get(0)).unwrap();
    assert_eq!(users, 0, "the batch is undone as a whole");
}

#[tokio::test]
async fn a_file_that_another_program_locks_is_a_race() {
    let store = Sqlite::temporary().unwrap();
    let other = Connection::open(store.path()).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let fault = try_apply(&store, &[user(id())]).await.unwrap_err();
    assert_eq!((fault.class, fault.code), (FaultClass::LockConflict, Some(5)));
    other.execute_batch("ROLLBACK").unwrap();
    assert_eq!(apply(&store, &[user(id())]).await, [Outcome::Applied]);
}

#[tokio::test]
async fn a_table_that_is_gone_is_a_bug_and_no_fault_of_the_data() {
    let store = Sqlite::temporary().unwrap();
    change(&store, "DROP TABLE inventory; DROP TABLE dead_letters");
    let fault = try_apply(&store, &[adjustment(&unique("sku"), 1)]).await.unwrap_err();
    assert_eq!((fault.dependency, fault.class, fault.subject), (Dependency::Database, FaultClass::Bug, "apply_batch"));
    let fault = store.push(&[dead_letter("x")]).await.unwrap_err();
    assert_eq!((fault.dependency, fault.class, fault.subject), (Dependency::DeadLetterQueue, FaultClass::Bug, "push"));
    let fault = store.inventory("x").await.unwrap_err();
    assert_eq!((fault.class, fault.code), ("bug", Some(1)));
}

#[tokio::test]
async fn a_constraint_that_is_not_ours_holds() {
    let store = Sqlite::temporary().unwrap();
    change(&store, "CREATE TRIGGER theirs BEFORE INSERT ON users BEGIN SELECT RAISE(ABORT, 'no'); END");
    let fault = try_apply(&store, &[user(id())]).await.unwrap_err();
    assert_eq!((fault.class, fault.subject), (FaultClass::Bug, "apply_batch"));
    change(&store, "DROP TRIGGER theirs; CREATE UNIQUE INDEX theirs ON users (first_name)");
    apply(&store, &[user(id())]).await;
    let fault = try_apply(&store, &[user(id())]).await.unwrap_err();
    assert_eq!((fault.class, fault.subject), (FaultClass::Bug, "apply_batch"), "unique, but not the e-mail address");
    change(&store, "DROP INDEX theirs");
    assert_eq!(apply(&store, &[user(id())]).await, [Outcome::Applied], "it goes on when the cause is gone");
}

#[tokio::test]
async fn a_damaged_file_is_for_an_operator() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("events.db");
    drop(Sqlite::open(&path).unwrap());
    // The table and its indexes: some statements need only one of them.
    let sql = "SELECT (rootpage - 1) * (SELECT page_size FROM pragma_page_size) FROM sqlite_schema WHERE tbl_name = 'users'";
    let users: Vec<u32> = {
        let file = Connection::open(&path).unwrap();
        let mut pages = file.prepare(sql).unwrap();
        pages.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect()
    };
    let mut bytes = std::fs::read(&path).unwrap();
    for page in users {
        bytes[page as usize..][..100].fill(0xff);
    }
    std::fs::write(&path, bytes).unwrap();
    let store = Sqlite::open(&path).unwrap();
    let fault = try_apply(&store, &[user(id())]).await.unwrap_err();
    assert_eq!((fault.class, fault.code.map(|code| code & 0xff)), (FaultClass::Operator, Some(11)), "{fault}");
    assert_eq!(store.user(id()).await.unwrap_err().class, "operator");
}

#[tokio::test]
async fn a_row_that_is_not_ours_is_a_bug_and_not_a_wrong_answer() {
    let store = Sqlite::temporary().unwrap();
    let user_id = id();
    apply(&store, &[user(user_id)]).await;
    change(&store, "UPDATE users SET created_at = 9223372036854775807");
    let fault = store.user(user_id).await.unwrap_err();
    assert_eq!((fault.class, fault.code), ("bug", None));
}
