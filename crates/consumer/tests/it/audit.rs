//! What operators change is noted before it is done and after, and what cannot be noted is not done.

use std::net::SocketAddr;
use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::ConnectInfo;
use axum::http::{Request, StatusCode};
use console::{Caller, JobControl, Operations as _, Order, Permit, RefusalKind, Selection};
use consumer::admin::{AdminConfig, AdminParts, routes};
use consumer::console::operations;
use consumer::dlq::{AdminContext, Terms};
use consumer::operator::OperatorParts;
use events::Timestamp;
use pipeline::audit::{AuditEntry, AuditRecord, AuditTail, Sha256Digest, verify};
use pipeline::dead_letter::entry_id;
use pipeline::fault::{Dependency, Fault, FaultClass};
use pipeline::heartbeat::{Heartbeat, SeenConsumer};
use pipeline::ports::{
    AuditLog, AuditPage, AwaitedParents, DryRun, EventTrace, FloodPermits as _, Heartbeats, Leases, LogPositions, ParkingExpiry,
    RedriveJobs,
};
use pipeline::redrive_job::{JobChange, JobCounts, JobLetter, JobPlan, RedriveJob};
use pipeline::trace::{History, Subject};
use pipeline::{Applied, Awaited, Batch, DeadLetterQueue as _, Entity, LogPosition, ParkedEvent, Trace};
use serde_json::Value;
use settings::Reader;
use sqlite::Sqlite;
use telemetry::{Health, Metrics, Part};
use testkit::builders::{dead_letter, id, user};
use tokio_util::sync::CancellationToken;
use tower::ServiceExt as _;
use uuid::Uuid;

use crate::admin::office::{checking, compacting, peeking};
use crate::console::{self as screens, ended};
use crate::dlq::bench::{Broker, LEASE, Queue, RULES, five_fields, orphan, push};
use crate::fake_log::Topic;

const TOKEN: &str = "0123456789abcdef";

/// Tables that take no entries at some of the calls, counted from 0. Clones are the same.
#[derive(Clone)]
struct Tables {
    inner: Sqlite,
    calls: Arc<AtomicUsize>,
    away: Range<usize>,
}

impl Tables {
    fn away(away: Range<usize>) -> Self {
        Self { inner: Sqlite::temporary().unwrap(), calls: Arc::default(), away }
    }

    fn there() -> Self {
        Self::away(0..0)
    }

    async fn log(&self) -> Vec<AuditEntry> {
        let entries = self.inner.audit_page(AuditPage::After(0), 10_000).await.unwrap();
        verify(&entries).unwrap();
        entries
    }
}

impl DryRun for Tables {
    async fn dry_run(&self, batch: Batch<'_>) -> Result<Applied, Fault> {
        self.inner.dry_run(batch).await
    }
}

impl AuditLog for Tables {
    async fn append_audit(&self, records: &[AuditRecord]) -> Result<AuditTail, Fault> {
        if !self.away.contains(&self.calls.fetch_add(1, Ordering::SeqCst)) {
            return self.inner.append_audit(records).await;
        }
        let class = FaultClass::Unavailable { timed_out: false };
        Err(Fault { dependency: Dependency::Database, class, code: None, subject: "append_audit" })
    }

    async fn audit_page(&self, page: AuditPage, limit: usize) -> Result<Vec<AuditEntry>, Fault> {
        self.inner.audit_page(page, limit).await
    }
}

impl Heartbeats for Tables {
    async fn beat(&self, heartbeat: &Heartbeat) -> Result<(), Fault> {
        self.inner.beat(heartbeat).await
    }

    async fn consumers(&self, within: Duration) -> Result<Vec<SeenConsumer>, Fault> {
        self.inner.consumers(within).await
    }

    async fn end_heartbeat(&self, instance: Uuid) -> Result<(), Fault> {
        self.inner.end_heartbeat(instance).await
    }
}

impl RedriveJobs for Tables {
    async fn plan_job(&self, plan: &JobPlan) -> Result<i64, Fault> {
        self.inner.plan_job(plan).await
    }

    async fn note_letters(&self, job: i64, letters: &[JobLetter], counts: &JobCounts) -> Result<(), Fault> {
        self.inner.note_letters(job, letters, counts).await
    }

    async fn change_job(&self, job: i64, change: &JobChange) -> Result<bool, Fault> {
        self.inner.change_job(job, change).await
    }

    async fn jobs_before(&self, number: i64, limit: usize) -> Result<Vec<RedriveJob>, Fault> {
        self.inner.jobs_before(number, limit).await
    }

    async fn running_jobs(&self) -> Result<Vec<i64>, Fault> {
        self.inner.running_jobs().await
    }

    async fn job_letters(&self, job: i64, after: &str, limit: usize) -> Result<Vec<JobLetter>, Fault> {
        self.inner.job_letters(job, after, limit).await
    }
}

impl Leases for Tables {
    async fn take_lease(&self, name: &str, holder: Uuid, duration: Duration) -> Result<bool, Fault> {
        self.inner.take_lease(name, holder, duration).await
    }

    async fn release_lease(&self, name: &str, holder: Uuid) -> Result<(), Fault> {
        self.inner.release_lease(name, holder).await
    }
}

impl ParkingExpiry for Tables {
    async fn now(&self) -> Result<Timestamp, Fault> {
        self.inner.now().await
    }

    async fn claim_expired(&self, cutoff: Timestamp, limit: usize) -> Result<Vec<ParkedEvent>, Fault> {
        self.inner.claim_expired(cutoff, limit).await
    }

    async fn parked(&self) -> Result<(u64, Option<Timestamp>), Fault> {
        self.inner.parked().await
    }
}

impl AwaitedParents for Tables {
    async fn awaited(&self, parents: usize, children: usize) -> Result<Awaited, Fault> {
        self.inner.awaited(parents, children).await
    }
}

impl EventTrace for Tables {
    async fn trace(&self, event_id: Uuid, entity: Option<Entity>) -> Result<Trace, Fault> {
        self.inner.trace(event_id, entity).await
    }

    async fn history(&self, subject: &Subject) -> Result<History, Fault> {
        self.inner.history(subject).await
    }
}

impl LogPositions for Tables {
    async fn positions(&self, topic: &str) -> Result<Vec<LogPosition>, Fault> {
        self.inner.positions(topic).await
    }

    async fn advance(&self, positions: &[LogPosition]) -> Result<(), Fault> {
        self.inner.advance(positions).await
    }
}

struct Office {
    queue: Queue,
    broker: Broker,
    tables: Tables,
    router: Router,
}

impl Office {
    fn new(tables: Tables) -> Self {
        let (queue, broker) = (Queue::new(), Broker::default());
        let mut env = Reader::from_pairs([("ADMIN_TOKEN", "ada:0123456789abcdef")]);
        let config = Arc::new(AdminConfig::read(&mut env).unwrap());
        let terms = Terms { topic: "events".to_owned(), lease: LEASE, max_retries: 5, rules: RULES };
        let context = AdminContext { queue: queue.clone(), publisher: Some(broker.clone()), tables: Some(tables.clone()), terms };
        let topic = Topic::default();
        let (peek, compact) = (peeking(&topic, &tables.inner), compacting(&topic, &tables.inner));
        let shared = OperatorParts {
            context,
            progress: topic,
            group: "group".to_owned(),
            health: Health::new(&[], None),
            metrics: Metrics::new(&[Part::Consumer]).unwrap(),
            verify: None,
            check: checking(),
            peek,
            stop: CancellationToken::new(),
        };
        let parts = AdminParts { shared, address: "127.0.0.1:4711".parse().unwrap(), compact };
        let router = routes(config, parts);
        Self { queue, broker, tables, router }
    }

    async fn post(&self, path: &str, body: impl Into<Body>) -> (StatusCode, Value) {
        let request = Request::post(path).extension(ConnectInfo("127.0.0.1:4711".parse::<SocketAddr>().unwrap()));
        let request = request.header("Authorization", format!("Bearer {TOKEN}")).body(body.into()).unwrap();
        let answer = self.router.clone().oneshot(request).await.unwrap();
        let status = answer.status();
        let body = axum::body::to_bytes(answer.into_body(), usize::MAX).await.unwrap();
        (status, serde_json::from_slice(&body).unwrap())
    }
}

/// What the entries say: action, subject, outcome.
fn said(entries: &[AuditEntry]) -> Vec<[&str; 3]> {
    entries.iter().map(|AuditEntry { record, .. }| [&*record.action, &*record.subject, &*record.outcome]).collect()
}

#[tokio::test]
async fn over_http_each_operation_is_noted_with_its_beginning_its_letters_and_its_end() {
    let office = Office::new(Tables::there());
    let (event, other) = (user(id()), five_fields("{}", 0));
    let waiting = orphan(&event);
    push(&office.queue, std::slice::from_ref(&waiting)).await;
    office.queue.put(std::slice::from_ref(&other)).await;
    let (letter, removed) = (entry_id(&waiting.json), entry_id(&other));
    office.post("/admin/dlq/redrive", r#"{"reason":"email_taken","limit":7}"#).await;
    office.post("/admin/dlq/purge", r#"{"all":true}"#).await;
    office.post("/admin/dlq/import?any=true", format!("{other}\n{{\"a\":1}}")).await;

    let log = office.tables.log().await;
    let redriven = "dead letters: reason email_taken, 7 at most";
    let sent = format!("dead letter {letter}, event {}", event.id);
    let of_others: Value = serde_json::from_str(&other).unwrap();
    let gone = format!("dead letter {removed}, event {}", of_others["eventId"].as_str().unwrap());
    assert_eq!(
        said(&log),
        [
            ["redrive", redriven, "begun"],
            ["redrive", &sent, "sent"],
            ["redrive", redriven, "1 redriven"],
            ["purge", "all dead letters", "begun"],
            ["purge", &gone, "removed"],
            ["purge", "all dead letters", "1 removed"],
            ["import", "lines of a request", "begun"],
            ["import", &gone, "imported"],
            ["import", &format!("dead letter {}", entry_id("{\"a\":1}")), "imported"],
            ["import", "lines of a request", "2 imported, 0 skipped"],
        ]
    );
    assert!(log.iter().all(|entry| (&*entry.record.actor, &*entry.record.origin) == ("ada", "http")));
    let operations: Vec<_> = log.chunk_by(|one, next| one.record.operation == next.record.operation).map(<[_]>::len).collect();
    assert_eq!(operations, [3, 3, 4]);
}

#[tokio::test]
async fn an_edit_is_noted_with_the_digests_of_both_payloads_and_no_word_of_them() {
    let office = Office::new(Tables::there());
    let event = user(id());
    let mended = String::from_utf8(event.to_json()).unwrap();
    let broken = mended.replace("\"firstName\"", "\"first\"");
    let letter = dead_letter(broken.clone());
    push(&office.queue, std::slice::from_ref(&letter)).await;
    let path = format!("/admin/dlq/{}/edit", entry_id(&letter.json));
    assert_eq!(office.post(&format!("{path}?dryRun=true"), mended.clone()).await.0, StatusCode::OK);
    assert_eq!(office.post(&path, "{}").await.0, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(office.tables.log().await, [], "nothing was changed");
    assert_eq!(office.post(&path, mended.clone()).await.0, StatusCode::OK);
    let log = office.tables.log().await;
    assert_eq!(log.iter().map(|entry| &*entry.record.outcome).collect::<Vec<_>>(), ["begun", "sent", "sent to partition 0, offset 0"]);
    let digests = (Some(Sha256Digest::of(broken.as_bytes())), Some(Sha256Digest::of(mended.as_bytes())));
    assert!(log.iter().all(|entry| (entry.record.before, entry.record.after) == digests), "{log:?}");
    assert!(!format!("{log:?}").contains("ada-"), "no address is in it");
}

#[tokio::test]
async fn what_cannot_be_noted_is_not_done_and_the_refusal_names_the_database() {
    let office = Office::new(Tables::away(0..usize::MAX));
    let mended = String::from_utf8(user(id()).to_json()).unwrap();
    let letter = dead_letter(mended.replace("\"firstName\"", "\"first\""));
    push(&office.queue, std::slice::from_ref(&letter)).await;
    let edit = format!("/admin/dlq/{}/edit", entry_id(&letter.json));
    for (path, body) in [
        ("/admin/dlq/redrive", r#"{"all":true}"#),
        ("/admin/dlq/purge", r#"{"all":true}"#),
        ("/admin/dlq/import?any=true", "{}"),
        (&edit, &mended),
    ] {
        let (status, problem) = office.post(path, body.to_owned()).await;
        assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE, "{path}");
        let detail = problem["detail"].as_str().unwrap();
        assert!(detail.contains("the database") && detail.contains("nothing was changed"), "{detail}");
    }
    assert_eq!(office.queue.texts().await, [letter.json]);
    assert!(office.broker.sent().is_empty());
    assert_eq!(office.tables.log().await, []);
}

#[tokio::test]
async fn where_imported_letters_cannot_be_noted_no_more_are_put_into_the_list() {
    let texts: Vec<_> = (0..1200).map(|number| five_fields(&number.to_string(), 0)).collect();
    let office = Office::new(Tables::away(1..2));
    let (status, _) = office.post("/admin/dlq/import", texts.join("\n")).await;
    assert_eq!((status, office.queue.texts().await.len()), (StatusCode::SERVICE_UNAVAILABLE, 500));
    let log = office.tables.log().await;
    assert_eq!(log.len(), 1 + 500 + 1, "the end brings them along");
    let (status, imported) = office.post("/admin/dlq/import", texts.join("\n")).await;
    assert_eq!((status, &imported["imported"], &imported["skipped"]), (StatusCode::OK, &700.into(), &500.into()));
}

#[tokio::test]
async fn where_a_page_cannot_be_noted_no_other_is_touched_and_the_end_brings_it_along() {
    for (path, verb) in [("/admin/dlq/redrive", "sent"), ("/admin/dlq/purge", "removed")] {
        let texts: Vec<_> = (0..1200).map(|number| five_fields(&number.to_string(), 0)).collect();
        for (away, noted) in [(1..2, 1 + 500 + 1), (1..usize::MAX, 1)] {
            let office = Office::new(Tables::away(away.clone()));
            office.queue.put(&texts).await;
            let (status, _) = office.post(path, r#"{"all":true}"#).await;
            assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE, "{path}");
            assert_eq!(office.queue.texts().await.len(), 700, "{path}");
            let log = office.tables.log().await;
            assert_eq!(log.len(), noted, "{path} {away:?}");
            assert_eq!(log.iter().filter(|entry| entry.record.outcome == verb).count(), noted.saturating_sub(2), "{path}");
        }
    }
}

#[tokio::test]
async fn the_console_notes_who_has_done_what_and_who_has_stopped_it() {
    let office = screens::Office::new();
    let operations = operations(office.parts());
    let caller = |name: &str| Caller(name.to_owned());
    let all = || Selection { all: true, ..Selection::default() };
    let letters = [dead_letter("boom"), dead_letter("bang")];
    office.store.push(&letters).await.unwrap();
    let job = operations
        .redrive(&caller("ada"), &Order { selection: all(), limit: None, rate: Some(1.0 / 3600.0), is_canary: false })
        .await
        .unwrap();
    operations.control(&caller("bob"), job, JobControl::Cancel).await.unwrap();
    ended(&operations, job).await;
    // Whoever runs it hears it, and gives back what it had claimed.
    let heard =
        async || said(&office.store.audit_page(AuditPage::After(0), 100).await.unwrap()).iter().any(|[.., what]| what.contains("stopped"));
    testkit::eventually(Duration::from_secs(30), "its end is noted", heard).await;
    let left = office.texts().await.len() as u64;
    assert_eq!(operations.purge(&caller("ada"), &all()).await, Ok(left));
    operations.permit(&caller("ada"), Permit::Records(3)).await.unwrap();
    assert_eq!(office.store.spend(9).await, Ok(3));
    let log = office.store.audit_page(AuditPage::After(0), 100).await.unwrap();
    verify(&log).unwrap();
    let shown = operations.audit(Some(3), 10).await.unwrap();
    assert_eq!(shown.iter().map(|row| row.number).collect::<Vec<_>>(), [2, 1]);
    assert_eq!((&*shown[1].actor, &*shown[1].action, &*shown[1].outcome), ("ada", "redrive", "begun"));
    let ends: Vec<_> = said(&log).into_iter().filter(|[_, _, outcome]| *outcome != "begun").collect();
    assert!(log.iter().all(|entry| &*entry.record.origin == "console"));
    let of_bob: Vec<_> =
        log.iter().filter(|entry| entry.record.actor != "ada").map(|entry| (&*entry.record.actor, &*entry.record.outcome)).collect();
    assert_eq!(of_bob, [("bob", "cancelled")]);
    assert!(ends.iter().any(|[_, _, outcome]| outcome.contains("redriven") && outcome.contains("stopped before the end")), "{ends:?}");
    assert_eq!(ends.last().unwrap(), &["resume", "3 unwritable records may pass.", "done"]);
}

#[tokio::test]
async fn without_tables_the_console_refuses_to_change_anything() {
    let office = screens::Office::new();
    office.store.push(&[dead_letter("boom")]).await.unwrap();
    let mut parts = office.parts();
    parts.shared.context.tables = None;
    let operations = operations(parts);
    let all = Selection { all: true, ..Selection::default() };
    let caller = Caller("ada".to_owned());
    let refusals = [
        operations.purge(&caller, &all).await.unwrap_err(),
        operations.redrive(&caller, &Order { selection: all, limit: None, rate: None, is_canary: false }).await.unwrap_err(),
        operations.permit(&caller, Permit::Everything).await.unwrap_err(),
    ];
    for refused in refusals {
        assert_eq!(refused.kind, RefusalKind::Impossible);
        assert!(refused.sentence.contains("nothing was changed"), "{}", refused.sentence);
    }
    assert_eq!((office.texts().await.len(), office.store.spend(1).await), (1, Ok(0)));
}
