//! The topic, the group, and who consumes.

use super::parts::is_topic_missing;
use super::{Kind, Problem, Severity, asked};
use crate::fleet::ConsumerView;
use crate::plural::{listed, plural};
use crate::reason::taken_apart;
use crate::status::{Known, Lag, Status};

/// What to look at where a consumer was expected to answer.
const WHERE_IT_LISTENS: &str = "METRICS_PORT (`standalone`: API_PORT) says where it listens";

pub(super) fn problems(status: &Status) -> Vec<Problem> {
    let lag = status.lag.as_ref().and_then(Known::answer);
    let mut problems = Vec::new();
    problems.extend(topic_missing(status));
    let in_another = lag.and_then(|lag| other_group(status, lag));
    match in_another {
        Some(problem) => problems.push(problem),
        None => problems.extend(who_consumes(status, lag)),
    }
    problems.extend(starting(status));
    problems.extend(lost(status));
    problems.extend(lag.and_then(no_owner));
    problems
}

fn topic_missing(status: &Status) -> Option<Problem> {
    let sentence = status.lag.as_ref().and_then(Known::problem).filter(|_| is_topic_missing(status))?;
    let (what, remedy) = taken_apart(sentence);
    Some(Problem {
        severity: Severity::Stopped,
        kind: Kind::TopicMissing,
        what,
        place: format!("topic {} (KAFKA_TOPIC)", status.topic),
        remedy: remedy.unwrap_or_default(),
        since: None,
    })
}

fn other_group(status: &Status, lag: &Lag) -> Option<Problem> {
    let other = status.process.answer.as_ref()?.group.as_ref().filter(|other| **other != lag.group)?;
    Some(Problem {
        severity: Severity::Wrong,
        kind: Kind::OtherGroup,
        what: format!("{} consumes in group {other}, and this command is set to group {}", asked(status), lag.group),
        place: format!("group {} (KAFKA_CONSUMER_GROUP), topic {}", lag.group, lag.topic),
        remedy: format!("set KAFKA_CONSUMER_GROUP={other} for this command, or correct that of the consumer"),
        since: None,
    })
}

/// Whether anybody consumes, as far as the brokers, the database and the process tell.
fn who_consumes(status: &Status, lag: Option<&Lag>) -> Option<Problem> {
    let address = status.process.address;
    let answers = status.process.answer.is_some();
    let alive = consumers(status).filter(|consumer| consumer.alive && lag.is_none_or(|lag| consumer.group == lag.group)).count() as u64;
    let members = lag.and_then(|lag| lag.members);
    if alive > 0 || members.is_some_and(|members| members > 0) {
        // Of a consumer that says that it is there, and of one that the brokers know, whichever are more.
        let others = alive.max(members.unwrap_or_default());
        return (!answers).then(|| Problem {
            severity: Severity::Wrong,
            kind: Kind::NotHere,
            what: format!(
                "nothing answers at http://{address}, while {others} consumer{} of the group {} elsewhere",
                plural(others),
                if others == 1 { "runs" } else { "run" }
            ),
            place: format!("http://{address}"),
            remedy: format!("ask the consumer that should run here for its log, or look at the right place: {WHERE_IT_LISTENS}"),
            since: None,
        });
    }
    let is_empty = members == Some(0);
    if answers && !is_empty {
        return None;
    }
    // Where there are no records either, a group that has committed nothing says nothing.
    let is_odd = lag.is_some_and(|lag| {
        !lag.partitions.iter().any(|partition| partition.committed) && lag.partitions.iter().any(|partition| partition.end > 0)
    });
    let behind: u64 = lag.iter().flat_map(|lag| &lag.partitions).map(|partition| partition.lag).sum();
    let waiting = if behind > 0 {
        format!(", and {behind} record{} wait{}", plural(behind), if behind == 1 { "s" } else { "" })
    } else {
        String::new()
    };
    let what = match (answers, is_empty) {
        (true, _) => format!("nobody consumes: the group has no members{waiting}"),
        (false, true) => format!("nobody consumes: nothing answers at http://{address}, the group has no members{waiting}"),
        (false, false) => format!("nothing answers at http://{address}: no consumer runs there, or it listens elsewhere"),
    };
    let place = lag.map_or_else(|| format!("http://{address}"), |lag| format!("group {}, topic {}", lag.group, lag.topic));
    let mut remedy = if answers {
        "look at the consumer's log: it runs and is not in the group".to_owned()
    } else {
        format!("start a consumer (`consumer` or `standalone`), or look at the log of the one that should run; {WHERE_IT_LISTENS}")
    };
    if is_odd {
        remedy += "; this group has never committed an offset: KAFKA_CONSUMER_GROUP may be a wrong name";
    }
    Some(Problem { severity: Severity::Stopped, kind: Kind::NobodyConsumes, what, place, remedy, since: None })
}

/// A process that has just begun, or that ends. Why another one is not ready is told part by part.
fn starting(status: &Status) -> Option<Problem> {
    let answer = status.process.answer.as_ref()?;
    let unasked = answer.parts.iter().filter(|(_, part)| part.state == "unknown");
    let is_held = answer.parts.values().any(|part| part.state == "down");
    let what = match answer.status.as_str() {
        "stopping" => format!("{} stops", asked(status)),
        "not ready" if !is_held => {
            let parts = listed(unasked.map(|(name, _)| name.replace('_', " ")));
            let parts = if parts.is_empty() { String::new() } else { format!(": it has not looked at {parts} yet") };
            format!("{} begins{parts}", asked(status))
        }
        _ => return None,
    };
    Some(Problem {
        severity: Severity::Notice,
        kind: Kind::Starting,
        what,
        place: format!("http://{}", status.process.address),
        remedy: "look again in a few seconds; if it lasts, its log says what it waits for".to_owned(),
        since: None,
    })
}

fn lost(status: &Status) -> Option<Problem> {
    let lost: Vec<_> = consumers(status).filter(|consumer| !consumer.alive).collect();
    let since = lost.iter().map(|consumer| consumer.last_seen_seconds).max()?;
    let since = status.at.plus_micros(-i64::try_from(since).ok()?.saturating_mul(1_000_000));
    let count = lost.len() as u64;
    let are =
        if count == 1 { "consumer is gone and has not said that it stops" } else { "consumers are gone and have not said that they stop" };
    Some(Problem {
        severity: Severity::Wrong,
        kind: Kind::ConsumerLost,
        what: format!("{count} {are}: ended by force, or cut off from the database"),
        place: listed(lost.iter().map(|consumer| consumer.name())),
        remedy: "look at its machine and its log, and start it again where it is missed; its partitions go to the others after its session timeout"
            .to_owned(),
        since: Some(since.to_string()),
    })
}

fn no_owner(lag: &Lag) -> Option<Problem> {
    lag.members.filter(|members| *members > 0)?;
    let orphans = lag.partitions.iter().filter(|partition| partition.lag > 0 && partition.owner.is_none());
    let orphans: Vec<_> = orphans.map(|partition| partition.partition.to_string()).collect();
    let count = orphans.len() as u64;
    (count > 0).then(|| Problem {
        severity: Severity::Wrong,
        kind: Kind::NoOwner,
        what: format!(
            "{count} partition{} with records {} to no member of the group",
            plural(count),
            if count == 1 { "belongs" } else { "belong" }
        ),
        place: format!("partition{} {} of topic {}, group {}", plural(count), listed(orphans), lag.topic, lag.group),
        remedy: "look again in a few seconds: the group may be sharing them anew; if it lasts, restart its members one after the other"
            .to_owned(),
        since: None,
    })
}

fn consumers(status: &Status) -> impl Iterator<Item = &ConsumerView> {
    status.consumers.as_ref().and_then(Known::answer).into_iter().flatten()
}

#[cfg(test)]
mod tests {
    use super::super::testing::{consumer, lag, only, part, silent, told, well};
    use super::*;

    /// Nobody says that it consumes.
    fn deserted() -> Status {
        let mut status = well();
        silent(&mut status);
        status.consumers = Some(Known::Yes(Vec::new()));
        lag(&mut status).members = Some(0);
        lag(&mut status).partitions.iter_mut().for_each(|partition| partition.owner = None);
        status
    }

    #[test]
    fn a_topic_that_is_missing_is_told_with_its_name_and_what_may_have_been_meant() {
        let mut status = well();
        status.topic = "evnets".to_owned();
        let problem =
            "Kafka at k:9092 has no topic evnets, or not for this user; correct KAFKA_TOPIC (similar: events), or create the topic";
        status.lag = Some(Known::No { problem: problem.to_owned(), about_topic: true });
        super::super::testing::away(
            &mut status,
            "kafka",
            "Kafka at k:9092 refuses, and a person must mend it: topic: there is none; correct it",
        );
        let problem = only(&status, Kind::TopicMissing);
        assert_eq!(problem.what, "Kafka at k:9092 has no topic evnets, or not for this user");
        assert_eq!(problem.place, "topic evnets (KAFKA_TOPIC)");
        assert_eq!(problem.remedy, "correct KAFKA_TOPIC (similar: events), or create the topic");
    }

    #[test]
    fn where_nobody_consumes_it_is_told_how_much_waits() {
        let mut status = deserted();
        lag(&mut status).partitions[1].lag = 7;
        let problem = only(&status, Kind::NobodyConsumes);
        assert_eq!(problem.severity, Severity::Stopped);
        assert_eq!(problem.what, "nobody consumes: nothing answers at http://127.0.0.1:9090, the group has no members, and 7 records wait");
        assert_eq!(problem.place, "group group, topic events");
        assert!(problem.remedy.starts_with("start a consumer"), "{problem:?}");
        lag(&mut status).partitions.iter_mut().for_each(|partition| partition.committed = false);
        assert!(only(&status, Kind::NobodyConsumes).remedy.ends_with("KAFKA_CONSUMER_GROUP may be a wrong name"));
        lag(&mut status).partitions.iter_mut().for_each(|partition| partition.end = 0);
        let remedy = only(&status, Kind::NobodyConsumes).remedy;
        assert!(!remedy.contains("KAFKA_CONSUMER_GROUP"), "there is nothing that it could have committed: {remedy}");
    }

    #[test]
    fn where_nobody_tells_it_is_as_far_as_is_known() {
        let mut status = deserted();
        (status.lag, status.consumers) = (None, None);
        let problem = only(&status, Kind::NobodyConsumes);
        assert_eq!(problem.what, "nothing answers at http://127.0.0.1:9090: no consumer runs there, or it listens elsewhere");
        assert_eq!(problem.place, "http://127.0.0.1:9090");
    }

    #[test]
    fn a_process_that_is_not_in_its_group_is_told() {
        let mut status = well();
        status.consumers = None;
        lag(&mut status).members = Some(0);
        let problem = only(&status, Kind::NobodyConsumes);
        assert!(problem.what.starts_with("nobody consumes: the group has no members"), "{problem:?}");
        assert!(problem.remedy.contains("is not in the group"), "{problem:?}");
    }

    #[test]
    fn where_others_consume_it_is_no_stop_that_none_runs_here() {
        let mut status = well();
        silent(&mut status);
        let problem = only(&status, Kind::NotHere);
        assert_eq!(problem.severity, Severity::Wrong);
        assert!(problem.what.contains("while 1 consumer of the group run"), "{problem:?}");
    }

    #[test]
    fn another_group_is_told_with_both_names() {
        let mut status = well();
        lag(&mut status).group = "other".to_owned();
        lag(&mut status).members = Some(0);
        let problem = only(&status, Kind::OtherGroup);
        assert!(problem.what.ends_with("consumes in group group, and this command is set to group other"), "{problem:?}");
        assert!(problem.remedy.starts_with("set KAFKA_CONSUMER_GROUP=group"), "{problem:?}");
    }

    #[test]
    fn a_consumer_that_is_lost_is_told_with_its_name_and_since_when() {
        let mut status = well();
        let Some(Known::Yes(all)) = &mut status.consumers else { panic!() };
        all.push(consumer(120));
        let problem = only(&status, Kind::ConsumerLost);
        assert_eq!((problem.place.as_str(), problem.since.as_deref()), ("host-a 4711", Some("2026-01-15T10:10:00Z")));
        assert!(problem.what.starts_with("1 consumer is gone"), "{problem:?}");
    }

    #[test]
    fn partitions_with_records_and_without_an_owner_are_told_by_their_numbers() {
        let mut status = well();
        for partition in &mut lag(&mut status).partitions {
            (partition.lag, partition.owner) = (3, None);
        }
        let problem = only(&status, Kind::NoOwner);
        assert_eq!(problem.place, "partitions 0 and 1 of topic events, group group");
        lag(&mut status).members = None;
        assert_eq!(told(&status), [], "nobody tells who owns them");
    }

    #[test]
    fn a_process_that_begins_has_nothing_wrong_with_it() {
        let mut status = well();
        let answer = status.process.answer.as_mut().unwrap();
        answer.status = "not ready".to_owned();
        answer.parts.insert("kafka".to_owned(), part("unknown", Some("not reached yet")));
        let problem = only(&status, Kind::Starting);
        assert_eq!(problem.what, "the consumer at http://127.0.0.1:9090 begins: it has not looked at kafka yet");
        assert_eq!(problem.severity, Severity::Notice);
    }
}
