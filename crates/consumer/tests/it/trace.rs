//! What is said of one event, wherever it has left something.

use consumer::audit::{Audit, Handled, Subject as AuditSubject, Who, Witness as _};
use consumer::trace::{Findings, Question, Step, StepKind, SubjectFindings, trace, trace_subject};
use events::Event;
use pipeline::audit::{AuditAction, AuditEntry, AuditRecord, AuditTail};
use pipeline::dead_letter::Diagnosis;
use pipeline::fault::{Dependency, Fault, FaultClass};
use pipeline::ledger::Cutoff;
use pipeline::ports::{AuditLog, AuditPage, DeadLetterReader, End, EventTrace, LedgerCompaction as _, ListState};
use pipeline::trace::{History, Subject};
use pipeline::{DeadLetter, DeadLetterQueue, Entity, ParkingLot, Reason, Trace};
use sqlite::Sqlite;
use std::collections::BTreeMap;
use testkit::builders::{Build, adjustment, id, order, parked, payment, record, second, unique, user};
use testkit::delivery::apply;
use uuid::Uuid;

async fn ask(store: &Sqlite, event: &Event<'_>, entity: Option<Entity>) -> Findings {
    trace(store, store, Question { event_id: event.id, entity, event_at: None }).await
}

fn said(findings: &Findings) -> (&'static str, String, bool) {
    (findings.verdict().label(), findings.verdict().to_string(), findings.found())
}

fn dead_letter(event: &Event<'_>, reason: Reason) -> DeadLetter {
    let diagnosis = Diagnosis::rejected(event.id, event.event_type(), reason, None);
    DeadLetter::new(&record(event.to_json()), &diagnosis, second(0))
}

#[tokio::test]
async fn what_was_applied_is_told_by_its_row_or_by_the_ledger() {
    let store = Sqlite::temporary().unwrap();
    let (user_id, sku) = (id(), unique("sku"));
    let (born, counted) = (user(user_id), adjustment(&sku, -3));
    apply(&store, &[born.clone(), counted.clone()]).await;
    let shown = ask(&store, &born, None).await;
    assert_eq!(said(&shown), ("applied", format!("applied: user {user_id} shows it"), true));
    let in_ledger = ask(&store, &counted, None).await;
    assert_eq!(said(&in_ledger), ("applied", format!("applied: it counts as -3 in the stock of {sku}"), true));
}

#[tokio::test]
async fn what_waits_is_told_with_what_it_waits_for_and_what_stands_meanwhile() {
    let store = Sqlite::temporary().unwrap();
    let (user_id, order_id, missing) = (id(), id(), id());
    let late = order(order_id, missing).later(1);
    store.park(&[parked(&late)]).await.unwrap();
    let (label, sentence, found) = said(&ask(&store, &late, None).await);
    assert_eq!((label, found), ("parked", true));
    assert!(sentence.starts_with(&format!("it waits for user {missing} since 20")), "{sentence}");

    let first = order(order_id, user_id);
    apply(&store, &[user(user_id), first.clone()]).await;
    let sentence = ask(&store, &late, None).await.verdict().to_string();
    let end = format!("; order {order_id} still shows the older event {} of {}", first.id, first.at);
    assert!(sentence.ends_with(&end), "the parked text tells which order and when: {sentence}");
}

#[tokio::test]
async fn a_dead_letter_is_found_among_others_and_told_with_the_row_that_has_taken_its_place() {
    let store = Sqlite::temporary().unwrap();
    let user_id = id();
    let (lost, newer) = (user(user_id), user(user_id).later(1));
    let others: Vec<_> = (0..600).map(|_| dead_letter(&user(id()), Reason::EmailTaken)).collect();
    store.push(&others).await.unwrap();
    store.push(&[dead_letter(&lost, Reason::EmailTaken)]).await.unwrap();
    let findings = ask(&store, &lost, None).await;
    assert_eq!(said(&findings), ("dead_letter", "it is a dead letter (email_taken)".to_owned(), true));
    assert_eq!(findings.dead_letters.as_ref().map(|dead_letters| (dead_letters.found.len(), dead_letters.examined)), Ok((1, 601)));

    apply(&store, std::slice::from_ref(&newer)).await;
    let expected = format!(
        "it is a dead letter (email_taken); user {user_id} shows the newer event {} of {}, so that it would have no effect any more",
        newer.id, newer.at
    );
    assert_eq!(ask(&store, &lost, None).await.verdict().to_string(), expected);
}

#[tokio::test]
async fn what_left_nothing_is_told_by_the_row_of_its_entity_as_far_as_times_are_known() {
    let store = Sqlite::temporary().unwrap();
    let (user_id, nobody) = (id(), id());
    let (event, shown) = (user(user_id), user(user_id).later(5));
    apply(&store, std::slice::from_ref(&shown)).await;
    let about = Some(Entity::User(user_id));
    let ask_at = async |at| said(&trace(&store, &store, Question { event_id: event.id, entity: about, event_at: at }).await);

    let row = format!("user {user_id} shows the newer event {} of {}", shown.id, shown.at);
    assert_eq!(ask_at(Some(event.at)).await, ("superseded", format!("superseded: {row}"), true));
    let (label, sentence, found) = ask_at(Some(second(9))).await;
    assert_eq!((label, found), ("not_applied", false));
    assert!(sentence.contains("still shows the older event"), "{sentence}");
    let (label, sentence, found) = ask_at(None).await;
    assert_eq!((label, found), ("unknown", false));
    assert!(sentence.contains(&shown.id.to_string()) && sentence.contains("--at"), "{sentence}");

    let unknown = ask(&store, &event, Some(Entity::User(nobody))).await;
    assert_eq!(said(&unknown), ("unknown", format!("nothing knows it, and there is no user {nobody}"), false));
    let (label, sentence, found) = said(&ask(&store, &event, None).await);
    assert_eq!((label, found), ("unknown", false));
    assert!(sentence.contains("--user"), "{sentence}");
}

#[tokio::test]
async fn an_adjustment_whose_line_may_have_been_folded_is_told_by_its_own_time() {
    let store = Sqlite::temporary().unwrap();
    let old = adjustment("sku", 4);
    apply(&store, std::slice::from_ref(&old)).await;
    let cutoff = Cutoff { events_before: second(10), applied_before: second(1_000_000_000) };
    let number = store.begin_compaction(cutoff).await.unwrap().number;
    assert!(store.compact(number, 1000).await.unwrap().ended);
    let ask_at = async |event_at| trace(&store, &store, Question { event_id: old.id, entity: None, event_at }).await;
    let findings = ask_at(Some(old.at)).await;
    let (label, sentence, found) = said(&findings);
    assert_eq!((label, found), ("folded", false));
    assert!(sentence.contains(&format!("all events before {}", second(10))), "{sentence}");
    assert_eq!(findings.to_json()["tables"]["foldedBefore"], second(10).to_string());
    let untimed = ask_at(None).await;
    assert_eq!(said(&untimed).0, "unknown");
    assert!(untimed.to_string().contains("lines of events before"), "{untimed}");
    assert_eq!(said(&ask_at(Some(second(10))).await).0, "unknown", "younger than what was folded");
}

/// A part that is away.
struct Away(Dependency);

impl Away {
    fn fault(&self) -> Fault {
        Fault { dependency: self.0, class: FaultClass::Unavailable { timed_out: false }, code: Some(4060), subject: "connect" }
    }
}

impl EventTrace for Away {
    async fn trace(&self, _: Uuid, _: Option<Entity>) -> Result<Trace, Fault> {
        Err(self.fault())
    }

    async fn history(&self, _: &Subject) -> Result<History, Fault> {
        Err(self.fault())
    }
}

impl AuditLog for Away {
    async fn append_audit(&self, _: &[AuditRecord]) -> Result<AuditTail, Fault> {
        Err(self.fault())
    }

    async fn audit_page(&self, _: AuditPage, _: usize) -> Result<Vec<AuditEntry>, Fault> {
        Err(self.fault())
    }
}

impl DeadLetterReader for Away {
    async fn list_state(&self) -> Result<ListState, Fault> {
        Err(self.fault())
    }

    async fn depth(&self) -> Result<u64, Fault> {
        Err(self.fault())
    }

    async fn claimed(&self) -> Result<u64, Fault> {
        Err(self.fault())
    }

    async fn reasons(&self) -> Result<BTreeMap<String, u64>, Fault> {
        Err(self.fault())
    }

    async fn page(&self, _: End, _: u64, _: u64) -> Result<Vec<String>, Fault> {
        Err(self.fault())
    }
}

#[tokio::test]
async fn a_part_that_cannot_be_asked_is_named_and_spoils_the_exit_code_but_not_what_the_other_knows() {
    let store = Sqlite::temporary().unwrap();
    let born = user(id());
    apply(&store, std::slice::from_ref(&born)).await;
    store.push(&[dead_letter(&born, Reason::EmailTaken)]).await.unwrap();
    let question = Question { event_id: born.id, entity: None, event_at: None };

    let no_queue = trace(&store, &Away(Dependency::DeadLetterQueue), question).await;
    assert_eq!((no_queue.verdict().label(), no_queue.found()), ("applied", false));
    assert!(no_queue.to_string().contains("dead letters  could not be asked: the dead letter queue cannot be reached"), "{no_queue}");

    let no_tables = trace(&Away(Dependency::Database), &store, question).await;
    assert_eq!((no_tables.verdict().label(), no_tables.found()), ("dead_letter", false));
    assert!(no_tables.to_json()["tables"]["notAsked"].as_str().unwrap().contains("error 4060"));

    let neither = trace(&Away(Dependency::Database), &Away(Dependency::DeadLetterQueue), question).await;
    assert_eq!((neither.verdict().label(), neither.found()), ("open", false));
}

#[tokio::test]
async fn neither_text_nor_json_shows_a_payload_or_what_others_wrote_into_an_error() {
    let store = Sqlite::temporary().unwrap();
    let event = user(id()).with_user(|user| {
        user.email = "canary-mail@example.com".into();
        user.first_name = "canary-name".into();
    });
    apply(&store, std::slice::from_ref(&event)).await;
    store.park(&[parked(&event)]).await.unwrap();
    store.push(&[dead_letter(&event, Reason::EmailTaken)]).await.unwrap();
    let foreign = serde_json::json!({
        "eventId": event.id.to_string().to_uppercase(), "originalData": String::from_utf8(event.to_json()).unwrap(), "error": "canary-error", "timestamp": "canary-time",
        "retryCount": 7, "reason": "\u{1b}[2Jodd\r\nreason",
    });
    let foreign = DeadLetter { identity: unique("identity"), reason: "unknown", json: foreign.to_string() };
    store.push(&[foreign]).await.unwrap();
    let findings = ask(&store, &event, None).await;
    assert_eq!(findings.dead_letters.as_ref().unwrap().found.len(), 2, "an id is an id in capitals too");
    let (text, json) = (findings.to_string(), findings.to_json().to_string());
    assert!(!text.contains("canary") && !json.contains("canary"), "{text}\n{json}");
    assert!(text.contains("\\u{1b}[2Jodd\\r\\nreason"), "{text}");
    assert_eq!(text.lines().count(), 13, "eight lines, and five steps: {text}");
}

#[tokio::test]
async fn the_json_tells_all_that_the_text_does() {
    let store = Sqlite::temporary().unwrap();
    let (user_id, order_id) = (id(), id());
    let placed = order(order_id, user_id);
    let waiting = parked(&placed);
    store.park(std::slice::from_ref(&waiting)).await.unwrap();
    apply(&store, &[user(user_id)]).await;
    let json = ask(&store, &placed, None).await.to_json();
    let parked = &json["tables"]["parked"][0];
    assert_eq!(
        (&json["status"], &json["eventId"], &json["eventTime"]),
        (&"parked".into(), &placed.id.to_string().into(), &placed.at.to_string().into())
    );
    assert_eq!(
        (parked["topic"].as_str(), parked["waitsFor"].as_str(), parked["expired"].as_bool()),
        (Some(&*waiting.position.topic), Some("user"), Some(false))
    );
    assert_eq!(parked["waitsForId"], user_id.to_string());
    assert_eq!((&json["deadLetters"]["examined"], &json["deadLetters"]["found"]), (&0.into(), &serde_json::json!([])));
    assert!(json["tables"]["ledger"].is_null() && json["tables"]["notAsked"].is_null());
}

async fn ask_about(store: &Sqlite, subject: Subject) -> SubjectFindings {
    trace_subject(store, store, subject).await
}

fn kinds(steps: &[Step]) -> Vec<&'static str> {
    steps.iter().map(|step| step.kind.label()).collect()
}

/// An operator sends this dead letter again.
async fn redriven(store: &Sqlite, letter: &str, event_id: Uuid) {
    let mut operation = Audit(store).begin(Who::console("ada"), AuditAction::Redrive, AuditSubject::new("all dead letters")).await.unwrap();
    operation.handled(vec![Handled::new(letter.to_owned(), Some(&event_id.to_string()), "redriven")]).await.unwrap();
    operation.end("1 redriven").await;
}

#[tokio::test]
async fn the_timeline_of_an_event_goes_from_its_own_time_to_what_operators_did() {
    let store = Sqlite::temporary().unwrap();
    let user_id = id();
    let (lost, newer) = (user(user_id), user(user_id).later(1));
    apply(&store, std::slice::from_ref(&newer)).await;
    store.push(&[dead_letter(&lost, Reason::EmailTaken)]).await.unwrap();
    let letter = ask(&store, &lost, None).await.dead_letters.unwrap().found[0].listed.id.clone();
    redriven(&store, &letter, lost.id).await;
    redriven(&store, "0123456789ab", newer.id).await;
    let steps = ask(&store, &lost, None).await.timeline();
    let mut kinds = kinds(&steps);
    kinds.sort_unstable();
    assert_eq!(kinds, ["change", "dead letter", "event", "superseded"], "{steps:?}");
    assert!(steps.is_sorted_by_key(|step| step.at), "{steps:?}");
    let step = |kind| steps.iter().find(|step| step.kind == kind).unwrap();
    assert_eq!((step(StepKind::Superseded).event_id, step(StepKind::DeadLetter).letter.as_ref()), (Some(newer.id), Some(&letter)));
    let change = &step(StepKind::Change).sentence;
    assert!(change.starts_with(&format!("redrive by ada: dead letter {letter}, event {}: redriven", lost.id)), "{change}");
}

#[tokio::test]
async fn everything_about_a_user_an_order_and_a_payment_is_told_in_order_of_time() {
    let store = Sqlite::temporary().unwrap();
    let (user_id, order_id, payment_id) = (id(), id(), id());
    let (born, placed, paid) = (user(user_id), order(order_id, user_id).later(1), payment(payment_id, order_id).later(2));
    store.park(&[parked(&paid)]).await.unwrap();
    apply(&store, &[born.clone(), placed.clone()]).await;
    let broken = String::from_utf8(order(order_id, user_id).to_json()).unwrap().replace("\"currency\"", "\"money\"");
    let diagnosis = Diagnosis::from(&events::decode(broken.as_bytes()).unwrap_err());
    store.push(&[DeadLetter::new(&record(broken.into_bytes()), &diagnosis, second(0))]).await.unwrap();

    let of_order = ask_about(&store, Subject::Entity(Entity::Order(order_id))).await;
    let steps = of_order.timeline();
    assert_eq!(kinds(&steps), ["dead letter", "waiting", "applied"], "{steps:?}");
    assert!(of_order.found());
    let expected = format!("order {order_id} shows event {} of {}; 1 event waits for it; 1 dead letter", placed.id, placed.at);
    assert_eq!(of_order.verdict(), expected);
    let waiting = format!("event {}, payment {payment_id}, waits for it", paid.id);
    assert!(steps[1].sentence.starts_with(&waiting), "{}", steps[1].sentence);

    let of_user = ask_about(&store, Subject::Entity(Entity::User(user_id))).await;
    assert_eq!(kinds(&of_user.timeline()), ["applied"], "a dead letter of its order is not about it");
    let of_payment = ask_about(&store, Subject::Entity(Entity::Payment(payment_id))).await;
    assert_eq!(kinds(&of_payment.timeline()), ["parked"]);
    assert_eq!(of_payment.verdict(), format!("payment {payment_id} has no row; 1 event of it is parked"));
    let json = of_payment.to_json();
    assert_eq!((json["of"].as_str(), json["tables"]["parked"][0]["eventId"].as_str()), (Some("payment"), Some(&*paid.id.to_string())));
    let nobody = ask_about(&store, Subject::Entity(Entity::User(id()))).await;
    assert!(!nobody.found() && nobody.verdict().starts_with("nothing knows user "), "{}", nobody.verdict());
}

#[tokio::test]
async fn everything_about_an_article_is_told_with_what_was_folded() {
    let store = Sqlite::temporary().unwrap();
    let sku = unique("sku");
    let (old, young) = (adjustment(&sku, 5), adjustment(&sku, -2).later(20));
    apply(&store, &[old, young.clone()]).await;
    store
        .push(&[
            dead_letter(&adjustment(&sku, 9), Reason::EventIdConflict),
            dead_letter(&adjustment(&unique("sku"), 9), Reason::EventIdConflict),
        ])
        .await
        .unwrap();
    let cutoff = Cutoff { events_before: second(10), applied_before: second(1_000_000_000_000) };
    let number = store.begin_compaction(cutoff).await.unwrap().number;
    while !store.compact(number, 1000).await.unwrap().ended {}
    let findings = ask_about(&store, Subject::Article(sku.clone())).await;
    assert_eq!(findings.verdict(), format!("article {sku} has a stock of 3; 1 dead letter"));
    let text = findings.to_string();
    assert!(text.contains(&format!("lines of events before {} were folded", second(10))), "{text}");
    assert!(text.contains(&format!("-2 of {sku} by event {}", young.id)), "{text}");
}

#[tokio::test]
async fn a_part_that_cannot_be_asked_spoils_what_is_said_of_a_subject() {
    let store = Sqlite::temporary().unwrap();
    let (user_id, away) = (id(), Away(Dependency::Database));
    apply(&store, &[user(user_id)]).await;
    let subject = Subject::Entity(Entity::User(user_id));
    let findings = trace_subject(&away, &store, subject.clone()).await;
    assert!(!findings.found() && findings.to_string().contains("tables        could not be asked: "), "{findings}");
    assert_eq!(findings.verdict(), format!("not everything about user {user_id} could be asked"));
    let no_queue = trace_subject(&store, &Away(Dependency::DeadLetterQueue), subject).await;
    assert!(!no_queue.found() && no_queue.to_string().contains("the dead letter queue cannot be reached"), "{no_queue}");
}
