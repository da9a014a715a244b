//! Ids, SKUs and the limit.

use crate::ask::get;
use crate::fake::{Rig, USER};

#[tokio::test]
async fn the_limit_goes_from_1_to_100_and_is_10_if_absent() {
    let rig = Rig::new();
    for query in ["", "?limit=1", "?limit=100", "?limit=007", "?page=3", "?page=3&limit=2&page=%ff", "?Limit=0"] {
        assert_eq!(get(&rig.router, &format!("/users/recent{query}")).await.status, 200, "{query}");
    }
    assert_eq!(rig.store.calls(), [10, 1, 100, 7, 10, 2, 10].map(|limit| format!("recent_users {limit}")));
}

#[tokio::test]
async fn another_limit_is_a_bad_request_and_does_not_reach_the_database() {
    let rig = Rig::new();
    for query in
        ["limit=0", "limit=101", "limit=-1", "limit=", "limit", "limit=ten", "limit=1.0", "limit=65546", "limit=1&limit=2", "limit=%20%205"]
    {
        let answer = get(&rig.router, &format!("/users/recent?{query}")).await;
        let detail = answer.problem(400, "Bad Request");
        assert!(detail.contains("limit") && detail.contains("1 to 100"), "{query}: {detail}");
    }
    assert!(rig.store.calls().is_empty());
}

#[tokio::test]
async fn recent_is_a_route_not_an_id() {
    let rig = Rig::new();
    get(&rig.router, "/users/recent").await;
    assert_eq!(rig.store.calls(), ["recent_users 10"]);
}

#[tokio::test]
async fn an_id_is_a_uuid_with_hyphens_in_either_case() {
    let rig = Rig::new();
    let upper = "AAAAAAAA-1111-4111-8111-111111111111";
    assert_eq!(get(&rig.router, &format!("/users/{USER}")).await.status, 200);
    get(&rig.router, &format!("/users/{upper}")).await.problem(404, "Not Found");
    assert_eq!(rig.store.calls(), [format!("user {USER}"), format!("user {}", upper.to_lowercase())]);
}

#[tokio::test]
async fn an_id_that_is_not_a_uuid_has_no_row_and_is_not_looked_for() {
    let rig = Rig::new();
    let simple = USER.simple().to_string();
    let urn = USER.urn().to_string();
    for id in ["1", "not-a-uuid", "%FF", "%00", "'%20OR%201=1--", "Recent", &simple, &urn, &format!("%7B{USER}%7D"), &format!("{USER}%20")]
    {
        for (path, detail) in [("users", "There is no user with this id."), ("orders", "There is no order with this id.")] {
            assert_eq!(get(&rig.router, &format!("/{path}/{id}")).await.problem(404, "Not Found"), detail, "{id}");
        }
    }
    assert!(rig.store.calls().is_empty(), "{:?}", rig.store.calls());
}

#[tokio::test]
async fn a_sku_is_percent_decoded() {
    let rig = Rig::new();
    for (path, sku) in [("%C3%84%C3%96%2F%C3%BC%20100%25+%3F", "ÄÖ/ü 100%+?"), ("%F0%9F%98%80", "\u{1F600}")] {
        let answer = get(&rig.router, &format!("/inventory/{path}")).await;
        assert_eq!((answer.status.as_u16(), &answer.json()["sku"]), (200, &sku.into()), "{path}");
    }
}

#[tokio::test]
async fn a_sku_that_no_event_can_have_has_no_row_and_is_not_looked_for() {
    let rig = Rig::new();
    let long = "x".repeat(51);
    for sku in ["LAPTOP-001%20", "%20LAPTOP-001", "LAPTOP-001%00", "%FF%FE", "%09", &long] {
        let detail = get(&rig.router, &format!("/inventory/{sku}")).await.problem(404, "Not Found");
        assert_eq!(detail, "There is no stock of an article with this SKU.", "{sku}");
    }
    assert!(rig.store.calls().is_empty(), "{:?}", rig.store.calls());
    get(&rig.router, "/inventory/laptop-001").await.problem(404, "Not Found");
    assert_eq!(rig.store.calls(), ["inventory laptop-001"]);
}
