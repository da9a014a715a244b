//! A pipeline that is well, to be made ill.

use events::Timestamp;
use testkit::builders::{heartbeat, id};

use super::{Kind, Problem, problems};
use crate::fleet::ConsumerView;
use crate::status::{Answer, AnsweredLog, Known, Lag, Parked, Part, PartitionLag, Process, Status};
use pipeline::heartbeat::SeenConsumer;

/// Since when everything is as it is.
pub(in crate::status) const SINCE: &str = "2026-01-15T10:00:00.123Z";

pub(in crate::status) fn part(state: &str, reason: Option<&str>) -> Part {
    Part { state: state.to_owned(), since: SINCE.to_owned(), reason: reason.map(str::to_owned) }
}

/// One consumer, ready, of two partitions of which everything is consumed; nothing waits.
pub(in crate::status) fn well() -> Status {
    let consumer = consumer(1);
    let parts = ["database", "dead_letter_queue", "kafka", "pipeline", "progress"].map(|name| (name.to_owned(), part("up", None)));
    let answer = Answer {
        status: "ready".to_owned(),
        parts: parts.into(),
        group: Some("group".to_owned()),
        instance: Some(consumer.instance.to_string()),
        log: Some(AnsweredLog { lost: 0, partitions: Vec::new() }),
    };
    let partition = |partition| PartitionLag { partition, end: 12, next: 12, committed: true, lag: 0, owner: Some(consumer.name()) };
    let lag = Lag { topic: "events".to_owned(), group: "group".to_owned(), members: Some(1), partitions: vec![partition(0), partition(1)] };
    Status {
        at: Timestamp::parse("2026-01-15T10:12:00Z").unwrap(),
        problems: Vec::new(),
        process: Process {
            address: "127.0.0.1:9090".parse().unwrap(),
            answer: Some(answer),
            verification: None,
            events_per_second: Some(4),
            ahead_of_clock: 0,
            event_time_lag: None,
            backlog: None,
        },
        lag: Some(Known::Yes(lag)),
        consumers: Some(Known::Yes(vec![consumer])),
        parked: Some(Known::Yes(Parked { events: 0, oldest: None, largest: Vec::new() })),
        dead_letters: Some(Known::Yes(Vec::new())),
        claimed: 0,
        changes: Some(Known::Yes(Vec::new())),
        topic: "events".to_owned(),
        idle_settings: Vec::new(),
    }
}

/// A consumer of the group that was heard of so many seconds ago.
pub(in crate::status) fn consumer(seconds: u64) -> ConsumerView {
    SeenConsumer { heartbeat: heartbeat(id()), age: std::time::Duration::from_secs(seconds) }.into()
}

/// The process says that a part is down.
pub(in crate::status) fn away(status: &mut Status, name: &str, reason: &str) {
    let answer = status.process.answer.as_mut().unwrap();
    answer.status = "not ready".to_owned();
    answer.parts.insert(name.to_owned(), part("down", Some(reason)));
}

/// Nothing answers.
pub(in crate::status) fn silent(status: &mut Status) {
    status.process.answer = None;
}

/// How far the group is.
pub(in crate::status) fn lag(status: &mut Status) -> &mut Lag {
    match &mut status.lag {
        Some(Known::Yes(lag)) => lag,
        other => panic!("{other:?}"),
    }
}

pub(in crate::status) fn told(status: &Status) -> Vec<Problem> {
    problems(status)
}

/// The only problem, which is of this kind.
pub(in crate::status) fn only(status: &Status, kind: Kind) -> Problem {
    let mut found = problems(status);
    assert_eq!(found.iter().map(|problem| problem.kind).collect::<Vec<_>>(), [kind], "{found:?}");
    found.remove(0)
}
