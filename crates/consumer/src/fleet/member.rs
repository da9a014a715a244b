//! Who this process is, and how it is.

use std::collections::BTreeMap;

use events::Timestamp;
use pipeline::heartbeat::{ConsumerState, DownPart, Heartbeat, OwnedPartition};
use pipeline::ports::Clock as _;
use telemetry::{Health, Metrics, PartReport};
use uuid::Uuid;

use crate::backends::SystemClock;
use crate::verify::ScheduleConfig;
use crate::verify::last::LastVerdict;

/// A consumer of a group, from its start to its end.
#[derive(Clone, Debug)]
pub struct Member {
    instance: Uuid,
    host: String,
    group: String,
    topic: String,
    started_at: Timestamp,
    verdict: LastVerdict,
}

impl Member {
    /// This process, which starts now.
    pub fn new(group: &str, topic: &str) -> Self {
        Self {
            // Neither a host's name nor a process's number is its own for good: containers have the number 1.
            instance: Uuid::new_v4(),
            host: gethostname::gethostname().to_string_lossy().into_owned(),
            group: group.to_owned(),
            topic: topic.to_owned(),
            started_at: SystemClock.now(),
            verdict: LastVerdict::default(),
        }
    }

    /// The same, which verifies the tables on this schedule, where there is one.
    #[must_use]
    pub fn verifying(self, schedule: Option<&ScheduleConfig>) -> Self {
        Self { verdict: schedule.map(|schedule| schedule.last.clone()).unwrap_or_default(), ..self }
    }

    /// By which its heartbeats are known among those of others.
    pub const fn instance(&self) -> Uuid {
        self.instance
    }

    /// What it says now.
    pub(super) fn heartbeat(&self, health: &Health, metrics: &Metrics) -> Heartbeat {
        let Self { instance, host, group, topic, started_at, verdict } = self.clone();
        let version = env!("CARGO_PKG_VERSION").to_owned();
        let state = ConsumerState { verification: verdict.get(), ..state(health, metrics) };
        Heartbeat { instance, host, process_id: std::process::id(), version, group, topic, started_at, state }
    }
}

fn state(health: &Health, metrics: &Metrics) -> ConsumerState {
    let report = health.ready_report();
    let known = report.log.iter().flat_map(|log| &log.partitions);
    let known: BTreeMap<i32, (i64, i64)> = known.map(|known| (known.partition, (known.position, known.end))).collect();
    let owned = |partition: i32| {
        let (position, end) = known.get(&partition).copied().unzip();
        OwnedPartition { partition, position, end }
    };
    let down = |(part, PartReport { state, since, reason }): (&&str, &PartReport)| {
        let is_down = *state == "down";
        is_down.then(|| DownPart { part: (*part).to_owned(), since: since.clone(), reason: reason.clone().unwrap_or_default() })
    };
    let ago = |age: std::time::Duration| SystemClock.now().plus_micros(-i64::try_from(age.as_micros()).unwrap_or(i64::MAX));
    ConsumerState {
        status: report.status.to_owned(),
        partitions: health.owned().into_iter().map(owned).collect(),
        more_partitions: 0,
        down: report.parts.iter().filter_map(down).collect(),
        events_per_second: metrics.events_per_second().round() as u64,
        last_commit: metrics.last_commit().map(|age| ago(age).to_string()),
        verification: None,
    }
}

#[cfg(test)]
mod tests {
    use telemetry::{LogReport, Part, PositionReport, Status};

    use super::*;

    #[test]
    fn a_member_says_who_it_is_what_it_owns_and_what_is_wrong() {
        let (health, metrics) = (Health::new(&["database", "kafka"], None), Metrics::new(&[Part::Consumer]).unwrap());
        let member = Member::new("group", "events");
        let first = member.heartbeat(&health, &metrics);
        assert_eq!((first.instance, &*first.group, &*first.topic), (member.instance(), "group", "events"));
        assert_eq!((first.process_id, &*first.version), (std::process::id(), env!("CARGO_PKG_VERSION")));
        assert!(!first.host.is_empty());
        assert_eq!(first.state, ConsumerState { status: "not ready".to_owned(), ..ConsumerState::default() }, "nothing was looked at yet");

        health.owns([3, 5].into());
        let position = PositionReport { partition: 3, position: 41, end: 90 };
        health.log(LogReport { id: "log".to_owned(), lost: 0, partitions: vec![position, PositionReport { partition: 4, ..position }] });
        health.up("database");
        health.down("kafka", "it is away");
        metrics.events_processed("UserCreated", Status::Success, 3);
        metrics.committed();
        let state = member.heartbeat(&health, &metrics).state;
        let owned = [(3, Some(41), Some(90)), (5, None, None)];
        assert_eq!(state.partitions, owned.map(|(partition, position, end)| OwnedPartition { partition, position, end }));
        let down: Vec<_> = state.down.iter().map(|down| (&*down.part, &*down.reason)).collect();
        assert_eq!(down, [("kafka", "it is away")]);
        assert!(state.last_commit.is_some_and(|at| Timestamp::parse(&at).is_ok()));
        health.stopping();
        assert_eq!(member.heartbeat(&health, &metrics).state.status, "stopping");
    }
}
