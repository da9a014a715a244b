//! The consumers of the database, as the flow and the health of this process show them, and who of them reads which partition.

use std::time::{Duration, SystemTime};

use super::held::Records;
use crate::port::{Consumer, Flow, Held, Known, Part, Reader, Refused};
use crate::words::{When, capital, list, per_second, spaced, span, thousands};

/// Who has said nothing for longer than this has missed a heartbeat.
const SILENT: Duration = Duration::from_secs(5);

/// A consumer as a row.
pub(super) struct ConsumerRow {
    pub host: String,
    pub process_id: u32,
    pub this: bool,
    /// Which topic it reads in which group, where not those of this process.
    pub elsewhere: Option<String>,
    /// The class of a badge, and what stands in it.
    pub state: (&'static str, String),
    pub partitions: String,
    pub lag: String,
    pub rate: String,
    pub last_commit: Option<When>,
    pub version: String,
    pub started: When,
    pub seen: String,
}

impl ConsumerRow {
    fn of(consumer: &Consumer, now: SystemTime) -> Self {
        let numbers = ranges(&consumer.partitions, consumer.more_partitions);
        Self {
            host: consumer.host.clone(),
            process_id: consumer.process_id,
            this: consumer.this,
            elsewhere: consumer.elsewhere.clone(),
            state: state(consumer),
            partitions: match (consumer.alive, consumer.partitions.is_empty()) {
                (_, true) => "none".to_owned(),
                (true, false) => numbers,
                (false, false) => format!("had {numbers}"),
            },
            lag: consumer.lag.filter(|_| consumer.alive).map_or_else(|| "–".to_owned(), thousands),
            rate: if consumer.alive { per_second(consumer.events_per_second as f64) } else { "–".to_owned() },
            last_commit: consumer.last_commit.as_ref().map(|at| When::of(at, now)),
            version: consumer.version.clone(),
            started: When::of(&consumer.started_at, now),
            seen: if consumer.last_seen < SILENT { "now".to_owned() } else { format!("{} ago", span(consumer.last_seen)) },
        }
    }
}

/// All of them as rows.
pub(super) fn rows(consumers: &Known<Vec<Consumer>>, now: SystemTime) -> Known<Vec<ConsumerRow>> {
    consumers.as_ref().map(|all| all.iter().map(|consumer| ConsumerRow::of(consumer, now)).collect()).map_err(Clone::clone)
}

fn state(consumer: &Consumer) -> (&'static str, String) {
    let held = consumer.down.iter().any(|part| part.name == "flow");
    match consumer.status.as_str() {
        _ if !consumer.alive => ("bad", "lost".to_owned()),
        _ if consumer.last_seen >= SILENT => ("warn", "silent".to_owned()),
        "ready" => ("good", "ready".to_owned()),
        "stopping" => ("warn", "stopping".to_owned()),
        _ if held => ("bad", "held".to_owned()),
        other => ("bad", other.to_owned()),
    }
}

/// A part that does not work.
pub(super) struct Down {
    pub name: String,
    /// Where, unless it is here alone: half a sentence.
    pub place: String,
    pub reason: String,
    pub since: When,
    /// Where it is down because a flood of unwritable records is held, which can be let pass from here: some of them, or why they are not known.
    pub flood: Option<Known<Records>>,
}

/// What does not work, here and in other consumers; the same for the same reason is told once. Where records are held, it is asked which.
pub(super) fn down(flow: &Flow, now: SystemTime, held: impl Fn() -> Result<Held, Refused>) -> Vec<Down> {
    struct Told<'a> {
        part: &'a Part,
        here: bool,
        others: Vec<String>,
    }
    let mut told: Vec<Told<'_>> =
        flow.here.parts.iter().filter(|part| part.is_down()).map(|part| Told { part, here: true, others: vec![] }).collect();
    for consumer in flow.consumers.iter().flatten().filter(|consumer| consumer.alive && !consumer.this) {
        for part in &consumer.down {
            match told.iter_mut().find(|told| (&told.part.name, &told.part.reason) == (&part.name, &part.reason)) {
                Some(told) => told.others.push(named(consumer)),
                None => told.push(Told { part, here: false, others: vec![named(consumer)] }),
            }
        }
    }
    // What is let pass is let pass everywhere: one form is enough.
    let form = told.iter().position(|told| told.part.name == "flow");
    let told = told.into_iter().enumerate().map(|(number, Told { part, here, others })| Down {
        name: capital(&spaced(&part.name)),
        place: match (here, others.is_empty()) {
            (_, true) => String::new(),
            (true, false) => format!(" here and at {}", list(&others, "and")),
            (false, false) => format!(" at {}", list(&others, "and")),
        },
        reason: part.reason.clone().unwrap_or_else(|| "It has not been reached yet.".to_owned()),
        since: When::of(&part.since, now),
        flood: (form == Some(number)).then(|| Records::samples(held(), now)),
    });
    told.collect()
}

/// Sentences about consumers that are gone without having said so, and whose partitions nobody reads yet.
pub(super) fn lost(flow: &Flow) -> Vec<String> {
    let owns = |partition: i32| {
        let ours = flow.partitions.iter().flatten().any(|known| known.number == partition && known.ours);
        !matches!(flow.reader(partition, ours), Reader::Nobody)
    };
    let gone = flow.consumers.iter().flatten().filter(|consumer| !consumer.alive && consumer.elsewhere.is_none());
    let told = gone.filter_map(|consumer| {
        let left: Vec<i32> = consumer.partitions.iter().copied().filter(|partition| !owns(*partition)).collect();
        let (noun, verb) = if left.len() == 1 { ("Partition", "goes") } else { ("Partitions", "go") };
        (!left.is_empty()).then(|| {
            format!(
                "{} was last seen {} ago and has not said that it stops. {noun} {} {verb} to the others as soon as the group notices, after its \
                 session timeout at the latest; nothing is lost.",
                named(consumer),
                span(consumer.last_seen),
                ranges(&left, 0)
            )
        })
    });
    told.collect()
}

fn named(consumer: &Consumer) -> String {
    format!("{} (process {})", consumer.host, consumer.process_id)
}

/// Numbers as people write them: `0–2, 5, 7`.
fn ranges(numbers: &[i32], more: u64) -> String {
    let mut numbers = numbers.to_vec();
    numbers.sort_unstable();
    let mut runs: Vec<(i32, i32)> = Vec::new();
    for number in numbers {
        match runs.last_mut() {
            Some((_, last)) if i64::from(number) <= i64::from(*last) + 1 => *last = number,
            _ => runs.push((number, number)),
        }
    }
    let texts = runs.into_iter().map(|(first, last)| match last.abs_diff(first) {
        0 => first.to_string(),
        1 => format!("{first}, {last}"),
        _ => format!("{first}–{last}"),
    });
    let text = texts.collect::<Vec<_>>().join(", ");
    if more > 0 {
        return format!("{text} and {} more", thousands(more));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::port::{Here, PartState, Partition};

    fn consumer(host: &str, partitions: &[i32]) -> Consumer {
        Consumer {
            host: host.to_owned(),
            process_id: 7,
            version: "0.1.0".to_owned(),
            this: false,
            elsewhere: None,
            started_at: "2026-01-15T10:00:00Z".to_owned(),
            last_seen: Duration::from_secs(1),
            alive: true,
            status: "ready".to_owned(),
            partitions: partitions.to_vec(),
            more_partitions: 0,
            lag: Some(12),
            down: Vec::new(),
            events_per_second: 3,
            last_commit: None,
            verification: None,
        }
    }

    fn flow(consumers: Vec<Consumer>) -> Flow {
        let partition = |number| Partition { number, end: 9, next: 0, lag: 9, ours: number == 0 };
        Flow {
            at: String::new(),
            topic: String::new(),
            group: String::new(),
            here: Here::default(),
            partitions: Ok((0..6).map(partition).collect()),
            consumers: Ok(consumers),
            parked: Ok((0, None)),
            dead_letters: Ok(0),
            claimed: 0,
            verification: None,
        }
    }

    fn part(name: &str, reason: &str) -> Part {
        Part { name: name.to_owned(), state: PartState::Down, since: "2026-01-15T10:00:00Z".to_owned(), reason: Some(reason.to_owned()) }
    }

    #[test]
    fn numbers_that_follow_each_other_are_told_together() {
        assert_eq!(ranges(&[7, 0, 1, 2, 5], 0), "0–2, 5, 7");
        assert_eq!(ranges(&[4, 3], 1_200), "3, 4 and 1,200 more");
        assert_eq!(ranges(&[i32::MAX, i32::MIN], 0), "-2147483648, 2147483647");
    }

    #[test]
    fn a_partition_is_read_by_who_says_so_and_was_heard_of_last() {
        let mut flow = flow(vec![
            Consumer { last_seen: Duration::from_secs(3), ..consumer("before", &[1, 2]) },
            consumer("after", &[2]),
            Consumer { alive: false, ..consumer("gone", &[3]) },
            Consumer { elsewhere: Some("other".to_owned()), ..consumer("elsewhere", &[4]) },
        ]);
        let read_by = |flow: &Flow, partition| match flow.reader(partition, partition == 0) {
            Reader::This => "this".to_owned(),
            Reader::Other(host, _) => host,
            Reader::Unknown => "unknown".to_owned(),
            Reader::Nobody => "nobody".to_owned(),
        };
        assert_eq!((0..5).map(|partition| read_by(&flow, partition)).collect::<Vec<_>>(), ["this", "before", "after", "nobody", "nobody"]);
        flow.consumers.as_mut().unwrap()[1].more_partitions = 1;
        assert_eq!(read_by(&flow, 3), "unknown");
        flow.consumers = Err("away".to_owned());
        assert_eq!([read_by(&flow, 0), read_by(&flow, 1)], ["this", "unknown"]);
    }

    #[test]
    fn who_is_gone_is_told_until_others_read_its_partitions() {
        let gone = Consumer { alive: false, last_seen: Duration::from_secs(12), ..consumer("b", &[0, 2, 3]) };
        let told = lost(&flow(vec![consumer("a", &[1]), gone.clone()]));
        assert_eq!(told.len(), 1);
        assert!(
            told[0].starts_with("b (process 7) was last seen 12 s ago") && told[0].contains("Partitions 2, 3 go to the others"),
            "{told:?}"
        );
        assert_eq!(lost(&flow(vec![consumer("a", &[1, 2, 3]), gone])), Vec::<String>::new());
    }

    #[test]
    fn what_is_down_for_one_reason_is_told_once_with_all_places() {
        let mut flow = flow(vec![
            Consumer { this: true, down: vec![part("kafka", "away")], ..consumer("here", &[0]) },
            Consumer { down: vec![part("kafka", "away"), part("flow", "held")], ..consumer("b", &[1]) },
            Consumer { down: vec![part("flow", "held otherwise")], ..consumer("c", &[2]) },
            Consumer { alive: false, down: vec![part("flow", "was held")], ..consumer("gone", &[3]) },
        ]);
        flow.here.parts = vec![part("kafka", "away"), Part { state: PartState::Up, ..part("database", "") }];
        let down = down(&flow, SystemTime::now(), || Ok(Held::default()));
        let told: Vec<_> = down.iter().map(|down| (format!("{}{}", down.name, down.place), down.flood.is_some())).collect();
        let expected = [("Kafka here and at b (process 7)", false), ("Flow at b (process 7)", true), ("Flow at c (process 7)", false)];
        assert_eq!(told, expected.map(|(text, flood)| (text.to_owned(), flood)));
    }

    #[test]
    fn a_state_says_at_once_that_a_heartbeat_did_not_come() {
        let with = |seconds, alive, status: &str| {
            let seen = Consumer { last_seen: Duration::from_secs(seconds), alive, status: status.to_owned(), ..consumer("a", &[]) };
            state(&seen).1
        };
        assert_eq!([with(1, true, "ready"), with(5, true, "ready"), with(11, false, "ready")], ["ready", "silent", "lost"]);
        assert_eq!([with(1, true, "not ready"), with(1, true, "stopping")], ["not ready", "stopping"]);
        assert_eq!(state(&Consumer { status: "not ready".to_owned(), down: vec![part("flow", "held")], ..consumer("a", &[]) }).1, "held");
    }
}
