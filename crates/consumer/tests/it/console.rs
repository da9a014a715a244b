//! The console's port over real tables, dead letters and the consumer's loop.

use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::extract::ConnectInfo;
use axum::http::{Request, StatusCode};
use console::{
    Caller, Draft, FindingState, JobControl, JobState, LetterEnd, Operations, Order, ParentFate, PartState, RefusalKind, Selection, TraceBy,
};
use consumer::admin::AdminConfig;
use consumer::console::{ConsoleParts, operations, routes};
use consumer::dlq::{AdminContext, Terms};
use consumer::operator::OperatorParts;
use consumer::verify::schedule::VerifyNow;
use pipeline::dead_letter::{DeadLetter, Diagnosis, entry_id};
use pipeline::headers::Redriven;
use pipeline::heartbeat::DownPart;
use pipeline::ports::{ClaimQueue as _, DeadLetterReader as _, End, FloodPermits as _, Heartbeats as _, LogPositions as _};
use pipeline::{DeadLetterQueue as _, LogId, LogPosition, ParkedEvent, ParkingLot as _, Position, Record, WaitsFor};
use settings::Reader;
use sqlite::Sqlite;
use telemetry::{Health, Metrics, Part, Status};
use testkit::builders::{dead_letter, heartbeat, id, order, payment, record, second, user};
use testkit::delivery::apply;
use tokio_util::sync::CancellationToken;
use tower::ServiceExt as _;
use uuid::Uuid;

use crate::admin::office::{checking, peeking};
use crate::dlq::bench::{Broker, LEASE, RULES, five_fields, orphan};
use crate::fake_log::Topic;
use crate::rig::Rig;

/// How long a job may take that has little to do.
const BOUND: Duration = Duration::from_secs(30);

pub struct Office {
    pub store: Sqlite,
    broker: Broker,
    topic: Topic,
    health: Health,
    metrics: Metrics,
    instance: Uuid,
    verify: VerifyNow,
    stop: CancellationToken,
}

impl Office {
    pub fn new() -> Self {
        Self {
            store: Sqlite::temporary().unwrap(),
            broker: Broker::default(),
            topic: Topic::default(),
            health: Health::new(&["database", "kafka"], None),
            metrics: Metrics::new(&[Part::Consumer]).unwrap(),
            instance: id(),
            verify: VerifyNow::default(),
            stop: CancellationToken::new(),
        }
    }

    pub fn parts(&self) -> ConsoleParts<Topic, Sqlite, Sqlite, Broker> {
        let terms = Terms { topic: "events".to_owned(), lease: LEASE, max_retries: 5, rules: RULES };
        let (queue, tables) = (self.store.clone(), Some(self.store.clone()));
        let shared = OperatorParts {
            context: AdminContext { queue, publisher: Some(self.broker.clone()), tables, terms },
            progress: self.topic.clone(),
            group: "group".to_owned(),
            health: self.health.clone(),
            metrics: self.metrics.clone(),
            check: checking(),
            verify: Some(self.verify.clone()),
            peek: peeking(&self.topic, &self.store),
            stop: self.stop.clone(),
        };
        let settings = vec![("KAFKA_TOPIC".to_owned(), "events".to_owned())];
        ConsoleParts { shared, instance: self.instance, parking_deadline: Duration::from_secs(900), settings }
    }

    pub async fn texts(&self) -> Vec<String> {
        self.store.page(End::Oldest, 0, 1000).await.unwrap()
    }
}

fn keyed(value: &[u8], key: &str) -> Record {
    Record { key: Some(key.as_bytes().to_vec()), ..record(value) }
}

/// What a record becomes that breaks the contract.
fn broken(record: &Record) -> DeadLetter {
    let violation = events::decode(record.value.as_deref().unwrap()).unwrap_err();
    DeadLetter::new(record, &Diagnosis::from(&violation), second(0))
}

fn caller() -> Caller {
    Caller("ada".to_owned())
}

fn all() -> Selection {
    Selection { all: true, ..Selection::default() }
}

fn of_reason(reason: &str) -> Selection {
    Selection { reason: Some(reason.to_owned()), ..Selection::default() }
}

/// The job when it has ended.
pub async fn ended(operations: &impl Operations, number: u64) -> console::Job {
    let job = async {
        loop {
            let job = operations.jobs().await.unwrap().into_iter().find(|job| job.number == number).unwrap();
            if job.state != JobState::Running {
                return job;
            }
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(BOUND, job).await.unwrap()
}

#[tokio::test]
async fn the_flow_tells_partitions_parts_and_what_records_came_to() {
    let office = Office::new();
    let operations = operations(office.parts());
    office.topic.append(&user(id()));
    office.health.up("database");
    office.metrics.events_processed("UserCreated", Status::Success, 3);
    office.metrics.events_processed("OrderPlaced", Status::Parked, 2);
    office.store.push(&[dead_letter("boom")]).await.unwrap();
    let flow = operations.flow().await;
    assert_eq!((&*flow.topic, &*flow.group, &*flow.here.status), ("events", "group", "not ready"));
    let partitions = flow.partitions.unwrap();
    assert_eq!(partitions.iter().map(|partition| partition.lag).sum::<u64>(), 1);
    assert!(partitions.iter().all(|partition| !partition.ours), "no position was told");
    assert_eq!((flow.here.outcomes.polled, flow.here.outcomes.applied, flow.here.outcomes.parked), (5, 3, 2));
    assert_eq!((flow.parked, flow.dead_letters, flow.verification), (Ok((0, None)), Ok(1), None));
    let states: Vec<_> = flow.here.parts.iter().map(|part| (&*part.name, part.state)).collect();
    assert_eq!(states, [("database", PartState::Up), ("kafka", PartState::Unasked)]);

    office.health.down("kafka", "it cannot be reached");
    let kafka = operations.flow().await.here.parts.remove(1);
    assert_eq!((kafka.state, kafka.reason.as_deref()), (PartState::Down, Some("It cannot be reached.")));
}

#[tokio::test]
async fn the_flow_tells_every_consumer_of_the_database_and_who_is_gone() {
    let office = Office::new();
    let operations = operations(office.parts());
    office.topic.append(&user(id()));
    let Ok(consumers) = operations.flow().await.consumers else { panic!("the tables are there") };
    assert_eq!(consumers, [], "nobody has said anything");
    let held = "7 records that cannot be written are held, more than DLQ_MAX_RATIO lets pass; most likely a producer's defect: type this";
    let down = DownPart { part: "pipeline".to_owned(), since: "2026-01-15T10:00:00Z".to_owned(), reason: held.to_owned() };
    let (this, gone) = (heartbeat(office.instance), heartbeat(id()));
    let mut other = heartbeat(id());
    other.state.down.push(down);
    for beat in [&this, &other, &gone] {
        office.store.beat(beat).await.unwrap();
    }
    let file = rusqlite::Connection::open(office.store.path()).unwrap();
    let aged = "UPDATE consumer_heartbeats SET heartbeat_at = heartbeat_at - 11000000 WHERE instance = ?1";
    assert_eq!(file.execute(aged, [gone.instance.as_bytes()]).unwrap(), 1);
    let consumers = operations.flow().await.consumers.unwrap();
    assert_eq!(consumers.iter().filter(|consumer| consumer.this).count(), 1);
    let alive: Vec<_> = consumers.iter().map(|consumer| consumer.alive).collect();
    assert_eq!(alive, [true, true, false], "who is gone comes last");
    assert_eq!(consumers[2].last_seen, Duration::from_secs(11));
    let floods = consumers.iter().flat_map(|consumer| &consumer.down).map(|part| (&*part.name, part.reason.as_deref().unwrap()));
    let floods: Vec<_> = floods.collect();
    assert!(matches!(&floods[..], [("flow", reason)] if reason.contains("let them pass")), "{floods:?}");

    file.execute_batch("DROP TABLE consumer_heartbeats").unwrap();
    let flow = operations.flow().await;
    assert!(flow.consumers.is_err() && flow.partitions.is_ok(), "the rest is told all the same");
}

#[tokio::test]
async fn what_is_held_is_told_with_why_it_cannot_be_written_until_it_may_pass() {
    let office = Office::new();
    let operations = operations(office.parts());
    let (ada, stranger) = (id(), id());
    office.topic.append(&user(ada));
    let wrong = String::from_utf8(user(stranger).to_json()).unwrap().replace("lastName", "surname");
    for value in [wrong.as_str(), "secret-payload"] {
        office.topic.append_bytes(0, value.into());
    }
    assert_eq!(operations.held_known().unwrap_err().kind, RefusalKind::Reading, "a page does not wait");
    let held = operations.held().await.unwrap();
    assert_eq!((held.unconsumed, held.examined, held.caveats.len()), (3, 3, 0));
    let told: Vec<_> = held.records.iter().map(|record| (&*record.reason, &*record.event_type, record.event_id.is_some())).collect();
    assert_eq!(told, [("missing_field", "UserCreated", true), ("not_json", "unknown", false)]);
    let shown = format!("{held:?}");
    assert!(!shown.contains("secret-payload") && !shown.contains("surname"), "{shown}");
    assert_eq!(operations.held_known(), Ok(held.clone()));
    // The partition of the user is that of its id, so it may be before these.
    let offset = held.records[0].place.strip_prefix("events/0/").unwrap().parse().unwrap();
    operations.permit(&caller(), console::Permit::Records(1)).await.unwrap();
    assert_eq!(operations.held_known().unwrap_err().kind, RefusalKind::Reading, "what may pass is not shown as held");
    // It is a dead letter now, and the group has committed nothing yet: the batch goes on with the others.
    let let_pass = Record { position: Position { topic: "events".into(), partition: 0, offset }, ..record(wrong.into_bytes()) };
    office.store.push(&[broken(&let_pass)]).await.unwrap();
    // Or the look that has just begun would count, which may have been there before.
    operations.permit(&caller(), console::Permit::Nothing).await.unwrap();
    let held = operations.held().await.unwrap();
    assert_eq!((held.examined, held.already), (3, 1));
    assert_eq!(held.records.iter().map(|record| &*record.reason).collect::<Vec<_>>(), ["not_json"]);
}

#[tokio::test(start_paused = true)]
async fn a_flood_that_is_held_is_told_and_let_pass() {
    let mut rig = Rig::new();
    for _ in 0..300 {
        rig.log.append(0, Some(b"poison".to_vec()));
    }
    let office = Office::new();
    let ConsoleParts { shared, instance, parking_deadline, settings } = office.parts();
    let OperatorParts { context: AdminContext { publisher, tables, terms, .. }, group, check, verify, peek, stop, .. } = shared;
    let context = AdminContext { queue: rig.dead_letters.clone(), publisher, tables, terms };
    let (progress, health, metrics) = (rig.log.clone(), rig.health.clone(), rig.metrics.clone());
    let shared = OperatorParts { context, progress, group, health, metrics, check, verify, peek, stop };
    let operations = operations(ConsoleParts { shared, instance, parking_deadline, settings });
    let mut changes = operations.changes();
    let operator = async {
        // Whoever listens hears of it, and need not look for it.
        let held = async {
            loop {
                changes.changed().await.unwrap();
                let flow = operations.here().parts.into_iter().find(|part| part.name == "flow");
                if let Some(flow) = flow.filter(console::Part::is_down) {
                    return flow.reason.unwrap();
                }
            }
        };
        let reason = tokio::time::timeout(Duration::from_secs(60), held).await.expect("the flood is held, and that is told");
        assert!(reason.starts_with("300 records that cannot be written are held"), "{reason}");
        assert!(reason.contains("Mend the producer, then let them pass") && !reason.contains("resume"), "{reason}");
        operations.permit(&caller(), console::Permit::Records(300)).await.unwrap();
    };
    let (done, ()) = tokio::join!(rig.process_batch(), operator);
    done.unwrap();
    let flow = operations.flow().await;
    assert!(flow.here.parts.iter().all(|part| part.name != "flow"), "{:?}", flow.here.parts);
    assert_eq!((flow.dead_letters, flow.here.outcomes.dead_letters), (Ok(300), 300));
}

#[tokio::test]
async fn a_check_is_told_in_the_words_of_the_command_until_the_next_one() {
    let office = Office::new();
    let operations = operations(office.parts());
    assert_eq!(operations.last_check(), None);
    let checked = operations.run_check(&caller()).await;
    let found: Vec<_> = checked.findings.iter().map(|finding| (finding.state, &*finding.found, finding.advice.as_deref())).collect();
    let advice = Some("run `consumer migrate`");
    assert_eq!(found, [(FindingState::Good, "events has 6 partitions", None), (FindingState::Failed, "it is not there", advice)]);
    assert_eq!(operations.last_check(), Some(checked));
}

#[tokio::test]
async fn dead_letters_are_grouped_listed_and_shown() {
    let office = Office::new();
    let operations = operations(office.parts());
    let broken = String::from_utf8(user(id()).to_json()).unwrap().replace("\"firstName\"", "\"first\"");
    let bytes = vec![0xff, 0x00];
    office.store.push(&[dead_letter("boom"), dead_letter(broken.clone()), dead_letter("bang"), dead_letter(bytes.clone())]).await.unwrap();
    let groups = operations.groups().await.unwrap();
    assert_eq!(groups.uncounted, 0);
    let groups = groups.groups;
    assert_eq!((groups[0].count, groups.iter().map(|group| group.count).sum::<u64>()), (2, 4));
    assert!(groups.iter().all(|group| group.history.iter().sum::<u64>() == group.count && group.sample.ends_with('.')), "{groups:?}");

    let page = operations.letters(&Selection::default(), 0, 3).await.unwrap();
    assert_eq!((page.depth, page.rows.len(), page.next), (4, 3, Some(3)));
    let rest = operations.letters(&Selection::default(), 3, 3).await.unwrap();
    assert_eq!((rest.rows.len(), rest.next), (1, None));
    assert_eq!(operations.letters(&of_reason("missing_field"), 0, 3).await.unwrap().rows.len(), 1);
    let refused = operations.letters(&Selection { older_than: Some("soon".to_owned()), ..all() }, 0, 3).await.unwrap_err();
    assert_eq!(refused.kind, RefusalKind::Bad);

    let ids: Vec<_> = office.texts().await.iter().map(|text| entry_id(text)).collect();
    let (first, middle, last) = (&ids[0], &ids[1], &ids[3]);
    let letter = operations.letter(first).await.unwrap();
    assert_eq!((&*letter.bytes, letter.is_text, letter.editable.as_deref()), (&b"boom"[..], true, Some("boom")));
    let letter = operations.letter(&middle[..6]).await.unwrap();
    assert_eq!((letter.field.as_deref(), &*letter.row.reason), (Some("firstName"), "missing_field"));
    assert_eq!(letter.bytes, broken.as_bytes());
    let missing: Vec<_> = letter.fields.iter().filter(|field| field.problem.is_some()).map(|field| (&*field.path, &field.value)).collect();
    assert_eq!((missing, letter.fields.len()), (vec![("firstName", &None)], 8), "all eight are read");
    // The times of the event, of its record and of the letter are three.
    let event_at = serde_json::from_str::<serde_json::Value>(&broken).unwrap()["timestamp"].as_str().map(str::to_owned);
    assert_eq!((letter.event_at, letter.record_at), (event_at, Some(second(0).to_string())));
    assert_eq!(letter.record_clock, Some("by the producer's clock"));
    let letter = operations.letter(last).await.unwrap();
    assert_eq!((letter.bytes, letter.is_text), (bytes, false));
    assert_eq!(operations.letter("0000").await.unwrap_err().kind, RefusalKind::NotFound);
    assert_eq!(operations.letter("what").await.unwrap_err().kind, RefusalKind::Bad);
}

#[tokio::test]
async fn what_operators_did_to_a_letter_is_told_the_newest_first() {
    let office = Office::new();
    let operations = operations(office.parts());
    let lonely = order(id(), id());
    office.store.push(&[orphan(&lonely), dead_letter("boom")]).await.unwrap();
    let [ours, other] = &office.texts().await.iter().map(|text| entry_id(text)).collect::<Vec<_>>()[..] else { panic!("two letters") };
    assert_eq!(operations.letter_history(ours, 10).await, Ok(Vec::new()));
    let selection = Selection { ids: vec![ours.clone()], ..Selection::default() };
    let job = operations.redrive(&caller(), &Order { selection, limit: None, rate: None, is_canary: false }).await.unwrap();
    ended(&operations, job).await;
    operations.purge(&caller(), &of_reason("not_json")).await.unwrap();
    let told = operations.letter_history(ours, 10).await.unwrap();
    let said: Vec<_> = told.iter().map(|row| (&*row.actor, &*row.action, &*row.outcome)).collect();
    assert_eq!(said, [("ada", "redrive", "sent")]);
    assert!(told[0].subject.ends_with(&lonely.id.to_string()));
    assert_eq!(operations.letter_history(other, 10).await.unwrap()[0].action, "purge");
}

#[tokio::test]
async fn a_large_group_is_told_behind_however_many_small_ones() {
    let office = Office::new();
    let operations = operations(office.parts());
    let foreign = |number| {
        let (fingerprint, reason) = (format!("boom:{number}:"), "boom");
        let entry = serde_json::json!({ "originalData": "{}", "timestamp": "", "reason": reason, "fingerprint": fingerprint });
        entry.to_string()
    };
    let texts: Vec<_> = (0..1200).map(foreign).collect();
    pipeline::ports::DeadLetterArchive::restore(&office.store, &texts).await.unwrap();
    office.store.push(&[dead_letter("boom"), dead_letter("bang")]).await.unwrap();
    let groups = operations.groups().await.unwrap().groups;
    assert_eq!((&*groups[0].fingerprint, groups[0].count, groups.len()), ("not_json:unknown:", 2, 1000));
}

#[tokio::test]
async fn what_another_program_wrote_is_shown_to_editors_alone_and_within_bounds() {
    let office = Office::new();
    let operations = operations(office.parts());
    let error = format!("ada@example.com \u{202e}{}", "x".repeat(1 << 20));
    let entry = serde_json::json!({
        "eventId": "ada@example.com", "originalData": "{}", "error": error, "timestamp": "", "retryCount": 0, "reason": "boom",
    });
    pipeline::ports::DeadLetterArchive::restore(&office.store, &[entry.to_string()]).await.unwrap();
    let groups = operations.groups().await.unwrap().groups;
    let page = operations.letters(&Selection::default(), 0, 10).await.unwrap();
    let letter = operations.letter(&page.rows[0].id).await.unwrap();
    for row in [&page.rows[0], &letter.row] {
        assert_eq!((row.event_id.as_deref(), &*row.error), (None, "Another program wrote it; its own words are shown to editors."));
    }
    assert_eq!(groups[0].sample, page.rows[0].error);
    let told = letter.told.unwrap();
    assert!(told.starts_with("ada@example.com") && told.chars().count() <= 301 && !told.contains('\u{202e}'), "{told}");
}

#[tokio::test]
async fn a_purge_leaves_what_came_after_somebody_had_looked() {
    let office = Office::new();
    let operations = operations(office.parts());
    office.store.push(&[orphan(&user(id()))]).await.unwrap();
    let selection = |until: &str| Selection { until: Some(until.to_owned()), ..of_reason("email_taken") };
    assert_eq!(operations.purge(&caller(), &selection("then")).await.unwrap_err().kind, RefusalKind::Bad);
    assert_eq!(operations.purge(&caller(), &selection("1999-01-01T00:00:00Z")).await, Ok(0));
    let of_until = Selection { until: Some("2999-01-01T00:00:00Z".to_owned()), ..Selection::default() };
    assert_eq!(
        operations.purge(&caller(), &of_until).await.unwrap_err().kind,
        RefusalKind::Bad,
        "a time alone means nothing in particular"
    );
    assert_eq!(operations.purge(&caller(), &selection("2999-01-01T00:00:00Z")).await, Ok(1));
}

/// The fields of a draft that are wrong.
fn paths(draft: &Draft) -> Vec<&str> {
    draft.wrong.iter().map(|field| field.path.as_str()).collect()
}

#[tokio::test]
async fn a_draft_is_foreseen_by_the_database_and_ends_so() {
    let office = Office::new();
    let operations = operations(office.parts());
    let (user_id, order_id) = (id(), id());
    let placed = order(order_id, user_id);
    let mended = String::from_utf8(placed.to_json()).unwrap();
    office.store.push(&[dead_letter(mended.replace("\"currency\"", "\"coin\""))]).await.unwrap();
    let letter = entry_id(&office.texts().await[0]);

    let wrong = operations.check(&letter, &mended.replace("\"currency\"", "\"money\"")).await.unwrap();
    assert_eq!((paths(&wrong), wrong.foreseen.as_ref()), (vec!["currency"], None));
    assert!(wrong.problem.unwrap().ends_with('.') && wrong.diff.contains("money"));
    let twice =
        operations.check(&letter, &mended.replace("\"currency\"", "\"money\"").replace("\"items\":[", "\"items\":[7,")).await.unwrap();
    assert_eq!(paths(&twice), ["currency", "items[0]"], "every field that is wrong, not only the first");
    let unchanged = operations.check(&letter, &mended.replace("\"currency\"", "\"coin\"")).await.unwrap();
    assert!(unchanged.problem.unwrap().contains("not changed"));
    let other = operations.check(&letter, &String::from_utf8(order(order_id, user_id).to_json()).unwrap()).await.unwrap();
    assert_eq!(paths(&other), ["eventId"], "another event");

    let orphaned = operations.check(&letter, &mended).await.unwrap();
    let foreseen = orphaned.foreseen.unwrap().unwrap();
    assert_eq!((orphaned.problem, &*foreseen.outcome, foreseen.detail), (None, "parked", Some(format!("waits for user {user_id}"))));
    apply(&office.store, &[user(user_id)]).await;
    let foreseen = operations.check(&letter, &mended).await.unwrap().foreseen.unwrap().unwrap();
    assert_eq!(foreseen.outcome, "applied");

    let sent = operations.send(&caller(), &letter, &mended).await.unwrap();
    assert_eq!(sent.event_id, placed.id.to_string());
    assert!(sent.place.ends_with("/0/0"), "{}", sent.place);
    assert_eq!(office.broker.values(), [mended.into_bytes()]);
    assert!(office.texts().await.is_empty());
    // What was sent ends as it was foreseen.
    let outcomes = apply(&office.store, &[placed]).await;
    assert_eq!(outcomes, [pipeline::Outcome::Applied]);
    assert_eq!(operations.send(&caller(), &letter, "{}").await.unwrap_err().kind, RefusalKind::NotFound);
}

#[tokio::test]
async fn a_redrive_is_rehearsed_and_then_done_as_a_job() {
    let office = Office::new();
    let operations = operations(office.parts());
    let orphans: Vec<_> = (0..3).map(|_| orphan(&user(id()))).collect();
    office.store.push(&orphans).await.unwrap();
    office.store.push(&[dead_letter("boom")]).await.unwrap();
    for nothing in [Selection::default(), Selection { ids: Vec::new(), ..Selection::default() }] {
        assert_eq!(operations.rehearse(&nothing, 100).await.unwrap_err().kind, RefusalKind::Bad);
        let order = Order { selection: nothing.clone(), limit: None, rate: None, is_canary: false };
        assert_eq!(operations.redrive(&caller(), &order).await.unwrap_err().kind, RefusalKind::Bad);
        assert_eq!(operations.purge(&caller(), &nothing).await.unwrap_err().kind, RefusalKind::Bad);
    }
    let rehearsal = operations.rehearse(&all(), 100).await.unwrap();
    assert_eq!((rehearsal.selected, rehearsal.rows.len()), (4, 4));
    assert_eq!(rehearsal.totals, [("applied".to_owned(), 3), ("dead letter".to_owned(), 1)]);

    let order = Order { selection: of_reason("email_taken"), limit: Some(2), rate: Some(1000.0), is_canary: true };
    let canary = operations.redrive(&caller(), &order).await.unwrap();
    let job = ended(&operations, canary).await;
    assert_eq!((job.state, &*job.caller, job.rate, job.problem), (JobState::Done, "ada", Some(1000.0), None));
    assert_eq!(
        (&*job.subject, job.done),
        ("A canary, and the rest waits for your word: dead letters: reason email_taken, 2 at most.", (2, 2))
    );
    assert_eq!(job.counts, [("redriven".to_owned(), 2)]);
    assert_eq!(office.broker.sent().len(), 2);
    let second = operations.redrive(&caller(), &Order { selection: all(), limit: None, rate: None, is_canary: false }).await.unwrap();
    let second_ended = ended(&operations, second).await;
    assert_eq!(second_ended.counts, [("redriven".to_owned(), 2)]);
    assert_eq!(operations.jobs().await.unwrap().iter().map(|job| job.number).collect::<Vec<_>>(), [second, canary], "the newest first");
    for (job, kind) in [(canary, RefusalKind::Impossible), (99, RefusalKind::NotFound)] {
        assert_eq!(operations.control(&caller(), job, JobControl::Pause).await.unwrap_err().kind, kind);
    }
}

#[tokio::test]
async fn a_canary_says_how_its_letters_ended_and_what_the_rest_is() {
    let office = Office::new();
    let operations = operations(office.parts());
    let events = [user(id()), order(id(), id()), user(id()), user(id())];
    let letters: Vec<_> = events.iter().map(orphan).collect();
    office.store.push(&letters).await.unwrap();
    let ids: Vec<_> = office.texts().await.iter().map(|text| entry_id(text)).collect();
    let wanted = Order { selection: all(), limit: Some(10), rate: None, is_canary: true };
    let number = operations.redrive(&caller(), &wanted).await.unwrap();
    let done = ended(&operations, number).await;
    assert!(done.is_canary && done.state == JobState::Done, "{done:?}");
    let ends = async |after: &str, limit: usize| {
        let shown = operations.job(number, after, limit).await.unwrap();
        let ends = shown.letters.iter().map(|letter| (letter.id.clone(), letter.end)).collect::<Vec<_>>();
        (ends, shown)
    };
    let (first, shown) = ends("", 10).await;
    assert!(first.iter().all(|(_, end)| *end == LetterEnd::NotYet), "{first:?}");
    assert_eq!((shown.selection, shown.next), (Some(all()), None));

    apply(&office.store, &events[..1]).await;
    office.store.park(&[testkit::builders::parked(&events[1])]).await.unwrap();
    let again = Redriven { retry_count: 1, id: Some(ids[2].clone()), since: None };
    office.store.push(&[broken(&Record { headers: again.headers(), ..record(b"{".to_vec()) })]).await.unwrap();
    let topics = office.broker.sent().into_iter().map(|sent| sent.topic);
    let positions = topics.map(|topic| LogPosition { log: LogId(id()), topic: topic.into(), partition: 0, next_offset: 4 });
    office.store.advance(&positions.collect::<Vec<_>>()).await.unwrap();
    let (then, shown) = ends("", 10).await;
    let expected = [(2, LetterEnd::FailedAgain), (3, LetterEnd::NotKnown), (1, LetterEnd::Parked), (0, LetterEnd::Applied)];
    assert_eq!(then, expected.map(|(letter, end)| (ids[letter].clone(), end)), "those that need somebody first: {shown:?}");
    let [again, lost, waits, applied] = &shown.letters[..] else { panic!("four letters") };
    assert!(again.is_listed && again.why.starts_with(&format!("It is dead letter {} again: not_json: ", ids[2])), "{again:?}");
    assert!(
        !waits.is_listed && waits.why.starts_with("It waits for user ") && lost.why.starts_with("Nothing knows it"),
        "{waits:?} {lost:?}"
    );
    assert_eq!(applied.event_id, Some(events[0].id.to_string()));

    let mut sorted = ids.clone();
    sorted.sort_unstable();
    let (page, shown) = ends(&sorted[0], 2).await;
    assert_eq!((page.len(), shown.next.as_ref()), (2, Some(&sorted[2])));
    let refused = operations.job(99, "", 10).await.unwrap_err();
    assert_eq!(refused.kind, RefusalKind::NotFound);
}

#[tokio::test]
async fn a_job_that_is_paused_leaves_the_rest_in_the_list_and_one_that_is_cancelled_does_not_go_on() {
    let office = Office::new();
    let operations = operations(office.parts());
    let texts: Vec<_> = (0..5).map(|number| five_fields(&number.to_string(), 0)).collect();
    pipeline::ports::DeadLetterArchive::restore(&office.store, &texts).await.unwrap();
    // The second would go out in an hour.
    let order = Order { selection: all(), limit: None, rate: Some(1.0 / 3600.0), is_canary: false };
    let number = operations.redrive(&caller(), &order).await.unwrap();
    let sent = async {
        while office.broker.sent().is_empty() {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(BOUND, sent).await.unwrap();
    operations.control(&caller(), number, JobControl::Pause).await.unwrap();
    assert_eq!(ended(&operations, number).await.state, JobState::Paused);
    testkit::eventually(BOUND, "the first has its result", async || ended(&operations, number).await.done == (1, 5)).await;
    assert_eq!(office.texts().await.len(), 4);
    operations.control(&caller(), number, JobControl::Cancel).await.unwrap();
    let job = ended(&operations, number).await;
    assert_eq!((job.state, job.done), (JobState::Cancelled, (1, 5)));
    let refused = operations.control(&caller(), number, JobControl::Resume).await.unwrap_err();
    assert_eq!(refused.sentence, format!("Job {number} is cancelled, and nothing was changed."));
}

#[tokio::test]
async fn parked_events_are_gathered_by_what_they_wait_for() {
    let office = Office::new();
    let operations = operations(office.parts());
    let (user_id, lonely) = (id(), id());
    let parked: Vec<_> = (0..2500)
        .map(|number| if number == 7 { (lonely, order(id(), lonely)) } else { (user_id, order(id(), user_id)) })
        .map(|(parent, event)| ParkedEvent::new(&record(event.to_json()), event.id, WaitsFor::User(parent)))
        .collect();
    office.store.park(&parked).await.unwrap();
    let waiting = operations.parked().await.unwrap();
    assert_eq!((waiting.events, waiting.deadline_seconds), (2500, 900));
    let parents: Vec<_> = waiting.parents.iter().map(|parent| (parent.name.clone(), parent.children, parent.first.len())).collect();
    assert_eq!(parents, [(format!("user {user_id}"), 2499, 20), (format!("user {lonely}"), 1, 1)]);
}

#[tokio::test]
async fn what_has_become_of_a_missing_parent_is_told_with_its_letter() {
    let office = Office::new();
    let operations = operations(office.parts());
    let (refused, unread, without_id, unseen, present, of_order) = (id(), id(), id(), id(), id(), id());
    apply(&office.store, &[user(present)]).await;
    let mut cut = keyed(b"{\"userId\"", &unread.to_string());
    cut.position.offset = 7;
    let mut nameless = keyed(br#"{"eventType":"UserCreated"}"#, &without_id.to_string());
    nameless.position.offset = 8;
    let letters = [orphan(&user(refused)), broken(&cut), orphan(&user(refused)), broken(&keyed(b"{", "no id")), broken(&nameless)];
    office.store.push(&letters).await.unwrap();
    let waits = |event: events::Event<'static>, for_what| ParkedEvent::new(&record(event.to_json()), event.id, for_what);
    let of_user = |parent| waits(order(id(), parent), WaitsFor::User(parent));
    let parked = [refused, unread, without_id, unseen, present].map(of_user);
    office.store.park(&[parked.as_slice(), &[waits(payment(id(), of_order), WaitsFor::Order(of_order))]].concat()).await.unwrap();

    let parents = operations.parked().await.unwrap().parents;
    let fate = |name: String| parents.iter().find(|parent| parent.name == name).unwrap().fate.clone();
    let ids: Vec<_> = office.texts().await.iter().map(|text| entry_id(text)).collect();
    assert_eq!(fate(format!("user {refused}")), ParentFate::DeadLetter { id: ids[2].clone(), by_key: false, others: 1 }, "the newest");
    assert_eq!(fate(format!("user {unread}")), ParentFate::DeadLetter { id: ids[1].clone(), by_key: true, others: 0 });
    assert_eq!(
        fate(format!("user {without_id}")),
        ParentFate::DeadLetter { id: ids[4].clone(), by_key: true, others: 0 },
        "of a known type"
    );
    assert_eq!(fate(format!("user {unseen}")), ParentFate::NeverSeen);
    assert_eq!(fate(format!("user {present}")), ParentFate::Written);
    let ParentFate::NotFound(why) = fate(format!("order {of_order}")) else { panic!("other orders wait for their users") };
    assert_eq!(why, "It is no dead letter; it may be parked itself, for its user.");
    // A letter that a redrive has claimed is in no list.
    assert_eq!(office.store.claim(&office.texts().await[..1], Duration::from_secs(60)).await.map(|claimed| claimed.len()), Ok(1));
    let parents = operations.parked().await.unwrap().parents;
    let ParentFate::NotFound(why) = &parents.iter().find(|parent| parent.name == format!("user {unseen}")).unwrap().fate else {
        panic!("it may be the one that is claimed")
    };
    assert_eq!(why, "It is no dead letter of the list; a redrive has claimed 1 more.");
}

#[tokio::test]
async fn an_event_is_traced_and_its_dead_letters_are_named() {
    let office = Office::new();
    let operations = operations(office.parts());
    let event = user(id());
    apply(&office.store, std::slice::from_ref(&event)).await;
    office.store.push(&[orphan(&event)]).await.unwrap();
    let trace = operations.trace(TraceBy::Event, &format!(" {} ", event.id)).await.unwrap();
    let letters: Vec<_> = trace.steps.iter().filter_map(|step| step.letter.clone()).collect();
    assert_eq!(letters, [entry_id(&office.texts().await[0])]);
    assert!(trace.steps.iter().all(|step| step.event_id.is_none()), "it is the one that was asked for: {trace:?}");
    assert!(trace.findings.iter().any(|(place, what)| place == "rows" && what.contains("shows it")), "{trace:?}");
    assert!(trace.verdict.ends_with('.'), "{}", trace.verdict);
    for by in [TraceBy::Event, TraceBy::User, TraceBy::Order, TraceBy::Payment] {
        assert_eq!(operations.trace(by, "0190").await.unwrap_err().kind, RefusalKind::Bad);
    }
    let events::Body::UserCreated(born) = &event.body else { unreachable!() };
    let of_user = operations.trace(TraceBy::User, &born.user_id.to_string()).await.unwrap();
    let found: Vec<_> = of_user.steps.iter().map(|step| (step.kind.as_str(), step.event_id.clone())).collect();
    let event_id = Some(event.id.to_string());
    assert!(found.contains(&("applied", event_id.clone())) && found.contains(&("dead letter", event_id)), "{of_user:?}");
    let of_article = operations.trace(TraceBy::Sku, "nothing").await.unwrap();
    assert_eq!((of_article.verdict.as_str(), of_article.steps.len()), ("Nothing knows article nothing.", 0));
}

#[tokio::test]
async fn what_may_pass_of_a_flood_is_permitted_and_dead_letters_are_purged() {
    let office = Office::new();
    let operations = operations(office.parts());
    operations.permit(&caller(), console::Permit::Records(5)).await.unwrap();
    assert_eq!(office.store.spend(9).await, Ok(5));
    operations.permit(&caller(), console::Permit::Everything).await.unwrap();
    assert_eq!(office.store.spend(9).await, Ok(9));
    operations.permit(&caller(), console::Permit::Nothing).await.unwrap();
    assert_eq!(office.store.spend(9).await, Ok(0));
    office.store.push(&[dead_letter("boom"), orphan(&user(id()))]).await.unwrap();
    assert_eq!(operations.purge(&caller(), &of_reason("not_json")).await, Ok(1));
    assert_eq!(office.texts().await.len(), 1);
}

#[tokio::test]
async fn the_console_is_for_whoever_has_a_token_of_the_settings() {
    let office = Office::new();
    let mut env = Reader::from_pairs([("ADMIN_TOKEN", "ada:0123456789abcdef"), ("ADMIN_ROLES", "ada:viewer")]);
    let router = routes(Arc::new(AdminConfig::read(&mut env).unwrap()), office.parts());
    let ask = async |method: &str, path: &str, cookie: &str, body: &str| {
        let peer: std::net::SocketAddr = "127.0.0.1:4711".parse().unwrap();
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header("Host", "localhost:1")
            .header("Sec-Fetch-Site", "same-origin")
            .header("Content-Type", "application/x-www-form-urlencoded")
            .header("Cookie", cookie)
            .extension(ConnectInfo(peer));
        router.clone().oneshot(request.body(Body::from(body.to_owned())).unwrap()).await.unwrap()
    };
    let home = ask("GET", "/", "", "").await;
    assert_eq!(
        (home.status(), &home.headers()["location"]),
        (StatusCode::TEMPORARY_REDIRECT, &"/console/".parse().unwrap()),
        "it shows a page"
    );
    assert_eq!(ask("GET", "/console/", "", "").await.status(), StatusCode::SEE_OTHER);
    assert_eq!(ask("POST", "/console/login", "", "token=0123456789abcdeX").await.status(), StatusCode::FORBIDDEN);
    let entered = ask("POST", "/console/login", "", "token=0123456789abcdef").await;
    assert_eq!(entered.status(), StatusCode::SEE_OTHER);
    let cookie = entered.headers()["set-cookie"].to_str().unwrap().split(';').next().unwrap().to_owned();
    assert_eq!(ask("GET", "/console/", &cookie, "").await.status(), StatusCode::OK);
    assert_eq!(ask("POST", "/console/permit", &cookie, "permit=everything").await.status(), StatusCode::FORBIDDEN, "a viewer");
    assert_eq!(office.store.spend(1).await, Ok(0));
}
