//! What a check says of a payload that an operator writes; also a page's part that is renewed by itself.

use std::collections::BTreeSet;

use askama::Template;

use crate::locate::{line_of, locate};
use crate::port::Draft;
use crate::words::{counted, left_out};

/// Fields that are named, at most.
const NAMED: usize = 20;
/// Lines around a problem that are shown with it.
const AROUND: usize = 2;

#[derive(Template)]
#[template(path = "draft.html")]
pub(super) struct DraftPart {
    checked: Option<Checked>,
}

impl askama::filters::HtmlSafe for DraftPart {}

struct Checked {
    draft: Draft,
    diff: Vec<(&'static str, String)>,
    /// Each field that is wrong, why, and in which line it stands.
    wrong: Vec<(String, String, Option<usize>)>,
    /// How many are wrong, where it is not one.
    heading: Option<String>,
    /// How many are not named.
    unnamed: Option<String>,
    excerpt: Vec<Line>,
}

/// A line of an excerpt.
#[derive(Debug, PartialEq, Eq)]
enum Line {
    /// With its number, and whether a field that is wrong stands in it.
    Of(usize, String, bool),
    /// Some lines are left out.
    Gap,
}

impl DraftPart {
    /// Where nothing was checked yet.
    pub const fn unchecked() -> Self {
        Self { checked: None }
    }

    /// Where it could not be checked, for this reason.
    pub fn refused(sentence: String) -> Self {
        Self::of(Draft { problem: Some(sentence), wrong: Vec::new(), diff: String::new(), foreseen: None }, "")
    }

    pub fn of(draft: Draft, payload: &str) -> Self {
        let kind = |line: &str| match line.as_bytes().first() {
            Some(b'+') => "add",
            Some(b'-') => "del",
            Some(b'@') => "hunk",
            _ => "same",
        };
        let diff = draft.diff.lines().filter(|line| !line.starts_with("---") && !line.starts_with("+++"));
        let diff = diff.map(|line| (kind(line), line.to_owned())).collect();
        let all = draft.wrong.len();
        let wrong = draft.wrong.iter().take(NAMED).map(|field| {
            let line = locate(payload, &field.path).map(|place| line_of(payload, place.start));
            (field.path.clone(), field.problem.clone().unwrap_or_default(), line)
        });
        let wrong: Vec<_> = wrong.collect();
        let lines: BTreeSet<usize> = wrong.iter().filter_map(|(.., line)| *line).collect();
        let unnamed = all.saturating_sub(NAMED) as u64;
        Self {
            checked: Some(Checked {
                excerpt: excerpt(payload, &lines),
                heading: (all > 1).then(|| format!("{} are wrong", counted(all as u64, "field", "fields"))),
                unnamed: (unnamed > 0).then(|| left_out(unnamed, "more", "more", "named")),
                wrong,
                diff,
                draft,
            }),
        }
    }
}

/// These lines and those around them, with their numbers.
fn excerpt(text: &str, lines: &BTreeSet<usize>) -> Vec<Line> {
    let is_near = |number: usize| lines.range(number.saturating_sub(AROUND)..=number + AROUND).next().is_some();
    let mut shown: Vec<Line> = Vec::new();
    let mut last = 0;
    for (place, text) in text.lines().enumerate() {
        let number = place + 1;
        if is_near(number) {
            if !shown.is_empty() && number > last + 1 {
                shown.push(Line::Gap);
            }
            shown.push(Line::Of(number, text.to_owned(), lines.contains(&number)));
            last = number;
        }
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::port::PayloadField;

    fn numbers(lines: &[Line]) -> Vec<usize> {
        lines.iter().map(|line| if let Line::Of(number, ..) = line { *number } else { 0 }).collect()
    }

    #[test]
    fn the_lines_around_each_problem_are_numbered() {
        let lines = excerpt("a\nb\nc\nd\ne\nf", &BTreeSet::from([3]));
        assert_eq!(numbers(&lines), [1, 2, 3, 4, 5]);
        assert_eq!(lines[2], Line::Of(3, "c".to_owned(), true));
        let text = "x\n".repeat(20);
        assert_eq!(numbers(&excerpt(&text, &BTreeSet::from([2, 15, 16]))), [1, 2, 3, 4, 0, 13, 14, 15, 16, 17, 18]);
        assert_eq!(excerpt(&text, &BTreeSet::new()), []);
    }

    #[test]
    fn every_field_that_is_wrong_is_named_with_its_line_up_to_a_bound() {
        let field = |number: usize| PayloadField { path: format!("items[{number}]"), value: None, problem: Some("is wrong".to_owned()) };
        let draft = |fields: usize| {
            let wrong = (0..fields).map(field).collect();
            let draft = Draft { problem: Some("Wrong.".to_owned()), wrong, diff: String::new(), foreseen: None };
            DraftPart::of(draft, "{\n\"items\": [\n1,\n2\n]\n}").checked.unwrap()
        };
        let few = draft(3);
        assert_eq!(few.wrong.iter().map(|(.., line)| *line).collect::<Vec<_>>(), [Some(3), Some(4), None]);
        assert_eq!((few.heading.as_deref(), few.unnamed), (Some("3 fields are wrong"), None));
        assert_eq!(draft(1).heading, None);
        assert_eq!((draft(NAMED + 3).wrong.len(), draft(NAMED + 3).unnamed.as_deref()), (NAMED, Some("3 more are not named")));
    }
}
