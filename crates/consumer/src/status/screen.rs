//! A [`Status`] for people: the verdict, and then all that is known, within 80 columns but for what cannot be shortened.

use std::fmt::{self, Display, Formatter};
use std::time::Duration;

use events::Timestamp;

use super::dead_letters::{may_be_applied, meaning};
use super::{Change, EventTimeLag, Group, Known, Lag, MissingParent, Parked, PartitionLag, Process, Status, Verification};
use super::{consumers, verdict_screen};
use crate::dlq::printable::printable;
use crate::dlq::stats::and_claimed;
use crate::parked::waited;
use crate::plural::{counted, plural};
use crate::reason::taken_apart;
use crate::verify::last::found;

/// Columns of a line.
const WIDTH: usize = 80;
/// Stands for a space at which no line ends; in no text that is shown, where control characters are escaped.
const KEPT_SPACE: &str = "\u{1}";
/// Columns before what a section says.
const TITLE: usize = 14;
/// Groups of dead letters that are shown.
const GROUPS: usize = 20;
/// What names the tables.
const NO_TABLES: &str = "not known: name the tables with MSSQL_SERVER or --data-dir";

impl Display for Status {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        verdict_screen::show(f, self.at, &self.problems)?;
        writeln!(f)?;
        process(f, &self.process)?;
        let no_lag = "not known: the process does not tell it; set KAFKA_BROKERS to ask Kafka";
        section(f, "lag", no_lag, self.lag.as_ref(), |f, known| lag(f, known, &self.process))?;
        section(f, "consumers", NO_TABLES, self.consumers.as_ref(), |f, known| {
            consumers::show(f, known, self.lag.as_ref().and_then(Known::answer), self.at)
        })?;
        let told =
            |count: Option<u64>, how: &str| count.map_or_else(|| how.to_owned(), |count| format!("{count}, by the consumer's own count"));
        let backlog = self.process.backlog.as_ref();
        let no_parked = told(backlog.map(|backlog| backlog.parked), NO_TABLES);
        section(f, "parked", &no_parked, self.parked.as_ref(), |f, known| parked(f, known, self.at))?;
        let no_queue = "not known: name the queue with REDIS_HOST or --data-dir";
        let no_queue = told(backlog.map(|backlog| backlog.dead_letters), no_queue);
        section(f, "dead letters", &no_queue, self.dead_letters.as_ref(), |f, known| dead_letters(f, known, self.claimed))?;
        if let Some(verification) = self.process.verification {
            write!(f, "{:<TITLE$}", "verified")?;
            paragraph(f, &verification.verdict(self.at), TITLE)?;
        }
        match &self.changes {
            Some(Known::Yes(changes)) if changes.is_empty() => Ok(()),
            None => Ok(()),
            // Where the tables are away, what is parked has said so.
            Some(Known::No { .. }) if matches!(self.parked, Some(Known::No { .. })) => Ok(()),
            known => section(f, "changes", "", known.as_ref(), |f, known| show_changes(f, known)),
        }
    }
}

fn process(f: &mut Formatter<'_>, Process { address, answer, event_time_lag, .. }: &Process) -> fmt::Result {
    let Some(answer) = answer else {
        return writeln!(f, "consumer      nothing answers at http://{address}");
    };
    writeln!(f, "consumer      {} at http://{address}", printable(&answer.status))?;
    for (name, part) in &answer.parts {
        let state = if part.state == "unknown" { "not asked yet" } else { &part.state };
        writeln!(f, "  {:<18} {:<7} since {}", printable(name), printable(state), printable(&seconds(&part.since)))?;
    }
    if let Some(EventTimeLag { half_within_ms, most_within_ms }) = event_time_lag {
        let [half, most] = [half_within_ms, most_within_ms].map(|within| within.map_or_else(|| "more than a week".to_owned(), within_ms));
        write!(f, "  ")?;
        paragraph(f, &format!("event time lag since it started: median {half}, 99th percentile {most}"), 2)?;
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
    write!(f, "{title:<TITLE$}")?;
    match known {
        None => writeln!(f, "{unasked}"),
        // What to do about it stands in the verdict.
        Some(Known::No { problem, .. }) => paragraph(f, &format!("not known: {}", printable(&taken_apart(problem).0)), TITLE),
        Some(Known::Yes(known)) => show(f, known),
    }
}

fn events(count: u64) -> String {
    counted(count, "event", "events")
}

fn lag(f: &mut Formatter<'_>, Lag { topic, group, members, partitions }: &Lag, process: &Process) -> fmt::Result {
    let all: u64 = partitions.iter().map(|partition| partition.lag).sum();
    let members_told = match members {
        None => String::new(),
        Some(0) => ": nobody is in it".to_owned(),
        Some(members) => format!(": {}", counted(*members, "member", "members")),
    };
    paragraph(f, &format!("{all} of topic {topic}, group {group}{members_told}"), TITLE)?;
    match process.events_per_second {
        Some(rate) if rate > 0 && all > 0 => {
            let left = settings::span::format(Duration::from_secs(all.div_ceil(rate)));
            writeln!(f, "  {} per second in this process: alone it would need {left} for what is there", events(rate))?;
        }
        Some(rate) => writeln!(f, "  {} per second in this process", events(rate))?,
        None => {}
    }
    if !partitions.iter().any(|partition| partition.committed) && partitions.iter().any(|partition| partition.end > 0) {
        writeln!(f, "  this group has committed nothing yet")?;
    }
    let heading = if members.is_some() || partitions.iter().any(|partition| partition.owner.is_some()) { "  owner" } else { "" };
    writeln!(f, "  {:<9} {:>14} {:>14} {:>12}{heading}", "partition", "next", "end", "lag")?;
    for PartitionLag { partition, end, next, lag, owner, committed } in partitions {
        let owner = match (members, owner) {
            (None, None) => String::new(),
            (Some(_), None) => "  nobody".to_owned(),
            (_, Some(owner)) => format!("  {}", printable(owner)),
        };
        // Where it will begin is decided when it does.
        let next = if *committed { next.to_string() } else { "-".to_owned() };
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
        return Ok(());
    }
    writeln!(f, "  Each is applied as soon as its parent is there; where that takes longer than")?;
    writeln!(f, "  PARKING_DEADLINE, it becomes a dead letter. `parked show ID` lists them.")
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
    writeln!(f, "  {:>9}  {:<20}  {:<20}", "count", "first seen", "last seen, and the fingerprint")?;
    for Group { fingerprint, count, first_seen, last_seen } in groups.iter().take(GROUPS) {
        let [first, last] = [first_seen, last_seen].map(|seen| seen.as_deref().map_or_else(|| "-".to_owned(), seconds));
        writeln!(f, "  {count:>9}  {first:<20}  {last}")?;
        writeln!(f, "             {}", printable(fingerprint))?;
        if let Some((what, _)) = meaning(fingerprint) {
            writeln!(f, "             {what}")?;
        }
    }
    match groups.len().saturating_sub(GROUPS) {
        0 => {}
        hidden => writeln!(f, "             and {hidden} more fingerprint{}, see --json", plural(hidden as u64))?,
    }
    if !groups.iter().any(|group| may_be_applied(&group.fingerprint)) {
        return writeln!(f, "  `dlq list` and `dlq show ID` show them.");
    }
    writeln!(f, "  `dlq list` and `dlq show ID` show them; `dlq redrive` sends them to the topic")?;
    writeln!(f, "  again, when what kept them from being applied is mended.")
}

fn show_changes(f: &mut Formatter<'_>, changes: &[Change]) -> fmt::Result {
    writeln!(f, "the last ones by operators, see `audit`")?;
    for Change { at, actor, origin, action, subject, outcome } in changes {
        let [actor, origin, action, subject, outcome] = [actor, origin, action, subject, outcome].map(|text| printable(text));
        writeln!(f, "  {}  {actor} ({origin}): {action}", seconds(&at.to_string()))?;
        writeln!(f, "    {subject}: {outcome}")?;
    }
    Ok(())
}

/// A time to the second: the rest tells a person nothing.
pub(super) fn seconds(time: &str) -> String {
    time.split_once('.').map_or_else(|| time.to_owned(), |(seconds, _)| format!("{seconds}Z"))
}

/// The text in lines that go on under their beginning, which is at this column. What is to be typed, between back quotes, stays in one line.
pub(super) fn wrapped(text: &str, column: usize) -> String {
    let pieces = text.split('`').enumerate();
    let pieces = pieces.map(|(place, piece)| if place % 2 == 1 { piece.replace(' ', KEPT_SPACE) } else { piece.to_owned() });
    let lines = check::wrapped(&pieces.collect::<Vec<_>>().join("`"), WIDTH - column);
    lines.join(&format!("\n{:column$}", "")).replace(KEPT_SPACE, " ")
}

fn paragraph(f: &mut Formatter<'_>, text: &str, column: usize) -> fmt::Result {
    writeln!(f, "{}", wrapped(text, column))
}

#[cfg(test)]
mod tests {
    use pipeline::heartbeat::{DownPart, VerificationVerdict};

    use super::super::verdict::testing::{away, consumer, lag as lag_of, silent, well};
    use super::super::verdict::{Kind, Problem, Severity};
    use super::*;

    fn problem() -> Problem {
        Problem {
            severity: Severity::Stopped,
            kind: Kind::Part,
            what: "the database at db:1433 does not answer in time".into(),
            place: "at db:1433 (MSSQL_SERVER)".into(),
            remedy: "look whether it runs".into(),
            since: None,
        }
    }

    #[test]
    fn the_screen_says_what_is_wrong_what_waits_and_what_is_dead() {
        let mut status = well();
        away(&mut status, "database", "the database at db:1433 does not answer in time");
        status.problems = vec![problem()];
        status.process.verification =
            Some(Verification { interval_seconds: 21_600, last: Timestamp::parse("2026-01-15T09:12:00Z").ok(), differences: 3 });
        status.process.event_time_lag = Some(EventTimeLag { half_within_ms: Some(500), most_within_ms: None });
        let partitions = &mut lag_of(&mut status).partitions;
        (partitions[0].next, partitions[0].lag) = (0, 12);
        partitions[1].owner = None;
        let (mut ready, lost) = (consumer(1), consumer(90));
        let down = |part: &str| DownPart { part: part.into(), since: String::new(), reason: "it is away".into() };
        ready.down = vec![down("kafka"), down("pipeline")];
        ready.verification = Some(VerificationVerdict {
            ended_at: "2026-01-15T10:07:00Z".into(),
            outcome: VerificationVerdict::DIFFERENT.into(),
            differences: 1,
            ..VerificationVerdict::default()
        });
        status.consumers = Some(Known::Yes(vec![ready, lost]));
        status.parked = Some(Known::Yes(Parked {
            events: 3,
            oldest: Timestamp::parse("2026-01-15T10:00:00Z").ok(),
            largest: vec![MissingParent { parent: "user 7".into(), events: 3 }],
        }));
        status.dead_letters = Some(Known::Yes(vec![Group {
            fingerprint: "not_json:unknown:".into(),
            count: 150,
            first_seen: Some("2026-01-15T09:00:00Z".into()),
            last_seen: Some("2026-01-15T09:30:00.5Z".into()),
        }]));
        status.claimed = 2;
        status.changes = Some(Known::Yes(vec![Change {
            at: Timestamp::parse("2026-01-15T10:02:00.5Z").unwrap(),
            actor: "ada".into(),
            origin: "console".into(),
            action: "redrive".into(),
            subject: "dead letters: reason missing_parent".into(),
            outcome: "12 redriven".into(),
        }]));
        let expected = "\
2026-01-15T10:12:00Z  1 problem

STOPPED  the database at db:1433 does not answer in time
  where  at db:1433 (MSSQL_SERVER)
  do     look whether it runs

consumer      not ready at http://127.0.0.1:9090
  database           down    since 2026-01-15T10:00:00Z
  dead_letter_queue  up      since 2026-01-15T10:00:00Z
  kafka              up      since 2026-01-15T10:00:00Z
  pipeline           up      since 2026-01-15T10:00:00Z
  progress           up      since 2026-01-15T10:00:00Z
  event time lag since it started: median up to 500ms, 99th percentile more than
  a week
lag           12 of topic events, group group: 1 member
  4 events per second in this process: alone it would need 3s for what is there
  partition           next            end          lag  owner
  0                      0             12           12  host-a 4711
  1                     12             12            0  nobody
consumers     1, and 1 that is gone and has not said that it stops
  host, process               state     events/s          lag  partitions
  host-a 4711                 ready            3           12  0
    verified 5m ago: 1 difference from the log, see `verify`
    down: kafka, pipeline
  host-a 4711                 lost             0            -  had 0,1
    heard of 90s ago; its partitions go to the others after its session timeout
parked        3, the oldest for 12m
          3  for user 7
  Each is applied as soon as its parent is there; where that takes longer than
  PARKING_DEADLINE, it becomes a dead letter. `parked show ID` lists them.
dead letters  150, and 2 that a redrive has claimed
      count  first seen            last seen, and the fingerprint
        150  2026-01-15T09:00:00Z  2026-01-15T09:30:00Z
             not_json:unknown:
             written by something that makes no events
  `dlq list` and `dlq show ID` show them.
verified      1h ago: 3 differences from the log, see `verify`
changes       the last ones by operators, see `audit`
  2026-01-15T10:02:00Z  ada (console): redrive
    dead letters: reason missing_parent: 12 redriven
";
        assert_eq!(status.to_string(), expected);
        let widest = expected.lines().max_by_key(|line| line.len()).unwrap();
        assert!(widest.len() <= 80, "{widest}");
        assert!(!status.is_well());
    }

    #[test]
    fn what_cannot_be_asked_says_why_and_how_it_could() {
        let mut status = well();
        silent(&mut status);
        (status.lag, status.parked) = (None, None);
        status.consumers = Some(Known::not("the database does not answer in time: look; at it"));
        let shown = status.to_string();
        for text in [
            "nothing answers at http://127.0.0.1:9090",
            "set KAFKA_BROKERS",
            "consumers     not known: the database does not answer in time: look\n",
            "parked        not known: name the tables",
            "dead letters  0",
        ] {
            assert!(shown.contains(text), "{text}: {shown}");
        }
        assert!(!status.is_well());
    }

    #[test]
    fn what_is_to_be_typed_stays_in_one_line() {
        let text = "look at these dead letters and at all the others with `dlq list --reason not_json`, then go on";
        let expected = "look at these dead letters and at all the others with\n    `dlq list --reason not_json`, then go on";
        assert_eq!(wrapped(text, 4), expected);
    }

    #[test]
    fn a_pipeline_that_is_well_says_so_first() {
        assert!(well().to_string().starts_with("2026-01-15T10:12:00Z  nothing is wrong\n\nconsumer      ready at "));
        assert!(well().is_well());
    }
}
