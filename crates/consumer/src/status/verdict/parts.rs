//! Kafka, the database, the dead letter queue, and the tasks of a process: what is told of each, by whom, becomes one problem for each.

use std::collections::BTreeMap;

use pipeline::fault::Dependency;

use super::{Kind, Problem, Severity, asked};
use crate::fleet::ConsumerView;
use crate::monitor::PROGRESS_PART;
use crate::plural::listed;
use crate::processing::held_facts;
use crate::reason::taken_apart;
use crate::status::{Known, Status};
use crate::waiting::PIPELINE_PART;

/// The parts outside: how a sentence about one begins, and the settings that say where it is.
const DEPENDENCIES: [(Dependency, &str, &str); 3] = [
    (Dependency::Kafka, "Kafka", "KAFKA_BROKERS"),
    (Dependency::Database, "the database", "MSSQL_SERVER and MSSQL_PORT"),
    (Dependency::DeadLetterQueue, "the dead letter queue", "REDIS_HOST and REDIS_PORT"),
];
/// Where an embedded part is.
const FILE_SETTING: &str = "--data-dir";
/// What a sentence says about a part, after its name and its place.
const VERBS: [&str; 5] = [" cannot be ", " does not ", " refuses", " is busy", " has no "];

/// Somebody who has told that a part does not work.
struct Told<'a> {
    who: Who,
    reason: &'a str,
    since: Option<&'a str>,
}

/// Who that was. The process that was asked knows best: it does the work.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Who {
    Asked(String),
    Consumer(String),
    ThisCommand,
}

pub(super) fn problems(status: &Status) -> Vec<Problem> {
    gathered(status).into_iter().map(|(part, told)| problem(status, part, &told)).collect()
}

/// What is told of each part.
fn gathered(status: &Status) -> BTreeMap<&str, Vec<Told<'_>>> {
    let mut parts: BTreeMap<&str, Vec<Told<'_>>> = BTreeMap::new();
    let mut add = |part, who: &Who, reason, since| parts.entry(part).or_default().push(Told { who: who.clone(), reason, since });
    if let Some(answer) = &status.process.answer {
        let down = answer.parts.iter().filter(|(_, part)| part.state == "down");
        let down: Vec<_> =
            down.map(|(name, part)| (name.as_str(), part.reason.as_deref().unwrap_or_default(), part.since.as_str())).collect();
        let who = Who::Asked(asked(status));
        down.iter().for_each(|(name, reason, since)| add(meant(name, reason, &down), &who, reason, Some(since)));
    }
    for consumer in others(status) {
        let down: Vec<_> = consumer.down.iter().map(|down| (down.part.as_str(), down.reason.as_str(), down.since.as_str())).collect();
        let who = Who::Consumer(consumer.name());
        down.iter().for_each(|(name, reason, since)| add(meant(name, reason, &down), &who, reason, Some(since)));
    }
    let (kafka, database, queue) = (Dependency::Kafka.label(), Dependency::Database.label(), Dependency::DeadLetterQueue.label());
    let asked_here = [
        (kafka, problem_of(status.lag.as_ref()).filter(|_| !is_topic_missing(status))),
        (database, problem_of(status.parked.as_ref())),
        (database, problem_of(status.consumers.as_ref())),
        (queue, problem_of(status.dead_letters.as_ref())),
    ];
    for (part, problem) in asked_here {
        problem.into_iter().for_each(|problem| add(meant(part, problem, &[]), &Who::ThisCommand, problem, None));
    }
    if is_topic_missing(status) {
        // What Kafka refuses is that topic, which is a problem of its own.
        parts.remove(kafka);
    }
    parts
}

/// Consumers that are there, beside the process that was asked.
fn others(status: &Status) -> impl Iterator<Item = &ConsumerView> {
    let asked = status.process.answer.as_ref().and_then(|answer| answer.instance.as_deref());
    let consumers = status.consumers.as_ref().and_then(Known::answer).into_iter().flatten();
    consumers.filter(move |consumer| consumer.alive && asked != Some(consumer.instance.to_string().as_str()))
}

fn problem_of<T>(known: Option<&Known<T>>) -> Option<&str> {
    known.and_then(Known::problem)
}

pub(super) const fn is_topic_missing(status: &Status) -> bool {
    matches!(status.lag, Some(Known::No { about_topic: true, .. }))
}

/// The part that is meant, of all that are down: the write path waits for another one, and tasks that read the database speak of that.
fn meant<'a>(name: &'a str, reason: &str, down: &[(&'a str, &str, &str)]) -> &'a str {
    if held_facts(reason).is_some() {
        return name;
    }
    let of_another = down.iter().find(|(other, same, _)| name == PIPELINE_PART && *other != name && *same == reason);
    let named = DEPENDENCIES.iter().find(|(_, beginning, _)| reason.starts_with(beginning)).map(|(dependency, ..)| dependency.label());
    named.or(of_another.map(|(other, ..)| *other)).unwrap_or(name)
}

fn problem(status: &Status, part: &str, told: &[Told<'_>]) -> Problem {
    let mut who: Vec<_> = told.iter().map(|told| &told.who).collect();
    who.sort();
    who.dedup();
    // The oldest of those who know best: the write path may have found it later than the monitor, or the other way round.
    let best = told.iter().filter(|told| Some(&&told.who) == who.first()).min_by_key(|told| told.since);
    let (reason, since) = best.map_or(("", None), |best| (best.reason, best.since));
    let (what, remedy) = taken_apart(reason);
    let tellers = listed(who.iter().map(|who| who.name()));
    let severity = severity(status, part, who.first());
    let since = since.filter(|since| !since.is_empty()).map(str::to_owned);
    if let Some(facts) = held_facts(reason) {
        let remedy = remedy.unwrap_or_default();
        let place = format!("topic {}; DLQ_MAX_RATIO of {tellers}", status.topic);
        return Problem { severity, kind: Kind::Held, what: facts.to_owned(), place, remedy, since };
    }
    if part == PROGRESS_PART {
        let remedy = remedy.unwrap_or_default();
        let place = format!("topic {}, as {tellers} sees it", status.topic);
        return Problem { severity, kind: Kind::Stalled, what, place, remedy, since };
    }
    let Some((_, beginning, setting)) = DEPENDENCIES.iter().find(|(dependency, ..)| dependency.label() == part) else {
        let what = format!("{part} does not work: {what}");
        let remedy = remedy.unwrap_or_else(|| "its log says more; a restart of that process begins anew".to_owned());
        return Problem { severity, kind: Kind::Process, what, place: tellers, remedy, since };
    };
    let at = place(&what, beginning);
    let setting = if at.is_some_and(|at| at.starts_with("in ")) { FILE_SETTING } else { setting };
    let place = at.map_or_else(|| format!("{setting}; seen by {tellers}"), |at| format!("{at} ({setting}); seen by {tellers}"));
    let mut remedy = remedy.unwrap_or_else(|| format!("look whether it runs and can be reached, or correct {setting}"));
    if severity == Severity::Stopped && status.process.answer.is_some() {
        // A process reads its settings once.
        let restart = if names_setting(&remedy) { ", with another setting after a restart" } else { "" };
        remedy += &format!("; the consumer goes on by itself{restart}");
    }
    let elsewhere = if who.iter().all(|who| **who == Who::ThisCommand) && is_up_there(status, part) {
        remedy = format!("compare {setting} of this command with that of the consumer; {remedy}");
        ", although the consumer can use it"
    } else {
        ""
    };
    Problem { severity, kind: Kind::Part, what: format!("{what}{elsewhere}"), place, remedy, since }
}

/// Whether it may be a setting that has to be changed.
fn names_setting(remedy: &str) -> bool {
    let is_variable = |word: &str| word.contains('_') && word.chars().all(|character| character.is_ascii_uppercase() || character == '_');
    remedy.split(|character: char| !(character.is_ascii_alphanumeric() || character == '_')).any(is_variable) || remedy.contains(" --")
}

/// `at db.example.com:1433`, where the sentence says it after the part's name.
fn place<'a>(what: &'a str, beginning: &str) -> Option<&'a str> {
    let after = what.strip_prefix(beginning)?.strip_prefix(' ')?;
    let end = VERBS.iter().filter_map(|verb| after.find(verb)).min()?;
    let place = &after[..end];
    (place.starts_with("at ") || place.starts_with("in ")).then_some(place)
}

/// What the process that was asked says is what holds it. Where that can use the part, others alone are concerned.
fn severity(status: &Status, part: &str, best: Option<&&Who>) -> Severity {
    match best {
        Some(Who::Asked(_)) => Severity::Stopped,
        _ if is_up_there(status, part) => Severity::Wrong,
        _ => Severity::Stopped,
    }
}

/// Whether the process that was asked can use it.
fn is_up_there(status: &Status, part: &str) -> bool {
    status.process.answer.as_ref().and_then(|answer| answer.parts.get(part)).is_some_and(|part| part.state == "up")
}

impl Who {
    fn name(&self) -> String {
        match self {
            Self::Asked(name) => name.clone(),
            Self::Consumer(name) => format!("consumer {name}"),
            Self::ThisCommand => "this command".to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use pipeline::fault::{Fault, FaultClass, REFUSED, UNKNOWN_HOST};
    use pipeline::heartbeat::DownPart;

    use super::super::testing::{SINCE, away, consumer, only, silent, told, well};
    use super::*;
    use crate::reason::{reason, told as told_here};

    fn fault(dependency: Dependency, subject: &'static str) -> Fault {
        Fault { dependency, class: FaultClass::Unavailable { timed_out: false }, code: None, subject }
    }

    #[test]
    fn a_part_that_is_away_is_one_problem_whoever_tells_of_it() {
        let mut status = well();
        let refused = fault(Dependency::Database, REFUSED);
        away(&mut status, "database", &reason(&refused));
        away(&mut status, "pipeline", &reason(&refused));
        away(&mut status, "read_store", &refused.to_string());
        status.parked = Some(Known::not(told_here(&refused)));
        status.consumers = Some(Known::not(told_here(&refused)));
        let problem = only(&status, Kind::Part);
        assert_eq!(problem.severity, Severity::Stopped);
        assert_eq!(
            problem.what,
            "the database cannot be reached: connection refused: nothing listens at this address, or a firewall refuses"
        );
        assert_eq!(problem.place, "MSSQL_SERVER and MSSQL_PORT; seen by the consumer at http://127.0.0.1:9090 and this command");
        assert!(
            problem.remedy.starts_with("look whether it runs")
                && problem.remedy.ends_with("the consumer goes on by itself, with another setting after a restart"),
            "{problem:?}"
        );
        assert_eq!(problem.since.as_deref(), Some(SINCE));
    }

    #[test]
    fn each_part_that_this_command_cannot_reach_is_told_with_its_place_and_setting() {
        for (part, sentence, place, remedy) in [
            (
                Dependency::Kafka,
                "Kafka at k1:9092,k2:9092 cannot be reached: unknown host: the name has no address here, check its spelling and DNS",
                "at k1:9092,k2:9092 (KAFKA_BROKERS)",
                "check its spelling and DNS",
            ),
            (
                Dependency::Database,
                "the database at db:1433 does not answer in time (ping)",
                "at db:1433 (MSSQL_SERVER and MSSQL_PORT)",
                "look whether it runs",
            ),
            (
                Dependency::DeadLetterQueue,
                "the dead letter queue at r:6379 refuses: login: check REDIS_PASSWORD",
                "at r:6379 (REDIS_HOST and REDIS_PORT)",
                "check REDIS_PASSWORD",
            ),
            (
                Dependency::Database,
                "the database in /data/my events.db refuses: disk: there is no room left",
                "in /data/my events.db (--data-dir)",
                "look whether it runs and can be reached, or correct --data-dir",
            ),
        ] {
            let mut status = well();
            silent(&mut status);
            match part {
                Dependency::Kafka => status.lag = Some(Known::not(sentence)),
                Dependency::Database => status.parked = Some(Known::not(sentence)),
                Dependency::DeadLetterQueue => status.dead_letters = Some(Known::not(sentence)),
            }
            let problem = told(&status).into_iter().find(|problem| problem.kind == Kind::Part).unwrap();
            assert_eq!(problem.severity, Severity::Stopped);
            assert_eq!(problem.place, format!("{place}; seen by this command"));
            assert!(problem.remedy.starts_with(remedy), "{problem:?}");
        }
    }

    #[test]
    fn what_only_this_command_cannot_reach_is_most_likely_its_own_setting() {
        let mut status = well();
        status.dead_letters = Some(Known::not(told_here(&fault(Dependency::DeadLetterQueue, UNKNOWN_HOST))));
        let problem = only(&status, Kind::Part);
        assert_eq!(problem.severity, Severity::Wrong);
        assert!(problem.what.ends_with("although the consumer can use it"), "{problem:?}");
        assert!(problem.remedy.starts_with("compare REDIS_HOST and REDIS_PORT of this command"), "{problem:?}");
    }

    #[test]
    fn a_queue_that_answers_and_refuses_writes_is_told_with_what_to_do() {
        let mut status = well();
        let full = Fault {
            class: FaultClass::Operator,
            subject: "OOM: Redis has no memory left for a dead letter; raise its maxmemory",
            ..fault(Dependency::DeadLetterQueue, "")
        };
        away(&mut status, "pipeline", &reason(&full));
        let problem = only(&status, Kind::Part);
        assert_eq!(problem.what, "the dead letter queue refuses: OOM: Redis has no memory left for a dead letter");
        assert_eq!(problem.remedy, "raise its maxmemory; the consumer goes on by itself");
    }

    #[test]
    fn a_schema_that_is_too_old_says_who_migrates() {
        let mut status = well();
        let old = "the schema is at version 1, this program needs version 3: run `consumer migrate`";
        away(&mut status, "database", old);
        away(&mut status, "pipeline", old);
        let problem = only(&status, Kind::Part);
        assert!(
            problem.what.ends_with("this program needs version 3") && problem.remedy.starts_with("run `consumer migrate`"),
            "{problem:?}"
        );
    }

    #[test]
    fn records_that_are_held_are_told_with_their_facts_and_what_to_type() {
        let mut status = well();
        let held = "7 records that cannot be written are held, more than DLQ_MAX_RATIO lets pass: 97 % are not_json:unknown:, in partitions \
                    0, 3; most likely a producer's defect: look at them with `consumer peek`";
        away(&mut status, "pipeline", held);
        let problem = only(&status, Kind::Held);
        assert!(problem.what.starts_with("7 records that") && problem.what.ends_with("in partitions 0, 3"), "{problem:?}");
        assert_eq!(problem.remedy, "most likely a producer's defect: look at them with `consumer peek`");
        assert_eq!(problem.place, "topic events; DLQ_MAX_RATIO of the consumer at http://127.0.0.1:9090");
    }

    #[test]
    fn a_partition_that_stands_still_is_told_with_its_number() {
        let mut status = well();
        away(
            &mut status,
            "progress",
            "partition 3 stands at offset 9 for 5m although its lag is 7: a transaction may be open; a restart helps",
        );
        let problem = only(&status, Kind::Stalled);
        assert!(problem.what.starts_with("partition 3 stands at offset 9") && problem.remedy == "a restart helps", "{problem:?}");
    }

    #[test]
    fn a_task_that_has_ended_is_told_by_its_name() {
        let mut status = well();
        away(&mut status, "monitor", "has panicked");
        let problem = only(&status, Kind::Process);
        assert_eq!(
            (problem.what.as_str(), problem.place.as_str()),
            ("monitor does not work: has panicked", "the consumer at http://127.0.0.1:9090")
        );
    }

    #[test]
    fn what_another_consumer_lacks_is_told_with_its_name_and_the_own_one_counts_once() {
        let mut status = well();
        let mut other = consumer(1);
        other.host = "host-b".to_owned();
        other.down = vec![DownPart { part: "kafka".to_owned(), since: String::new(), reason: "Kafka does not answer in time".to_owned() }];
        let own = status.process.answer.as_ref().and_then(|answer| answer.instance.clone()).unwrap();
        let mut this = consumer(1);
        (this.instance, this.down) = (own.parse().unwrap(), other.down.clone());
        status.consumers = Some(Known::Yes(vec![this, other]));
        let problem = only(&status, Kind::Part);
        assert_eq!(problem.severity, Severity::Wrong);
        assert_eq!(problem.place, "KAFKA_BROKERS; seen by consumer host-b 4711");
        assert_eq!(problem.since, None, "it does not tell");
    }
}
