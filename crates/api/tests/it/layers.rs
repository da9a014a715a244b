//! What every answer has in common: headers, metrics, and many at once.

use std::time::Duration;

use events::Timestamp;
use readmodel::AsOf;
use tokio::time::Instant;

use crate::ask::{get, send};
use crate::fake::{Mode, ORDER, Rig, USER, fault};

#[tokio::test]
async fn no_answer_is_stored_or_taken_for_another_type() {
    let rig = Rig::new();
    let user = format!("/users/{USER}");
    for (method, path) in [("GET", user.as_str()), ("GET", "/nothing"), ("POST", "/metrics"), ("GET", "/metrics"), ("GET", "/health/live")]
    {
        let answer = send(&rig.router, method, path).await;
        assert_eq!(answer.header("cache-control"), Some("no-store"), "{method} {path}");
        assert_eq!(answer.header("x-content-type-options"), Some("nosniff"), "{method} {path}");
    }
}

#[tokio::test]
async fn requests_are_counted_by_template_method_and_status() {
    let rig = Rig::new();
    get(&rig.router, &format!("/users/{USER}")).await;
    get(&rig.router, "/users/nobody").await;
    get(&rig.router, "/users/recent?limit=0").await;
    get(&rig.router, "/wp-admin/setup.php").await;
    get(&rig.router, "/inventory/LAPTOP-001").await;
    get(&rig.router, "/health/live").await;
    send(&rig.router, "HEAD", &format!("/orders/{ORDER}")).await;
    send(&rig.router, "BREW", "/metrics").await;
    rig.store.set(fault("unavailable", None));
    get(&rig.router, &format!("/users/{USER}")).await;
    let text = get(&rig.router, "/metrics").await.body;
    for (method, route, status) in [
        ("GET", "/users/{id}", 200),
        ("GET", "/users/{id}", 404),
        ("GET", "/users/{id}", 503),
        ("GET", "/users/recent", 400),
        ("GET", "unmatched", 404),
        ("GET", "/inventory/{sku}", 200),
        ("GET", "/health/live", 200),
        ("HEAD", "/orders/{id}", 200),
        ("other", "/metrics", 405),
    ] {
        let line = format!("http_requests_total{{method=\"{method}\",route=\"{route}\",status=\"{status}\"}} 1\n");
        assert!(text.contains(&line), "{line}{text}");
    }
    assert!(text.contains("http_request_duration_seconds_count{route=\"/users/{id}\"} 3\n"), "{text}");
    for raw in ["nobody", "wp-admin", "LAPTOP", "BREW", &USER.to_string()] {
        assert!(!text.contains(raw), "{raw} is of the client's making");
    }
}

#[tokio::test]
async fn each_call_of_the_database_is_measured() {
    let rig = Rig::new();
    for path in [&format!("/users/{USER}"), "/users/recent", &format!("/orders/{ORDER}"), "/inventory/LAPTOP-001", "/health"] {
        get(&rig.router, path).await;
    }
    get(&rig.router, "/users/not-a-uuid").await;
    rig.store.set(fault("unavailable", None));
    get(&rig.router, "/users/recent").await;
    let answer = get(&rig.router, "/metrics").await;
    assert_eq!((answer.status.as_u16(), answer.header("content-type")), (200, Some("text/plain; version=0.0.4")));
    // The scrape looks once more: the read that failed since makes the health's look old.
    for (operation, calls) in [("user", 1), ("recent_users", 2), ("order", 1), ("inventory", 1), ("ping", 2)] {
        let line = format!("db_operation_duration_seconds_count{{operation=\"{operation}\"}} {calls}\n");
        assert!(answer.body.contains(&line), "{line}{}", answer.body);
    }
    assert!(answer.body.contains("\nbuild_info{"));
}

#[tokio::test(start_paused = true)]
async fn metrics_do_not_need_the_database() {
    let rig = Rig::in_mode(Mode::Hangs);
    let asked = Instant::now();
    assert_eq!(get(&rig.router, "/metrics").await.status, 200);
    assert_eq!(asked.elapsed().as_secs(), 1, "it was given its chance");
    assert_eq!(rig.store.calls(), ["ping"]);
}

#[tokio::test(start_paused = true)]
async fn a_scrape_tells_how_old_the_tables_are() {
    let rig = Rig::new();
    let age = async || {
        let text = get(&rig.router, "/metrics").await.body;
        let value =
            text.lines().find_map(|line| line.strip_prefix("pipeline_data_age_seconds ")).map(|value| value.parse::<f64>().unwrap());
        tokio::time::advance(Duration::from_secs(15)).await;
        value
    };
    assert_eq!(age().await, None, "nothing was written yet");
    let written_at = Timestamp::UNIX_EPOCH;
    *rig.store.as_of.lock().unwrap() = Some(Ok(AsOf { written_at, now: written_at.plus_micros(90_500_000) }));
    assert_eq!(age().await, Some(90.5));
    rig.store.set(Mode::Hangs);
    assert_eq!(age().await, Some(106.5), "by the last look, which was 16 s ago");
    rig.store.set(fault("unavailable", None));
    assert_eq!(age().await, None, "nobody knows");
    rig.store.set(Mode::Answers);
    assert_eq!(age().await, Some(90.5));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_thousand_requests_at_once_each_get_their_own_answer() {
    let rig = Rig::new();
    let asked: Vec<_> = (0..1000)
        .map(|number| {
            let router = rig.router.clone();
            tokio::spawn(async move {
                let limit = number % 100 + 1;
                let recent = get(&router, &format!("/users/recent?limit={limit}")).await;
                let order = get(&router, &format!("/orders/{ORDER}")).await;
                (recent.status.as_u16(), order.body.contains("12345678901234.5678"))
            })
        })
        .collect();
    for answer in asked {
        assert_eq!(answer.await.unwrap(), (200, true));
    }
    assert!(rig.metrics.encode().contains("http_requests_total{method=\"GET\",route=\"/users/recent\",status=\"200\"} 1000\n"));
}
