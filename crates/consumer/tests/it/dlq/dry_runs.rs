//! A dry run tells what the real one then does, and changes nothing.

use consumer::dlq::dry_run_outcome::{Preview, Totals};
use consumer::dlq::{Filter, RedriveRequest, Rules, dry_run};
use pipeline::fault::{Dependency, Fault, FaultClass};
use pipeline::ports::{DryRun, ParkingExpiry as _};
use pipeline::{Applied, Batch};
use sqlite::Sqlite;
use testkit::builders::{Build as _, adjustment, dead_letter, id, order as order_of, payment, unique, user};

use super::bench::{Broker, Queue, RULES, five_fields, order, orphan, push, run};
use crate::rig::Rig;

async fn dry_run_outcome(queue: &Queue, tables: &impl DryRun, order: &RedriveRequest, rules: Rules) -> (Vec<Preview>, Totals) {
    let mut previews = Vec::new();
    let totals = dry_run(queue, tables, order, rules, |preview| previews.push(preview)).await.unwrap();
    assert_eq!(totals.examined(), previews.len() as u64 + totals.not_selected);
    (previews, totals)
}

fn outcomes(previews: &[Preview]) -> Vec<&str> {
    previews.iter().map(|preview| preview.outcome).collect()
}

#[tokio::test(start_paused = true)]
async fn what_is_foreseen_is_what_happens() {
    let (queue, broker, mut rig) = (Queue::new(), Broker::default(), Rig::new());
    let (ada, sku, free, stranger) = (user(id()), unique("sku"), id(), id());
    let (applied, taken) = (adjustment(&sku, 5), adjustment(&sku, 3));
    rig.append_all(&[ada.clone(), applied.clone(), taken.clone()]);
    rig.process_batch().await.unwrap();

    let events::Body::UserCreated(owner) = &ada.body else { panic!("a user") };
    let same_email = user(id()).with_user(|user| user.email = owner.email.clone());
    let bob = user(id());
    let events::Body::UserCreated(bob_user) = &bob.body else { panic!("a user") };
    let of_bob = order_of(free, bob_user.user_id);
    let other_content = adjustment(&sku, 99).with_id(taken.id);
    push(
        &queue,
        &[
            orphan(&payment(id(), free)), // before its order, which is before its user
            orphan(&of_bob),
            orphan(&bob),
            orphan(&applied),
            orphan(&ada.clone().later(-5)),
            orphan(&order_of(id(), stranger)),
            orphan(&same_email),
            orphan(&other_content),
            dead_letter("boom"),
        ],
    )
    .await;
    queue.put(&["no letter".to_owned(), five_fields("{}", 9)]).await;

    let before = queue.texts().await;
    let (previews, totals) = dry_run_outcome(&queue, &rig.store.inner, &order(Filter::default()), RULES).await;
    let expected = [
        "applied",
        "applied",
        "applied",
        "duplicate",
        "stale",
        "parked",
        "parked",
        "rejected",
        "dead letter",
        "unreadable",
        "too many retries",
    ];
    let mut found = outcomes(&previews);
    found.sort_unstable();
    let mut sorted = expected;
    sorted.sort_unstable();
    assert_eq!(found, sorted, "{previews:#?}");
    let of_stranger =
        previews.iter().find(|preview| preview.detail.as_ref().is_some_and(|detail| detail.contains("waits for user"))).unwrap();
    assert_eq!(of_stranger.detail, Some(format!("waits for user {stranger}")));
    assert_eq!(totals.batches, 1);

    assert_eq!(queue.texts().await, before, "nothing left the list");
    assert!(!rig.has_order(free).await && rig.parked().await == 0 && rig.stock(&sku).await == Some(8), "nothing is in the tables");

    assert_eq!(run(&queue, &broker, &order(Filter::default())).await.redriven, 9);
    for value in broker.values() {
        rig.log.append(0, Some(value));
    }
    rig.process_batch().await.unwrap();
    assert!(rig.has_order(free).await);
    assert_eq!((rig.parked().await, rig.stock(&sku).await), (2, Some(8)));
    assert_eq!(rig.dead_letters.reasons(), ["not_json", "event_id_conflict"]);
    assert_eq!(rig.store.inner.parked().await.unwrap().0, totals.parked);
}

#[tokio::test]
async fn a_run_that_is_too_large_for_one_batch_says_so() {
    let (queue, tables) = (Queue::new(), Sqlite::temporary().unwrap());
    let ada = user(id());
    let events::Body::UserCreated(user) = &ada.body else { panic!("a user") };
    push(&queue, &[orphan(&ada), orphan(&order_of(id(), user.user_id))]).await;
    let (previews, totals) = dry_run_outcome(&queue, &tables, &order(Filter::default()), RULES).await;
    assert_eq!((outcomes(&previews), totals.batches), (vec!["applied", "applied"], 1));
    let (previews, totals) = dry_run_outcome(&queue, &tables, &order(Filter::default()), Rules { max_rows: 1, ..RULES }).await;
    assert_eq!((outcomes(&previews), totals.batches), (vec!["applied", "parked"], 2));
    assert!(totals.to_string().contains("dry-run in 2 batches"), "{totals}");
}

#[tokio::test]
async fn a_limit_rehearses_so_many() {
    let (queue, tables) = (Queue::new(), Sqlite::temporary().unwrap());
    push(&queue, &[orphan(&user(id())), orphan(&user(id())), orphan(&user(id()))]).await;
    let limited = RedriveRequest { limit: Some(2), ..order(Filter::default()) };
    assert_eq!(dry_run_outcome(&queue, &tables, &limited, RULES).await.1.applied, 2);
}

/// Tables that fail.
struct Failing(FaultClass);

impl DryRun for Failing {
    async fn dry_run(&self, _batch: Batch<'_>) -> Result<Applied, Fault> {
        Err(Fault { dependency: Dependency::Database, class: self.0, code: Some(7), subject: "rehearse" })
    }
}

#[tokio::test]
async fn an_outage_is_an_error_that_names_the_part_and_is_not_waited_out() {
    let queue = Queue::new();
    push(&queue, &[orphan(&user(id()))]).await;
    for class in [FaultClass::Unavailable { timed_out: true }, FaultClass::Operator, FaultClass::Bug] {
        let fault = dry_run(&queue, &Failing(class), &order(Filter::default()), RULES, |_| {}).await.unwrap_err();
        assert_eq!(fault.dependency, Dependency::Database);
    }
}

#[tokio::test]
async fn a_batch_that_fails_for_its_data_is_halved_until_the_bad_event_stands_alone() {
    let queue = Queue::new();
    push(&queue, &[orphan(&user(id())), orphan(&user(id())), orphan(&user(id()))]).await;
    let (previews, totals) = dry_run_outcome(&queue, &Failing(FaultClass::Poison), &order(Filter::default()), RULES).await;
    assert_eq!(totals.rejected, 3);
    assert_eq!(previews[0].detail.as_deref(), Some("constraint (error 7)"));
}

#[tokio::test]
async fn of_two_that_cannot_be_there_together_the_later_one_is_told() {
    let (queue, tables) = (Queue::new(), Sqlite::temporary().unwrap());
    let (ada, bob, carol) = (user(id()), user(id()), user(id()));
    let events::Body::UserCreated(owner) = &ada.body else { panic!("a user") };
    let bob = bob.with_user(|user| user.email = owner.email.clone());
    let events::Body::UserCreated(carol_user) = &carol.body else { panic!("a user") };
    push(&queue, &[orphan(&ada), orphan(&bob), orphan(&order_of(id(), carol_user.user_id)), orphan(&carol)]).await;
    let (previews, totals) = dry_run_outcome(&queue, &tables, &order(Filter::default()), RULES).await;
    assert_eq!((totals.applied, totals.parked), (3, 1), "{previews:#?}");
    let users = &previews[..2];
    assert_eq!(users.iter().filter(|preview| preview.outcome == "applied").count(), 1);
}
