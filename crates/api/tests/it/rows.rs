//! Real rows: what was decoded from messages and written to SQLite comes back as it was sent.

use api::{HealthTells, READ_STORE};
use axum::Router;
use pipeline::{Batch, EventStore as _, Item, Outcome};
use serde_json::Value;
use sqlite::Sqlite;
use telemetry::{Health, Metrics, Part};

use crate::ask::get;

const USER: &str = r#"{"eventId":"a0000000-0000-4000-8000-000000000001","eventType":"UserCreated","timestamp":"2026-01-15T10:00:00Z",
    "userId":"11111111-1111-4111-8111-111111111111","email":"ada@example.com","firstName":"Ada 😀","lastName":"O'Neil",
    "createdAt":"2026-01-15T11:00:00.5+01:00"}"#;
const OTHER_USER: &str = r#"{"eventId":"a0000000-0000-4000-8000-000000000002","eventType":"UserCreated","timestamp":"2026-01-15T10:00:00Z",
    "userId":"11111111-1111-4111-8111-111111111112","email":"eva@example.com","firstName":"Eva","lastName":"",
    "createdAt":"2026-01-15T10:00:00Z"}"#;
const ORDER: &str = r#"{"eventId":"a0000000-0000-4000-8000-000000000003","eventType":"OrderPlaced","timestamp":"2026-01-15T10:01:00Z",
    "orderId":"22222222-2222-4222-8222-222222222222","userId":"11111111-1111-4111-8111-111111111111",
    "totalAmount":12345678901234.5678,"currency":"EUR","placedAt":"2026-01-15T10:01:00Z",
    "items":[{"sku":"B/ü 1","quantity":2,"price":"299.990"},{"sku":"A","quantity":1,"price":1e2}]}"#;
const PAYMENT: &str = r#"{"eventId":"a0000000-0000-4000-8000-000000000004","eventType":"PaymentSettled","timestamp":"2026-01-15T10:02:00Z",
    "paymentId":"33333333-3333-4333-8333-333333333333","orderId":"22222222-2222-4222-8222-222222222222","amount":0.1,
    "currency":"EUR","paymentMethod":"card","status":"settled","settledAt":"2026-01-15T10:02:00Z"}"#;
const STOCK: [&str; 2] = [
    r#"{"eventId":"a0000000-0000-4000-8000-000000000005","eventType":"InventoryAdjusted","timestamp":"2026-01-15T10:03:00Z",
    "sku":"B/ü 1","quantity":5,"adjustmentType":"add","reason":"delivery","adjustedAt":"2026-01-15T10:03:00Z"}"#,
    r#"{"eventId":"a0000000-0000-4000-8000-000000000006","eventType":"InventoryAdjusted","timestamp":"2026-01-15T10:04:00Z",
    "sku":"B/ü 1","quantity":7,"adjustmentType":"subtract","reason":"sold","adjustedAt":"2026-01-15T10:04:00Z"}"#,
];

async fn router(messages: &[&str]) -> Router {
    let store = Sqlite::temporary().unwrap();
    let events: Vec<_> = messages.iter().map(|message| events::decode(message.as_bytes()).unwrap()).collect();
    let items: Vec<_> = events.iter().map(|event| Item { event, releases: Vec::new() }).collect();
    let applied = store.apply(Batch::new(&items)).await.unwrap();
    assert!(applied.outcomes.iter().all(|outcome| *outcome == Outcome::Applied), "{:?}", applied.outcomes);
    api::router(store, Metrics::new(&[Part::Api]).unwrap(), Health::new(&[READ_STORE], None), HealthTells::Kind)
}

/// The body, with the database's own times replaced: those are not known beforehand.
async fn body(router: &Router, path: &str) -> String {
    let answer = get(router, path).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    let mut text = answer.body.clone();
    for time in updated_at(&answer.json()) {
        assert!(events::Timestamp::parse(&time).is_ok(), "{time}");
        text = text.replace(&format!("\"updatedAt\":\"{time}\""), "\"updatedAt\":NOW");
    }
    text
}

fn updated_at(value: &Value) -> Vec<String> {
    match value {
        Value::Object(fields) => fields
            .iter()
            .flat_map(|(name, field)| match field {
                Value::String(time) if name == "updatedAt" => vec![time.clone()],
                other => updated_at(other),
            })
            .collect(),
        Value::Array(elements) => elements.iter().flat_map(updated_at).collect(),
        _ => Vec::new(),
    }
}

#[tokio::test]
async fn what_was_written_is_read_back_exactly() {
    let router = router(&[USER, OTHER_USER, ORDER, PAYMENT, STOCK[0], STOCK[1]]).await;
    let user = r#""userId":"11111111-1111-4111-8111-111111111111","email":"ada@example.com","firstName":"Ada 😀","lastName":"O'Neil","createdAt":"2026-01-15T10:00:00.5"#;
    let order = r#""orderId":"22222222-2222-4222-8222-222222222222","userId":"11111111-1111-4111-8111-111111111111","totalAmount":12345678901234.5678,"currency":"EUR","placedAt":"2026-01-15T10:01:00Z","updatedAt":NOW"#;

    let text = body(&router, "/users/11111111-1111-4111-8111-111111111111").await;
    assert!(text.starts_with(&format!("{{{user}")) && text.ends_with(&format!("\"updatedAt\":NOW,\"orders\":[{{{order}}}]}}")), "{text}");

    let items = r#"[{"sku":"B/ü 1","quantity":2,"price":299.99},{"sku":"A","quantity":1,"price":100}]"#;
    let payment = r#"{"paymentId":"33333333-3333-4333-8333-333333333333","amount":0.1,"currency":"EUR","paymentMethod":"card","status":"settled","settledAt":"2026-01-15T10:02:00Z"}"#;
    let text = body(&router, "/orders/22222222-2222-4222-8222-222222222222").await;
    assert_eq!(text, format!("{{{order},\"items\":{items},\"payment\":{payment}}}"));

    let text = body(&router, "/inventory/B%2F%C3%BC%201").await;
    assert_eq!(text, r#"{"sku":"B/ü 1","quantity":-2,"updatedAt":NOW}"#);

    let text = body(&router, "/users/recent?limit=1").await;
    assert!(text.starts_with("[{\"userId\":") && text.matches("userId").count() == 1, "{text}");
    assert_eq!(get(&router, "/users/recent").await.json().as_array().unwrap().len(), 2);
}

#[tokio::test]
async fn an_empty_database_has_no_rows_and_is_well() {
    let router = router(&[]).await;
    assert_eq!(get(&router, "/users/recent").await.body, "[]");
    for path in ["/users/11111111-1111-4111-8111-111111111111", "/orders/22222222-2222-4222-8222-222222222222", "/inventory/A"] {
        get(&router, path).await.problem(404, "Not Found");
    }
    assert_eq!(get(&router, "/health").await.status, 200);
}
