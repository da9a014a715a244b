//! What an operator sees and does beside the dead letters.

use axum::http::StatusCode;
use events::Event;
use pipeline::audit::AuditEntry;
use pipeline::ports::{AuditLog as _, AuditPage, FloodPermits as _, ParkingExpiry as _, TableRows as _};
use pipeline::{DeadLetterQueue as _, ParkingLot as _};
use serde_json::{Value, json};
use testkit::builders::{adjustment, dead_letter, id, order, parked, user};
use testkit::delivery::apply;

use super::office::{HERE, Office, TOKEN};
use crate::dlq::bench::Step;
use crate::ledger::{letter, old};

/// An office whose token has this role.
fn office_of(role: &str) -> Office {
    Office::new(&[("ADMIN_ROLES", &format!("admin:{role}"))])
}

async fn get(office: &Office, path: &str) -> Value {
    let (status, answer) = office.ask("GET", path, "").await;
    assert_eq!(status, StatusCode::OK, "{path}: {answer}");
    answer
}

/// The status and the sentence of a refusal.
async fn refused(office: &Office, method: &str, path: &str, body: &str) -> (u16, String) {
    let (status, answer) = office.ask(method, path, body.to_owned()).await;
    (status.as_u16(), answer["detail"].as_str().unwrap_or_default().to_owned())
}

#[tokio::test]
async fn the_status_is_told_of_this_process_and_of_every_part() {
    let office = Office::new(&[]);
    office.topic.append_bytes(0, b"boom".to_vec());
    office.queue.inner.push(&[dead_letter("boom")]).await.unwrap();
    let status = get(&office, "/admin/status").await;
    assert_eq!((&status["process"]["address"], &status["process"]["answer"]["status"]), (&json!(HERE), &json!("not ready")));
    assert_eq!(
        (&status["lag"]["topic"], &status["lag"]["group"], &status["lag"]["partitions"][0]["lag"]),
        (&json!("events"), &json!("group"), &json!(1))
    );
    assert_eq!((&status["deadLetters"][0]["count"], &status["consumers"], &status["parked"]["events"]), (&json!(1), &json!([]), &json!(0)));

    office.queue.fail(Some(Step::Read));
    let status = get(&office, "/admin/status").await;
    assert!(status["deadLetters"]["problem"].as_str().unwrap().contains("the dead letter queue"), "{status}");
    assert_eq!(get(&Office::bare(), "/admin/status").await["parked"], Value::Null);
}

#[tokio::test]
async fn what_waits_is_told_by_what_it_waits_for() {
    let (office, stranger) = (Office::new(&[]), id());
    let (one, two) = (parked(&order(id(), stranger)), parked(&order(id(), stranger)));
    office.queue.inner.park(&[one, two]).await.unwrap();
    let list = get(&office, "/admin/parked").await;
    assert_eq!((&list["events"], &list["largest"][0]["id"], &list["largest"][0]["events"]), (&json!(2), &json!(stranger), &json!(2)));
    assert_eq!(get(&office, "/admin/parked?limit=0").await["largest"], json!([]));
    let (status, sentence) = refused(&office, "GET", "/admin/parked?limt=3", "").await;
    assert_eq!((status, &*sentence), (400, "A parameter is not what is asked for here: limt: unknown field `limt`, expected `limit`."));
    let shown = get(&office, &format!("/admin/parked/{stranger}")).await;
    assert_eq!((&shown["waitsFor"], shown["first"].as_array().unwrap().len()), (&json!("user"), 2));
    assert_eq!(refused(&office, "GET", "/admin/parked/email", "").await, (404, "Nothing waits for it.".to_owned()));
    let (status, sentence) = refused(&office, "GET", "/admin/parked/ada@example.com", "").await;
    assert_eq!((status, &*sentence), (400, "What is waited for is the id of a user or an order in full, or email."));
}

#[tokio::test]
async fn one_event_and_one_subject_are_looked_for_everywhere() {
    let office = Office::new(&[]);
    let ada = user(id());
    apply(&office.queue.inner, std::slice::from_ref(&ada)).await;
    let user_id = ada.key();
    let found = get(&office, &format!("/admin/trace?event={}", ada.id)).await;
    assert_eq!((&found["status"], &found["tables"]["shownBy"][0]["id"]), (&json!("applied"), &json!(user_id)));
    let found = get(&office, &format!("/admin/trace?event={}&user={user_id}&at=2026-01-15T10:00:00Z", ada.id)).await;
    assert_eq!(found["status"], "applied");
    assert_eq!(get(&office, &format!("/admin/trace?user={user_id}")).await["tables"]["row"]["eventId"], json!(ada.id));
    let nothing = get(&office, "/admin/trace?sku=nothing%20of%20ours").await;
    assert_eq!((&nothing["of"], &nothing["verdict"]), (&json!("sku"), &json!("nothing knows article nothing of ours")));

    let id = id();
    for (query, told) in [
        (String::new(), "Say what to look for"),
        (format!("user={id}&order={id}"), "Say what to look for"),
        (format!("user={id}&sku=A"), "Say what to look for"),
        (format!("event={id}&sku=A"), "Say what to look for"),
        ("sku=".to_owned(), "Say what to look for"),
        ("event=ada@example.com".to_owned(), "event must be a UUID in full"),
        ("payment=12".to_owned(), "payment must be a UUID in full"),
        (format!("event={id}&at=yesterday"), "at must be a time such as"),
        (format!("user={id}&at=2026-01-15T10:00:00Z"), "at is the time of an event"),
    ] {
        let (status, sentence) = refused(&office, "GET", &format!("/admin/trace?{query}"), "").await;
        assert!(status == 400 && sentence.starts_with(told) && !sentence.contains("ada@"), "{query}: {sentence}");
    }
}

/// What is in the audit log.
async fn noted(office: &Office) -> Vec<AuditEntry> {
    office.queue.inner.audit_page(AuditPage::After(0), 1000).await.unwrap()
}

#[tokio::test]
async fn the_audit_log_is_paged_from_the_newest_back_and_an_operation_from_its_beginning_on() {
    let office = Office::new(&[]);
    for records in 1..=3 {
        assert_eq!(office.ask("POST", "/admin/resume", format!(r#"{{"records":{records}}}"#)).await.0, StatusCode::OK);
    }
    let numbers =
        |page: &Value| page["entries"].as_array().unwrap().iter().map(|entry| entry["number"].as_i64().unwrap()).collect::<Vec<_>>();
    let all = get(&office, "/admin/audit").await;
    assert_eq!((numbers(&all), &all["next"]), ((1..=6).collect(), &Value::Null));
    assert_eq!((&all["entries"][0]["actor"], &all["entries"][0]["origin"]), (&json!("admin"), &json!("http")));
    let newest = get(&office, "/admin/audit?limit=4").await;
    assert_eq!((numbers(&newest), &newest["next"]), (vec![3, 4, 5, 6], &json!(3)));
    let older = get(&office, "/admin/audit?limit=4&before=3").await;
    assert_eq!((numbers(&older), &older["next"]), (vec![1, 2], &Value::Null));

    let operation = all["entries"][2]["operation"].as_str().unwrap();
    let first = get(&office, &format!("/admin/audit?operation={operation}&limit=1")).await;
    assert_eq!((numbers(&first), &first["next"]), (vec![3], &json!(3)));
    assert_eq!(numbers(&get(&office, &format!("/admin/audit?operation={operation}&limit=1&after=3")).await), [4]);
    for (query, told) in [
        ("after=3".to_owned(), "after is for the entries of one operation"),
        (format!("operation={operation}&before=3"), "before is for all entries"),
        ("operation=7".to_owned(), "operation must be a UUID in full"),
    ] {
        let (status, sentence) = refused(&office, "GET", &format!("/admin/audit?{query}"), "").await;
        assert!(status == 400 && sentence.starts_with(told), "{query}: {sentence}");
    }
}

#[tokio::test]
async fn a_walk_through_the_audit_log_tells_its_last_hash_or_where_it_is_broken() {
    let office = Office::new(&[]);
    assert_eq!(get(&office, "/admin/audit/verify").await["lastHash"], Value::Null);
    office.ask("POST", "/admin/resume", r#"{"always":true}"#).await;
    let whole = get(&office, "/admin/audit/verify").await;
    assert_eq!(
        (&whole["unbroken"], &whole["entries"], &whole["lastHash"]),
        (&json!(true), &json!(2), &json!(noted(&office).await[1].hash.to_string()))
    );
    let gone = get(&office, &format!("/admin/audit/verify?expect={}", "a".repeat(64))).await;
    assert!(gone["unbroken"] == false && gone["verdict"].as_str().unwrap().contains("cut off"), "{gone}");
    let (status, sentence) = refused(&office, "GET", "/admin/audit/verify?expect=abc", "").await;
    assert!(status == 400 && sentence.starts_with("expect must be a hash"), "{sentence}");
}

#[tokio::test]
async fn a_check_is_run_for_operators_and_its_result_is_told_to_everyone() {
    let office = office_of("operator");
    let (status, sentence) = refused(&office, "GET", "/admin/check", "").await;
    assert!(status == 404 && sentence.contains("POST /admin/check"), "{sentence}");
    let (status, checked) = office.ask("POST", "/admin/check", "").await;
    assert_eq!((status, &checked["ok"], &checked["findings"][1]["state"]), (StatusCode::OK, &json!(false), &json!("fail")));
    assert_eq!(get(&office, "/admin/check").await, checked);
    let viewer = office_of("viewer");
    assert_eq!(viewer.ask("POST", "/admin/check", "").await.0, StatusCode::FORBIDDEN);
    assert_eq!(viewer.ask("GET", "/admin/check", "").await.0, StatusCode::NOT_FOUND, "nothing was run");
}

#[tokio::test]
async fn the_last_verification_is_told_and_one_is_begun_where_this_process_verifies() {
    let office = Office::new(&[]);
    office.metrics.verify_interval(std::time::Duration::from_secs(3600));
    office.metrics.verified(41, [(("users", "missing"), 3)]);
    let last = get(&office, "/admin/verify").await;
    assert_eq!((&last["canBegin"], &last["intervalSeconds"], &last["offsets"]), (&json!(true), &json!(3600), &json!(41)));
    assert_eq!((&last["differences"][0]["kind"], &last["differences"][0]["count"]), (&json!("missing"), &json!(3)));
    let (status, answer) = office.ask("POST", "/admin/verify", "").await;
    assert_eq!((status, answer), (StatusCode::ACCEPTED, last));
    // It would wait for ever if nobody had said so.
    tokio::time::timeout(super::office::BOUND, office.verify.wanted()).await.unwrap();
    assert_eq!(office_of("viewer").ask("POST", "/admin/verify", "").await.0, StatusCode::FORBIDDEN);
    let (status, sentence) = refused(&Office::bare(), "POST", "/admin/verify", "").await;
    assert!(status == 501 && sentence.contains("set VERIFY_INTERVAL"), "{sentence}");
}

#[tokio::test]
async fn so_many_records_of_a_flood_may_pass_and_it_is_noted_who_said_so() {
    let office = office_of("operator");
    let (status, answer) = office.ask("POST", "/admin/resume", r#"{"records":10}"#).await;
    assert_eq!((status, answer), (StatusCode::OK, json!({"permitted": "10 unwritable records may pass."})));
    assert_eq!(office.queue.inner.spend(12).await.unwrap(), 10);
    let said: Vec<_> =
        noted(&office).await.into_iter().map(|entry| (entry.record.origin, entry.record.action, entry.record.outcome)).collect();
    let entry = |outcome: &str| ("http".to_owned(), "resume".to_owned(), outcome.to_owned());
    assert_eq!(said, [entry("begun"), entry("done")]);

    for body in [
        "",
        "{}",
        r#"{"records":0}"#,
        r#"{"records":-1}"#,
        r#"{"records":3,"always":true}"#,
        r#"{"always":true,"never":true}"#,
        r#"{"record":3}"#,
    ] {
        assert_eq!(office.ask("POST", "/admin/resume", body).await.0, StatusCode::BAD_REQUEST, "{body}");
    }
    assert_eq!(noted(&office).await.len(), 2, "what is not understood does nothing");
    assert_eq!(office_of("viewer").ask("POST", "/admin/resume", r#"{"always":true}"#).await.0, StatusCode::FORBIDDEN);
}

#[tokio::test]
async fn what_is_held_is_shown_without_payloads_and_with_keys_to_editors_alone() {
    for (role, key) in [("viewer", Value::Null), ("operator", Value::Null), ("editor", json!("ada@example.com"))] {
        let office = office_of(role);
        office.topic.append_keyed(0, "ada@example.com", b"secret-payload".to_vec());
        office.topic.append(&user(id()));
        let (_, text) = office.ask_from(HERE, Some(TOKEN), "GET", "/admin/peek?broken=true", "").await;
        assert!(!text.contains("secret-payload"), "{text}");
        let seen: Value = serde_json::from_str(&text).unwrap();
        assert_eq!((&seen["examined"], seen["records"].as_array().unwrap().len()), (&json!(2), 1), "{role}");
        assert_eq!((&seen["records"][0]["key"], &seen["records"][0]["outcome"]), (&key, &json!("dead letter")), "{role}");
    }
    let office = Office::new(&[]);
    office.topic.append_bytes(0, b"a".to_vec());
    assert_eq!(
        refused(&office, "GET", "/admin/peek?partition=7", "").await,
        (404, "the topic has no partition 7; it has 1, numbered from 0.".to_owned())
    );
    for query in ["records=0", "records=1001", "records=many"] {
        assert_eq!(refused(&office, "GET", &format!("/admin/peek?{query}"), "").await.0, 400, "{query}");
    }
}

#[tokio::test]
async fn one_request_at_a_time_looks_at_the_log_or_compacts_the_ledger() {
    let office = Office::stuck();
    for (method, path, body) in [("GET", "/admin/peek", ""), ("POST", "/admin/ledger/compact", r#"{"olderThan":"90d"}"#)] {
        let second = async {
            office.is_stuck().await;
            let answer = refused(&office, method, path, body).await;
            office.release();
            answer
        };
        let ((first, _), (second, sentence)) = tokio::join!(refused(&office, method, path, body), second);
        assert_eq!((first, second), (503, 409), "{path}");
        assert!(sentence.ends_with("ask again when it has ended."), "{sentence}");
    }
}

#[tokio::test]
async fn the_ledger_is_folded_only_when_that_is_said_and_what_is_in_the_way_is_told() {
    let office = office_of("operator");
    let tables = &office.queue.inner;
    for delta in [3, 4] {
        old(tables, "A", delta).await;
    }
    let (status, shown) = office.ask("POST", "/admin/ledger/compact", r#"{"olderThan":"90d"}"#).await;
    assert_eq!((status, &shown["foldable"]["lines"], &shown["folded"]), (StatusCode::OK, &json!(2), &Value::Null));
    assert_eq!(tables.ledger_state().await.unwrap().folded, 0);

    let at = tables.now().await.unwrap().plus_micros(-100 * 86_400 * 1_000_000);
    tables.push(&[letter(&Event { at, ..adjustment("A", 1) }, at)]).await.unwrap();
    let (status, refused) = office.ask("POST", "/admin/ledger/compact", r#"{"olderThan":"90d","execute":true}"#).await;
    assert_eq!((status, refused["result"]["obstacles"].as_array().unwrap().len()), (StatusCode::CONFLICT, 1), "{refused}");
    assert_eq!(office.ask("POST", "/admin/dlq/purge", r#"{"all":true}"#).await.0, StatusCode::OK);

    let (status, done) = office.ask("POST", "/admin/ledger/compact", r#"{"olderThan":"90d","execute":true}"#).await;
    assert_eq!((status, &done["folded"]), (StatusCode::OK, &json!(2)), "{done}");
    let folded: Vec<_> = noted(&office).await.into_iter().map(|entry| entry.record).filter(|record| record.action == "compact").collect();
    let said = folded.iter().map(|record| [&*record.actor, &*record.origin, &*record.outcome]).collect::<Vec<_>>();
    assert_eq!(said, [["admin", "http", "begun"], ["admin", "http", "2 lines folded"]]);
    for body in ["", "{}", r#"{"olderThan":"a while"}"#, r#"{"olderThan":"0d"}"#, r#"{"olderThan":"90d","dryRun":true}"#] {
        assert_eq!(office.ask("POST", "/admin/ledger/compact", body).await.0, StatusCode::BAD_REQUEST, "{body}");
    }
    assert_eq!(office_of("viewer").ask("POST", "/admin/ledger/compact", r#"{"olderThan":"90d"}"#).await.0, StatusCode::FORBIDDEN);
}
