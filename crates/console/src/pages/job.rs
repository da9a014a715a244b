//! One redrive job: how its letters ended, those that need somebody first.

use std::sync::Arc;
use std::time::SystemTime;

use askama::Template;
use axum::Extension;
use axum::extract::{Path, RawQuery, State};
use axum::http::StatusCode;

use super::jobs::JobRow;
use super::problem::{bad, refused};
use super::{Answer, Screen, Shell, html};
use crate::access::Visitor;
use crate::fields::{Fields, address};
use crate::filters;
use crate::port::{Job, JobLetter, JobLetters, JobState, LetterEnd, Operations};
use crate::state::Console;
use crate::words::{list, thousands};

/// Letters of one page.
const PAGE: usize = 200;

#[derive(Template)]
#[template(path = "job.html")]
struct JobPage {
    shell: Shell,
    row: JobRow,
    /// How they ended, in words; none where the job has no letters.
    verdict: Option<String>,
    /// Words, class, how many, and their part of the page in percent.
    totals: Vec<(&'static str, &'static str, u64, u64)>,
    letters: Vec<LetterRow>,
    /// Whether these are all letters of the job.
    is_whole: bool,
    /// Where the rest of what a canary was of is redriven, and whether nothing of it speaks against that.
    rest: Option<(String, bool)>,
    /// This page once more.
    again: String,
    first: Option<String>,
    next: Option<String>,
}

/// A letter as a row.
struct LetterRow {
    letter: JobLetter,
    class: &'static str,
    /// The address of the trace of its event.
    trace: Option<String>,
}

/// `GET /console/jobs/{number}?after=…`.
pub(crate) async fn show<O: Operations>(
    State(console): State<Arc<Console<O>>>,
    Extension(visitor): Extension<Visitor>,
    Path(number): Path<String>,
    RawQuery(query): RawQuery,
) -> Answer {
    let Ok(number) = number.parse::<u64>() else { return Err(bad(&console, &visitor, "A job has a number.")) };
    let fields = Fields::parse(query.unwrap_or_default().as_bytes());
    let after = fields.given("after").unwrap_or_default();
    let shown = console.operations.job(number, after, PAGE).await.map_err(|why| refused(&console, &visitor, &why))?;
    let JobLetters { job, letters, next, selection } = shown;
    let here = format!("/console/jobs/{number}");
    let page_after = |id: &str| address(&here, &[("after", id)]);
    let totals = totals(&letters);
    let is_whole = after.is_empty() && next.is_none();
    let rest = selection.filter(|_| job.is_canary && job.state.is_over());
    let page = JobPage {
        shell: Shell::new(&console.gate, &visitor, Screen::Jobs, format!("Job {number}")),
        verdict: (!letters.is_empty()).then(|| verdict(&job, &totals, is_whole)),
        rest: rest.map(|rest| (address("/console/redrive", &rest.pairs()), advice(&totals) == Advice::Good)),
        totals: totals.iter().map(|(end, count)| (end.words(), class(*end), *count, share(*count, letters.len()))).collect(),
        letters: letters.into_iter().map(LetterRow::of).collect(),
        is_whole,
        again: if after.is_empty() { here.clone() } else { page_after(after) },
        first: (!after.is_empty()).then(|| here.clone()),
        next: next.as_deref().map(page_after),
        row: JobRow::of(job, SystemTime::now()),
    };
    Ok(html(StatusCode::OK, &page))
}

impl LetterRow {
    fn of(letter: JobLetter) -> Self {
        let trace = letter.event_id.as_ref().map(|id| address("/console/trace", &[("event", id)]));
        Self { class: class(letter.end), trace, letter }
    }
}

/// How many ended how, those that went well first; only what occurs.
fn totals(letters: &[JobLetter]) -> Vec<(LetterEnd, u64)> {
    let of = |end| letters.iter().filter(|letter| letter.end == end).count() as u64;
    LetterEnd::ALL.into_iter().rev().map(|end| (end, of(end))).filter(|(_, count)| *count > 0).collect()
}

/// Rounded down: together they are never more than all.
fn share(count: u64, all: usize) -> u64 {
    count.saturating_mul(100) / (all as u64).max(1)
}

/// What they come to, and, of a canary, what that means for the rest.
fn verdict(job: &Job, totals: &[(LetterEnd, u64)], is_whole: bool) -> String {
    let counts: Vec<String> = totals.iter().map(|(end, count)| format!("{} {}", thousands(*count), end.words())).collect();
    let counts = list(&counts, "and");
    let all: u64 = totals.iter().map(|(_, count)| count).sum();
    let what = match (is_whole, job.state.is_over(), job.is_canary) {
        (false, ..) if all == 1 => "Of the 1 letter on this page",
        (false, ..) => &format!("Of the {} letters on this page", thousands(all)),
        (true, true, true) => "The canary has ended",
        (true, true, false) => "It has ended",
        (true, false, _) => "So far",
    };
    let advice = match advice(totals) {
        Advice::Look if job.is_canary => " Look at those that failed before you go on with the rest.",
        Advice::Wait => " Not all of them have come to an end: look again in a moment.",
        Advice::Doubt => " Nothing says what became of those that are not known.",
        Advice::Good if job.is_canary && job.state.is_over() => " Nothing of it speaks against the rest.",
        Advice::Look | Advice::Good => "",
    };
    format!("{what}: {counts}.{advice}")
}

/// What to do next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Advice {
    /// Some need somebody.
    Look,
    /// Some have not ended.
    Wait,
    /// Of some it is not known.
    Doubt,
    /// None needs anybody.
    Good,
}

fn advice(totals: &[(LetterEnd, u64)]) -> Advice {
    let has = |ends: &[LetterEnd]| totals.iter().any(|(end, _)| ends.contains(end));
    if has(&[LetterEnd::FailedAgain, LetterEnd::NotSent]) {
        Advice::Look
    } else if has(&[LetterEnd::NotYet, LetterEnd::Pending]) {
        Advice::Wait
    } else if has(&[LetterEnd::NotKnown]) {
        Advice::Doubt
    } else {
        Advice::Good
    }
}

/// The colour of an end.
const fn class(end: LetterEnd) -> &'static str {
    match end {
        LetterEnd::FailedAgain | LetterEnd::NotSent => "bad",
        LetterEnd::NotKnown | LetterEnd::Parked => "warn",
        LetterEnd::NotYet | LetterEnd::Pending | LetterEnd::Stale | LetterEnd::Duplicate => "plain",
        LetterEnd::Applied => "good",
    }
}

impl JobState {
    /// Whether nothing more of it is sent.
    const fn is_over(self) -> bool {
        matches!(self, Self::Done | Self::Cancelled)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn job(is_canary: bool, state: JobState) -> Job {
        Job {
            number: 7,
            caller: "ada".to_owned(),
            began: String::new(),
            subject: String::new(),
            is_canary,
            rate: None,
            state,
            done: (0, 0),
            counts: Vec::new(),
            problem: None,
            took: Duration::ZERO,
            updated: String::new(),
        }
    }

    #[test]
    fn one_sentence_says_how_a_canary_ended() {
        use LetterEnd::{Applied, Duplicate, FailedAgain, NotKnown, NotYet, Parked};
        let canary = |totals: &[(LetterEnd, u64)]| verdict(&job(true, JobState::Done), totals, true);
        assert_eq!(
            canary(&[(Applied, 8), (Parked, 1), (FailedAgain, 1)]),
            "The canary has ended: 8 applied, 1 parked and 1 failed again. Look at those that failed before you go on with the rest."
        );
        assert_eq!(
            canary(&[(Applied, 9), (Duplicate, 1)]),
            "The canary has ended: 9 applied and 1 duplicate. Nothing of it speaks against the rest."
        );
        assert!(
            canary(&[(Applied, 9), (NotYet, 1)])
                .ends_with("9 applied and 1 not yet consumed. Not all of them have come to an end: look again in a moment.")
        );
        assert!(canary(&[(NotKnown, 10)]).ends_with(" Nothing says what became of those that are not known."));
    }

    #[test]
    fn a_page_of_many_does_not_speak_for_the_whole_job() {
        let totals = [(LetterEnd::Applied, 1_200)];
        assert_eq!(verdict(&job(false, JobState::Done), &totals, true), "It has ended: 1,200 applied.");
        assert_eq!(verdict(&job(false, JobState::Done), &totals, false), "Of the 1,200 letters on this page: 1,200 applied.");
        assert!(verdict(&job(false, JobState::Running), &totals, true).starts_with("So far: "));
    }

    #[test]
    fn what_needs_somebody_stands_out() {
        assert!(LetterEnd::ALL.is_sorted());
        assert_eq!(LetterEnd::ALL.map(class).iter().filter(|class| **class == "bad").count(), 2);
        assert_eq!(class(LetterEnd::Applied), "good");
    }
}
