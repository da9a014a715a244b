//! Redrive jobs: of a set of letters that does not grow, and gone on with by whoever comes after a process that was killed.

use std::time::Duration;

use consumer::audit::Who;
use consumer::dlq::ended::{Ended, EndedLetter};
use consumer::dlq::jobs::ended::ended;
use consumer::dlq::jobs::{self, control, find, keep, plan, plan_canary, run, take};
use consumer::dlq::{AdminContext, Filter, RedriveRequest, Refusal, Terms};
use pipeline::audit::{AuditEntry, verify};
use pipeline::dead_letter::entry_id;
use pipeline::fault::FaultClass;
use pipeline::headers::Redriven;
use pipeline::ports::{AuditLog as _, AuditPage, DeadLetterReader as _, LogPositions as _, RedriveJobs as _};
use pipeline::redrive_job::{JobChange, JobState, LetterResult, RedriveJob};
use pipeline::{DeadLetter, LogId, LogPosition, ParkingLot as _, Record};
use sqlite::Sqlite;
use testkit::builders::{id, order as placed, parked, record, second, user};
use testkit::delivery::apply;
use testkit::eventually;
use tokio_util::sync::CancellationToken;

use super::bench::{Broker, LEASE, Queue, RULES, five_fields, of_topic, order};

const BOUND: Duration = Duration::from_secs(60);

type Desk = AdminContext<Queue, Broker, Sqlite>;

/// A process whose claims last so long.
fn desk(queue: &Queue, broker: &Broker, lease: Duration) -> Desk {
    let terms = Terms { topic: "events".to_owned(), lease, max_retries: 5, rules: RULES };
    AdminContext { queue: queue.clone(), publisher: Some(broker.clone()), tables: Some(queue.inner.clone()), terms }
}

fn everything() -> RedriveRequest {
    order(Filter::default())
}

fn letters(count: usize) -> Vec<String> {
    (0..count).map(|number| five_fields(&number.to_string(), 0)).collect()
}

async fn job(queue: &Queue, number: i64) -> RedriveJob {
    find(&queue.inner, number).await.unwrap().unwrap()
}

/// Result by id, as kept.
async fn result_of(queue: &Queue, number: i64, text: &str) -> Option<LetterResult> {
    let letters = queue.inner.job_letters(number, "", 10_000).await.unwrap();
    letters.into_iter().find(|letter| letter.id == entry_id(text)).map(|letter| letter.result)
}

/// What a killed process leaves comes to its end: its lease of jobs.
fn lease_ends(queue: &Queue) {
    let file = rusqlite::Connection::open(queue.inner.path()).unwrap();
    file.execute("UPDATE leases SET ends_at = 0", []).unwrap();
}

async fn log(queue: &Queue) -> Vec<AuditEntry> {
    let log = queue.inner.audit_page(AuditPage::After(0), 10_000).await.unwrap();
    verify(&log).unwrap();
    log
}

#[tokio::test]
async fn a_job_is_of_the_letters_that_were_there_when_it_was_planned() {
    let (queue, broker) = (Queue::new(), Broker::default());
    let texts = [letters(3), vec![five_fields("often", 5), "boom".to_owned()]].concat();
    queue.put(&texts).await;
    let context = desk(&queue, &broker, LEASE);
    let held = plan(&context, Who::console("ada"), &everything()).await.unwrap();
    let number = held.number;
    assert_eq!((held.letters(), job(&queue, number).await.state), (5, JobState::Running));
    queue.put(&letters(2)).await;
    let summary = run(&context, held, &CancellationToken::new(), |_| {}).await;
    assert_eq!((summary.redriven, summary.too_many_retries, summary.unreadable, broker.sent().len()), (3, 1, 1, 3));
    let done = job(&queue, number).await;
    assert_eq!((done.state, done.counts.to_stored().as_str()), (JobState::Done, "sent 3, too_many_retries 1, unreadable 1"));
    assert_eq!(jobs::in_words(&done.counts), [("redriven", 3), ("too many retries", 1), ("unreadable", 1)]);
    assert_eq!(queue.texts().await.len(), 4);
    assert_eq!(result_of(&queue, number, &texts[4]).await, Some(LetterResult::Unreadable));
    assert!(take(&queue.inner, number).await.unwrap().is_none(), "it has ended");
}

#[tokio::test]
async fn a_topic_that_is_gone_concerns_its_own_letters_alone() {
    let (queue, broker) = (Queue::new(), Broker::default());
    let texts = ["old", "events", "old", "events"].map(|topic| of_topic(topic, topic));
    let texts: Vec<_> = texts.iter().enumerate().map(|(place, text)| text.replace("boom", &place.to_string())).collect();
    queue.put(&texts).await;
    broker.miss("old");
    let context = desk(&queue, &broker, LEASE);
    let held = plan(&context, Who::console("ada"), &everything()).await.unwrap();
    let number = held.number;
    run(&context, held, &CancellationToken::new(), |_| {}).await;
    let done = job(&queue, number).await;
    assert_eq!((done.state, done.counts.to_stored().as_str()), (JobState::Done, "sent 2, topic_refused 2"));
    assert_eq!(result_of(&queue, number, &texts[2]).await, Some(LetterResult::TopicRefused));
    assert_eq!(queue.texts().await, [&*texts[0], &texts[2]]);
    let refused = log(&queue).await.into_iter().filter(|entry| entry.record.outcome.starts_with("not sent: its topic")).count();
    assert_eq!(refused, 2, "each is told");
}

/// Where the second of three pages was sent, and nobody had heard the acknowledgements.
#[tokio::test]
async fn what_a_killed_process_had_noted_is_not_sent_again_and_the_rest_is_sent_once_more_at_most() {
    let (queue, broker) = (Queue::new(), Broker::default());
    queue.put(&letters(1200)).await;
    let context = desk(&queue, &broker, Duration::from_millis(1));
    let held = plan(&context, Who::console("ada"), &everything()).await.unwrap();
    let number = held.number;
    {
        let stop = CancellationToken::new();
        let dying = run(&context, held, &stop, |_| broker.mute(true));
        tokio::pin!(dying);
        let second = eventually(BOUND, "the second page is on its way", async || broker.sent().len() == 1000);
        tokio::select! {
            _ = &mut dying => panic!("the broker never answers"),
            () = second => {}
        }
    }
    assert_eq!(job(&queue, number).await.counts.to_stored(), "pending 700, sent 500");
    assert!(take(&queue.inner, number).await.unwrap().is_none(), "its lease has not ended");

    lease_ends(&queue);
    broker.mute(false);
    let held = take(&queue.inner, number).await.unwrap().unwrap();
    assert!(take(&queue.inner, number).await.unwrap().is_none(), "one of two");
    let summary = run(&desk(&queue, &broker, LEASE), held, &CancellationToken::new(), |_| {}).await;
    assert_eq!((summary.redriven, summary.gone, summary.fault), (700, 0, None));
    assert_eq!(broker.sent().len(), 1000 + 700);
    let mut often = std::collections::BTreeMap::<_, u32>::new();
    broker.values().into_iter().for_each(|value| *often.entry(value).or_default() += 1);
    assert_eq!((often.len(), often.values().filter(|times| **times == 2).count(), often.values().max()), (1200, 500, Some(&2)));
    let done = job(&queue, number).await;
    assert_eq!((done.state, done.counts.to_stored().as_str(), queue.texts().await.len()), (JobState::Done, "sent 1200", 0));
    let log = log(&queue).await;
    let operations: Vec<_> = log.chunk_by(|one, next| one.record.operation == next.record.operation).map(<[_]>::len).collect();
    assert_eq!(operations, [1 + 1200 + 1], "one operation from its beginning to its end");
    assert!(log.iter().all(|entry| entry.record.actor == "ada"));
    assert_eq!(log.last().unwrap().record.outcome, "1200 redriven");
}

#[tokio::test]
async fn letters_that_a_killed_process_holds_are_waited_for_and_those_that_are_not_there_are_gone() {
    let (queue, broker) = (Queue::new(), Broker::default());
    let texts = letters(3);
    queue.put(&texts).await;
    let context = desk(&queue, &broker, Duration::from_secs(2));
    let held = plan(&context, Who::console("ada"), &everything()).await.unwrap();
    let number = held.number;
    drop(held);
    // It had claimed one, and somebody else removes another.
    let claims = pipeline::ports::ClaimQueue::claim(&queue, &texts[..2], Duration::from_secs(1)).await.unwrap();
    let removed: Vec<_> = claims.into_iter().flatten().take(1).collect();
    pipeline::ports::ClaimQueue::settle(&queue, &removed).await.unwrap();
    lease_ends(&queue);
    let held = take(&queue.inner, number).await.unwrap().unwrap();
    run(&context, held, &CancellationToken::new(), |_| {}).await;
    let done = job(&queue, number).await;
    assert_eq!((done.state, done.counts.to_stored().as_str()), (JobState::Done, "sent 2, gone 1"));
    assert_eq!(result_of(&queue, number, &texts[0]).await, Some(LetterResult::Gone));
    assert_eq!((broker.sent().len(), queue.texts().await.len(), queue.claimed().await), (2, 0, Ok(0)));
}

#[tokio::test]
async fn a_job_that_cannot_go_on_says_why_and_goes_on_when_it_is_resumed() {
    let (queue, broker) = (Queue::new(), Broker::default());
    queue.put(&letters(3)).await;
    broker.refuse(|_| Some(FaultClass::Unavailable { timed_out: false }));
    let context = desk(&queue, &broker, LEASE);
    let held = plan(&context, Who::console("ada"), &everything()).await.unwrap();
    let number = held.number;
    run(&context, held, &CancellationToken::new(), |_| {}).await;
    let failed = job(&queue, number).await;
    assert_eq!((failed.state, failed.counts.to_stored().as_str()), (JobState::Failed, "pending 3"));
    assert!(failed.problem.is_some() && queue.texts().await.len() == 3);
    assert!(take(&queue.inner, number).await.unwrap().is_none(), "nobody goes on by themselves");

    broker.refuse(|_| None);
    let stop = CancellationToken::new();
    let keeper = tokio::spawn(keep(context.clone(), stop.clone()));
    control(&queue.inner, Who::http("bob"), number, &JobChange::Resume(Some(1000.0))).await.unwrap();
    eventually(BOUND, "it is done", async || job(&queue, number).await.state == JobState::Done).await;
    stop.cancel();
    keeper.await.unwrap();
    let done = job(&queue, number).await;
    assert_eq!((done.problem, done.plan.rate, done.counts.to_stored().as_str()), (None, Some(1000.0), "sent 3"));
    assert_eq!((broker.sent().len(), queue.texts().await.len()), (3, 0));
    let of_bob: Vec<_> =
        log(&queue).await.into_iter().filter(|entry| entry.record.actor == "bob").map(|entry| entry.record.outcome).collect();
    assert_eq!(of_bob, ["resumed, 1000 per second at most"]);
}

#[tokio::test]
async fn a_process_that_is_stopped_leaves_its_job_to_another_one_at_once() {
    let (queue, broker) = (Queue::new(), Broker::default());
    queue.put(&letters(5)).await;
    let context = desk(&queue, &broker, LEASE);
    let slow = RedriveRequest { rate: Some(1.0 / 3600.0), ..everything() };
    let held = plan(&context, Who::console("ada"), &slow).await.unwrap();
    let (number, stop) = (held.number, CancellationToken::new());
    let summary = tokio::join!(run(&context, held, &stop, |_| {}), async {
        eventually(BOUND, "the first is sent", async || broker.sent().len() == 1).await;
        stop.cancel();
    });
    assert!(summary.0.stopped);
    assert_eq!((job(&queue, number).await.state, queue.texts().await.len()), (JobState::Running, 4));
    let held = take(&queue.inner, number).await.unwrap().expect("nobody has to wait for a lease");
    let at_a_rate = tokio::spawn({
        let context = context.clone();
        async move { run(&context, held, &CancellationToken::new(), |_| {}).await }
    });
    // One goes out at once; the others would in an hour each, and are told to be quicker.
    eventually(BOUND, "the second is sent", async || broker.sent().len() == 2).await;
    control(&queue.inner, Who::console("bob"), number, &JobChange::Pause).await.unwrap();
    assert!(at_a_rate.await.unwrap().stopped);
    assert_eq!((job(&queue, number).await.state, queue.texts().await.len()), (JobState::Paused, 3));
    assert_eq!(control(&queue.inner, Who::console("bob"), number, &JobChange::Pause).await, Err(Refusal::JobIs(number, JobState::Paused)));
    assert_eq!(control(&queue.inner, Who::console("bob"), 99, &JobChange::Pause).await, Err(Refusal::NoSuchJob(99)));
}

/// The list of a canary that another process asks about, long after.
#[tokio::test]
async fn how_the_letters_of_a_job_ended_is_told_from_what_the_job_keeps() {
    let (queue, broker) = (Queue::new(), Broker::default());
    let tables = &queue.inner;
    let consumed = async |log: u128, next_offset: i64| {
        let log = LogId(uuid::Uuid::from_u128(log));
        tables.advance(&[LogPosition { log, topic: "events".into(), partition: 0, next_offset }]).await.unwrap();
    };
    // A topic of this name was longer once, and was deleted.
    consumed(1, 1000).await;
    let (old, new, waits, broken, late) = (user(id()), user(id()), placed(id(), id()), user(id()), user(id()));
    apply(tables, std::slice::from_ref(&old)).await;
    let texts: Vec<_> =
        [&old, &new, &waits, &broken, &late].iter().map(|event| five_fields(&String::from_utf8(event.to_json()).unwrap(), 0)).collect();
    queue.put(&[&texts[..], &["boom".to_owned()]].concat()).await;
    let context = desk(&queue, &broker, LEASE);
    let held = plan_canary(&context, Who::console("ada"), &everything()).await.unwrap();
    let number = held.number;
    run(&context, held, &CancellationToken::new(), |_| {}).await;
    let told = async || {
        let letters = tables.job_letters(number, "", 100).await.unwrap();
        ended((&queue, tables), &letters, &CancellationToken::new()).await
    };
    let ends = |told: &[EndedLetter]| -> Vec<_> {
        texts.iter().map(|text| told.iter().find(|letter| letter.id == entry_id(text)).unwrap().ended).collect()
    };
    let first = told().await;
    assert_eq!(ends(&first), [Ended::NotYet; 5], "the log that was deleted does not count: {first:?}");
    assert_eq!(first.len(), 5, "what was not sent has not ended");

    apply(tables, std::slice::from_ref(&new)).await;
    tables.park(&[parked(&waits)]).await.unwrap();
    let redriven = Redriven { retry_count: 1, id: Some(entry_id(&texts[3])), since: None };
    let again = Record { headers: redriven.headers(), ..record(b"{".to_vec()) };
    let violation = events::decode(b"{").unwrap_err();
    super::bench::push(&queue, &[DeadLetter::new(&again, &pipeline::dead_letter::Diagnosis::from(&violation), second(0))]).await;
    consumed(2, 4).await;
    let then = told().await;
    assert_eq!(ends(&then), [Ended::Duplicate, Ended::Applied, Ended::Parked, Ended::FailedAgain, Ended::NotYet], "{then:?}");
    assert!(then[0].ended == Ended::FailedAgain && then[0].why.contains(": not_json"), "those that need somebody first: {then:?}");

    // As an older program notes them.
    let file = rusqlite::Connection::open(tables.path()).unwrap();
    file.execute("UPDATE redrive_job_letters SET landed = NULL", []).unwrap();
    let unknown = told().await;
    assert_eq!(ends(&unknown), [Ended::NotKnown; 5], "never by guess");
    assert!(unknown[0].why.starts_with("where the broker put it was not noted"), "{}", unknown[0].why);
}
