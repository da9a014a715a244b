//! What the tables and the queue hold that they should not, and what waits there for somebody.

use std::time::Duration;

use super::{Kind, Problem, Severity, asked};
use settings::span;

use crate::plural::{counted, plural};
use crate::status::dead_letters::{THESE, meaning};
use crate::status::{Backlog, Group, Known, Parked, Status};

/// Fingerprints that are a problem each; the rest is one.
const FINGERPRINTS: usize = 3;
/// Events out of order wait for moments: those are no problem.
const WAITED_LONG: Duration = Duration::from_secs(10);
/// From here on, waiting is told in minutes.
const MINUTES: Duration = Duration::from_secs(120);

pub(super) fn problems(status: &Status) -> Vec<Problem> {
    let mut problems = Vec::new();
    problems.extend(tables_differ(status));
    problems.extend(records_lost(status));
    problems.extend(clock_ahead(status));
    problems.extend(dead_letters(status));
    problems.extend(unseen_dead_letters(status));
    problems.extend(claimed(status));
    problems.extend(parked(status));
    problems.extend(unseen_parked(status));
    problems.extend(status.idle_settings.iter().map(|sentence| setting(sentence)));
    problems
}

/// By what the process that was asked has found, or another one.
fn tables_differ(status: &Status) -> Option<Problem> {
    let own = status.process.verification.filter(|verification| verification.differences > 0);
    let own = own.map(|own| (own.differences, asked(status), own.last.map(|last| last.to_string())));
    let others = || {
        let consumer = status.differing()?;
        let verdict = consumer.verification.as_ref()?;
        Some((verdict.differences, format!("consumer {}", consumer.name()), Some(verdict.ended_at.clone())))
    };
    let (count, by, since) = own.or_else(others)?;
    Some(Problem {
        severity: Severity::Wrong,
        kind: Kind::TablesDiffer,
        what: format!("the tables differ from the log in {count} row{}", plural(count)),
        place: format!("the tables; found by {by} (VERIFY_INTERVAL)"),
        remedy: "`verify` names each row and how it differs; somebody else may write to these tables; `verify --repair` writes what the log says"
            .to_owned(),
        since,
    })
}

fn records_lost(status: &Status) -> Option<Problem> {
    let lost = status.process.answer.as_ref()?.log.as_ref()?.lost;
    (lost > 0).then(|| Problem {
        severity: Severity::Wrong,
        kind: Kind::RecordsLost,
        what: format!(
            "retention has deleted {lost} record{} before {} consumed",
            plural(lost),
            if lost == 1 { "it was" } else { "they were" }
        ),
        place: format!("topic {}", status.topic),
        remedy: "raise retention.ms of the topic, and have its producer send again what was lost: it is in neither the log nor the tables"
            .to_owned(),
        since: None,
    })
}

fn clock_ahead(status: &Status) -> Option<Problem> {
    let count = status.process.ahead_of_clock;
    let were = if count == 1 { "event is" } else { "events are" };
    (count > 0).then(|| Problem {
        severity: Severity::Wrong,
        kind: Kind::ClockAhead,
        what: format!("{count} {were} dated in the future: the clock of a producer is ahead, and its events win over correct later ones"),
        place: format!("topic {}; a warning in the log of {} names a key (MAX_CLOCK_SKEW)", status.topic, asked(status)),
        remedy: "set the clock of that producer; `trace` shows what its events have won over".to_owned(),
        since: None,
    })
}

fn dead_letters(status: &Status) -> Vec<Problem> {
    let groups: &[Group] = status.dead_letters.as_ref().and_then(Known::answer).map_or(&[], Vec::as_slice);
    let (told, rest) = groups.split_at(groups.len().min(FINGERPRINTS));
    let mut problems: Vec<_> = told.iter().map(|group| of_one_kind(status, group)).collect();
    if !rest.is_empty() {
        let count: u64 = rest.iter().map(|group| group.count).sum();
        problems.push(Problem {
            severity: Severity::Notice,
            kind: Kind::DeadLetters,
            what: format!("{count} more dead letter{} of {} other fingerprint{}", plural(count), rest.len(), plural(rest.len() as u64)),
            place: format!("topic {}", status.topic),
            remedy: "see the dead letters below".to_owned(),
            since: rest.iter().filter_map(|group| group.first_seen.clone()).min(),
        });
    }
    problems
}

/// Dead letters that this command cannot look into: nothing names their list. The process says how many there are.
fn unseen_dead_letters(status: &Status) -> Option<Problem> {
    if status.dead_letters.is_some() || status.process.answer.is_none() {
        return None;
    }
    let what = match &status.process.backlog {
        Some(Backlog { dead_letters: 0, .. }) => return None,
        Some(backlog) if backlog.by_reason.is_empty() => counted(backlog.dead_letters, "dead letter", "dead letters"),
        Some(backlog) => format!("{}: {}", counted(backlog.dead_letters, "dead letter", "dead letters"), backlog.reasons()),
        None => "whether there are dead letters could not be looked at, and the process does not tell".to_owned(),
    };
    Some(unseen(status, Kind::DeadLetters, what, "their list", "name their list with --data-dir or REDIS_HOST"))
}

/// The same of parked events.
fn unseen_parked(status: &Status) -> Option<Problem> {
    let backlog = status.process.backlog.as_ref().filter(|_| status.parked.is_none())?;
    let oldest = Duration::from_secs(backlog.oldest_parked_seconds);
    // Of what is long ago, only the minutes say something.
    let told = if oldest < MINUTES { oldest } else { Duration::from_secs(oldest.as_secs() / 60 * 60) };
    (backlog.parked > 0 && oldest >= WAITED_LONG).then(|| {
        let waits = if backlog.parked == 1 { "event waits" } else { "events wait" };
        let what = format!("{} {waits} for a parent that is not there, the oldest for {}", backlog.parked, span::format(told));
        unseen(status, Kind::Parked, what, "the table of parked events", "name the tables with --data-dir or MSSQL_SERVER")
    })
}

fn unseen(status: &Status, kind: Kind, what: String, place: &str, naming: &str) -> Problem {
    let told = if status.process.backlog.is_some() { ", by its own count" } else { "" };
    Problem {
        severity: Severity::Notice,
        kind,
        what,
        place: format!("{place} of {}{told}: this command could not look into it", asked(status)),
        remedy: format!("look at them in its console (/console/), or {naming}"),
        since: None,
    }
}

fn of_one_kind(status: &Status, Group { fingerprint, count, first_seen, .. }: &Group) -> Problem {
    let (what, remedy) = meaning(fingerprint).unwrap_or(("events that could not be written", "`dlq list` and `dlq show ID` say why"));
    Problem {
        severity: Severity::Notice,
        kind: Kind::DeadLetters,
        what: format!("{count} dead letter{}: {what}", plural(*count)),
        place: format!("the dead letters of topic {}; see `dlq list --fingerprint {fingerprint}`", status.topic),
        remedy: remedy.replace(THESE, &format!("--fingerprint {fingerprint}")),
        since: first_seen.clone(),
    }
}

fn claimed(status: &Status) -> Option<Problem> {
    let count = status.claimed;
    (count > 0).then(|| Problem {
        severity: Severity::Notice,
        kind: Kind::Claimed,
        what: format!("{count} dead letter{} claimed by a redrive that is under way, or that has ended half way", plural(count)),
        place: "the dead letter queue; `dlq jobs` shows the redrives".to_owned(),
        remedy: "nothing: what a redrive has left comes back into the list when its lease ends, while a consumer runs".to_owned(),
        since: None,
    })
}

fn parked(status: &Status) -> Option<Problem> {
    let Parked { events, oldest, largest } = status.parked.as_ref().and_then(Known::answer)?;
    let since = oldest.filter(|oldest| status.at.since(*oldest) >= WAITED_LONG)?;
    let most = largest.first();
    let waits = if *events == 1 { "event waits" } else { "events wait" };
    let what = match most {
        Some(most) if most.events == *events => format!("{events} {waits} for {}, which is not there", most.parent),
        Some(most) => format!("{events} {waits} for parents that are not there: {} for {}", most.events, most.parent),
        None => format!("{events} {waits} for a parent that is not there"),
    };
    Some(Problem {
        severity: Severity::Notice,
        kind: Kind::Parked,
        what,
        place: format!("the table of parked events; see {}", most.map_or_else(|| "`parked list`".to_owned(), shown)),
        remedy:
            "find out why its producer has not sent it: what waits is applied when it comes, and is a dead letter after PARKING_DEADLINE"
                .to_owned(),
        since: Some(since.to_string()),
    })
}

/// The command that shows who waits.
fn shown(parent: &crate::status::MissingParent) -> String {
    let id = parent.parent.split_once(' ').map(|(_, id)| id).filter(|id| !id.contains(' '));
    format!("`parked show {}`", id.unwrap_or("email"))
}

fn setting(sentence: &str) -> Problem {
    Problem {
        severity: Severity::Notice,
        kind: Kind::Setting,
        what: sentence.to_owned(),
        place: "the settings of this command".to_owned(),
        remedy: "take it out, or set what was meant".to_owned(),
        since: None,
    }
}

#[cfg(test)]
mod tests {
    use pipeline::heartbeat::VerificationVerdict;

    use super::super::testing::{consumer, only, told, well};
    use super::*;
    use crate::status::{MissingParent, Verification};

    fn group(fingerprint: &str, count: u64) -> Group {
        Group { fingerprint: fingerprint.to_owned(), count, first_seen: Some("2026-01-15T09:00:00Z".to_owned()), last_seen: None }
    }

    #[test]
    fn differences_from_the_log_are_told_with_when_they_were_found() {
        let mut status = well();
        let last = Some(status.at.plus_micros(-60_000_000));
        status.process.verification = Some(Verification { interval_seconds: 3600, last, differences: 3 });
        let problem = only(&status, Kind::TablesDiffer);
        assert_eq!((problem.severity, problem.what.as_str()), (Severity::Wrong, "the tables differ from the log in 3 rows"));
        assert_eq!(problem.since.as_deref(), Some("2026-01-15T10:11:00Z"));
    }

    #[test]
    fn differences_that_another_process_has_found_are_told_with_its_name() {
        let mut status = well();
        let mut other = consumer(1);
        let ended_at = "2026-01-15T10:11:00Z".to_owned();
        let different =
            VerificationVerdict { ended_at, outcome: VerificationVerdict::DIFFERENT.into(), differences: 1, ..Default::default() };
        other.verification = Some(different);
        let Some(Known::Yes(consumers)) = &mut status.consumers else { panic!() };
        consumers.push(other);
        let problem = only(&status, Kind::TablesDiffer);
        assert_eq!(problem.what, "the tables differ from the log in 1 row");
        assert!(problem.place.contains("consumer host-a 4711"), "{problem:?}");
        assert!(!status.is_well());
    }

    #[test]
    fn records_that_retention_took_and_clocks_that_are_ahead_are_told() {
        let mut status = well();
        status.process.answer.as_mut().unwrap().log.as_mut().unwrap().lost = 7;
        assert_eq!(only(&status, Kind::RecordsLost).what, "retention has deleted 7 records before they were consumed");
        status.process.answer.as_mut().unwrap().log.as_mut().unwrap().lost = 1;
        assert_eq!(only(&status, Kind::RecordsLost).what, "retention has deleted 1 record before it was consumed");
        let mut status = well();
        status.process.ahead_of_clock = 1;
        let problem = only(&status, Kind::ClockAhead);
        assert!(problem.what.starts_with("1 event is dated in the future") && problem.place.contains("MAX_CLOCK_SKEW"), "{problem:?}");
    }

    #[test]
    fn dead_letters_are_told_by_what_they_mean_and_the_rest_in_a_sum() {
        let mut status = well();
        let letters = ["not_json:unknown:", "email_taken:UserCreated:email", "anything"].map(|fingerprint| group(fingerprint, 2));
        let rest = [group("wrong_type:OrderPlaced:items", 1), group("other:x:y", 1)];
        status.dead_letters = Some(Known::Yes([&letters[..], &rest].concat()));
        let found = told(&status);
        let whats: Vec<_> = found.iter().map(|problem| problem.what.as_str()).collect();
        assert_eq!(
            whats,
            [
                "2 dead letters: written by something that makes no events",
                "2 dead letters: their e-mail address is another user's",
                "2 dead letters: events that could not be written",
                "2 more dead letters of 2 other fingerprints",
            ]
        );
        assert!(found.iter().all(|problem| problem.severity == Severity::Notice && problem.since.is_some()));
        assert_eq!(found[0].place, "the dead letters of topic events; see `dlq list --fingerprint not_json:unknown:`");
    }

    /// As of `standalone` without `--data-dir`: all parts are in the process.
    fn embedded(backlog: Option<Backlog>) -> Status {
        let mut status = well();
        (status.dead_letters, status.parked, status.consumers, status.changes) = (None, None, None, None);
        status.process.backlog = backlog;
        status
    }

    #[test]
    fn dead_letters_that_cannot_be_looked_at_are_told_as_the_process_counts_them() {
        let reasons = [("not_json".to_owned(), 28), ("missing_field".to_owned(), 2)];
        let backlog = Backlog { dead_letters: 30, by_reason: reasons.into(), ..Backlog::default() };
        let problem = only(&embedded(Some(backlog.clone())), Kind::DeadLetters);
        assert_eq!((problem.severity, &*problem.what), (Severity::Notice, "30 dead letters: 28 not_json, 2 missing_field"));
        assert!(problem.place.contains("127.0.0.1:9090") && problem.place.contains("could not look into it"), "{problem:?}");
        assert!(problem.remedy.contains("--data-dir or REDIS_HOST"), "{problem:?}");
        let one = Backlog { dead_letters: 1, ..Backlog::default() };
        assert_eq!(only(&embedded(Some(one)), Kind::DeadLetters).what, "1 dead letter", "they are counted by reason later");
        assert_eq!(told(&embedded(Some(Backlog::default()))), []);
        let problem = only(&embedded(None), Kind::DeadLetters);
        assert!(problem.what.contains("could not be looked at"), "nobody says that there is none: {problem:?}");
        let seen = Status { dead_letters: Some(Known::Yes(Vec::new())), ..embedded(Some(backlog)) };
        assert_eq!(told(&seen), [], "the list itself counts");
    }

    #[test]
    fn parked_events_that_cannot_be_looked_at_are_told_once_they_have_waited_long() {
        let parked = |oldest_parked_seconds| embedded(Some(Backlog { parked: 1, oldest_parked_seconds, ..Backlog::default() }));
        assert_eq!(told(&parked(9)), []);
        let problem = only(&parked(61), Kind::Parked);
        assert_eq!(problem.what, "1 event waits for a parent that is not there, the oldest for 61s");
    }

    #[test]
    fn events_that_wait_long_are_told_by_what_they_wait_for() {
        let parked = |seconds: i64, parent: &str, of_it| {
            let mut status = well();
            let largest = vec![MissingParent { parent: parent.to_owned(), events: of_it }];
            status.parked = Some(Known::Yes(Parked { events: 3, oldest: Some(status.at.plus_micros(-seconds * 1_000_000)), largest }));
            status
        };
        assert_eq!(told(&parked(9, "user 7", 3)), [], "events out of order wait for moments");
        let problem = only(&parked(60, "user 7", 3), Kind::Parked);
        assert_eq!(problem.what, "3 events wait for user 7, which is not there");
        assert!(problem.place.contains("`parked show 7`") && problem.since.as_deref() == Some("2026-01-15T10:11:00Z"), "{problem:?}");
        assert!(only(&parked(60, "user 7", 2), Kind::Parked).what.ends_with("2 for user 7"));
        assert!(only(&parked(60, "an e-mail address", 2), Kind::Parked).place.contains("`parked show email`"));
    }

    #[test]
    fn claims_and_settings_that_do_nothing_are_told_last() {
        let mut status = well();
        status.claimed = 2;
        assert!(only(&status, Kind::Claimed).what.starts_with("2 dead letters claimed"));
        status.idle_settings = vec!["MSSQL_PASSWORD has no effect without MSSQL_SERVER: the database is embedded".to_owned()];
        let found = told(&status);
        assert_eq!(found.last().map(|problem| problem.kind), Some(Kind::Setting));
    }
}
