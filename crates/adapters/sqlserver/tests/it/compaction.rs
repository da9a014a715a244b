//! Folding old lines of the ledger: one round trip for each transaction. What the statements do is for a real server to show: see the contract.

use pipeline::ledger::CompactionStep;
use pipeline::ports::LedgerCompaction as _;
use pipeline::{Batch, EventStore as _, FaultClass, Item, Outcome, Reason};
use sqlserver::SqlServer;
use testkit::builders::adjustment;

use crate::scripted::{Column, Scripted, Step, Value, error, table, words};

fn step(looked_at: i32, folded: i32, ended: i32) -> Vec<u8> {
    let columns = ["looked_at", "folded", "ended"].map(Column::Int);
    table(&columns, &[[looked_at, folded, ended].map(Value::Int).to_vec()])
}

#[tokio::test]
async fn each_transaction_is_one_round_trip_and_says_whether_it_was_the_last() {
    let server = Scripted::open(vec![vec![Step::Answer(step(1000, 998, 0)), Step::Answer(step(3, 0, 1))]]).await;
    let store = SqlServer::new(server.config());
    assert_eq!(store.compact(7, 1000).await, Ok(CompactionStep { looked_at: 1000, folded: 998, ended: false }));
    assert_eq!(store.compact(7, 1000).await, Ok(CompactionStep { looked_at: 3, folded: 0, ended: true }));
    assert_eq!((server.heard("OUTPUT deleted.sku").len(), server.connections()), (2, 1));
}

#[tokio::test]
async fn a_deadlock_is_told_as_one_and_an_answer_that_is_cut_is_no_step() {
    let whole = step(1000, 5, 0);
    let cut = Step::Cut(whole.clone(), whole.len() - 1);
    let server = Scripted::open(vec![vec![Step::Answer(error(1205, 13, "Deadlock.")), cut], vec![Step::Answer(whole)]]).await;
    let store = SqlServer::new(server.config());
    assert_eq!(store.compact(7, 1000).await.unwrap_err().class, FaultClass::LockConflict);
    assert!(store.compact(7, 1000).await.is_err());
    assert_eq!(store.compact(7, 1000).await.map(|step| step.folded), Ok(5));
}

#[tokio::test]
async fn an_adjustment_that_may_have_been_folded_is_refused_and_its_neighbour_is_applied() {
    let server = Scripted::open(vec![vec![Step::Answer(words(&[(-1, "end"), (0, "folded")]))]]).await;
    let store = SqlServer::new(server.config());
    let events = [adjustment("sku", 1), adjustment("sku", 2)];
    let items = events.each_ref().map(|event| Item { event, releases: Vec::new() });
    let refused = Outcome::Rejected { reason: Reason::LedgerCompacted, code: None };
    assert_eq!(store.apply(Batch::new(&items)).await.unwrap().outcomes, [refused, Outcome::Applied]);
}

/// The order of the statement is what keeps an event from counting twice: see its comments.
#[test]
fn a_batch_holds_the_horizon_before_it_looks_into_the_ledger_and_a_compaction_moves_it_before_it_folds() {
    let read = |name: &str| {
        let path = format!("{}/sql/{name}.sql", env!("CARGO_MANIFEST_DIR"));
        std::fs::read_to_string(path).unwrap()
    };
    let batch = read("apply_batch");
    let place = |text: &str| batch.find(text).unwrap_or_else(|| panic!("{text}"));
    assert!(place("BEGIN TRANSACTION") < place("dbo.ledger_horizon h WITH (REPEATABLEREAD)"));
    assert!(place("dbo.ledger_horizon h WITH (REPEATABLEREAD)") < place("dbo.inventory_adjustments"));
    assert!(read("begin_compaction").contains("UPDATE dbo.ledger_horizon") && !read("begin_compaction").contains("inventory_adjustments"));
    // Whoever folds waits for no batch that waits for it: it touches neither the horizon nor any stock.
    let compact = read("compact");
    let statements = compact.lines().filter(|line| !line.starts_with("--")).collect::<String>();
    assert!(!statements.contains("ledger_horizon") && !statements.contains("dbo.inventory "));
}
