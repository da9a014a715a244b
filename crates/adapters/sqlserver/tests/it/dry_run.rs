//! A dry run is the batch statement itself, told to roll back. That it then does so is for a real server to show: see the contract.

use pipeline::ports::DryRun as _;
use pipeline::{Applied, Batch, EventStore as _, FaultClass, Item, Outcome};
use sqlserver::SqlServer;
use testkit::builders::adjustment;

use crate::scripted::{Scripted, Step, error, words};

#[tokio::test]
async fn a_dry_run_and_a_batch_differ_in_one_parameter_alone() {
    let answer = Step::Answer(words(&[(-1, "end"), (0, "duplicate")]));
    let server = Scripted::open(vec![vec![answer.clone(), answer]]).await;
    let store = SqlServer::new(server.config());
    let event = adjustment("sku", 1);
    let items = [Item { event: &event, releases: Vec::new() }];
    let expected = Ok(Applied { outcomes: vec![Outcome::Duplicate], children_wait: false, addresses_free: false });
    assert_eq!(store.dry_run(Batch::new(&items)).await, expected);
    assert_eq!(store.apply(Batch::new(&items)).await, expected);
    let asked = server.heard("MERGE INTO dbo.users");
    let [dry_run, applied] = [asked[0], asked[1]].map(|number| server.message(number));
    assert_eq!(dry_run.len(), applied.len());
    let differing: Vec<_> = dry_run.iter().zip(&applied).filter(|(dry_run, applied)| dry_run != applied).collect();
    assert_eq!(differing, [(&1, &0)]);
    assert_eq!(server.connections(), 1);
}

#[tokio::test]
async fn a_dry_run_of_nothing_asks_nobody_and_one_that_fails_says_why() {
    let server = Scripted::open(vec![vec![Step::Answer(error(8115, 16, "Arithmetic overflow."))]]).await;
    let store = SqlServer::new(server.config());
    assert_eq!(store.dry_run(Batch::new(&[])).await.map(|applied| applied.outcomes), Ok(vec![]));
    assert_eq!(server.connections(), 0);
    let event = adjustment("sku", 1);
    let items = [Item { event: &event, releases: Vec::new() }];
    assert_eq!(store.dry_run(Batch::new(&items)).await.unwrap_err().class, FaultClass::Poison);
}
