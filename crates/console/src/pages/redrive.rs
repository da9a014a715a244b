//! A redrive: first its rehearsal, then a canary, then the rest at a rate.

use std::sync::Arc;
use std::time::SystemTime;

use askama::Template;
use axum::Extension;
use axum::extract::{RawQuery, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Redirect};

use super::problem::{bad, refused};
use super::{Answer, Screen, Shell, html};
use crate::access::{Notice, Visitor};
use crate::fields::{Fields, address};
use crate::filters;
use crate::port::{Operations, Order, Refused, Rehearsal, Selection};
use crate::selection::ids;
use crate::state::Console;
use crate::words::{capital, counted, thousands};

/// More than so many are not redriven unseen.
pub(super) const UNREHEARSED: u64 = 100;
/// Dead letters that a rehearsal names.
const NAMED: u64 = 100;
/// Dead letters that try whether the rest would go well.
const CANARY: u64 = 10;
/// Dead letters that are counted with one look at the list.
const LOOK: u64 = 1000;
/// Looks at the list, beyond those that so many dead letters take, to see whether a selection is large.
const LOOKS: u64 = 200;

#[derive(Template)]
#[template(path = "redrive.html")]
struct RedrivePage {
    shell: Shell,
    words: String,
    pairs: Vec<(&'static str, String)>,
    until: String,
    rehearse: String,
    list: String,
    purge: String,
    rehearsal: Option<Rehearsed>,
    /// Whether it may be begun: small, or rehearsed.
    open: bool,
    amount: String,
    canary: u64,
    nothing: bool,
}

struct Rehearsed {
    rehearsal: Rehearsal,
    proof: String,
    /// What the totals come to, as one sentence.
    verdict: String,
    /// How many the totals are of, where that is not all of them.
    looked: Option<String>,
    /// Outcome, class, how many, and its part of all in percent.
    totals: Vec<(String, &'static str, u64, u64)>,
}

/// `GET /console/redrive?…`.
pub(crate) async fn show<O: Operations>(
    State(console): State<Arc<Console<O>>>,
    Extension(visitor): Extension<Visitor>,
    RawQuery(query): RawQuery,
) -> Answer {
    let fields = Fields::parse(query.unwrap_or_default().as_bytes());
    if let Some(chosen) = chosen(&fields) {
        let named = named("/console/redrive", &chosen, fields.given("rehearse"));
        return named.map(|named| Redirect::to(&named).into_response()).ok_or_else(|| bad(&console, &visitor, NOTHING));
    }
    let now = SystemTime::now();
    let selection = named_in(&fields).map_err(|sentence| bad(&console, &visitor, &sentence))?.seen(now);
    let away = |why: Refused| refused(&console, &visitor, &why);
    let rehearsal = match fields.given("rehearse") {
        Some(_) => {
            let rehearsal = console.operations.rehearse(&selection, NAMED).await.map_err(away)?;
            tracing::info!(caller = visitor.account.name, selection = selection.query(), "rehearsed a redrive, from the console");
            let proof = console.proofs.give(&visitor.caller(), &selection, rehearsal.selected, now);
            Some(Rehearsed::of(rehearsal, proof))
        }
        None => None,
    };
    let many = match &rehearsal {
        Some(seen) => Amount { number: seen.rehearsal.selected, more: false },
        None => amount(&*console.operations, &selection, UNREHEARSED).await.map_err(away)?,
    };
    let page = RedrivePage {
        shell: Shell::new(&console.gate, &visitor, Screen::DeadLetters, "Redrive"),
        words: selection.words(),
        pairs: selection.pairs().into_iter().map(|(name, value)| (name, value.to_owned())).collect(),
        rehearse: address("/console/redrive", &[selection.pairs(), vec![("rehearse", "1")]].concat()),
        list: address("/console/dead-letters", &Selection { all: false, ..selection.clone() }.pairs()),
        purge: address("/console/purge", &selection.pairs()),
        until: selection.until.clone().unwrap_or_default(),
        open: rehearsal.is_some() || !many.more,
        nothing: many.number == 0,
        amount: capital(&many.words()),
        rehearsal,
        canary: many.number.min(CANARY),
    };
    Ok(html(StatusCode::OK, &page))
}

/// `POST /console/redrive`.
pub(crate) async fn begin<O: Operations>(
    State(console): State<Arc<Console<O>>>,
    Extension(visitor): Extension<Visitor>,
    Extension(fields): Extension<Fields>,
) -> Answer {
    let now = SystemTime::now();
    let selection = meant_in(&fields, now).map_err(|sentence| bad(&console, &visitor, &sentence))?;
    let limit = match number(fields.given("limit")) {
        Ok(limit) => limit,
        Err(()) => return Err(bad(&console, &visitor, "The limit must be a whole number of 1 or more.")),
    };
    let is_canary = fields.given("canary").is_some();
    let limit = if is_canary { Some(CANARY) } else { limit };
    let rate = match rate(fields.given("rate")) {
        Ok(rate) => rate,
        Err(()) => return Err(bad(&console, &visitor, "The rate must be a number from 0.01 to 1,000,000: so many per second.")),
    };
    let caller = visitor.caller();
    let rehearsed = fields
        .given("selected")
        .and_then(|selected| selected.parse::<u64>().ok())
        .filter(|&selected| console.proofs.holds(fields.get("proof").unwrap_or_default(), &caller, &selection, selected, now));
    // A rehearsal tells nothing of what the selection has come to mean since, so it is counted again.
    let bound = rehearsed.unwrap_or(0).max(UNREHEARSED);
    // By the queue itself: what pages are made of may be some seconds old.
    let meant = console.operations.count(&selection).await.map_err(|why| refused(&console, &visitor, &why))?;
    if meant > bound {
        let many = Amount { number: bound, more: true };
        let sentence = match rehearsed {
            Some(selected) => format!(
                "Nothing was redriven: {} rehearsed, and now the selection means {}. A new rehearsal must come first.",
                was(selected),
                many.words()
            ),
            None => format!(
                "Nothing was redriven: the selection means {}. Above {UNREHEARSED} a rehearsal must come first, and it counts for 30 minutes.",
                many.words()
            ),
        };
        return Err(bad(&console, &visitor, &sentence));
    }
    tracing::info!(
        caller = caller.0,
        selection = selection.query(),
        until = selection.until,
        limit,
        rate,
        "begins a redrive, from the console"
    );
    let rest = address("/console/redrive", &selection.pairs());
    let order = Order { selection, limit, rate, is_canary };
    let job = console.operations.redrive(&caller, &order).await.map_err(|why| refused(&console, &visitor, &why))?;
    let sentence = format!("Job {} has begun.", thousands(job));
    let notice = match is_canary {
        true => Notice {
            sentence: format!("{sentence} It is a canary: when it has ended well, the rest waits for your word."),
            link: Some(("Redrive the rest".to_owned(), rest)),
        },
        false => Notice { sentence, link: None },
    };
    console.gate.sessions.tell(&visitor.key, notice);
    Ok(Redirect::to(&format!("/console/jobs#job-{job}")).into_response())
}

/// What a page says where no dead letter was picked.
pub(super) const NOTHING: &str = "Nothing is picked: tick some dead letters, or \u{201c}all that match\u{201d}.";

/// The selection that an address names, or why it names none.
pub(super) fn named_in(fields: &Fields) -> Result<Selection, String> {
    let selection = Selection::of(fields);
    if let Some(no_id) = selection.no_id() {
        return Err(format!("\u{201c}{no_id}\u{201d} is no id of a dead letter: an id has 12 hexadecimal digits."));
    }
    if selection.is_empty() { Err(NOTHING.to_owned()) } else { Ok(selection) }
}

/// The selection of a form that acts: only what its page could show.
pub(super) fn meant_in(fields: &Fields, now: SystemTime) -> Result<Selection, String> {
    let late = || "Nothing was done: the form does not tell when its page was made. Load the page again.".to_owned();
    named_in(fields)?.seen_by(fields, now).ok_or_else(late)
}

/// What the list's form says: the picked ones, or all that match its filter, or everything, where it says that very word.
/// `None` where the address names a selection itself.
pub(super) fn chosen(fields: &Fields) -> Option<Selection> {
    fields.given("scope")?;
    let scope = |wanted| fields.all("scope").any(|scope| scope == wanted);
    let form = Selection { all: false, ..Selection::of(fields) };
    // What the list itself was of, where that was ids: `id` are the boxes.
    let filter = Selection { ids: ids(fields, "of"), ..form.clone() };
    if scope("everything") {
        // Only an unfiltered list offers it. Where there is a filter all the same, it is not known what is meant.
        return Some(Selection { all: filter.is_empty(), ..Selection::default() });
    }
    if !scope("list") {
        return Some(Selection::default());
    }
    Some(if fields.given("matching").is_some() { filter } else { Selection { ids: form.ids, ..Selection::default() } })
}

/// The address that names the selection, so that it can be kept and sent to others; `None` where nothing is picked.
pub(super) fn named(path: &str, chosen: &Selection, rehearse: Option<&str>) -> Option<String> {
    let rehearse = rehearse.map(|_| ("rehearse", "1"));
    let pairs: Vec<_> = chosen.pairs().into_iter().chain(rehearse).collect();
    (!chosen.is_empty()).then(|| address(path, &pairs))
}

/// How many dead letters a selection means.
pub(super) struct Amount {
    number: u64,
    /// Whether there are more than that.
    more: bool,
}

impl Amount {
    pub fn words(&self) -> String {
        if self.more {
            return format!("more than {} dead letters", thousands(self.number));
        }
        counted(self.number, "dead letter", "dead letters")
    }
}

/// Counts, as far as is needed to see whether there are more than so many.
pub(super) async fn amount<O: Operations>(operations: &O, selection: &Selection, bound: u64) -> Result<Amount, Refused> {
    let (mut number, mut start) = (0, 0);
    for _ in 0..LOOKS.saturating_add(bound / LOOK) {
        let page = operations.letters(selection, start, bound.saturating_add(1).saturating_sub(number).min(LOOK)).await?;
        number += page.rows.len() as u64;
        if number > bound {
            return Ok(Amount { number: bound, more: true });
        }
        match page.next {
            Some(next) => start = next,
            None => return Ok(Amount { number, more: false }),
        }
    }
    // So long a list was not looked through to its end: it counts as large.
    Ok(Amount { number, more: true })
}

/// `1 dead letter was`, `1,204 dead letters were`.
fn was(number: u64) -> String {
    format!("{} {}", counted(number, "dead letter", "dead letters"), if number == 1 { "was" } else { "were" })
}

impl Rehearsed {
    fn of(rehearsal: Rehearsal, proof: String) -> Self {
        let all: u64 = rehearsal.totals.iter().map(|(_, count)| count).sum();
        // Rounded down: together they are never more than all.
        let share = |count: u64| count.saturating_mul(100) / all.max(1);
        let totals = rehearsal.totals.iter().map(|(outcome, count)| (outcome.clone(), class(outcome), *count, share(*count))).collect();
        let looked = (all < rehearsal.selected).then(|| thousands(all));
        Self { verdict: verdict(&rehearsal.totals, all), rehearsal, proof, looked, totals }
    }
}

/// What the totals come to. A parked one is told by itself: it may come back, at its deadline.
fn verdict(totals: &[(String, u64)], all: u64) -> String {
    let sum = |wanted: &dyn Fn(&str) -> bool| totals.iter().filter(|(outcome, _)| wanted(outcome)).map(|(_, count)| *count).sum::<u64>();
    let unsent = sum(&is_unsent);
    let parked = sum(&|outcome| class(outcome) == "warn");
    let back = sum(&|outcome| class(outcome) == "bad" && !is_unsent(outcome));
    if all == 1 {
        let sentence = match (back, unsent, parked) {
            (1, ..) => "It would come back as a dead letter.",
            (_, 1, _) => "It would not be sent and would stay in the list.",
            (.., 1) => "It would not come back at once; it would wait for a parent.",
            _ => "It would not come back as a dead letter.",
        };
        return sentence.to_owned();
    }
    let mut parts = Vec::new();
    match back {
        _ if all == 0 => return "The selection means nothing now.".to_owned(),
        _ if unsent == all => return format!("None of {} would be sent; all would stay in the list.", thousands(all)),
        0 if parked == all => parts.push("None would come back at once".to_owned()),
        0 if parked > 0 => parts.push(format!("None of {} would come back at once", thousands(all))),
        0 => parts.push(format!("None of {} would come back as a dead letter", thousands(all))),
        back if back == all => parts.push(format!("All {} would come back as dead letters", thousands(all))),
        1 => parts.push(format!("1 of {} would come back as a dead letter", thousands(all))),
        back => parts.push(format!("{} of {} would come back as dead letters", thousands(back), thousands(all))),
    }
    if parked > 0 {
        parts.push(format!("{} would wait for a parent", thousands(parked)));
    }
    if unsent > 0 {
        parts.push(format!("{} would not be sent", thousands(unsent)));
    }
    format!("{}.", parts.join("; "))
}

/// Whether it would not even be sent, and so cannot come back.
fn is_unsent(outcome: &str) -> bool {
    matches!(outcome, "unreadable" | "too many retries")
}

/// The colour of an outcome.
pub(super) fn class(outcome: &str) -> &'static str {
    match outcome {
        "applied" => "good",
        "duplicate" | "stale" => "plain",
        "parked" => "warn",
        _ => "bad",
    }
}

fn number(text: Option<&str>) -> Result<Option<u64>, ()> {
    let Some(text) = text else { return Ok(None) };
    ungrouped(text).ok_or(())?.parse().ok().filter(|&number| number > 0).map(Some).ok_or(())
}

/// A number without the commas between its thousands; `None` where a comma stands elsewhere, as in `2,5`, which would become 25.
fn ungrouped(text: &str) -> Option<String> {
    let whole = text.split_once('.').map_or(text, |(whole, _)| whole);
    let (first, groups) = whole.split_once(',').map_or((whole, None), |(first, rest)| (first, Some(rest)));
    let fits = groups.is_none_or(|groups| (1..=3).contains(&first.len()) && groups.split(',').all(|group| group.len() == 3));
    let rest = text.get(whole.len()..).unwrap_or_default();
    (fits && !rest.contains(',')).then(|| text.replace(',', ""))
}

/// A job that waits longer than a minute and a half between two dead letters seems to stand still; no broker takes more than a million.
fn rate(text: Option<&str>) -> Result<Option<f64>, ()> {
    let Some(text) = text else { return Ok(None) };
    ungrouped(text).ok_or(())?.parse().ok().filter(|rate| (0.01..=1e6).contains(rate)).map(Some).ok_or(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn verdict(totals: &[(&str, u64)], selected: u64) -> (String, Option<String>) {
        let totals = totals.iter().map(|(outcome, count)| ((*outcome).to_owned(), *count)).collect();
        let seen = Rehearsed::of(Rehearsal { totals, selected, rows: Vec::new(), batches: 1 }, String::new());
        (seen.verdict, seen.looked)
    }

    #[test]
    fn a_rehearsal_comes_to_one_sentence() {
        assert_eq!(verdict(&[("applied", 1)], 1), ("It would not come back as a dead letter.".to_owned(), None));
        assert_eq!(verdict(&[("rejected", 1)], 1).0, "It would come back as a dead letter.");
        assert_eq!(verdict(&[("unreadable", 1)], 1).0, "It would not be sent and would stay in the list.");
        assert_eq!(verdict(&[("parked", 1)], 1).0, "It would not come back at once; it would wait for a parent.");
        assert_eq!(verdict(&[("applied", 1_200), ("stale", 34)], 1_234).0, "None of 1,234 would come back as a dead letter.");
        assert_eq!(verdict(&[("parked", 100)], 100).0, "None would come back at once; 100 would wait for a parent.");
        let waiting = verdict(&[("applied", 1_200), ("parked", 34)], 1_234).0;
        assert_eq!(waiting, "None of 1,234 would come back at once; 34 would wait for a parent.");
        assert_eq!(verdict(&[("rejected", 2)], 2).0, "All 2 would come back as dead letters.");
        assert_eq!(verdict(&[("too many retries", 2), ("unreadable", 1)], 3).0, "None of 3 would be sent; all would stay in the list.");
        let some = verdict(&[("applied", 88), ("parked", 1), ("dead letter", 1), ("too many retries", 10)], 5_000);
        let sentence = "1 of 100 would come back as a dead letter; 1 would wait for a parent; 10 would not be sent.";
        assert_eq!(some, (sentence.to_owned(), Some("100".to_owned())));
        assert_eq!(verdict(&[], 0).0, "The selection means nothing now.");
    }

    #[test]
    fn commas_stand_between_thousands_only() {
        for (text, plain) in [("1", "1"), ("1000", "1000"), ("1,000", "1000"), ("12,345,678.5", "12345678.5"), ("0.01", "0.01")] {
            assert_eq!(ungrouped(text).as_deref(), Some(plain));
        }
        for wrong in ["2,5", "1,00", ",100", "1000,000", "1,0000", "1.000,5", "1,"] {
            assert_eq!(ungrouped(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn parts_are_never_more_than_all() {
        let totals = ["applied", "parked", "rejected"].map(|outcome| (outcome.to_owned(), 667)).into();
        let seen = Rehearsed::of(Rehearsal { totals, selected: 2_001, rows: Vec::new(), batches: 1 }, String::new());
        assert_eq!(seen.totals.iter().map(|total| total.3).collect::<Vec<_>>(), [33, 33, 33]);
    }
}
