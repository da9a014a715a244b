//! The consumers of the database as the console shows them.

use std::time::Duration;

use console::{Consumer, Part, PartState, Verdict, VerdictOutcome};
use pipeline::LogState;
use pipeline::heartbeat::{DownPart, VerificationVerdict};
use uuid::Uuid;

use super::words::problem;
use crate::fleet::ConsumerView;
use crate::processing::held_facts;
use crate::waiting::PIPELINE_PART;

/// What the console calls the write path while a flood is held, which an operator ends.
const FLOOD_PART: &str = "flow";
/// What to do about it, beside the buttons that do it.
const LET_PASS: &str =
    "Most likely it is a producer's defect. Nothing is committed. Mend the producer, then let them pass: they become dead letters.";

/// Who asks: this process, and what it reads in which group.
#[derive(Clone, Copy)]
pub(super) struct Here<'a> {
    pub instance: Uuid,
    pub group: &'a str,
    pub topic: &'a str,
}

/// A consumer as it is shown here. Its lag is that of the group where the brokers have answered, and what it says itself otherwise.
pub(super) fn consumer(view: ConsumerView, here: Here<'_>, log: Option<&LogState>) -> Consumer {
    let elsewhere = (view.group != here.group || view.topic != here.topic).then(|| format!("{}, group {}", view.topic, view.group));
    let log = log.filter(|_| elsewhere.is_none());
    let lag = |partition: &crate::fleet::PartitionView| match log.and_then(|log| log.partitions.get(&partition.partition)) {
        Some(state) => Some(state.lag()),
        None => partition.lag,
    };
    Consumer {
        this: view.instance == here.instance,
        host: view.host,
        process_id: view.process_id,
        version: view.version,
        elsewhere,
        started_at: view.started_at.to_string(),
        last_seen: Duration::from_secs(view.last_seen_seconds),
        alive: view.alive,
        status: view.status,
        // What is not known of one partition is not known of all.
        lag: view.partitions.iter().map(lag).sum::<Option<u64>>().filter(|_| view.more_partitions == 0),
        partitions: view.partitions.iter().map(|partition| partition.partition).collect(),
        more_partitions: view.more_partitions,
        down: view.down.into_iter().map(|DownPart { part, since, reason }| down(&part, since, &reason)).collect(),
        events_per_second: view.events_per_second,
        last_commit: view.last_commit,
        verification: view.verification.map(verdict),
    }
}

/// What the last verification of a process came to.
fn verdict(told: VerificationVerdict) -> Verdict {
    Verdict {
        ended: told.ended_at,
        took: Duration::from_millis(told.took_ms),
        outcome: match &*told.outcome {
            VerificationVerdict::EQUAL => VerdictOutcome::Equal,
            VerificationVerdict::DIFFERENT => VerdictOutcome::Different(told.differences),
            _ => VerdictOutcome::Unfinished(told.reason.map_or_else(|| "It does not say why.".to_owned(), |reason| problem(&reason))),
        },
        rows: told.rows,
        offsets: told.offsets,
        whole_log: told.whole_log,
    }
}

/// A part that is down, and what an operator can do about it.
pub(super) fn down(name: &str, since: String, reason: &str) -> Part {
    let held = Some(reason).filter(|_| name == PIPELINE_PART).and_then(held_facts);
    Part {
        name: if held.is_some() { FLOOD_PART } else { name }.to_owned(),
        state: PartState::Down,
        since,
        reason: Some(match held {
            Some(facts) => format!("{facts}. {LET_PASS}"),
            None => problem(&reason),
        }),
    }
}

#[cfg(test)]
mod tests {
    use pipeline::heartbeat::{ConsumerState, Heartbeat, SeenConsumer};
    use pipeline::{LogId, PartitionState};
    use testkit::builders::{heartbeat, id};

    use super::*;

    #[test]
    fn a_consumer_is_this_one_or_another_and_its_lag_is_that_of_the_group() {
        let beat = heartbeat(id());
        let here = Here { instance: beat.instance, group: "group", topic: "events" };
        let seen = |heartbeat: Heartbeat| ConsumerView::from(SeenConsumer { heartbeat, age: Duration::from_millis(2500) });
        let shown = consumer(seen(beat.clone()), here, None);
        assert_eq!((shown.this, shown.elsewhere, shown.lag, shown.last_seen), (true, None, Some(4), Duration::from_secs(2)));
        assert_eq!(shown.partitions, [0, 1]);
        let state = PartitionState { first: 0, end: 12, committed: Some(5) };
        let log = LogState { id: LogId::UNKNOWN, partitions: [(0, state), (1, state), (2, state)].into() };
        assert_eq!(consumer(seen(beat.clone()), here, Some(&log)).lag, Some(14));
        let other = Here { instance: id(), group: "other", topic: "events" };
        let shown = consumer(seen(beat.clone()), other, Some(&log));
        assert_eq!((shown.this, shown.elsewhere.as_deref(), shown.lag), (false, Some("events, group group"), Some(4)));
        let mut more = beat;
        more.state = ConsumerState { more_partitions: 1, ..more.state };
        assert_eq!(consumer(seen(more), here, Some(&log)).lag, None);
    }

    #[test]
    fn what_a_verification_came_to_is_told_also_where_it_was_not_finished() {
        let of = |outcome: &str, reason: Option<&str>| {
            let (outcome, reason) = (outcome.to_owned(), reason.map(str::to_owned));
            verdict(VerificationVerdict { outcome, differences: 3, reason, ..VerificationVerdict::default() }).outcome
        };
        assert_eq!((of("equal", None), of("different", None)), (VerdictOutcome::Equal, VerdictOutcome::Different(3)));
        assert_eq!(of("unfinished", Some("it was stopped")), VerdictOutcome::Unfinished("It was stopped.".to_owned()));
        assert_eq!(of("of a later release", None), VerdictOutcome::Unfinished("It does not say why.".to_owned()));
    }

    #[test]
    fn a_flood_that_is_held_is_what_an_operator_can_let_pass() {
        let held =
            "7 records that cannot be written are held, more than DLQ_MAX_RATIO lets pass; most likely a producer's defect: type this";
        let part = down("pipeline", "then".to_owned(), held);
        assert_eq!(part.name, "flow");
        assert!(part.reason.is_some_and(|reason| reason.contains("let them pass") && !reason.contains("type this")));
        assert_eq!(down("kafka", "then".to_owned(), "it is away").reason.as_deref(), Some("It is away."));
    }
}
