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
use crate::routes::Console;
use crate::words::{capital, counted, thousands};

/// More than so many are not redriven unseen.
pub(super) const UNREHEARSED: u64 = 100;
/// Dead letters that a rehearsal names.
const NAMED: u64 = 100;
/// Dead letters that try whether the rest would go well.
const CANARY: u64 = 10;
/// Pages of the list that are looked through to see whether a selection is large.
const LOOKS: usize = 200;

#[derive(Template)]
#[template(path = "redrive.html")]
struct RedrivePage {
    shell: Shell,
    words: String,
    pairs: Vec<(&'static str, String)>,
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
    let selection = Selection::of(&fields);
    if selection.is_empty() {
        return Err(bad(&console, &visitor, NOTHING));
    }
    let away = |why: Refused| refused(&console, &visitor, &why);
    let rehearsal = match fields.given("rehearse") {
        Some(_) => {
            let rehearsal = console.operations.rehearse(&selection, NAMED).await.map_err(away)?;
            tracing::info!(caller = visitor.account.name, selection = selection.words(), "rehearsed a redrive, from the console");
            let proof = console.proofs.give(&visitor.caller(), &selection, SystemTime::now());
            Some(Rehearsed::of(rehearsal, proof))
        }
        None => None,
    };
    let many = match &rehearsal {
        Some(seen) => Amount { number: seen.rehearsal.selected, more: false },
        None => amount(&*console.operations, &selection).await.map_err(away)?,
    };
    let page = RedrivePage {
        shell: Shell::new(&console.gate, &visitor, Screen::DeadLetters, "Redrive"),
        words: selection.words(),
        pairs: selection.pairs().into_iter().map(|(name, value)| (name, value.to_owned())).collect(),
        rehearse: address("/console/redrive", &[selection.pairs(), vec![("rehearse", "1")]].concat()),
        list: address("/console/dead-letters", &Selection { all: false, ..selection.clone() }.pairs()),
        purge: address("/console/purge", &selection.pairs()),
        open: rehearsal.is_some() || !many.is_large(),
        nothing: many.number == 0,
        amount: capital(&many.words()),
        rehearsal,
        canary: CANARY,
    };
    Ok(html(StatusCode::OK, &page))
}

/// `POST /console/redrive`.
pub(crate) async fn begin<O: Operations>(
    State(console): State<Arc<Console<O>>>,
    Extension(visitor): Extension<Visitor>,
    Extension(fields): Extension<Fields>,
) -> Answer {
    let selection = Selection::of(&fields);
    if selection.is_empty() {
        return Err(bad(&console, &visitor, NOTHING));
    }
    let limit = match number(fields.given("limit")) {
        Ok(limit) => limit,
        Err(()) => return Err(bad(&console, &visitor, "The limit must be a whole number of 1 or more.")),
    };
    let limit = if fields.given("canary").is_some() { Some(CANARY) } else { limit };
    let rate = match fields.given("rate").map(str::parse::<f64>) {
        None => None,
        Some(Ok(rate)) if rate.is_finite() && rate > 0.0 => Some(rate),
        Some(_) => return Err(bad(&console, &visitor, "The rate must be a number above 0: so many per second.")),
    };
    let caller = visitor.caller();
    let rehearsed = console.proofs.holds(fields.get("proof").unwrap_or_default(), &caller, &selection, SystemTime::now());
    if !rehearsed {
        let many = amount(&*console.operations, &selection).await.map_err(|why| refused(&console, &visitor, &why))?;
        if many.is_large() {
            let sentence = format!(
                "Nothing was redriven: the selection means {}. Above {UNREHEARSED} a rehearsal must come first, and it counts for 30 minutes.",
                many.words()
            );
            return Err(bad(&console, &visitor, &sentence));
        }
    }
    tracing::info!(caller = caller.0, selection = selection.words(), limit, rate, "begins a redrive, from the console");
    let order = Order { selection, limit, rate };
    let job = console.operations.redrive(&caller, &order).await.map_err(|why| refused(&console, &visitor, &why))?;
    let sentence = format!("Job {} has begun.", thousands(job));
    console.gate.sessions.tell(&visitor.key, Notice { sentence, link: None });
    Ok(Redirect::to(&format!("/console/jobs#job-{job}")).into_response())
}

/// What a page says where no dead letter was picked.
pub(super) const NOTHING: &str = "Nothing is picked: tick some dead letters, or \u{201c}all that match\u{201d}.";

/// What the list's form says: the picked ones, or all that match its filter. `None` where the address names a selection itself.
pub(super) fn chosen(fields: &Fields) -> Option<Selection> {
    let scope = fields.given("scope")?;
    let form = Selection { all: false, ..Selection::of(fields) };
    if scope != "list" {
        return Some(Selection::default());
    }
    if fields.given("matching").is_none() {
        return Some(Selection { ids: form.ids, ..Selection::default() });
    }
    let filter = Selection { ids: Vec::new(), ..form };
    Some(if filter.is_empty() { Selection { all: true, ..filter } } else { filter })
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
    fn is_large(&self) -> bool {
        self.more || self.number > UNREHEARSED
    }

    pub fn words(&self) -> String {
        if self.more {
            return format!("more than {} dead letters", thousands(self.number));
        }
        counted(self.number, "dead letter", "dead letters")
    }
}

/// Counts, as far as is needed to see whether it is large.
pub(super) async fn amount<O: Operations>(operations: &O, selection: &Selection) -> Result<Amount, Refused> {
    let (mut number, mut start) = (0, 0);
    for _ in 0..LOOKS {
        let page = operations.letters(selection, start, UNREHEARSED + 1).await?;
        number += page.rows.len() as u64;
        if number > UNREHEARSED {
            return Ok(Amount { number: UNREHEARSED, more: true });
        }
        match page.next {
            Some(next) => start = next,
            None => return Ok(Amount { number, more: false }),
        }
    }
    // So long a list was not looked through to its end: it counts as large.
    Ok(Amount { number, more: true })
}

impl Rehearsed {
    fn of(rehearsal: Rehearsal, proof: String) -> Self {
        let all: u64 = rehearsal.totals.iter().map(|(_, count)| count).sum();
        let share = |count: u64| (count * 100).div_ceil(all.max(1));
        let totals = rehearsal.totals.iter().map(|(outcome, count)| (outcome.clone(), class(outcome), *count, share(*count))).collect();
        let well: u64 = rehearsal.totals.iter().filter(|(outcome, _)| class(outcome) != "bad").map(|(_, count)| count).sum();
        let verdict = match (all, all - well) {
            (0, _) => "The selection means nothing now.".to_owned(),
            (1, 0) => "It would not come back as a dead letter.".to_owned(),
            (1, _) => "It would come back as a dead letter.".to_owned(),
            (all, 0) => format!("None of {} would come back as a dead letter.", thousands(all)),
            (all, bad) if bad == all => format!("All {} would come back as dead letters.", thousands(all)),
            (all, bad) => format!("{} of {} would come back as dead letters or stay in the list.", thousands(bad), thousands(all)),
        };
        let looked = (all < rehearsal.selected).then(|| thousands(all));
        Self { rehearsal, proof, verdict, looked, totals }
    }
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
    text.replace(',', "").parse().ok().filter(|&number| number > 0).map(Some).ok_or(())
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
        assert_eq!(verdict(&[("unreadable", 1)], 1).0, "It would come back as a dead letter.");
        assert_eq!(verdict(&[("applied", 1_200), ("parked", 34)], 1_234).0, "None of 1,234 would come back as a dead letter.");
        assert_eq!(verdict(&[("rejected", 2)], 2).0, "All 2 would come back as dead letters.");
        let some = verdict(&[("applied", 90), ("too many retries", 10)], 5_000);
        assert_eq!(some, ("10 of 100 would come back as dead letters or stay in the list.".to_owned(), Some("100".to_owned())));
        assert_eq!(verdict(&[], 0).0, "The selection means nothing now.");
    }
}
