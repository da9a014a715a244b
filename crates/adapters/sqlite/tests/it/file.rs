//! What survives a restart, and which files are refused.

use std::path::PathBuf;
use std::time::Duration;

use pipeline::ports::{ClaimQueue, DeadLetterQueue, DeadLetterReader, ParkingExpiry};
use pipeline::{Outcome, ParkingLot};
use readmodel::ReadStore;
use rusqlite::Connection;
use sqlite::{OpenError, Sqlite, SqliteConfig};
use tempfile::TempDir;
use testkit::builders::{adjustment, dead_letter, id, order, parked, unique, user};
use testkit::delivery::{apply, try_release};

fn file() -> (TempDir, PathBuf) {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("events.db");
    (folder, path)
}

#[tokio::test]
async fn everything_survives_a_restart() {
    let (_folder, path) = file();
    let (user_id, sku) = (id(), unique("sku"));
    let (events, late) = ([user(user_id), adjustment(&sku, 7)], order(id(), user_id));
    let (waiting, dead_letters) = (parked(&late), ["a", "b"].map(dead_letter));

    let before = Sqlite::open(&path).unwrap();
    apply(&before, &events).await;
    before.park(std::slice::from_ref(&waiting)).await.unwrap();
    before.push(&dead_letters).await.unwrap();
    let claims: Vec<_> =
        before.claim(&[dead_letters[0].json.clone()], Duration::from_secs(3600)).await.unwrap().into_iter().flatten().collect();
    let shown = before.user(user_id).await.unwrap();
    drop(before);

    let after = Sqlite::open(&path).unwrap();
    assert!(shown.is_some());
    assert_eq!(after.user(user_id).await.unwrap(), shown);
    assert_eq!(apply(&after, &events).await, [Outcome::Duplicate, Outcome::Duplicate]);
    assert_eq!(after.inventory(&sku).await.unwrap().unwrap().quantity, 7);
    assert_eq!(after.parked().await.unwrap().0, 1);
    assert_eq!(try_release(&after, &late, waiting.parked_key()).await.unwrap().outcomes, [Outcome::Applied]);
    assert_eq!((after.push(&dead_letters).await.unwrap(), after.depth().await.unwrap()), (0, 1));
    assert_eq!(
        (after.give_back_overdue().await.unwrap(), after.give_back(&claims).await.unwrap(), after.depth().await.unwrap()),
        (0, 1, 2)
    );
}

#[tokio::test]
async fn a_kept_file_is_written_ahead_and_a_temporary_one_goes_with_its_last_clone() {
    let (_folder, path) = file();
    let kept = Sqlite::open(&path).unwrap();
    assert_eq!(kept.path(), path);
    let mode: String = Connection::open(&path).unwrap().query_row("PRAGMA journal_mode", [], |row| row.get(0)).unwrap();
    assert_eq!(mode, "wal");

    let temporary = Sqlite::temporary().unwrap();
    let path = temporary.path().to_owned();
    let clone = temporary.clone();
    drop(temporary);
    clone.ping().await.unwrap();
    assert!(path.exists());
    drop(clone);
    assert!(!path.parent().unwrap().exists(), "nor its folder");
}

#[test]
fn a_directory_that_is_not_there_is_named() {
    let (folder, _) = file();
    let missing = folder.path().join("missing");
    let error = Sqlite::open(&missing.join("events.db")).unwrap_err();
    assert!(matches!(&error, OpenError::NoDirectory(directory) if *directory == missing), "{error}");
    assert_eq!(error.to_string(), format!("the directory {} of the embedded database does not exist", missing.display()));
    let error = Sqlite::open(folder.path()).unwrap_err();
    assert!(
        matches!(error, OpenError::Unusable { what, code: 14 | 526, .. } if what.starts_with("the embedded database cannot be opened")),
        "a directory is no file: {error}"
    );
}

#[test]
fn a_file_of_a_version_that_nobody_upgrades_is_refused_and_left_as_it_is() {
    let (_folder, path) = file();
    drop(Sqlite::open(&path).unwrap());
    for version in [1, 15, -1] {
        Connection::open(&path).unwrap().pragma_update(None, "user_version", version).unwrap();
        let before = std::fs::read(&path).unwrap();
        let error = Sqlite::open(&path).unwrap_err();
        assert!(matches!(error, OpenError::OtherVersion { found, known: 14, .. } if found == version), "{error}");
        assert!(error.to_string().contains(&format!("are of version {version}, this program knows version 14")), "{error}");
        assert_eq!(std::fs::read(&path).unwrap(), before);
    }
}

#[test]
fn a_file_of_someone_else_is_refused_and_left_as_it_is() {
    let (_folder, path) = file();
    Connection::open(&path).unwrap().execute_batch("CREATE TABLE theirs (x)").unwrap();
    let before = std::fs::read(&path).unwrap();
    let error = Sqlite::open(&path).unwrap_err();
    assert!(matches!(error, OpenError::OtherVersion { found: 0, .. }), "{error}");
    assert_eq!(std::fs::read(&path).unwrap(), before);

    std::fs::write(&path, "this is a text, and a long one, so that SQLite does not take it for an empty file ".repeat(20)).unwrap();
    let error = Sqlite::open(&path).unwrap_err();
    assert!(matches!(error, OpenError::Unusable { what, code: 26, .. } if what.starts_with("it is not a SQLite database")), "{error}");
}

#[tokio::test]
async fn an_identity_is_forgotten_after_its_retention() {
    let (_folder, path) = file();
    let config = SqliteConfig { path: Some(path.clone()), ..SqliteConfig::default() };
    let queue = Sqlite::start(&config).unwrap();
    let [old, young] = ["old", "young"].map(dead_letter);
    queue.push(&[old.clone(), young.clone()]).await.unwrap();
    let past = i64::try_from(config.seen_retention.as_micros()).unwrap() + 1;
    let aged = Connection::open(&path)
        .unwrap()
        .execute("UPDATE dead_letters_seen SET seen_at = seen_at - ?1 WHERE identity = ?2", (past, &old.identity))
        .unwrap();
    assert_eq!(aged, 1);
    assert_eq!(queue.push(&[young]).await.unwrap(), 0, "remembered, and the old one is trimmed");
    assert_eq!(queue.push(&[old]).await.unwrap(), 1);
}

#[tokio::test]
async fn tables_that_nobody_asks_do_without_the_three_indexes_of_the_read_api_and_work_on() {
    let store = Sqlite::temporary().unwrap();
    let indexes = |store: &Sqlite| {
        let file = Connection::open(store.path()).unwrap();
        file.query_row("SELECT count(*) FROM sqlite_schema WHERE type = 'index'", [], |row| row.get::<_, i64>(0)).unwrap()
    };
    let before = indexes(&store);
    store.drop_read_indexes().await.unwrap();
    assert_eq!(indexes(&store), before - 3);
    let user_id = testkit::builders::id();
    testkit::delivery::apply(&store, &[testkit::builders::user(user_id)]).await;
    assert!(readmodel::ReadStore::user(&store, user_id).await.unwrap().is_some());
    store.drop_read_indexes().await.unwrap();
}
