//! The OpenAPI document describes what is there: routes, roles, parameters, fields, answers, bounds, examples.

use std::collections::BTreeSet;

use axum::body::Body;
use axum::http::StatusCode;
use pipeline::ParkingLot as _;
use pipeline::dead_letter::entry_id;
use serde_json::{Value, json};
use testkit::builders::{dead_letter, id, order, parked, user};

use super::document::{DESCRIBED, DOCUMENT, Place, TEXT, examples, operations, place_of, resolved, schema};
use super::office::{HERE, Office, TOKEN};
use crate::dlq::bench::{Step, five_fields, push};

type Words = BTreeSet<String>;

/// A path of this template.
fn path_of(template: &str, id: &str) -> String {
    template.replace("{id}", id).replace("{parent}", id)
}

/// The words between back quotes.
fn quoted(text: &str) -> Words {
    text.split('`').skip(1).step_by(2).map(str::to_owned).collect()
}

fn names(properties: &Value) -> Words {
    properties.as_object().unwrap().keys().cloned().collect()
}

fn operation(template: &str, method: &str) -> &'static Value {
    &DOCUMENT["paths"][template][method]
}

fn query_of(operation: &'static Value) -> Vec<&'static Value> {
    let parameters = operation.get("parameters").and_then(Value::as_array).into_iter().flatten();
    parameters.filter(|parameter| parameter["in"] == "query").collect()
}

#[tokio::test]
async fn the_document_is_served_as_it_is() {
    let office = Office::new(&[]);
    let (status, text) = office.ask_from(HERE, Some(TOKEN), "GET", "/admin/openapi.json", "").await;
    assert_eq!((status, text.as_str()), (StatusCode::OK, TEXT));
    assert_eq!(DOCUMENT["info"]["version"], env!("CARGO_PKG_VERSION"));
}

#[tokio::test]
async fn the_routes_and_their_methods_are_those_of_the_router() {
    let office = Office::new(&[]);
    // A router tells its paths to nobody but its `Debug`.
    let shown = format!("{:?}", office.router);
    let routes: BTreeSet<&str> = shown.split('"').filter(|text| text.starts_with("/admin")).collect();
    assert_eq!(routes, operations().map(|(template, ..)| template).collect());
    for template in routes {
        let refused = office.request(HERE, Some(TOKEN), "BREW", &path_of(template, "3f9a"), "").await;
        assert_eq!(refused.status, StatusCode::METHOD_NOT_ALLOWED, "{template}");
        let allowed = refused.headers["allow"].to_str().unwrap().split(',').filter(|method| *method != "HEAD").map(str::to_lowercase);
        assert_eq!(names(&DOCUMENT["paths"][template]), allowed.collect::<Words>(), "{template}");
    }
}

#[tokio::test]
async fn each_operation_names_the_least_role_that_may_call_it() {
    let roles = ["viewer", "operator", "editor"];
    for (rank, role) in roles.into_iter().enumerate() {
        let office = Office::new(&[("ADMIN_ROLES", &format!("admin:{role}"))]);
        for (template, method, operation) in operations() {
            let (status, _) = office.ask(&method.to_uppercase(), &path_of(template, "3f9a"), "{").await;
            let least = operation["security"][0]["token"][0].as_str().unwrap();
            assert_eq!(operation["tags"], json!([least]));
            let needed = roles.iter().position(|known| *known == least).unwrap();
            assert_eq!(status == StatusCode::FORBIDDEN, rank < needed, "{role}: {method} {template}");
        }
    }
}

/// A parameter that is not known is refused with the names of those that are.
#[tokio::test]
async fn the_parameters_are_those_that_are_taken() {
    let office = Office::new(&[]);
    for (template, method, operation) in operations() {
        let described: Words = query_of(operation).iter().map(|parameter| parameter["name"].as_str().unwrap().to_owned()).collect();
        let path = format!("{}?nonsense=1", path_of(template, "3f9a"));
        let (status, answer) = office.ask(&method.to_uppercase(), &path, "").await;
        let detail = answer["detail"].as_str().unwrap_or_default();
        let taken = if detail.contains("unknown field `nonsense`") { quoted(detail) } else { Words::new() };
        assert_eq!(status == StatusCode::BAD_REQUEST && !taken.is_empty(), !described.is_empty(), "{method} {path}: {answer}");
        assert_eq!(taken.into_iter().filter(|name| name != "nonsense").collect::<Words>(), described, "{method} {template}");
    }
}

#[tokio::test]
async fn the_fields_of_the_bodies_are_those_that_are_taken() {
    let office = Office::new(&[]);
    let schemas = &DOCUMENT["components"]["schemas"];
    let (redrive, purge) = (&schemas["Redrive"]["properties"], &schemas["Purge"]["properties"]);
    let (_, answer) = office.ask("POST", "/admin/dlq/redrive", r#"{"nonsense":1}"#).await;
    let taken: Words = quoted(answer["detail"].as_str().unwrap()).into_iter().filter(|name| name != "nonsense").collect();
    assert_eq!(taken, names(redrive));
    for field in &taken {
        let value = match field.as_str() {
            "ids" => json!([]),
            "limit" | "rate" | "maxRetries" => json!(1),
            "all" | "dryRun" => json!(true),
            "olderThan" => json!("1h"),
            "eventType" => json!("unknown"),
            _ => json!("x"),
        };
        let mut body = json!({ "all": true, "dryRun": true });
        body[field] = value;
        let (status, _) = office.ask("POST", "/admin/dlq/purge", body.to_string()).await;
        assert_eq!(status == StatusCode::OK, names(purge).contains(field), "{field}");
    }
}

#[tokio::test]
async fn an_event_type_that_does_not_exist_is_refused_in_a_query_and_in_a_body() {
    let office = Office::new(&[]);
    for (method, path, body) in
        [("GET", "/admin/dlq?eventType=Foo", ""), ("POST", "/admin/dlq/redrive", r#"{"eventType":"Foo","dryRun":true}"#)]
    {
        let (status, answer) = office.ask(method, path, body).await;
        assert_eq!(status, StatusCode::BAD_REQUEST, "{path}");
        assert!(answer["detail"].as_str().unwrap().contains("no event type Foo: it is one of UserCreated, "), "{answer}");
    }
}

#[tokio::test]
async fn the_bounds_and_the_defaults_are_the_real_ones() {
    let office = Office::new(&[]);
    let texts: Vec<_> = (0..1001).map(|number| five_fields("{", number)).collect();
    office.queue.put(&texts).await;
    let fields = &DOCUMENT["components"]["schemas"]["Redrive"]["properties"];
    let most = fields["limit"]["maximum"].as_u64().unwrap();
    for (limit, status) in [(most, StatusCode::OK), (most + 1, StatusCode::BAD_REQUEST)] {
        assert_eq!(office.ask("POST", "/admin/dlq/redrive", format!(r#"{{"all":true,"dryRun":true,"limit":{limit}}}"#)).await.0, status);
    }
    let parameter = |name: &str| query_of(operation("/admin/dlq", "get")).into_iter().find(|parameter| parameter["name"] == name).unwrap();
    let length = async |path: &str| office.ask("GET", path, "").await.1["entries"].as_array().unwrap().len() as u64;
    assert_eq!(length("/admin/dlq").await, parameter("limit")["schema"]["default"].as_u64().unwrap());
    let longest = DOCUMENT["components"]["schemas"]["List"]["properties"]["entries"]["maxItems"].as_u64().unwrap();
    assert_eq!(length("/admin/dlq?limit=1000000").await, longest);
    assert_eq!(length("/admin/dlq?limit=0").await, parameter("limit")["schema"]["minimum"].as_u64().unwrap());
}

#[test]
fn every_example_is_valid() {
    for ((template, method, status), described) in DESCRIBED.iter() {
        for example in &described.examples {
            (described.schema)(example).unwrap_or_else(|error| panic!("{method} {template} {status}: {error}"));
            if *status >= 400 {
                assert_eq!(example["status"], *status, "{method} {template}");
            }
        }
        assert!(!described.examples.is_empty() || *template == "/admin/openapi.json", "{method} {template} {status} has no example");
    }
    for (template, method, operation) in operations() {
        let parameters = operation.get("parameters").and_then(Value::as_array).into_iter().flatten();
        let contents = operation.pointer("/requestBody/content").and_then(Value::as_object).into_iter().flatten();
        for described in parameters.chain(contents.map(|(_, content)| content)) {
            for example in examples(described) {
                schema(&described["schema"])(example).unwrap_or_else(|error| panic!("{method} {template}: {error}"));
            }
        }
    }
}

/// What is sent and what a body's schema says of it agree.
#[tokio::test]
async fn a_body_that_is_no_body_by_the_document_is_refused() {
    let office = Office::new(&[]);
    for template in ["/admin/dlq/redrive", "/admin/dlq/purge", "/admin/resume", "/admin/ledger/compact"] {
        let content = &operation(template, "post")["requestBody"]["content"]["application/json"];
        let wanted = schema(resolved(&content["schema"]));
        let others =
            [json!({}), json!({"all": false}), json!({"reasn": "x"}), json!({"all": true, "rate": 0}), json!({"all": true, "limit": -1})];
        let ids = [json!({"ids": ["xyz"]}), json!({"ids": ["3f"]}), json!({"reason": "x", "olderThan": "soon"})];
        for body in others.into_iter().chain(ids) {
            assert!(wanted(&body).is_err(), "{template}: {body}");
            let (status, answer) = office.ask("POST", template, body.to_string()).await;
            assert_eq!(status, StatusCode::BAD_REQUEST, "{template}: {body}: {answer}");
        }
        for example in examples(content) {
            let (status, answer) = office.ask("POST", template, example.to_string()).await;
            assert_ne!(status, StatusCode::BAD_REQUEST, "{template}: {example}: {answer}");
        }
    }
}

/// What a client was given so far.
#[derive(Default)]
struct Given(BTreeSet<Place>);

impl Given {
    async fn ask(&mut self, office: &Office, method: &str, path: &str, body: impl Into<Body>) -> Value {
        self.ask_from(office, (HERE, Some(TOKEN)), method, path, body).await
    }

    async fn ask_from(
        &mut self,
        office: &Office,
        (peer, token): (&str, Option<&str>),
        method: &str,
        path: &str,
        body: impl Into<Body>,
    ) -> Value {
        let answer = office.request(peer, token, method, path, body).await;
        self.0.extend(place_of(method, path, &answer));
        answer.json()
    }
}

impl Given {
    /// What is answered beside the dead letters.
    async fn by_operating(&mut self) {
        let (office, bare, stranger) = (Office::new(&[]), Office::bare(), id());
        let tables = &office.queue.inner;
        tables.park(&[parked(&order(id(), stranger))]).await.unwrap();
        office.topic.append_bytes(0, b"boom".to_vec());
        let parent = format!("/admin/parked/{stranger}");
        for path in [
            "/admin/status",
            "/admin/peek",
            "/admin/peek?partition=7",
            "/admin/parked",
            &parent,
            "/admin/parked/email",
            "/admin/parked/nobody",
            "/admin/trace?sku=A",
            &format!("/admin/trace?event={stranger}"),
            "/admin/audit",
            "/admin/audit/verify",
            "/admin/check",
            "/admin/verify",
        ] {
            self.ask(&office, "GET", path, "").await;
        }
        for method in ["POST", "GET"] {
            self.ask(&office, method, "/admin/check", "").await;
        }
        self.ask(&office, "POST", "/admin/verify", "").await;
        let posts = [("/admin/resume", r#"{"records":1}"#), ("/admin/ledger/compact", r#"{"olderThan":"90d"}"#)];
        for (path, body) in posts {
            self.ask(&office, "POST", path, body).await;
            self.ask(&bare, "POST", path, body).await;
        }
        self.ask(&bare, "POST", "/admin/verify", "").await;
        let reads = ["/admin/parked", &parent, "/admin/trace?sku=A", "/admin/audit", "/admin/audit/verify"];
        for path in reads {
            self.ask(&bare, "GET", path, "").await;
        }
        self.while_one_is_under_way().await;
        office.queue.fail(Some(Step::Permit));
        self.ask(&office, "POST", "/admin/resume", r#"{"records":1}"#).await;
        let file = rusqlite::Connection::open(tables.path()).unwrap();
        file.execute_batch("DROP TABLE parked_events; DROP TABLE audit_log; DROP TABLE ledger_compactions").unwrap();
        for path in reads {
            self.ask(&office, "GET", path, "").await;
        }
        self.ask(&office, "POST", "/admin/ledger/compact", r#"{"olderThan":"90d"}"#).await;
    }

    /// A second request that looks at the log or compacts the ledger, and one to brokers that are away.
    async fn while_one_is_under_way(&mut self) {
        let office = Office::stuck();
        for (method, path, body) in [("GET", "/admin/peek", ""), ("POST", "/admin/ledger/compact", r#"{"olderThan":"90d"}"#)] {
            let first = office.request(HERE, Some(TOKEN), method, path, body);
            let second = async {
                office.is_stuck().await;
                let answer = self.ask(&office, method, path, body).await;
                office.release();
                answer
            };
            let (first, second) = tokio::join!(first, second);
            assert_eq!((first.status, &second["status"]), (StatusCode::SERVICE_UNAVAILABLE, &json!(409)), "{path}");
            self.0.extend(place_of(method, path, &first));
        }
    }
}

/// Two entries with ids that begin alike, and that beginning.
fn alike() -> ([String; 2], String) {
    let mut seen = std::collections::HashMap::new();
    for number in 0.. {
        let text = format!("alike {number}");
        let start = entry_id(&text)[..4].to_owned();
        if let Some(other) = seen.insert(start.clone(), text.clone()) {
            return ([other, text], start);
        }
    }
    unreachable!("there are no more beginnings than numbers")
}

#[tokio::test]
async fn every_answer_that_is_described_is_given() {
    let mut given = Given::default();
    given.by_operating().await;
    let (office, bare) = (Office::new(&[]), Office::bare());
    let mended = String::from_utf8(user(id()).to_json()).unwrap();
    let broken = dead_letter(mended.replace("\"firstName\"", "\"first\""));
    let broken_id = entry_id(&broken.json);
    let (alike, start) = alike();
    office.queue.put(&alike).await;
    push(&office.queue, std::slice::from_ref(&broken)).await;
    push(&bare.queue, std::slice::from_ref(&broken)).await;

    let guessed = Office::new(&[]);
    let guess = (HERE, Some("a wrong token"));
    for _ in 0..10 {
        given.ask_from(&guessed, guess, "GET", "/admin/dlq", "").await;
    }
    for (template, method, _) in operations() {
        let (method, path) = (method.to_uppercase(), path_of(template, "abcdef012345"));
        given.ask_from(&guessed, guess, &method, &path, "").await;
        given.ask_from(&office, (HERE, None), &method, &path, "").await;
        given.ask_from(&office, ("192.0.2.1:1", Some(TOKEN)), &method, &path, "").await;
        given.ask(&office, &method, &format!("{path}?nonsense=1"), "{").await;
        if method == "POST" {
            given.ask(&office, &method, &path, vec![b' '; (64 << 20) + 1]).await;
        }
    }
    for (method, path, body) in [
        ("GET", "/admin/consumers", ""),
        ("GET", "/admin/dlq", ""),
        ("GET", "/admin/dlq/stats", ""),
        ("GET", "/admin/dlq/export", ""),
        ("GET", "/admin/openapi.json", ""),
        ("GET", "/admin/dlq/{broken}", ""),
        ("GET", "/admin/dlq/{unreadable}", ""),
        ("GET", "/admin/dlq/abcdef012345", ""),
        ("GET", "/admin/dlq/{alike}", ""),
        ("GET", "/admin/dlq/xyz", ""),
        ("POST", "/admin/dlq/redrive", r#"{"ids":["abcdef012345"]}"#),
        ("POST", "/admin/dlq/redrive", r#"{"ids":["{alike}"]}"#),
        ("POST", "/admin/dlq/redrive", r#"{"all":true,"dryRun":true}"#),
        ("POST", "/admin/dlq/redrive", r#"{"reason":"unreadable"}"#),
        ("POST", "/admin/dlq/purge", r#"{"ids":["abcdef012345"]}"#),
        ("POST", "/admin/dlq/purge", r#"{"ids":["{alike}"]}"#),
        ("POST", "/admin/dlq/purge", r#"{"all":true,"dryRun":true}"#),
        ("POST", "/admin/dlq/purge", r#"{"reason":"none"}"#),
        ("POST", "/admin/dlq/abcdef012345/edit", "{}"),
        ("POST", "/admin/dlq/{alike}/edit", "{}"),
        ("POST", "/admin/dlq/{broken}/edit", "{}"),
        ("POST", "/admin/dlq/{broken}/edit?dryRun=true", &mended),
        ("POST", "/admin/dlq/import?any=true", "{}\n"),
    ] {
        let fill =
            |text: &str| text.replace("{broken}", &broken_id).replace("{alike}", &start).replace("{unreadable}", &entry_id(&alike[0]));
        given.ask(&office, method, &fill(path), fill(body)).await;
    }
    let edit = format!("/admin/dlq/{broken_id}/edit");
    for path in ["/admin/dlq/redrive", "/admin/dlq/purge", "/admin/dlq/import", &edit] {
        given.ask(&bare, "POST", path, if path == edit { mended.clone() } else { r#"{"all":true}"#.to_owned() }).await;
    }
    given.ask(&bare, "GET", "/admin/consumers", "").await;
    office.queue.fail(Some(Step::Claim));
    given.ask(&office, "POST", &edit, mended.clone()).await;
    for path in ["/admin/dlq/redrive", "/admin/dlq/purge"] {
        assert!(given.ask(&office, "POST", path, r#"{"all":true}"#).await["result"].is_object(), "{path}");
    }
    office.queue.fail(Some(Step::Read));
    for path in ["/admin/dlq", "/admin/dlq/stats", "/admin/dlq/export", "/admin/dlq/abcdef012345"] {
        given.ask(&office, "GET", path, "").await;
    }
    given.ask(&office, "POST", "/admin/dlq/import", "{}").await;
    office.queue.fail(None);
    given.ask(&office, "POST", &edit, mended).await;
    rusqlite::Connection::open(office.queue.inner.path()).unwrap().execute_batch("DROP TABLE consumer_heartbeats").unwrap();
    given.ask(&office, "GET", "/admin/consumers", "").await;
    let jobs = given.ask(&office, "GET", "/admin/dlq/jobs", "").await;
    let number = jobs["jobs"][0]["job"].as_i64().unwrap();
    let last = rusqlite::Connection::open(office.queue.inner.path()).unwrap();
    let becomes = |state: &str| last.execute("UPDATE redrive_jobs SET state = ?1 WHERE number = ?2", (state, number)).unwrap();
    for (office, number, state) in [(&office, number, "running"), (&office, 99, "done"), (&office, number, "done"), (&bare, 1, "done")] {
        for (wanted, from) in [("pause", state), ("resume", if state == "running" { "paused" } else { state }), ("cancel", state)] {
            becomes(from);
            given.ask(office, "POST", &format!("/admin/dlq/jobs/{number}/{wanted}"), "").await;
        }
        given.ask(office, "GET", &format!("/admin/dlq/jobs/{number}"), "").await;
        given.ask(office, "GET", "/admin/dlq/jobs", "").await;
    }
    last.execute_batch("DROP TABLE redrive_jobs").unwrap();
    for (method, path) in [("GET", ""), ("GET", "/1"), ("POST", "/1/pause"), ("POST", "/1/resume"), ("POST", "/1/cancel")] {
        given.ask(&office, method, &format!("/admin/dlq/jobs{path}"), "").await;
    }
    assert_eq!(given.0, DESCRIBED.keys().copied().collect());
}
