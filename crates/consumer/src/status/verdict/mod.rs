//! The verdict: what is wrong, where, what to do, and since when. A pure function of what was gathered, so that each case can be tried.
//!
//! | module | what it judges |
//! |---|---|
//! | `parts` | Kafka, the database, the dead letter queue, and the tasks of a process, by whoever told of them |
//! | `group` | the topic, the group and who consumes |
//! | `rows` | what the tables and the queue hold, and what waits there for somebody |

mod group;
mod parts;
mod rows;
#[cfg(test)]
pub(super) mod testing;

use serde::Serialize;

use super::Status;

/// How bad a problem is; the worst first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// Events are not consumed, or nobody can tell whether they are.
    Stopped,
    /// Events are consumed, and something is not as it must be.
    Wrong,
    /// Nothing is wrong with the pipeline: something is there to look at, or waits for its time.
    Notice,
}

/// Which problem it is, for programs. Within a severity those that come first are told first: a cause before what may follow from it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// A part cannot be reached, refuses, or does not go together with this program.
    Part,
    /// The topic is not there, or not for this user.
    TopicMissing,
    /// Too many records cannot be written: they are held.
    Held,
    /// A partition has records and stands still.
    Stalled,
    /// A task of a process has ended, or its write path is held for a reason that is none of the others.
    Process,
    /// What answers here consumes in another group than the one that was asked about.
    OtherGroup,
    /// Nobody consumes.
    NobodyConsumes,
    /// Nothing answers where the consumer was looked for, and others consume.
    NotHere,
    /// A consumer is gone and has not said that it stops.
    ConsumerLost,
    /// Partitions with records belong to no member of the group.
    NoOwner,
    /// The tables are not what the log says.
    TablesDiffer,
    /// Retention has deleted records before they were consumed.
    RecordsLost,
    /// Events are dated in the future.
    ClockAhead,
    /// A consumer begins, or stops.
    Starting,
    /// Dead letters wait for somebody.
    DeadLetters,
    /// A redrive has claimed dead letters.
    Claimed,
    /// Events wait for a parent.
    Parked,
    /// A setting does nothing.
    Setting,
}

/// One thing that is wrong, or that somebody should look at.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Problem {
    /// How bad it is.
    pub severity: Severity,
    /// Which one it is.
    pub kind: Kind,
    /// What is wrong.
    pub what: String,
    /// Where: addresses, partitions, group, topic, settings, and who has seen it.
    #[serde(rename = "where")]
    pub place: String,
    /// What to do.
    pub remedy: String,
    /// Since when (RFC 3339), where that is known.
    pub since: Option<String>,
}

/// What is wrong, the worst first. Does not look at [`Status::problems`].
pub(super) fn problems(status: &Status) -> Vec<Problem> {
    let mut problems = parts::problems(status);
    problems.extend(group::problems(status));
    problems.extend(rows::problems(status));
    problems.sort_by_key(|problem| (problem.severity, problem.kind));
    name_cause(&mut problems);
    problems
}

/// Where a part or the topic is not there, that may be why nobody consumes: whoever mends the second first mends nothing.
fn name_cause(problems: &mut [Problem]) {
    let is_cause = |problem: &Problem| problem.severity == Severity::Stopped && matches!(problem.kind, Kind::Part | Kind::TopicMissing);
    if problems.iter().any(is_cause) {
        for problem in problems.iter_mut().filter(|problem| problem.kind == Kind::NobodyConsumes) {
            problem.remedy = format!("mend what stands above first, without which no consumer works; then {}", problem.remedy);
        }
    }
}

/// The process that was asked, as the other problems name it.
fn asked(status: &Status) -> String {
    format!("the consumer at http://{}", status.process.address)
}

#[cfg(test)]
mod tests {
    use super::testing::{away, silent, told, well};
    use super::*;
    use crate::status::{Known, MissingParent, Parked};

    #[test]
    fn where_all_is_well_nothing_is_told() {
        assert_eq!(problems(&well()), []);
    }

    #[test]
    fn the_worst_comes_first_and_a_cause_before_what_follows() {
        let mut status = well();
        status.idle_settings = vec!["MSSQL_PASSWORD has no effect without MSSQL_SERVER".to_owned()];
        status.process.ahead_of_clock = 1;
        status.dead_letters = Some(Known::not("the dead letter queue does not answer in time (page)"));
        away(&mut status, "database", "the database cannot be reached");
        let parked = Parked { events: 1, oldest: Some(status.at.plus_micros(-60_000_000)), largest: Vec::<MissingParent>::new() };
        status.parked = Some(Known::Yes(parked));
        let found: Vec<_> = problems(&status).iter().map(|problem| (problem.severity, problem.kind)).collect();
        assert_eq!(
            found,
            [
                (Severity::Stopped, Kind::Part),
                (Severity::Wrong, Kind::Part),
                (Severity::Wrong, Kind::ClockAhead),
                (Severity::Notice, Kind::Parked),
                (Severity::Notice, Kind::Setting),
            ]
        );
    }

    #[test]
    fn where_nobody_consumes_what_a_consumer_cannot_do_without_is_mended_first() {
        let mut status = well();
        silent(&mut status);
        (status.consumers, status.lag) = (Some(Known::Yes(Vec::new())), None);
        let remedy = |status: &Status| told(status).into_iter().find(|problem| problem.kind == Kind::NobodyConsumes).unwrap().remedy;
        assert!(remedy(&status).starts_with("start a consumer"));
        status.dead_letters = Some(Known::not("the dead letter queue at r:6379 does not answer in time (page)"));
        assert!(remedy(&status).starts_with("mend what stands above first, without which no consumer works; then start a consumer"));
    }

    #[test]
    fn a_program_reads_the_same_as_a_person() {
        let mut status = well();
        away(&mut status, "database", "the database at db:1433 cannot be reached: connection refused: nothing listens");
        let [problem] = &told(&status)[..] else { panic!() };
        let json = serde_json::to_value(problem).unwrap();
        assert_eq!((&json["severity"], &json["kind"]), (&"stopped".into(), &"part".into()), "{json}");
        assert!(json["where"].as_str().unwrap().contains("db:1433"), "{json}");
    }
}
