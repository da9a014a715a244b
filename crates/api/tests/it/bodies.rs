//! The bodies, as exact text.

use crate::ask::get;
use crate::fake::{ORDER, PAYMENT, Rig, USER};

const USER_FIELDS: &str = r#""userId":"11111111-1111-4111-8111-111111111111","email":"ada@example.com","firstName":"Ada 😀","lastName":"O'Neil \"<b>\"","createdAt":"2026-01-15T10:00:00Z","updatedAt":"2026-01-15T10:00:01.123456Z""#;

#[tokio::test]
async fn a_user_is_shown_with_the_orders() {
    let answer = get(&Rig::new().router, &format!("/users/{USER}")).await;
    assert_eq!((answer.status.as_u16(), answer.header("content-type")), (200, Some("application/json")));
    let orders = r#"[{"orderId":"22222222-2222-4222-8222-222222222222","userId":"11111111-1111-4111-8111-111111111111","totalAmount":0.1,"currency":"EUR","placedAt":"2026-01-15T10:00:00Z","updatedAt":"2026-01-15T10:00:01Z"}]"#;
    assert_eq!(answer.body, format!("{{{USER_FIELDS},\"orders\":{orders}}}"));
}

#[tokio::test]
async fn recent_users_are_a_plain_list_without_orders() {
    let answer = get(&Rig::new().router, "/users/recent").await;
    assert_eq!((answer.status.as_u16(), answer.header("content-type")), (200, Some("application/json")));
    let older = USER_FIELDS.replace(&USER.to_string(), &PAYMENT.to_string());
    assert_eq!(answer.body, format!("[{{{USER_FIELDS}}},{{{older}}}]"));
}

#[tokio::test]
async fn an_order_is_shown_with_items_and_payment_and_its_money_is_exact() {
    let answer = get(&Rig::new().router, &format!("/orders/{ORDER}")).await;
    assert_eq!(answer.status, 200);
    assert_eq!(
        answer.body,
        r#"{"orderId":"22222222-2222-4222-8222-222222222222","userId":"11111111-1111-4111-8111-111111111111","totalAmount":12345678901234.5678,"currency":"EUR","placedAt":"2026-01-15T10:00:00Z","updatedAt":"2026-01-15T10:00:01Z","items":[{"sku":"LAPTOP-001","quantity":1,"price":299.99},{"sku":"MOUSE","quantity":-2,"price":0.1}],"payment":{"paymentId":"33333333-3333-4333-8333-333333333333","amount":12345678901234.5678,"currency":"EUR","paymentMethod":"card","status":"settled","settledAt":"2026-01-15T10:00:02Z"}}"#
    );
}

#[tokio::test]
async fn an_order_without_a_payment_says_null() {
    let answer = get(&Rig::new().router, &format!("/orders/{PAYMENT}")).await;
    assert!(answer.body.ends_with(r#""items":[],"payment":null}"#), "{}", answer.body);
}

#[tokio::test]
async fn the_stock_of_an_article_is_a_whole_number() {
    let answer = get(&Rig::new().router, "/inventory/LAPTOP-001").await;
    assert_eq!(answer.body, r#"{"sku":"LAPTOP-001","quantity":-9007199254740993,"updatedAt":"2026-01-15T10:00:03Z"}"#);
}
