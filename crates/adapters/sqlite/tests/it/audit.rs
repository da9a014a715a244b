//! The audit log is only ever added to, by whichever process.

use pipeline::audit::{AuditAction, AuditRecord, AuditTail, Origin, verify};
use pipeline::ports::{AuditLog as _, AuditPage};
use rusqlite::Connection;
use sqlite::Sqlite;
use tempfile::TempDir;
use testkit::builders::{id, second};

fn record(subject: &str) -> AuditRecord {
    AuditRecord {
        at: second(0),
        actor: "ada".to_owned(),
        origin: Origin::CommandLine.label().to_owned(),
        action: AuditAction::Repair.label().to_owned(),
        operation: id(),
        subject: subject.to_owned(),
        before: None,
        after: None,
        outcome: "begun".to_owned(),
    }
}

#[tokio::test]
async fn what_is_in_the_log_is_neither_changed_nor_removed_nor_written_over() {
    let store = Sqlite::temporary().unwrap();
    let tail = store.append_audit(&["1", "2", "3"].map(record)).await.unwrap();
    let file = Connection::open(store.path()).unwrap();
    for sql in [
        "UPDATE audit_log SET actor = 'mallory' WHERE number = 2",
        "DELETE FROM audit_log WHERE number = 3",
        "DELETE FROM audit_log",
        "INSERT OR REPLACE INTO audit_log SELECT number, at, 'mallory', origin, action, operation, subject, before_digest, after_digest, outcome, \
         previous_hash, hash FROM audit_log WHERE number = 2",
        "INSERT INTO audit_log SELECT number + 7, at, actor, origin, action, operation, subject, before_digest, after_digest, outcome, previous_hash, \
         hash FROM audit_log WHERE number = 3",
    ] {
        let refused = file.execute(sql, []).unwrap_err().to_string();
        assert!(refused.contains("only ever added to"), "{sql}: {refused}");
    }
    let entries = store.audit_page(AuditPage::After(0), 10).await.unwrap();
    assert_eq!(verify(&entries), Ok(tail));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_processes_that_have_the_file_open_add_to_one_chain() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("events.db");
    let writers = [Sqlite::open(&path).unwrap(), Sqlite::open(&path).unwrap()];
    let tasks = writers.clone().map(|store| {
        tokio::spawn(async move {
            for number in 0..20 {
                store.append_audit(&[record(&number.to_string()), record("and one more")]).await.unwrap();
            }
        })
    });
    for task in tasks {
        task.await.unwrap();
    }
    let entries = writers[0].audit_page(AuditPage::After(0), 1000).await.unwrap();
    assert_eq!(entries.len(), 80);
    assert_eq!(verify(&entries).map(|AuditTail { number, .. }| number), Ok(80));
}
