//! What the group has not consumed, looked at from outside.

use std::time::Duration;

use consumer::dlq::Rules;
use consumer::peek::{PeekArgs, Peeked, Refusal, peek};
use events::Event;
use pipeline::fault::{Dependency, Fault, FaultClass};
use pipeline::ports::DryRun;
use pipeline::{Applied, Batch};
use sqlite::Sqlite;
use testkit::builders::{id, order, user};

use crate::fake_log::{Reader, Topic};

const RULES: Rules = Rules { max_rows: 100, max_clock_skew: Duration::from_secs(300) };

fn first(records: u64) -> PeekArgs {
    PeekArgs { records, partition: None, broken: false, json: false }
}

async fn look(topic: &Topic, tables: &impl DryRun, arguments: PeekArgs) -> Peeked {
    peek(topic, &mut Reader::of(topic), tables, arguments, RULES).await.unwrap()
}

fn append(topic: &Topic, event: &Event<'_>) {
    topic.append_bytes(0, event.to_json());
}

#[tokio::test]
async fn each_record_that_waits_is_told_with_what_it_would_come_to_and_nothing_is_changed() {
    let (topic, tables) = (Topic::default(), Sqlite::temporary().unwrap());
    let (ada, stranger) = (id(), id());
    topic.append_bytes(0, b"consumed before".to_vec());
    append(&topic, &user(ada));
    append(&topic, &order(id(), ada));
    append(&topic, &order(id(), stranger));
    topic.append_bytes(0, b"secret-payload".to_vec());
    topic.commit(0, 1);

    let seen = look(&topic, &tables, first(20)).await;
    let text = seen.to_string();
    assert!(text.starts_with("4 offsets not consumed, 4 records looked at\n0@1 "), "{text}");
    for told in [
        "applied      UserCreated",
        "applied      OrderPlaced",
        &format!("waits for user {stranger}"),
        "dead letter  unknown\n    ",
        "        1  not_json:unknown:\n",
        "`resume --records 1` lets these 1 become dead letters",
    ] {
        assert!(text.contains(told), "{told}: {text}");
    }
    let json: serde_json::Value = serde_json::from_str(&seen.to_json()).unwrap();
    assert_eq!(json["outcomes"], serde_json::json!({ "applied": 2, "dead letter": 1, "parked": 1 }));
    assert_eq!((&json["records"][3]["offset"], &json["records"][3]["bytes"]), (&4.into(), &14.into()));
    for shown in [&text, &seen.to_json()] {
        assert!(!shown.contains("secret-payload") && !shown.contains("consumed before"), "{shown}");
    }
    assert_eq!(look(&topic, &tables, first(20)).await, seen, "nothing was changed");

    let broken = look(&topic, &tables, PeekArgs { broken: true, ..first(20) }).await.to_string();
    assert!(!broken.contains("0@1 ") && broken.contains("0@4 ") && broken.contains("applied              2"), "{broken}");
    let two = look(&topic, &tables, first(2)).await;
    assert_eq!((two.unconsumed, two.seen.len(), two.is_complete), (4, 2, true));
}

#[tokio::test]
async fn only_the_partition_that_is_asked_for_is_read_and_one_that_is_not_there_is_named() {
    let (topic, tables) = (Topic::default(), Sqlite::temporary().unwrap());
    topic.append_bytes(0, b"a".to_vec());
    topic.append_bytes(1, b"b".to_vec());
    let of = |partition| PeekArgs { partition: Some(partition), ..first(20) };
    let seen = look(&topic, &tables, of(1)).await;
    assert_eq!((seen.unconsumed, seen.seen.len(), seen.seen[0].position.partition), (1, 1, 1));
    let refused = peek(&topic, &mut Reader::of(&topic), &tables, of(7), RULES).await.unwrap_err();
    assert_eq!(refused, Refusal::NoPartition { partition: 7, known: 2 });
    topic.commit(1, 1);
    assert_eq!(look(&topic, &tables, of(1)).await.to_string(), "0 offsets not consumed, 0 records looked at\n");
}

#[tokio::test(start_paused = true)]
async fn what_does_not_come_is_not_waited_for_for_ever() {
    let (topic, tables) = (Topic::default(), Sqlite::temporary().unwrap());
    topic.append_bytes(0, b"a".to_vec());
    topic.hold_back(3);
    let seen = look(&topic, &tables, first(20)).await;
    assert_eq!((seen.is_complete, seen.seen.len()), (false, 1));
    assert!(seen.to_string().contains("a transaction of a producer is open"), "{seen}");
}

/// Tables that are away.
struct Away;

impl DryRun for Away {
    async fn dry_run(&self, _: Batch<'_>) -> Result<Applied, Fault> {
        let class = FaultClass::Unavailable { timed_out: true };
        Err(Fault { dependency: Dependency::Database, class, code: None, subject: "dry_run" })
    }
}

/// Tables that take the question and say nothing.
struct Mute;

impl DryRun for Mute {
    async fn dry_run(&self, _: Batch<'_>) -> Result<Applied, Fault> {
        std::future::pending().await
    }
}

#[tokio::test(start_paused = true)]
async fn tables_that_do_not_answer_are_not_waited_for_longer_than_records() {
    let topic = Topic::default();
    append(&topic, &user(id()));
    let began = tokio::time::Instant::now();
    let text = look(&topic, &Mute, first(20)).await.to_string();
    assert!(text.contains("the tables could not be asked") && text.contains("event        UserCreated"), "{text}");
    assert!(began.elapsed() < Duration::from_secs(10), "{:?}", began.elapsed());
}

#[tokio::test]
async fn without_the_tables_the_contract_alone_is_checked_and_said_to_be() {
    let topic = Topic::default();
    append(&topic, &user(id()));
    let seen = look(&topic, &Away, first(20)).await;
    let text = seen.to_string();
    assert!(text.contains("the tables could not be asked") && text.contains("event        UserCreated"), "{text}");
}
