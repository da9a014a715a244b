//! A redrive that breaks off at any step: no entry is lost, and each event counts once.

use std::time::Duration;

use consumer::audit::Unwitnessed;
use consumer::dlq::{Filter, RedriveRequest, Route, redrive};
use pipeline::fault::FaultClass;
use testkit::builders::{adjustment, id, unique, user};
use tokio_util::sync::CancellationToken;

use super::bench::{Broker, Queue, Step, five_fields, order, orphan, push, run};
use crate::rig::Rig;

const AWAY: FaultClass = FaultClass::Unavailable { timed_out: false };

fn everything() -> RedriveRequest {
    order(Filter::default())
}

#[tokio::test]
async fn a_broker_that_is_away_leaves_the_list_as_it_was() {
    let (queue, broker) = (Queue::new(), Broker::default());
    let texts: Vec<_> = (0..700).map(|number| five_fields(&number.to_string(), 0)).collect();
    queue.put(&texts).await;
    broker.refuse(|_| Some(AWAY));
    let summary = run(&queue, &broker, &everything()).await;
    assert!(summary.fault.is_some() && summary.failed > 0 && summary.redriven == 0, "{summary}");
    assert!(summary.examined() <= 500, "the next page would fail for the same reason");
    assert_eq!(queue.texts().await, texts);
}

#[tokio::test]
async fn an_entry_that_no_broker_takes_costs_only_itself() {
    let (queue, broker) = (Queue::new(), Broker::default());
    let texts = ["0", "1", "2"].map(|number| five_fields(number, 0));
    queue.put(&texts).await;
    broker.refuse(|message| (message.value.as_deref() == Some(b"1")).then_some(FaultClass::Poison));
    let summary = run(&queue, &broker, &everything()).await;
    assert_eq!((summary.redriven, summary.failed, summary.is_whole()), (2, 1, false));
    assert_eq!(queue.texts().await, texts[1..2]);
}

#[tokio::test]
async fn a_queue_that_is_away_before_the_claim_loses_nothing() {
    let (queue, broker) = (Queue::new(), Broker::default());
    let texts = ["0", "1"].map(|number| five_fields(number, 0));
    queue.put(&texts).await;
    queue.fail(Some(Step::Claim));
    let summary = run(&queue, &broker, &everything()).await;
    assert_eq!((summary.failed, summary.unsettled, broker.sent().len()), (2, 0, 0));
    assert_eq!(queue.texts().await, texts);
}

#[tokio::test]
async fn a_queue_that_goes_away_before_it_takes_back_what_failed_gives_it_back_later() {
    let (queue, broker) = (Queue::new(), Broker::default());
    let text = five_fields("0", 0);
    queue.put(std::slice::from_ref(&text)).await;
    broker.refuse(|_| Some(FaultClass::Poison));
    queue.fail(Some(Step::GiveBack));
    assert_eq!(run_leased(&queue, &broker, Duration::ZERO).await.failed, 1);
    assert_eq!(queue.texts().await, Vec::<String>::new(), "it is claimed");
    queue.fail(None);
    let summary = run_leased(&queue, &broker, Duration::ZERO).await;
    assert_eq!((summary.returned, summary.failed), (1, 1));
    assert_eq!(queue.texts().await, [text]);
}

/// A redrive with claims that last so long.
async fn run_leased(queue: &Queue, broker: &Broker, lease: Duration) -> consumer::dlq::Summary {
    let stop = CancellationToken::new();
    redrive(Route { queue, publisher: broker, default_topic: "events", lease, stop: &stop }, &everything(), &mut Unwitnessed, |_| {}).await
}

/// Has the consumer take what the broker was sent.
async fn consume(rig: &mut Rig, broker: &Broker) {
    for value in broker.values() {
        rig.log.append(0, Some(value));
    }
    rig.process_batch().await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn what_was_sent_and_not_settled_is_sent_again_and_counts_once() {
    let (queue, broker) = (Queue::new(), Broker::default());
    let (mut rig, sku) = (Rig::new(), unique("sku"));
    push(&queue, &[orphan(&adjustment(&sku, 7)), orphan(&user(id()))]).await;
    queue.fail(Some(Step::Settle));
    let summary = run_leased(&queue, &broker, Duration::ZERO).await;
    assert_eq!((summary.redriven, summary.failed, summary.unsettled), (0, 2, 2));

    queue.fail(None);
    let summary = run_leased(&queue, &broker, Duration::ZERO).await;
    assert_eq!((summary.returned, summary.redriven), (2, 2));
    assert_eq!(queue.texts().await, Vec::<String>::new());
    assert_eq!(broker.sent().len(), 4);
    consume(&mut rig, &broker).await;
    assert_eq!(rig.stock(&sku).await, Some(7));
    assert_eq!(rig.dead_letters.entries().len(), 0);
}

#[tokio::test]
async fn a_redrive_that_is_dropped_between_claim_and_settlement_comes_back_after_its_lease() {
    let (queue, broker) = (Queue::new(), Broker::default());
    let (mut rig, sku) = (Rig::new(), unique("sku"));
    push(&queue, &[orphan(&adjustment(&sku, 7))]).await;
    broker.mute(true);
    {
        let dying = run_leased(&queue, &broker, Duration::from_millis(1));
        tokio::pin!(dying);
        tokio::select! {
            _ = &mut dying => panic!("the broker never answers"),
            () = sent(&broker) => {}
        }
    }
    assert_eq!(queue.texts().await, Vec::<String>::new(), "claimed, and nobody is there to settle it");

    broker.mute(false);
    testkit::eventually(Duration::from_secs(20), "the lease ends", async || {
        run_leased(&queue, &broker, Duration::from_secs(3600)).await.redriven == 1
    })
    .await;
    assert_eq!(queue.texts().await, Vec::<String>::new());
    consume(&mut rig, &broker).await;
    assert_eq!((broker.sent().len(), rig.stock(&sku).await), (2, Some(7)));
}

async fn sent(broker: &Broker) {
    testkit::eventually(Duration::from_secs(20), "it is sent", async || !broker.sent().is_empty()).await;
}

#[tokio::test]
async fn a_lease_that_lasts_keeps_the_claims_of_another_operator() {
    let (queue, broker) = (Queue::new(), Broker::default());
    queue.put(&[five_fields("0", 0)]).await;
    let text = queue.texts().await;
    pipeline::ports::ClaimQueue::claim(&queue, &text, Duration::from_secs(3600)).await.unwrap();
    let summary = run(&queue, &broker, &everything()).await;
    assert_eq!((summary.returned, summary.examined(), broker.sent().len()), (0, 0, 0));
}
