//! How the log, the group's offsets and the tables stand to each other: what a consumer would find at its start.

use pipeline::start::{Finding as Found, start};
use pipeline::{LogPosition, LogState};

use check::Finding;

use crate::plural::plural;

const PART: &str = "log";
const CHECK: &str = "positions";

/// Assesses, partition by partition, where a consumer would begin. `known` holds the tables' positions of every log of this topic.
pub(crate) fn positions(topic: &str, log: &LogState, known: &[LogPosition]) -> Vec<Finding> {
    if known.is_empty() {
        return vec![Finding::ok(PART, CHECK, format!("the tables hold nothing of {topic} yet"))];
    }
    let mut findings: Vec<_> = log.partitions.keys().flat_map(|partition| partition_findings(*partition, log, known)).collect();
    if findings.is_empty() {
        let (mut held, mut behind) = (0, 0);
        for (partition, state) in &log.partitions {
            let position = LogPosition::find(known, log.id, *partition).unwrap_or(state.first);
            held += position;
            behind += state.end.saturating_sub(position).max(0);
        }
        findings.push(Finding::ok(PART, CHECK, format!("the tables hold {topic} up to {held} offsets, {behind} before its end")));
    }
    findings
}

/// What is not as it should be.
fn partition_findings(partition: i32, log: &LogState, known: &[LogPosition]) -> Vec<Finding> {
    let begins = start(partition, log, known);
    let offset = begins.offset;
    let mut findings = Vec::new();
    let mut warn = |found: String, advice: &str| findings.push(Finding::warn(PART, CHECK, found, advice));
    match begins.finding {
        // A consumer that runs commits after the tables have it.
        Found::Continues | Found::Behind { .. } => {}
        Found::AnotherLog { known } => warn(
            format!(
                "partition {partition}: the tables know another log of this topic ({known}), this one ({}) is read from offset {offset}",
                log.id
            ),
            "nothing, if the topic was created anew or moved to another cluster; otherwise check KAFKA_BROKERS and the database's name",
        ),
        Found::Ahead { offsets } => warn(
            format!(
                "partition {partition}: the group's offset is {offsets} ahead of the tables: reading begins at {offset}, nothing is skipped"
            ),
            "nothing; to skip records on purpose, start with tables that hold none of this log",
        ),
        Found::Cut { offsets } => warn(
            format!(
                "partition {partition}: the log ends {offsets} offset{} before what was consumed of it: it is read from offset {offset}",
                plural(offsets)
            ),
            "find out what cut the log: an unclean leader election, or a cluster that was restored from a backup",
        ),
    }
    if begins.gap > 0 {
        findings.push(Finding::fail(
            PART,
            "gap",
            format!(
                "partition {partition}: {} record{} deleted by retention before {} consumed",
                begins.gap,
                if begins.gap == 1 { " was" } else { "s were" },
                if begins.gap == 1 { "it was" } else { "they were" }
            ),
            "raise retention.ms; bring the records back from their producer: they are in neither the log nor the tables",
        ));
    }
    findings
}

#[cfg(test)]
mod tests {
    use pipeline::{LogId, PartitionState};
    use uuid::Uuid;

    use super::*;
    use check::State;

    const THIS: LogId = LogId(Uuid::from_u128(1));
    const OTHER: LogId = LogId(Uuid::from_u128(2));

    fn found(first: i64, end: i64, committed: i64, known: &[(LogId, i64)]) -> Vec<(&'static str, State, String)> {
        let state = PartitionState { first, end, committed: Some(committed) };
        let log = LogState { id: THIS, partitions: [(0, state)].into() };
        let position =
            |(log, next_offset): &(LogId, i64)| LogPosition { log: *log, topic: "events".into(), partition: 0, next_offset: *next_offset };
        let findings = positions("events", &log, &known.iter().map(position).collect::<Vec<_>>());
        findings.into_iter().map(|finding| (finding.check, finding.state, finding.found)).collect()
    }

    #[test]
    fn each_way_in_which_log_group_and_tables_disagree_is_told() {
        let only = |found: Vec<(&'static str, State, String)>| {
            let [(check, state, text)] = found.try_into().expect("one finding");
            (check, state, text)
        };
        let (_, state, text) = only(found(0, 90, 40, &[]));
        assert_eq!((state, text.as_str()), (State::Ok, "the tables hold nothing of events yet"));
        for committed in [40, 30] {
            let (_, state, text) = only(found(0, 90, committed, &[(THIS, 40)]));
            assert_eq!((state, text.as_str()), (State::Ok, "the tables hold events up to 40 offsets, 50 before its end"));
        }
        let warned = [
            (found(0, 90, 40, &[(OTHER, 40)]), "another log"),
            (found(0, 90, 70, &[(THIS, 40)]), "30 ahead of the tables"),
            (found(0, 20, 40, &[(THIS, 40)]), "ends 20 offsets before"),
        ];
        for (found, words) in warned {
            let (check, state, text) = only(found);
            assert_eq!((check, state), (CHECK, State::Warn), "{text}");
            assert!(text.contains(words), "{text}");
        }
        let (check, state, text) = only(found(47, 90, 40, &[(THIS, 40)]));
        assert_eq!((check, state), ("gap", State::Fail));
        assert!(text.contains("7 records were deleted"), "{text}");
    }
}
