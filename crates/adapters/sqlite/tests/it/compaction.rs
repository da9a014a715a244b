//! Folding old lines of the ledger in one process, while others have the file open.

use events::Event;
use pipeline::Outcome;
use pipeline::ledger::Cutoff;
use pipeline::ports::{LedgerCompaction as _, ParkingExpiry as _, TableRows as _};
use readmodel::ReadStore as _;
use sqlite::Sqlite;
use tempfile::TempDir;
use testkit::builders::{Build as _, adjustment, second};
use testkit::delivery::apply;

fn lines(start: i64) -> Vec<Event<'static>> {
    (0..300).map(|number| adjustment("sku", 1).later(start + number % 10)).collect()
}

/// The compaction is done by one process after another, each of which ends after two transactions, while a consumer delivers everything again.
#[tokio::test(flavor = "multi_thread", worker_threads = 3)]
async fn processes_that_go_on_with_a_compaction_count_nothing_twice_beside_a_consumer() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("events.db");
    let consumer = Sqlite::open(&path).unwrap();
    let (old, young) = (lines(0), lines(100));
    apply(&consumer, &old).await;
    let applied_before = consumer.now().await.unwrap().plus_micros(1);
    let cutoff = Cutoff { events_before: second(50), applied_before };
    let number = consumer.begin_compaction(cutoff).await.unwrap().number;

    let writing = tokio::spawn(async move {
        for (old, young) in old.chunks(10).zip(young.chunks(10)) {
            let outcomes = apply(&consumer, &[old, young].concat()).await;
            assert!(outcomes[..10].iter().all(|outcome| *outcome != Outcome::Applied), "{outcomes:?}");
            assert!(outcomes[10..].iter().all(|outcome| *outcome == Outcome::Applied), "{outcomes:?}");
        }
        consumer
    });
    let mut processes = 0;
    loop {
        let process = Sqlite::open(&path).unwrap();
        processes += 1;
        assert!(processes < 1000, "it does not come to its end");
        if process.compact(number, 20).await.unwrap().ended || process.compact(number, 20).await.unwrap().ended {
            break;
        }
    }
    let consumer = writing.await.unwrap();
    assert!(processes > 5, "{processes}");
    assert_eq!(consumer.inventory("sku").await.unwrap().unwrap().quantity, 600);
    assert_eq!(consumer.wrong_stock(10).await.unwrap(), []);
    let openings = consumer.opening_balances(None, 10).await.unwrap();
    assert_eq!(openings.iter().map(|balance| balance.quantity).collect::<Vec<_>>(), [300]);
}
