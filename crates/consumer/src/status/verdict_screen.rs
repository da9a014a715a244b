//! The verdict as the first lines of the screen, within 80 columns where words allow it.

use std::fmt::{self, Formatter};

use events::Timestamp;

use super::screen::{seconds, wrapped};
use super::verdict::{Problem, Severity};
use crate::dlq::printable::printable;
use crate::parked::waited;
use crate::plural::plural;

/// Columns before the text of a problem.
const INDENT: usize = 9;

/// When it was, whether anything is wrong, and each problem with its place, its remedy and its beginning.
pub(super) fn show(f: &mut Formatter<'_>, at: Timestamp, problems: &[Problem]) -> fmt::Result {
    let now = seconds(&at.to_string());
    writeln!(f, "{now}  {}", summary(problems))?;
    for Problem { severity, what, place, remedy, since, .. } in problems {
        writeln!(f)?;
        line(f, word(*severity), what)?;
        line(f, "  where", place)?;
        line(f, "  do", remedy)?;
        if let Some(since) = since {
            let since = seconds(since);
            // Of the times that are shown, so that they add up.
            let ago = match (Timestamp::parse(&since), Timestamp::parse(&now)) {
                (Ok(since), Ok(at)) if since < at => format!(", for {}", waited(since, at)),
                _ => String::new(),
            };
            line(f, "  since", &format!("{since}{ago}"))?;
        }
    }
    Ok(())
}

fn summary(problems: &[Problem]) -> String {
    let notices = problems.iter().filter(|problem| problem.severity == Severity::Notice).count() as u64;
    let wrong = problems.len() as u64 - notices;
    let to_look_at = format!("{notices} thing{} to look at", plural(notices));
    match (wrong, notices) {
        (0, 0) => "nothing is wrong".to_owned(),
        (0, _) => format!("nothing is wrong, {to_look_at}"),
        (_, 0) => format!("{wrong} problem{}{}", plural(wrong), worst_first(problems)),
        _ => format!("{wrong} problem{}, {to_look_at}{}", plural(wrong), worst_first(problems)),
    }
}

const fn worst_first(problems: &[Problem]) -> &'static str {
    if problems.len() > 1 { "; the worst first" } else { "" }
}

const fn word(severity: Severity) -> &'static str {
    match severity {
        Severity::Stopped => "STOPPED",
        Severity::Wrong => "WRONG",
        Severity::Notice => "NOTE",
    }
}

fn line(f: &mut Formatter<'_>, label: &str, text: &str) -> fmt::Result {
    writeln!(f, "{label:<INDENT$}{}", wrapped(&printable(text), INDENT))
}

#[cfg(test)]
mod tests {
    use std::fmt::Display;

    use super::*;
    use crate::status::Kind;

    struct Shown(Vec<Problem>);

    impl Display for Shown {
        fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
            show(f, Timestamp::parse("2026-01-15T10:12:00.5Z").unwrap(), &self.0)
        }
    }

    fn problem(severity: Severity, since: Option<&str>) -> Problem {
        Problem {
            severity,
            kind: Kind::Part,
            what: "Kafka at k:9092 cannot be reached: connection refused: nothing listens at this address, or a firewall refuses"
                .to_owned(),
            place: "at k:9092 (KAFKA_BROKERS); seen by this command".to_owned(),
            remedy: "look whether it runs".to_owned(),
            since: since.map(str::to_owned),
        }
    }

    #[test]
    fn a_problem_is_told_with_its_place_its_remedy_and_its_beginning() {
        let shown = Shown(vec![problem(Severity::Stopped, Some("2026-01-15T10:00:00.123Z"))]).to_string();
        let expected = "\
2026-01-15T10:12:00Z  1 problem

STOPPED  Kafka at k:9092 cannot be reached: connection refused: nothing listens
         at this address, or a firewall refuses
  where  at k:9092 (KAFKA_BROKERS); seen by this command
  do     look whether it runs
  since  2026-01-15T10:00:00Z, for 12m
";
        assert_eq!(shown, expected);
        assert!(shown.lines().all(|line| line.len() <= 80), "{shown}");
    }

    #[test]
    fn the_first_line_tells_how_much_is_wrong_and_how_much_is_to_be_looked_at() {
        let [stopped, wrong, notice] = [Severity::Stopped, Severity::Wrong, Severity::Notice];
        for (severities, expected) in [
            (&[][..], "nothing is wrong"),
            (&[notice], "nothing is wrong, 1 thing to look at"),
            (&[notice, notice], "nothing is wrong, 2 things to look at"),
            (&[stopped, wrong], "2 problems; the worst first"),
            (&[wrong, notice], "1 problem, 1 thing to look at; the worst first"),
        ] {
            let shown = Shown(severities.iter().map(|severity| problem(*severity, None)).collect()).to_string();
            assert_eq!(shown.lines().next(), Some(format!("2026-01-15T10:12:00Z  {expected}").as_str()));
            assert!(!shown.contains("since"), "{shown}");
        }
    }

    #[test]
    fn what_others_wrote_moves_no_cursor() {
        let mut odd = problem(Severity::Wrong, Some("no time"));
        odd.what = "a\u{1b}[2Jb".to_owned();
        let shown = Shown(vec![odd]).to_string();
        assert!(shown.contains("a\\u{1b}[2Jb") && shown.contains("  since  no time\n"), "{shown}");
    }
}
