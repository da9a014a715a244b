//! Folding old lines of the ledger by the program itself, killed again and again.

use std::process::Stdio;
use std::time::Duration;

use kafka::EmbeddedBroker;
use pipeline::audit::AuditEntry;
use pipeline::ledger::Cutoff;
use pipeline::ports::{AuditLog as _, AuditPage, LedgerCompaction as _, TableRows as _};
use readmodel::ReadStore as _;
use rusqlite::Connection;
use sqlite::Sqlite;
use testkit::builders::second;
use testkit::eventually;

use crate::process::{Running, run, standalone};

const BOUND: Duration = Duration::from_secs(120);
const LINES: i64 = 60_000;
const COMPACT: [&str; 7] = ["--data-dir", "data", "ledger", "compact", "--older-than", "90d", "--execute"];

/// A ledger of so many lines of one article, from 1970.
fn fill(path: &std::path::Path) {
    let mut file = Connection::open(path).unwrap();
    let transaction = file.transaction().unwrap();
    let line = "INSERT INTO inventory_adjustments VALUES (randomblob(16), 'sku', 1, 'add', 'delivery', 0, 0, 0)";
    for _ in 0..LINES {
        transaction.prepare_cached(line).unwrap().execute([]).unwrap();
    }
    transaction.execute("INSERT INTO inventory VALUES ('sku', ?1, 0)", [LINES]).unwrap();
    transaction.commit().unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_compaction_survives_the_death_of_every_process_that_does_it() {
    let broker = EmbeddedBroker::start("events", 2).unwrap();
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("data")).unwrap();
    let path = folder.path().join("data/events.db");
    let tables = Sqlite::open(&path).unwrap();
    fill(&path);
    let cutoff = Cutoff { events_before: second(0), applied_before: second(0) };
    let command = || {
        let mut command = standalone(folder.path(), &COMPACT);
        command.env("KAFKA_BROKERS", broker.bootstrap_servers());
        command
    };
    // This broker does not tell how long it keeps records.
    let refused = command();
    let (output, said, stderr) = tokio::task::spawn_blocking(move || run(refused)).await.unwrap();
    assert_eq!(output.status.code(), Some(1), "{said}{stderr}");
    assert!(said.contains("needed: how long topic events keeps records is not told"), "{said}");

    // As if it had ended right after its beginning.
    let begun = tables.begin_compaction(cutoff).await.unwrap();
    for _ in 0..2 {
        let before = tables.ledger_state().await.unwrap();
        let mut killed = command();
        let killed = Running::start({
            killed.stderr(Stdio::null());
            killed
        });
        let further = async || tables.ledger_state().await.unwrap().folded > before.folded;
        eventually(BOUND, "it goes on", async || before.under_way.is_none() || further().await).await;
        killed.kill();
        assert_eq!(tables.wrong_stock(10).await.unwrap(), [], "killed at any moment");
    }
    let last = command();
    let (output, said, stderr) = tokio::task::spawn_blocking(move || run(last)).await.unwrap();
    let state = tables.ledger_state().await.unwrap();
    assert_eq!((state.under_way, state.folded, state.events_before), (None, LINES.unsigned_abs(), Some(second(0))), "{said}{stderr}");
    if output.status.success() {
        assert!(said.contains("it is gone on with first") && said.contains("into opening balances"), "{said}");
    }
    assert_eq!(tables.compact(begun.number, 1000).await.unwrap().folded, 0, "it has ended");
    let openings = tables.opening_balances(None, 10).await.unwrap();
    assert_eq!(openings.iter().map(|balance| (balance.sku.as_str(), balance.quantity)).collect::<Vec<_>>(), [("sku", LINES)]);
    assert_eq!(tables.inventory("sku").await.unwrap().unwrap().quantity, LINES);
    assert_eq!(tables.wrong_stock(10).await.unwrap(), []);
    let noted: Vec<AuditEntry> = tables.audit_page(AuditPage::After(0), 100).await.unwrap();
    assert!(noted.iter().all(|entry| entry.record.action == "compact") && noted.len() >= 2, "{noted:?}");
}

#[test]
fn without_a_log_nobody_knows_what_can_come_again() {
    let folder = tempfile::tempdir().unwrap();
    let (output, _, stderr) = run(standalone(folder.path(), &COMPACT));
    assert_eq!(output.status.code(), Some(2), "{stderr}");
    assert!(stderr.contains("set KAFKA_BROKERS"), "{stderr}");
}
