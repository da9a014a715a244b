//! How far the group is, who is in it, and what holds it back.

use pipeline::{GroupMember, LogState, PartitionState};

use crate::plural::plural;
use crate::status::Process;
use check::Finding;

/// Assesses the lag; `members` is `None` where the brokers do not tell.
pub(crate) fn lag(group: &str, log: &LogState, members: Option<&[GroupMember]>) -> Finding {
    let (part, check) = ("Kafka", "lag");
    let lag: u64 = log.partitions.values().map(PartitionState::lag).sum();
    let found = format!("{lag} offset{} of {group} not consumed", plural(lag));
    match members {
        None => Finding::ok(part, check, found),
        Some([]) if lag > 0 => {
            Finding::warn(part, check, format!("{found}, and nobody is in the group"), "start a consumer, or check KAFKA_CONSUMER_GROUP")
        }
        Some([]) => Finding::ok(part, check, format!("{found}, nobody is in the group")),
        Some(members) => {
            let count = members.len() as u64;
            let idle = members.iter().filter(|member| member.partitions.is_empty()).count();
            let idle = if idle == 0 { String::new() } else { format!(", {idle} of them without a partition of this topic") };
            Finding::ok(part, check, format!("{found}, {count} member{}{idle}", plural(count)))
        }
    }
}

/// Assesses what the process on this machine says of itself, where one runs.
pub(crate) fn process(process: &Process) -> Vec<Finding> {
    let (part, check) = ("process", "consumer here");
    let at = process.address;
    let Some(answer) = &process.answer else {
        return vec![Finding::ok(part, check, format!("nothing answers at http://{at}: none runs, or it listens elsewhere"))];
    };
    if process.is_ready() {
        return vec![Finding::ok(part, check, format!("ready at http://{at}"))];
    }
    let advice = "see `status` for when that began; it goes on by itself once what is wrong is mended";
    let reasons = answer.parts.iter().filter_map(|(name, part)| Some(format!("{name}: {}", part.reason.as_ref()?)));
    let mut found: Vec<_> =
        reasons.map(|reason| Finding::warn(part, check, format!("{} at http://{at}: {reason}", answer.status), advice)).collect();
    if found.is_empty() {
        found.push(Finding::warn(part, check, format!("{} at http://{at}", answer.status), advice));
    }
    found
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use pipeline::LogId;

    use super::*;
    use crate::status::{Answer, Part};
    use check::State;

    fn found(finding: Finding) -> (State, String) {
        (finding.state, finding.found)
    }

    #[test]
    fn what_waits_is_told_with_who_would_consume_it() {
        let log = |committed| LogState {
            id: LogId::UNKNOWN,
            partitions: [(0, PartitionState { first: 0, end: 9, committed: Some(committed) })].into(),
        };
        let member =
            |partitions: &[i32]| GroupMember { id: "m".into(), host: "10.0.0.7".into(), partitions: partitions.iter().copied().collect() };
        let told = |committed, members: Option<&[GroupMember]>| found(lag("g", &log(committed), members));
        assert_eq!(told(8, None), (State::Ok, "1 offset of g not consumed".to_owned()));
        assert_eq!(told(8, Some(&[])), (State::Warn, "1 offset of g not consumed, and nobody is in the group".to_owned()));
        assert_eq!(told(9, Some(&[])), (State::Ok, "0 offsets of g not consumed, nobody is in the group".to_owned()));
        let two = [member(&[0]), member(&[])];
        assert_eq!(
            told(9, Some(&two)),
            (State::Ok, "0 offsets of g not consumed, 2 members, 1 of them without a partition of this topic".to_owned())
        );
    }

    #[test]
    fn what_holds_a_process_is_told_part_by_part() {
        let of = |status: &str, parts: BTreeMap<String, Part>| Process {
            address: "127.0.0.1:9090".parse().unwrap(),
            answer: Some(Answer { status: status.into(), parts, group: None, instance: None, log: None }),
            verification: None,
            events_per_second: None,
            ahead_of_clock: 0,
            event_time_lag: None,
            backlog: None,
        };
        let part = |reason: Option<&str>| Part { state: "x".into(), since: "y".into(), reason: reason.map(str::to_owned) };
        let parts = BTreeMap::from([("database".to_owned(), part(None)), ("pipeline".to_owned(), part(Some("it is held")))]);
        let told: Vec<_> = process(&of("not ready", parts)).into_iter().map(found).collect();
        assert_eq!(told, [(State::Warn, "not ready at http://127.0.0.1:9090: pipeline: it is held".to_owned())]);
        assert_eq!(process(&of("ready", BTreeMap::new()))[0].state, State::Ok);
        let nobody = Process { answer: None, ..of("ready", BTreeMap::new()) };
        assert!(process(&nobody)[0].found.starts_with("nothing answers at "));
    }
}
