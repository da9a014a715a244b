//! A [`Status`] for people: within 80 columns, but for what cannot be shortened.

use std::fmt::{self, Display, Formatter};
use std::time::Duration;

use events::Timestamp;

use super::consumers;
use super::dead_letters::remedy;
use super::{Change, EventTimeLag, Group, Known, Lag, MissingParent, Parked, PartitionLag, Process, Status, Verification};
use crate::dlq::printable::printable;
use crate::dlq::stats::and_claimed;
use crate::parked::waited;
use crate::verify::last::found;

/// Groups of dead letters that are shown.
const GROUPS: usize = 20;

impl Display for Status {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        process(f, &self.process)?;
        writeln!(f)?;
        section(f, "lag", "not known: the process does not tell it; set KAFKA_BROKERS to ask Kafka", self.lag.as_ref(), |f, known| {
            lag(f, known, &self.process)
        })?;
        // Where the tables are away, what is parked says so.
        if let Some(Known::Yes(all)) = &self.consumers {
            write!(f, "{:<13} ", "consumers")?;
            consumers::show(f, all, self.at)?;
        }
        section(f, "parked", "not known: name the tables with MSSQL_SERVER or --data-dir", self.parked.as_ref(), |f, known| {
            parked(f, known, self.at)
        })?;
        section(f, "dead letters", "not known: name the queue with REDIS_HOST or --data-dir", self.dead_letters.as_ref(), |f, known| {
            dead_letters(f, known, self.claimed)
        })?;
        self.process.verification.map_or(Ok(()), |verification| writeln!(f, "{:<13} {}", "verified", verification.verdict(self.at)))?;
        match &self.changes {
            Some(Known::Yes(changes)) if !changes.is_empty() => show_changes(f, changes),
            // Where the tables are away, what is parked has said so.
            Some(Known::No { problem }) if !matches!(self.parked, Some(Known::No { .. })) => {
                writeln!(f, "{:<13} not known: {problem}", "changes")
            }
            Some(_) | None => Ok(()),
        }
    }
}

fn process(f: &mut Formatter<'_>, Process { address, answer, ahead_of_clock, event_time_lag, .. }: &Process) -> fmt::Result {
    let Some(answer) = answer else {
        return writeln!(f, "consumer      nothing answers at http://{address}: it does not run, or it listens elsewhere");
    };
    writeln!(f, "consumer      {} at http://{address}", answer.status)?;
    for (name, part) in &answer.parts {
        writeln!(f, "  {:<18} {:<7} since {}", printable(name), printable(&part.state), printable(&seconds(&part.since)))?;
        if let Some(reason) = &part.reason {
            writeln!(f, "    {}", printable(reason))?;
        }
    }
    let lost = answer.log.as_ref().map_or(0, |log| log.lost);
    if lost > 0 {
        writeln!(f, "  lost: the topic's retention has deleted {lost} offsets before they were consumed; raise it, and catch up")?;
    }
    if let Some(EventTimeLag { half_within_ms, most_within_ms }) = event_time_lag {
        let [half, most] = [half_within_ms, most_within_ms].map(|within| within.map_or_else(|| "more than a week".to_owned(), within_ms));
        writeln!(f, "  in the tables, since it started: half of the events {half} after their own time, 99 of 100 {most}")?;
    }
    if *ahead_of_clock > 0 {
        let events = if *ahead_of_clock == 1 { "1 event was" } else { &format!("{ahead_of_clock} events were") };
        writeln!(f, "  clocks: {events} dated in the future; a warning in its log names one: set the clock of its producer")?;
    }
    Ok(())
}

fn within_ms(millis: u64) -> String {
    format!("up to {}", settings::span::format(Duration::from_millis(millis)))
}

fn section<T>(
    f: &mut Formatter<'_>,
    title: &str,
    unasked: &str,
    known: Option<&Known<T>>,
    show: impl FnOnce(&mut Formatter<'_>, &T) -> fmt::Result,
) -> fmt::Result {
    write!(f, "{title:<13} ")?;
    match known {
        None => writeln!(f, "{unasked}"),
        Some(Known::No { problem }) => writeln!(f, "not known: {problem}"),
        Some(Known::Yes(known)) => show(f, known),
    }
}

fn lag(f: &mut Formatter<'_>, Lag { topic, group, members, partitions }: &Lag, process: &Process) -> fmt::Result {
    let all: u64 = partitions.iter().map(|partition| partition.lag).sum();
    write!(f, "{all} of topic {topic}, group {group}")?;
    match members {
        None => writeln!(f)?,
        Some(0) if all > 0 => {
            writeln!(f, ": nobody is in it\n  nobody consumes: start a consumer, or look at its log where it should run")?;
        }
        Some(0) => writeln!(f, ": nobody is in it")?,
        Some(1) => writeln!(f, ": 1 member")?,
        Some(members) => writeln!(f, ": {members} members")?,
    }
    match process.events_per_second {
        Some(rate) if rate > 0 && all > 0 => {
            let left = settings::span::format(Duration::from_secs(all.div_ceil(rate)));
            writeln!(f, "  {rate} events per second in this process: alone it would need {left} for what is there")?;
        }
        Some(rate) => writeln!(f, "  {rate} events per second in this process")?,
        None => {}
    }
    if let Some(other) = process.answer.as_ref().and_then(|answer| answer.group.as_ref()).filter(|other| *other != group) {
        writeln!(f, "  the process above consumes in another group: KAFKA_CONSUMER_GROUP={}", printable(other))?;
    } else if !partitions.iter().any(|partition| partition.committed) && partitions.iter().any(|partition| partition.end > 0) {
        writeln!(f, "  this group has committed nothing yet: it has not begun, or KAFKA_CONSUMER_GROUP names another one")?;
    }
    let heading = if members.is_some() { "  owner" } else { "" };
    writeln!(f, "  {:<9} {:>14} {:>14} {:>12}{heading}", "partition", "next", "end", "lag")?;
    for PartitionLag { partition, end, next, lag, owner, .. } in partitions {
        let owner = match (members, owner) {
            (None, _) => String::new(),
            (Some(_), None) => "  nobody".to_owned(),
            (Some(_), Some(owner)) => format!("  {}", printable(owner)),
        };
        writeln!(f, "  {partition:<9} {next:>14} {end:>14} {lag:>12}{owner}")?;
    }
    Ok(())
}

fn parked(f: &mut Formatter<'_>, Parked { events, oldest, largest }: &Parked, now: Timestamp) -> fmt::Result {
    write!(f, "{events}")?;
    if let Some(oldest) = oldest {
        write!(f, ", the oldest for {}", waited(*oldest, now))?;
    }
    writeln!(f)?;
    largest.iter().try_for_each(|MissingParent { parent, events }| writeln!(f, "  {events:>9}  for {parent}"))?;
    if *events == 0 {
        Ok(())
    } else {
        writeln!(f, "  applied when it comes, dead letters after PARKING_DEADLINE; `parked show ID` names them")
    }
}

impl Verification {
    /// What came of the last one, as half a sentence.
    pub fn verdict(&self, now: Timestamp) -> String {
        let interval = settings::span::format(Duration::from_secs(self.interval_seconds));
        let Some(last) = self.last else {
            return format!("not yet by this process, of which one does it each {interval}");
        };
        format!("{} ago: {}", waited(last, now), found(self.differences))
    }
}

fn dead_letters(f: &mut Formatter<'_>, groups: &[Group], claimed: u64) -> fmt::Result {
    let all: u64 = groups.iter().map(|group| group.count).sum();
    writeln!(f, "{all}{}", and_claimed(claimed))?;
    if groups.is_empty() {
        return Ok(());
    }
    writeln!(f, "  {:>9}  {:<20}  {:<20}  fingerprint", "count", "first seen", "last seen")?;
    for Group { fingerprint, count, first_seen, last_seen } in groups.iter().take(GROUPS) {
        let [first, last] = [first_seen, last_seen].map(|seen| seen.as_deref().map_or_else(|| "-".to_owned(), seconds));
        writeln!(f, "  {count:>9}  {first:<20}  {last:<20}  {}", printable(fingerprint))?;
        if let Some(remedy) = remedy(fingerprint) {
            writeln!(f, "             {remedy}")?;
        }
    }
    writeln!(f, "  `dlq list` and `dlq show ID` say more; what is mended goes on with `dlq redrive`")?;
    match groups.len().saturating_sub(GROUPS) {
        0 => Ok(()),
        hidden => writeln!(f, "             and {hidden} more fingerprints, see --json"),
    }
}

fn show_changes(f: &mut Formatter<'_>, changes: &[Change]) -> fmt::Result {
    writeln!(f, "{:<13} the last ones by operators, see `audit`", "changes")?;
    for Change { at, actor, origin, action, subject, outcome } in changes {
        let [actor, origin, action, subject, outcome] = [actor, origin, action, subject, outcome].map(|text| printable(text));
        writeln!(f, "  {}  {actor} ({origin}): {action}", seconds(&at.to_string()))?;
        writeln!(f, "    {subject}: {outcome}")?;
    }
    Ok(())
}

/// A time to the second: the rest tells a person nothing.
fn seconds(time: &str) -> String {
    time.split_once('.').map_or_else(|| time.to_owned(), |(seconds, _)| format!("{seconds}Z"))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use pipeline::heartbeat::{DownPart, SeenConsumer, VerificationVerdict};

    use super::super::{Answer, AnsweredLog, Part};
    use super::*;

    fn part(state: &str, reason: Option<&str>) -> Part {
        Part { state: state.into(), since: "2026-01-15T10:00:00.123Z".into(), reason: reason.map(str::to_owned) }
    }

    #[test]
    fn the_screen_says_what_is_wrong_what_waits_and_what_is_dead() {
        let parts = BTreeMap::from([("database".to_owned(), part("up", None)), ("pipeline".to_owned(), part("down", Some("it is held")))]);
        let group = Group {
            fingerprint: "not_json:unknown:".into(),
            count: 150,
            first_seen: Some("2026-01-15T09:00:00Z".into()),
            last_seen: Some("2026-01-15T09:30:00.5Z".into()),
        };
        let lag = PartitionLag { partition: 0, end: 112, next: 100, committed: true, lag: 12, owner: Some("10.0.0.7 3f9a1c2d".into()) };
        let mut heartbeat = testkit::builders::heartbeat(testkit::builders::id());
        let down = DownPart { part: "kafka".into(), since: String::new(), reason: "it is away".into() };
        heartbeat.state.down.push(down);
        heartbeat.state.verification = Some(VerificationVerdict {
            ended_at: "2026-01-15T10:07:00Z".into(),
            outcome: VerificationVerdict::DIFFERENT.into(),
            differences: 1,
            ..VerificationVerdict::default()
        });
        let seen = |seconds| SeenConsumer { heartbeat: heartbeat.clone(), age: Duration::from_secs(seconds) }.into();
        let [ready, lost] = [1, 90].map(seen);
        let status = Status {
            at: Timestamp::parse("2026-01-15T10:12:00Z").unwrap(),
            process: Process {
                address: "127.0.0.1:9090".parse().unwrap(),
                answer: Some(Answer {
                    status: "not ready".into(),
                    parts,
                    group: None,
                    log: Some(AnsweredLog { lost: 7, partitions: Vec::new() }),
                }),
                verification: Some(Verification {
                    interval_seconds: 21_600,
                    last: Timestamp::parse("2026-01-15T09:12:00Z").ok(),
                    differences: 3,
                }),
                events_per_second: Some(4),
                ahead_of_clock: 1,
                event_time_lag: Some(EventTimeLag { half_within_ms: Some(500), most_within_ms: None }),
            },
            lag: Some(Known::Yes(Lag { topic: "events".into(), group: "g".into(), members: Some(1), partitions: vec![lag] })),
            consumers: Some(Known::Yes(vec![ready, lost])),
            parked: Some(Known::Yes(Parked {
                events: 3,
                oldest: Some(Timestamp::parse("2026-01-15T10:00:00Z").unwrap()),
                largest: vec![MissingParent { parent: "user 7".into(), events: 3 }],
            })),
            dead_letters: Some(Known::Yes(vec![group])),
            claimed: 2,
            changes: Some(Known::Yes(vec![Change {
                at: Timestamp::parse("2026-01-15T10:02:00.5Z").unwrap(),
                actor: "ada".into(),
                origin: "console".into(),
                action: "redrive".into(),
                subject: "dead letters: reason missing_parent".into(),
                outcome: "12 redriven".into(),
            }])),
        };
        let expected = "\
consumer      not ready at http://127.0.0.1:9090
  database           up      since 2026-01-15T10:00:00Z
  pipeline           down    since 2026-01-15T10:00:00Z
    it is held
  lost: the topic's retention has deleted 7 offsets before they were consumed; raise it, and catch up
  in the tables, since it started: half of the events up to 500ms after their own time, 99 of 100 more than a week
  clocks: 1 event was dated in the future; a warning in its log names one: set the clock of its producer

lag           12 of topic events, group g: 1 member
  4 events per second in this process: alone it would need 3s for what is there
  partition           next            end          lag  owner
  0                    100            112           12  10.0.0.7 3f9a1c2d
consumers     1, and 1 that is gone and has not said that it stops
  host, process               state     events/s          lag  partitions
  host-a 4711                 ready            3            4  0,1
    verified 5m ago: 1 difference from the log, see `verify`
    kafka: it is away
  host-a 4711                 lost             0            -  had 0,1
    verified 5m ago: 1 difference from the log, see `verify`
    heard of 90s ago; its partitions go to the others after its session timeout
parked        3, the oldest for 12m
          3  for user 7
  applied when it comes, dead letters after PARKING_DEADLINE; `parked show ID` names them
dead letters  150, and 2 that a redrive has claimed
      count  first seen            last seen             fingerprint
        150  2026-01-15T09:00:00Z  2026-01-15T09:30:00Z  not_json:unknown:
             no events: find who writes other things to this topic
  `dlq list` and `dlq show ID` say more; what is mended goes on with `dlq redrive`
verified      1h ago: 3 differences from the log, see `verify`
changes       the last ones by operators, see `audit`
  2026-01-15T10:02:00Z  ada (console): redrive
    dead letters: reason missing_parent: 12 redriven
";
        assert_eq!(status.to_string(), expected);
        assert!(!status.is_well());
    }

    #[test]
    fn what_cannot_be_asked_says_why_and_how_it_could() {
        let status = Status {
            at: Timestamp::parse("2026-01-15T10:12:00Z").unwrap(),
            process: Process {
                address: "127.0.0.1:9090".parse().unwrap(),
                answer: None,
                verification: None,
                events_per_second: None,
                ahead_of_clock: 0,
                event_time_lag: None,
            },
            lag: None,
            consumers: None,
            parked: Some(Known::No { problem: "the database does not answer in time".into() }),
            dead_letters: Some(Known::Yes(Vec::new())),
            claimed: 0,
            changes: None,
        };
        let shown = status.to_string();
        for text in
            ["nothing answers at http://127.0.0.1:9090", "set KAFKA_BROKERS", "not known: the database does not answer", "dead letters  0"]
        {
            assert!(shown.contains(text), "{text}: {shown}");
        }
        assert!(!status.is_well());
    }
}
