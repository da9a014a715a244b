//! Bodies and parameters that nobody would write: chance changes right ones.

use axum::http::StatusCode;
use events::{EventType, samples};
use pipeline::dead_letter::entry_id;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::Index;
use proptest::test_runner::{Config, TestRunner};

use super::office::Office;

/// What chance rarely makes.
const PARTS: [&str; 22] = [
    "null",
    "true",
    "-1",
    "0",
    "1e400",
    "18446744073709551616",
    "0.1",
    "\"\"",
    "\"\\u0000\"",
    "\"\\ud800\"",
    "{}",
    "[]",
    "[[[[[[[[",
    "\u{feff}",
    "\n",
    "%00",
    "%FF",
    "&",
    "=",
    "\"all\":true",
    "\"ids\":[\"\"]",
    "\"olderThan\":\"1h\"",
];

/// A change of a text's bytes.
#[derive(Clone, Debug)]
enum Change {
    Set(Index, u8),
    Cut(Index, usize),
    Repeat(Index, usize),
    Insert(Index, Index),
}

fn changes() -> impl Strategy<Value = Vec<Change>> {
    let change = prop_oneof![
        (any::<Index>(), any::<u8>()).prop_map(|(at, byte)| Change::Set(at, byte)),
        (any::<Index>(), 1..24_usize).prop_map(|(at, length)| Change::Cut(at, length)),
        (any::<Index>(), 1..24_usize).prop_map(|(at, length)| Change::Repeat(at, length)),
        (any::<Index>(), any::<Index>()).prop_map(|(at, part)| Change::Insert(at, part)),
    ];
    vec(change, 0..5)
}

fn changed(text: &str, changes: &[Change]) -> Vec<u8> {
    let mut bytes = text.as_bytes().to_vec();
    for change in changes {
        // One place more than there are bytes: the end.
        let place = |at: &Index| at.index(bytes.len() + 1);
        match change {
            Change::Set(at, byte) => {
                let at = place(at);
                if let Some(old) = bytes.get_mut(at) {
                    *old = *byte;
                }
            }
            Change::Cut(at, length) => {
                let from = place(at);
                bytes.drain(from..(from + length).min(bytes.len()));
            }
            Change::Repeat(at, length) => {
                let from = place(at);
                let again = bytes[from..(from + length).min(bytes.len())].to_vec();
                bytes.splice(from..from, again);
            }
            Change::Insert(at, part) => {
                let at = place(at);
                bytes.splice(at..at, PARTS[part.index(PARTS.len())].bytes());
            }
        }
    }
    bytes
}

/// A letter whose payload can be mended, and one that cannot be read.
fn letters() -> [String; 2] {
    let payload = String::from_utf8(samples::of(EventType::UserCreated).to_json()).unwrap();
    [payload.replace("firstName", "first"), "boom".to_owned()].map(|data| {
        serde_json::json!({ "originalData": data, "error": "boom", "timestamp": "2026-01-15T10:00:00Z", "retryCount": 0 }).to_string()
    })
}

/// Requests that change something, each right as it is.
fn requests([letter, other]: &[String; 2]) -> Vec<(String, String)> {
    let payload = String::from_utf8(samples::of(EventType::UserCreated).to_json()).unwrap();
    let id = entry_id(letter);
    let request = |path: &str, body: &str| (path.to_owned(), body.to_owned());
    vec![
        request("/admin/dlq/redrive", r#"{"all":true,"limit":10,"rate":"5/s","maxRetries":3,"dryRun":true}"#),
        request("/admin/dlq/redrive", &format!(r#"{{"ids":["{id}"],"dryRun":true,"rate":0.5,"limit":1}}"#)),
        request("/admin/dlq/purge", r#"{"reason":"not_json","eventType":"UserCreated","olderThan":"1h","dryRun":true}"#),
        request("/admin/dlq/purge", r#"{"fingerprint":"not_json:unknown:","dryRun":true}"#),
        request(&format!("/admin/dlq/{id}/edit?dryRun=true"), &payload),
        request("/admin/dlq/import", &format!("{letter}\n{other}\n")),
        request("/admin/dlq/import?any=true", &format!("{other}\n{{\"a\":1}}\n")),
        request("/admin/resume", r#"{"records":10}"#),
        request("/admin/resume", r#"{"always":true}"#),
        request("/admin/ledger/compact", r#"{"olderThan":"90d","execute":false}"#),
    ]
}

/// Questions, each with parameters that are right.
const QUESTIONS: [&str; 8] = [
    "/admin/dlq?reason=not_json&eventType=UserCreated&olderThan=1h&limit=10&start=0",
    "/admin/dlq/stats?reason=not_json&by=key,minute",
    "/admin/dlq/export?fingerprint=not_json%3Aunknown%3A",
    "/admin/dlq/jobs/1?after=0123456789ab&ended=true",
    "/admin/parked/2f1c7d5e-0001-4000-8000-000000000001?limit=10",
    "/admin/trace?user=2f1c7d5e-0001-4000-8000-000000000001",
    "/admin/audit?limit=10&before=7",
    "/admin/peek?records=10",
];

/// Fails with the least value for which it does not hold. `PROPTEST_CASES` asks for more than these.
fn holds<T: std::fmt::Debug>(strategy: impl Strategy<Value = T>, property: impl Fn(T) -> Result<(), TestCaseError>) {
    let all = Config::default();
    let config = Config { cases: all.cases.max(1500), failure_persistence: None, ..all };
    TestRunner::new(config).run(&strategy, property).unwrap();
}

#[test]
fn a_body_of_any_kind_is_followed_or_refused_and_what_is_refused_changes_nothing() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let office = runtime.block_on(async { Office::new(&[]) });
    let letters = letters();
    runtime.block_on(office.queue.put(&letters));
    let requests = requests(&letters);
    for (path, body) in &requests {
        let (status, answer) = runtime.block_on(office.ask("POST", path, body.clone()));
        assert_eq!(status, StatusCode::OK, "{path} {body}: {answer}");
    }
    holds((any::<Index>(), changes()), |(request, changes)| {
        let (path, body) = &requests[request.index(requests.len())];
        let body = changed(body, &changes);
        runtime.block_on(async {
            let mut before = office.queue.texts().await;
            if !(1..=20).contains(&before.len()) {
                office.ask("POST", "/admin/dlq/purge", r#"{"all":true}"#).await;
                office.queue.put(&letters).await;
                before.clone_from(&office.queue.texts().await);
            }
            // A redrive or a purge that lost its dryRun is a right request: it may do what it says. That each answer is as the OpenAPI document has it, the office
            // looks at.
            let (status, answer) = office.ask("POST", path, body.clone()).await;
            let shown = String::from_utf8_lossy(&body);
            prop_assert!(!status.is_server_error(), "{path} {shown}: {status} {answer}");
            if status.is_client_error() {
                let mut after = office.queue.texts().await;
                // The lines before one that is refused are there, as the answer says.
                if path.contains("import") {
                    let mut known = before.clone();
                    after.retain(|letter| known.iter().position(|other| other == letter).map(|at| known.swap_remove(at)).is_some());
                }
                after.sort();
                before.sort();
                prop_assert_eq!(after, before, "{} {}: {}", path, shown, status);
                let detail = answer["detail"].as_str().unwrap_or_default();
                prop_assert!(detail.len() > 10 && detail.ends_with('.'), "{path} {shown}: {answer}");
            }
            Ok(())
        })
    });
}

#[test]
fn parameters_of_any_kind_are_understood_or_refused() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let office = runtime.block_on(async { Office::new(&[]) });
    runtime.block_on(office.queue.put(&letters()));
    holds((any::<Index>(), changes()), |(question, changes)| {
        let question = QUESTIONS[question.index(QUESTIONS.len())];
        let (path, parameters) = question.split_once('?').unwrap_or((question, ""));
        // What no client can put into an address stays out of it.
        let parameters: String =
            changed(parameters, &changes).into_iter().filter(|byte| byte.is_ascii_graphic() && *byte != b'#').map(char::from).collect();
        runtime.block_on(async {
            let Ok(asked) = format!("{path}?{parameters}").parse::<axum::http::Uri>() else { return Ok(()) };
            let (status, answer) = office.ask("GET", &asked.to_string(), "").await;
            prop_assert!(!status.is_server_error(), "{asked}: {status} {answer}");
            Ok(())
        })
    });
}
