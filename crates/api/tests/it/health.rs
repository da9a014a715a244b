//! `/health`, `/health/ready` and `/health/live`.

use std::time::Duration;

use api::HealthTells;
use events::Timestamp;
use readmodel::{AsOf, ReadFault};
use serde_json::json;

use crate::ask::get;
use crate::fake::{Mode, Rig, fault};

const SECOND: Duration = Duration::from_secs(1);

#[tokio::test]
async fn health_tells_of_each_part_after_a_look_at_the_database() {
    let rig = Rig::new();
    let answer = get(&rig.router, "/health").await;
    let body = answer.json();
    assert_eq!((answer.status.as_u16(), &body["status"]), (200, &"ok".into()));
    let part = &body["parts"]["read_store"];
    assert_eq!((&part["state"], &part["reason"]), (&"up".into(), &serde_json::Value::Null));
    assert!(events::Timestamp::parse(part["since"].as_str().unwrap()).is_ok(), "{part}");
    assert_eq!(rig.store.calls(), ["ping"]);
}

#[tokio::test(start_paused = true)]
async fn health_tells_how_old_the_tables_are() {
    let rig = Rig::new();
    assert!(get(&rig.router, "/health").await.json().get("data").is_none(), "nothing was written yet");
    let written_at = Timestamp::UNIX_EPOCH;
    *rig.store.as_of.lock().unwrap() = Some(Ok(AsOf { written_at, now: written_at.plus_micros(90_500_000) }));
    tokio::time::advance(SECOND).await;
    for path in ["/health", "/health/ready"] {
        let answer = get(&rig.router, path).await;
        assert_eq!((answer.status.as_u16(), &answer.json()["data"]), (200, &json!({ "asOf": written_at, "ageSeconds": 90.5 })), "{path}");
    }
    // Whoever has not run roles.sql again can still read.
    *rig.store.as_of.lock().unwrap() = Some(Err(ReadFault { class: "operator", code: Some(229), told: String::new() }));
    tokio::time::advance(SECOND).await;
    let answer = get(&rig.router, "/health/ready").await;
    assert!(answer.status == 200 && answer.json().get("data").is_none(), "{}", answer.json());
}

#[tokio::test(start_paused = true)]
async fn while_reading_is_impossible_health_says_so_with_numbers_and_names() {
    let rig = Rig::in_mode(fault("operator", Some(18456)));
    for (path, status) in [("/health", "unavailable"), ("/health/ready", "not ready")] {
        let answer = get(&rig.router, path).await;
        let body = answer.json();
        assert_eq!((answer.status.as_u16(), &body["status"]), (503, &status.into()));
        let told = "the database refuses, which somebody has to mend (error 18456); the log and `api check` say where and what to do";
        assert_eq!(body["parts"]["read_store"]["reason"], told, "whoever may read rows may ask: no address, no login");
    }
    let within = Rig::telling(HealthTells::Everything);
    within.store.set(fault("operator", Some(18456)));
    let told = get(&within.router, "/health").await.json()["parts"]["read_store"]["reason"].clone();
    assert_eq!(told, "the database at db:1433 refuses (error 18456)");
    assert_eq!(get(&rig.router, "/health/live").await.status, 200, "a restart would not bring it back");
    rig.store.set(Mode::Answers);
    tokio::time::advance(SECOND).await;
    assert_eq!(get(&rig.router, "/health/ready").await.status, 200);
    assert_eq!(get(&rig.router, "/health").await.status, 200);
}

#[tokio::test(start_paused = true)]
async fn however_often_the_health_is_asked_for_the_database_is_looked_at_once_a_second() {
    let rig = Rig::new();
    for _ in 0..100 {
        assert_eq!(get(&rig.router, "/health").await.status, 200);
        assert_eq!(get(&rig.router, "/health/ready").await.status, 200);
    }
    assert_eq!(rig.store.calls(), ["ping"]);
    tokio::time::advance(SECOND).await;
    assert_eq!(get(&rig.router, "/health").await.status, 200);
    assert_eq!(rig.store.calls(), ["ping", "ping"]);
}

#[tokio::test(start_paused = true)]
async fn a_read_that_finds_the_database_away_is_not_overruled_by_the_last_look() {
    let rig = Rig::new();
    assert_eq!(get(&rig.router, "/health").await.status, 200);
    rig.store.set(fault("unavailable", None));
    get(&rig.router, "/users/recent").await;
    assert_eq!(get(&rig.router, "/health").await.status, 503);
}

#[tokio::test]
async fn a_part_of_another_kind_that_is_down_makes_it_not_ready_but_does_not_stop_reading() {
    let rig = Rig::new();
    rig.health.down("kafka", "unavailable");
    let answer = get(&rig.router, "/health").await;
    let report = answer.json();
    assert_eq!((answer.status.as_u16(), &report["status"], &report["parts"]["kafka"]["state"]), (200, &"degraded".into(), &"down".into()));
    assert_eq!(get(&rig.router, "/health/ready").await.status, 503);
}

#[tokio::test]
async fn reads_note_what_they_meet() {
    let rig = Rig::new();
    get(&rig.router, "/users/recent").await;
    assert!(rig.health.is_up(api::READ_STORE));
    rig.store.set(fault("unavailable", None));
    get(&rig.router, "/users/recent").await;
    assert!(!rig.health.is_up(api::READ_STORE));
}

#[tokio::test]
async fn who_is_stopping_is_not_ready_but_still_reads() {
    let rig = Rig::new();
    rig.health.stopping();
    let answer = get(&rig.router, "/health/ready").await;
    assert_eq!((answer.status.as_u16(), &answer.json()["status"]), (503, &"stopping".into()));
    assert_eq!(get(&rig.router, "/health").await.status, 200);
}
