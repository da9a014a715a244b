//! `/admin/dlq`: who is answered, and what.

use std::net::SocketAddr;
use std::time::Duration;

use axum::body::Body;
use axum::extract::ConnectInfo;
use axum::http::{Request, StatusCode};
use pipeline::dead_letter::entry_id;
use pipeline::ports::LogPositions as _;
use pipeline::{LogId, LogPosition};
use serde_json::{Value, json};
use telemetry::{Shutdown, http};
use testkit::builders::{dead_letter, id, user};
use testkit::delivery::apply;
use testkit::eventually;
use tower::ServiceExt as _;

use super::office::{HERE, Office, TOKEN};
use crate::dlq::bench::{Step, five_fields, orphan, push};

#[tokio::test]
async fn nobody_without_a_token_of_ours_is_answered() {
    for token in [None, Some(""), Some("wrong"), Some("0123456789abcde"), Some("0123456789abcdef0")] {
        let office = Office::new(&[]);
        office.queue.put(&["boom".to_owned()]).await;
        for (method, path) in [("GET", "/admin/dlq"), ("GET", "/admin/dlq/export"), ("POST", "/admin/dlq/purge")] {
            let (status, body) = office.ask_from("127.0.0.1:1", token, method, path, r#"{"all":true}"#).await;
            assert_eq!(status, StatusCode::UNAUTHORIZED, "{token:?} {path}");
            assert!(!body.contains("boom"), "{body}");
        }
        assert_eq!(office.queue.texts().await.len(), 1);
        assert_eq!(office.ask("GET", "/admin/dlq", "").await.0, StatusCode::OK);
    }
}

#[tokio::test]
async fn after_ten_wrong_tokens_further_ones_wait_and_right_ones_do_not() {
    let office = Office::new(&[]);
    for number in 0..10 {
        let (status, _) = office.ask_from(HERE, Some(&format!("wrong {number}")), "GET", "/admin/dlq", "").await;
        assert_eq!(status, StatusCode::UNAUTHORIZED);
    }
    let refused = office.request(HERE, Some("one more"), "GET", "/admin/dlq", "").await;
    assert_eq!(refused.status, StatusCode::TOO_MANY_REQUESTS);
    let seconds: u64 = refused.headers["retry-after"].to_str().unwrap().parse().unwrap();
    assert!((1..=60).contains(&seconds), "{seconds}");
    assert_eq!(office.ask_from(HERE, None, "GET", "/admin/dlq", "").await.0, StatusCode::UNAUTHORIZED, "who has none does not guess");
    assert_eq!(office.ask("GET", "/admin/dlq", "").await.0, StatusCode::OK);
}

#[tokio::test]
async fn another_name_than_this_machines_is_answered_only_where_it_is_allowed() {
    let (closed, named) = (Office::new(&[]), Office::new(&[("ADMIN_HOSTS", "ops.test")]));
    let remote = Office::new(&[("ADMIN_ALLOW_REMOTE", "true"), ("ADMIN_HOSTS", "ops.test")]);
    for (office, host, status) in [
        (&closed, "localhost:9090", StatusCode::OK),
        (&closed, "ops.test", StatusCode::FORBIDDEN),
        (&closed, "192.0.2.7", StatusCode::FORBIDDEN),
        (&named, "ops.test:9090", StatusCode::OK),
        (&named, "evil.test", StatusCode::FORBIDDEN),
        (&remote, "ops.test", StatusCode::OK),
        (&remote, "192.0.2.7:9090", StatusCode::OK),
        (&remote, "evil.test", StatusCode::FORBIDDEN),
    ] {
        let request = Request::get("/admin/dlq")
            .extension(ConnectInfo("127.0.0.1:1".parse::<SocketAddr>().unwrap()))
            .header("Authorization", format!("Bearer {TOKEN}"))
            .header("Host", host);
        let answer = office.router.clone().oneshot(request.body(Body::empty()).unwrap()).await.unwrap();
        assert_eq!(answer.status(), status, "{host}");
        if status == StatusCode::FORBIDDEN {
            let body = axum::body::to_bytes(answer.into_body(), usize::MAX).await.unwrap();
            assert!(String::from_utf8_lossy(&body).contains("ADMIN_HOSTS"), "{host}");
        }
    }
}

#[tokio::test]
async fn other_machines_are_answered_only_where_that_is_allowed() {
    let (closed, open) = (Office::new(&[]), Office::new(&[("ADMIN_ALLOW_REMOTE", "true")]));
    for (peer, status) in [
        ("192.0.2.1:4711", StatusCode::FORBIDDEN),
        ("[2001:db8::1]:4711", StatusCode::FORBIDDEN),
        ("[::ffff:127.0.0.1]:4711", StatusCode::OK),
        ("[::1]:4711", StatusCode::OK),
    ] {
        assert_eq!(closed.ask_from(peer, Some(TOKEN), "GET", "/admin/dlq", "").await.0, status, "{peer}");
        assert_eq!(open.ask_from(peer, Some(TOKEN), "GET", "/admin/dlq", "").await.0, StatusCode::OK, "{peer}");
        assert_eq!(open.ask_from(peer, None, "GET", "/admin/dlq", "").await.0, StatusCode::UNAUTHORIZED, "{peer}");
    }
    let (status, body) = closed.ask_from("192.0.2.1:1", Some(TOKEN), "GET", "/admin/dlq", "").await;
    assert!(status == StatusCode::FORBIDDEN && body.contains("ADMIN_ALLOW_REMOTE"), "{body}");
    let proxied = Request::get("/admin/dlq")
        .extension(ConnectInfo("127.0.0.1:1".parse::<SocketAddr>().unwrap()))
        .header("Authorization", format!("Bearer {TOKEN}"))
        .header("X-Forwarded-For", "192.0.2.1");
    let answer = closed.router.clone().oneshot(proxied.body(Body::empty()).unwrap()).await.unwrap();
    assert_eq!(answer.status(), StatusCode::FORBIDDEN, "a proxy on this machine speaks for others");
}

#[tokio::test]
async fn the_server_tells_the_routes_where_a_client_is() {
    let office = Office::new(&[]);
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let shutdown = Shutdown::new();
    let server = tokio::spawn(http::serve(listener, office.router.clone(), shutdown.requested()));
    let client = reqwest::Client::new();
    let answer = client.get(format!("http://{address}/admin/dlq")).bearer_auth(TOKEN).send().await.unwrap();
    assert_eq!(answer.status(), 200);
    assert_eq!(answer.json::<Value>().await.unwrap(), json!({"depth": 0, "claimed": 0, "entries": [], "next": null}));
    drop(client);
    shutdown.request();
    server.await.unwrap().unwrap();
}

#[tokio::test]
async fn a_list_is_paged_from_the_newest_on() {
    let office = Office::new(&[]);
    let texts: Vec<_> = (0..5).map(|number| five_fields(&number.to_string(), number)).collect();
    office.queue.put(&texts).await;
    let (_, first) = office.ask("GET", "/admin/dlq?limit=3", "").await;
    assert_eq!((&first["depth"], &first["next"]), (&json!(5), &json!(3)));
    assert_eq!(first["entries"][0]["id"], entry_id(&texts[4]));
    let (_, rest) = office.ask("GET", "/admin/dlq?limit=3&start=3", "").await;
    assert_eq!((rest["entries"].as_array().unwrap().len(), &rest["next"]), (2, &Value::Null));
    assert_eq!(office.ask("GET", "/admin/dlq?reason=other", "").await.1["entries"], json!([]));
    assert_eq!(office.ask("GET", "/admin/dlq/stats", "").await.1["entries"], 5);
    let (_, one) = office.ask("GET", &format!("/admin/dlq/{}", &entry_id(&texts[0])[..8]), "").await;
    assert_eq!((&one["originalData"], &one["retryCount"]), (&json!("0"), &json!(0)));
    assert_eq!(office.ask("GET", "/admin/dlq/0000", "").await.0, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn what_is_not_understood_does_nothing() {
    let office = Office::new(&[]);
    office.queue.put(&["boom".to_owned()]).await;
    for (method, path, body) in [
        ("GET", "/admin/dlq?reasn=x", ""),
        ("GET", "/admin/dlq?olderThan=soon", ""),
        ("GET", "/admin/dlq/xyz", ""),
        ("GET", "/admin/dlq/%FF", ""),
        ("POST", "/admin/dlq/%FF/edit", "{}"),
        ("POST", "/admin/dlq/purge", ""),
        ("POST", "/admin/dlq/purge", "{}"),
        ("POST", "/admin/dlq/purge", r#"{"reasn":"x","all":true}"#),
        ("POST", "/admin/dlq/purge", r#"{"all":true,"limit":1}"#),
        ("POST", "/admin/dlq/purge", "boom"),
        ("POST", "/admin/dlq/redrive", r#"{"all":true,"limit":10001}"#),
        ("POST", "/admin/dlq/redrive", r#"{"all":true,"rate":0}"#),
        ("POST", "/admin/dlq/redrive", r#"{"all":true,"rate":"1/m"}"#),
        ("POST", "/admin/dlq/redrive", r#"{"all":true,"wait":601}"#),
        ("POST", "/admin/dlq/redrive", r#"{"all":true,"limit":300,"rate":1,"wait":301}"#),
        ("POST", "/admin/dlq/redrive", r#"{"all":true,"dryRun":true,"wait":1}"#),
        ("POST", "/admin/dlq/purge", r#"{"all":true,"wait":1}"#),
        ("POST", "/admin/dlq/import", "{}"),
        ("POST", "/admin/dlq/import?any=true", "{}\nboom"),
    ] {
        let (status, answer) = office.ask(method, path, body).await;
        assert_eq!(status, StatusCode::BAD_REQUEST, "{method} {path} {body}: {answer}");
    }
    let (status, _) = office.ask("POST", "/admin/dlq/purge", " ".repeat(100 << 10)).await;
    assert_eq!(status, StatusCode::PAYLOAD_TOO_LARGE);
    assert_eq!(office.ask("DELETE", "/admin/dlq", "").await.0, StatusCode::METHOD_NOT_ALLOWED);
    assert!(office.queue.texts().await.contains(&"boom".to_owned()) && office.broker.sent().is_empty());
}

#[tokio::test]
async fn a_redrive_is_previewed_then_done_and_its_failure_is_told() {
    let office = Office::new(&[]);
    push(&office.queue, &[orphan(&user(id())), dead_letter("boom")]).await;
    let (_, preview) = office.ask("POST", "/admin/dlq/redrive", r#"{"reason":"email_taken","dryRun":true}"#).await;
    assert_eq!((&preview["totals"]["applied"], &preview["entries"][0]["outcome"]), (&json!(1), &json!("applied")));
    assert!(office.broker.sent().is_empty());
    let (status, report) = office.ask("POST", "/admin/dlq/redrive", r#"{"reason":"email_taken","rate":"500/s"}"#).await;
    assert_eq!((status, &report["redriven"], &report["notSelected"]), (StatusCode::OK, &json!(1), &json!(1)));

    office.queue.fail(Some(Step::Claim));
    let (status, report) = office.ask("POST", "/admin/dlq/redrive", r#"{"all":true}"#).await;
    assert_eq!((status, &report["result"]["failed"]), (StatusCode::SERVICE_UNAVAILABLE, &json!(1)));
    assert_eq!(office.queue.texts().await.len(), 1);
}

#[tokio::test]
async fn how_each_letter_ended_is_told_where_a_redrive_waits_for_that() {
    let office = Office::new(&[]);
    let (ada, grace) = (user(id()), user(id()));
    push(&office.queue, &[orphan(&ada), orphan(&grace)]).await;
    let redrive = async |body: &str| office.ask("POST", "/admin/dlq/redrive", body.to_owned()).await;
    let newest = office.ask("GET", "/admin/dlq?limit=1", "").await.1["entries"][0].clone();
    assert_eq!(newest["eventId"], json!(grace.id));

    // Nobody consumes: it is where it was sent.
    let (status, report) = redrive(r#"{"all":true,"limit":1,"wait":0}"#).await;
    let ended = &report["ended"];
    assert_eq!((status, &report["redriven"], &ended["sent"], &ended["notYet"]), (StatusCode::OK, &json!(1), &json!(1), &json!(1)));
    let letter = &ended["letters"][0];
    assert_eq!((&letter["eventId"], &letter["ended"]), (&json!(ada.id), &json!("not_yet")));
    let why = letter["why"].as_str().unwrap();
    assert!(why.starts_with("the consumer has not come to ") && why.ends_with(", partition 0, offset 0"), "{why}");

    // A consumer comes to the next one while the request waits.
    let tables = office.queue.inner.clone();
    let consumes = async {
        eventually(Duration::from_secs(30), "it is sent", async || office.broker.sent().len() == 2).await;
        apply(&tables, std::slice::from_ref(&grace)).await;
        let log = LogId(id());
        tables
            .advance(&[LogPosition { log, topic: newest["topic"].as_str().unwrap().into(), partition: 0, next_offset: 2 }])
            .await
            .unwrap();
    };
    let ((status, report), ()) = tokio::join!(redrive(r#"{"all":true,"wait":60}"#), consumes);
    let letter = &report["ended"]["letters"][0];
    assert_eq!((status, &letter["eventId"], &letter["ended"]), (StatusCode::OK, &json!(grace.id), &json!("applied")), "{report}");
    assert_eq!(redrive(r#"{"all":true}"#).await.1.get("ended"), None, "nobody asked");

    let number = report["job"].as_i64().unwrap();
    let (_, plain) = office.ask("GET", &format!("/admin/dlq/jobs/{number}"), "").await;
    assert_eq!((plain.get("ended"), plain["letters"][0].get("ended")), (None, None), "nobody asked");
    let (status, job) = office.ask("GET", &format!("/admin/dlq/jobs/{number}?ended=true"), "").await;
    assert_eq!((status, &job["ended"]["sent"], &job["ended"]["applied"]), (StatusCode::OK, &json!(1), &json!(1)), "{job}");
    let told = &job["letters"][0];
    assert_eq!((&told["result"], &told["eventId"], &told["ended"]), (&json!("sent"), &json!(grace.id), &json!("applied")), "{job}");
    assert!(told["why"].as_str().unwrap().starts_with("applied: user "), "{job}");
}

#[tokio::test]
async fn an_edit_answers_with_what_changed() {
    let office = Office::new(&[]);
    let mended = String::from_utf8(user(id()).to_json()).unwrap();
    let broken = dead_letter(mended.replace("\"firstName\"", "\"first\""));
    push(&office.queue, std::slice::from_ref(&broken)).await;
    let path = format!("/admin/dlq/{}/edit", entry_id(&broken.json));
    assert_eq!(office.ask("POST", &path, "{}").await.0, StatusCode::UNPROCESSABLE_ENTITY);
    let other = String::from_utf8(user(id()).to_json()).unwrap();
    assert_eq!(office.ask("POST", &path, other).await.0, StatusCode::CONFLICT, "another event");
    let (status, answer) = office.ask("POST", &format!("{path}?dryRun=true"), mended.clone()).await;
    assert_eq!((status, office.broker.sent().len()), (StatusCode::OK, 0));
    assert!(answer["diff"].as_str().unwrap().contains("+  \"firstName\""), "{answer}");
    let (status, answer) = office.ask("POST", &path, mended.clone()).await;
    assert_eq!((status, &answer["offset"]), (StatusCode::OK, &json!(0)));
    assert_eq!(office.broker.values(), [mended.into_bytes()]);
    assert_eq!(office.ask("POST", &path, "{}").await.0, StatusCode::NOT_FOUND, "it left the list");
}

#[tokio::test]
async fn an_export_can_be_purged_and_imported_again() {
    let office = Office::new(&[]);
    let texts: Vec<_> = (0..700).map(|number| format!("{{\"number\":{number}}}")).collect();
    office.queue.put(&texts).await;
    let (_, lines) = office.ask_from("127.0.0.1:1", Some(TOKEN), "GET", "/admin/dlq/export", "").await;
    let (_, none) = office.ask_from("127.0.0.1:1", Some(TOKEN), "GET", "/admin/dlq/export?reason=too_long", "").await;
    let (status, _) = office.ask_from("127.0.0.1:1", Some(TOKEN), "GET", "/admin/dlq/export?reasn=too_long", "").await;
    assert_eq!((none.as_str(), status), ("", StatusCode::BAD_REQUEST), "a misspelt filter does not mean everything");
    let (_, meant) = office.ask("POST", "/admin/dlq/purge", r#"{"reason":"unreadable","dryRun":true}"#).await;
    assert_eq!(meant["meant"], 700);
    assert_eq!(office.ask("POST", "/admin/dlq/purge", r#"{"all":true}"#).await.1, json!({"removed": 700}));
    assert_eq!(
        office.ask("POST", "/admin/dlq/import?any=true", lines.clone()).await.1,
        json!({"lines": 700, "imported": 700, "skipped": 0})
    );
    assert_eq!(office.ask("POST", "/admin/dlq/import?any=true", lines).await.1["skipped"], 700);
    assert_eq!(office.queue.texts().await, texts);
}

#[tokio::test]
async fn letters_are_counted_as_they_are_asked_for_and_by_their_keys_for_editors_alone() {
    let texts =
        [five_fields("{", 0), r#"{"originalData":"{}","timestamp":"2026-01-15T10:30:59Z","reason":"not_json","key":"k"}"#.to_owned()];
    for (role, keys) in [("viewer", None), ("operator", None), ("editor", Some(json!({"k": 1})))] {
        let office = Office::new(&[("ADMIN_ROLES", &format!("admin:{role}"))]);
        office.queue.put(&texts).await;
        let (status, found) = office.ask("GET", "/admin/dlq/stats?reason=not_json&by=minute", "").await;
        assert_eq!(
            (status, &found["entries"], &found["byMinute"]),
            (StatusCode::OK, &json!(1), &json!({"2026-01-15T10:30Z": 1})),
            "{found}"
        );
        assert_eq!(found.get("byKey"), None);
        let (status, found) = office.ask("GET", "/admin/dlq/stats?reason=not_json&by=key,minute", "").await;
        assert_eq!((status == StatusCode::OK, found.get("byKey")), (keys.is_some(), keys.as_ref()), "{role}: {found}");
        for wrong in ["by=partition", "by=", "by=key,,minute", "reasons=not_json", "eventType=Foo"] {
            assert_eq!(office.ask("GET", &format!("/admin/dlq/stats?{wrong}"), "").await.0, StatusCode::BAD_REQUEST, "{wrong}");
        }
    }
}

#[tokio::test]
async fn a_role_allows_what_it_says_and_no_more() {
    let texts = [five_fields("0", 0)];
    let id = entry_id(&texts[0]);
    let (show, edit) = (format!("/admin/dlq/{id}"), format!("/admin/dlq/{id}/edit"));
    let needs = [
        ("GET", "/admin/dlq", "viewer"),
        ("GET", "/admin/dlq/stats", "viewer"),
        ("GET", "/admin/openapi.json", "viewer"),
        ("POST", "/admin/dlq/redrive", "operator"),
        ("POST", "/admin/dlq/purge", "operator"),
        ("GET", "/admin/dlq/export", "editor"),
        ("GET", &show, "editor"),
        ("POST", &edit, "editor"),
        ("POST", "/admin/dlq/import", "editor"),
    ];
    let rank = |role: &str| ["viewer", "operator", "editor"].iter().position(|known| *known == role).unwrap();
    for role in ["viewer", "operator", "editor"] {
        let office = Office::new(&[("ADMIN_ROLES", &format!("admin:{role}"))]);
        office.queue.put(&texts).await;
        for (method, path, needed) in needs {
            let (status, answer) = office.ask(method, path, "{").await;
            assert_eq!(status == StatusCode::FORBIDDEN, rank(role) < rank(needed), "{role}: {method} {path}: {answer}");
        }
        assert_eq!(office.queue.texts().await, texts);
    }
}
