//! Everything that is not an answer.

use std::sync::Arc;

use tokio::sync::Notify;

use crate::ask::{get, send};
use crate::fake::{Mode, ORDER, Rig, SECRET, USER, fault};

/// A path for each way to read.
fn reads() -> [String; 4] {
    [format!("/users/{USER}"), "/users/recent".to_owned(), format!("/orders/{ORDER}"), "/inventory/LAPTOP-001".to_owned()]
}

/// On one thread, where a turn of the scheduler runs up to 61 tasks: until all that can run has run.
async fn let_all_run() {
    for _ in 0..10 {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn there_is_nothing_at_other_paths() {
    let rig = Rig::new();
    for path in
        ["/", "/users", "/users/", "/orders", "/inventory/", "/inventory/a/b", "/users/recent/", "/Health", "/health/", "/favicon.ico"]
    {
        assert_eq!(get(&rig.router, path).await.problem(404, "Not Found"), "There is nothing at this path.", "{path}");
    }
    send(&rig.router, "DELETE", "/nothing").await.problem(404, "Not Found");
}

#[tokio::test]
async fn only_get_and_head_are_answered() {
    let rig = Rig::new();
    let own = ["/health", "/health/live", "/health/ready", "/metrics", "/openapi.json"].map(str::to_owned);
    for path in reads().iter().chain(&own) {
        for method in ["POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "BREW"] {
            let answer = send(&rig.router, method, path).await;
            answer.problem(405, "Method Not Allowed");
            assert_eq!(answer.header("allow"), Some("GET,HEAD"), "{method} {path}");
        }
    }
    assert!(rig.store.calls().is_empty());
}

#[tokio::test]
async fn head_is_get_without_its_body() {
    let rig = Rig::new();
    for path in reads().iter().map(String::as_str).chain(["/health", "/metrics", "/openapi.json", "/nothing", "/users/recent?limit=0"]) {
        let (get, head) = (get(&rig.router, path).await, send(&rig.router, "HEAD", path).await);
        assert_eq!((head.status, head.body.as_str()), (get.status, ""), "{path}");
        assert_eq!(head.header("content-type"), get.header("content-type"), "{path}");
    }
}

#[tokio::test]
async fn while_the_database_is_away_reads_say_when_to_try_again() {
    for mode in [fault("unavailable", Some(4060)), fault("operator", Some(18456)), fault("bug", Some(208)), fault("unavailable", None)] {
        let rig = Rig::in_mode(mode);
        for path in reads() {
            let answer = get(&rig.router, &path).await;
            let detail = answer.problem(503, "Service Unavailable");
            assert_eq!(detail, "The database cannot be read at the moment.", "neither class nor number is the client's affair");
            assert_eq!(answer.header("retry-after"), Some("5"));
        }
        rig.store.set(Mode::Answers);
        for path in reads() {
            assert_eq!(get(&rig.router, &path).await.status, 200, "it goes on by itself");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_database_that_does_not_answer_is_not_waited_for() {
    let rig = Rig::in_mode(Mode::Hangs);
    for path in reads() {
        let asked = tokio::time::Instant::now();
        let answer = get(&rig.router, &path).await;
        answer.problem(503, "Service Unavailable");
        assert_eq!((answer.header("retry-after"), asked.elapsed().as_secs()), (Some("5"), 5));
    }
    let reason = get(&rig.router, "/health").await.json()["parts"]["read_store"]["reason"].clone();
    assert_eq!(reason, "the database did not answer in time");
    let measured = "db_operation_duration_seconds_bucket{operation=\"order\",le=\"2.5\"} 0";
    assert!(rig.metrics.encode().contains(measured), "what was given up is measured too");
}

#[tokio::test(start_paused = true)]
async fn no_more_than_64_reads_run_and_the_rest_waits_its_turn_for_a_bounded_time() {
    let rig = Rig::in_mode(Mode::Hangs);
    let asked: Vec<_> = (0..200)
        .map(|_| {
            let router = rig.router.clone();
            tokio::spawn(async move { get(&router, "/users/recent").await })
        })
        .collect();
    let start = tokio::time::Instant::now();
    let_all_run().await;
    assert_eq!(rig.store.calls().len(), 64);
    assert_eq!(get(&rig.router, "/health/live").await.status, 200, "who only asks whether it lives does not wait");
    let mut too_many = 0;
    for answer in asked {
        let detail = answer.await.unwrap().problem(503, "Service Unavailable");
        too_many += usize::from(detail == "Too many requests are waiting for the database.");
    }
    assert!(start.elapsed().as_secs() <= 10, "a turn and a read, not one read after the other");
    assert!(too_many >= 200 - 2 * 64, "{too_many}");
}

#[tokio::test]
async fn a_read_that_ends_gives_its_turn_to_the_next() {
    let release = Arc::new(Notify::new());
    let rig = Rig::in_mode(Mode::Holds(Arc::clone(&release)));
    let asked: Vec<_> = (0..65)
        .map(|_| {
            let router = rig.router.clone();
            tokio::spawn(async move { get(&router, "/users/recent").await.status })
        })
        .collect();
    let_all_run().await;
    assert_eq!(rig.store.calls().len(), 64);
    rig.store.set(Mode::Answers);
    release.notify_waiters();
    for answer in asked {
        assert_eq!(answer.await.unwrap(), 200);
    }
}

#[tokio::test]
async fn a_panic_is_an_answer_too_and_says_nothing_of_itself() {
    let rig = Rig::in_mode(Mode::Panics);
    for path in reads() {
        let answer = get(&rig.router, &path).await;
        answer.problem(500, "Internal Server Error");
        assert!(!answer.body.contains(SECRET), "{}", answer.body);
        assert_eq!(answer.header("cache-control"), Some("no-store"));
    }
    assert!(rig.metrics.encode().contains("http_requests_total{method=\"GET\",route=\"/users/recent\",status=\"500\"} 1\n"));
    rig.store.set(Mode::Answers);
    assert_eq!(get(&rig.router, "/users/recent").await.status, 200);
}
