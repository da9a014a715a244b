//! Whether the tables are what the log says, by the last verification of this process and of each other one.

use std::cmp::Reverse;
use std::sync::Arc;
use std::time::SystemTime;

use askama::Template;
use axum::Extension;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Redirect, Response};
use chrono::{DateTime, FixedOffset};

use super::problem::refused;
use super::{Answer, Screen, Shell, html};
use crate::access::{Notice, Visitor};
use crate::filters;
use crate::port::{Consumer, Known, Operations, Verdict, VerdictOutcome, Verification};
use crate::state::Console;
use crate::words::{self, When, counted, span};

#[derive(Template)]
#[template(path = "verify.html")]
struct VerifyPage {
    shell: Shell,
    verification: Verification,
    verdict: String,
    class: &'static str,
    finished: Option<When>,
    interval: Option<String>,
    processes: Known<Vec<ProcessRow>>,
}

/// What the last verification of a process came to.
struct ProcessRow {
    host: String,
    process_id: u32,
    this: bool,
    alive: bool,
    /// The class of a badge, and what stands in it.
    outcome: (&'static str, &'static str),
    sentence: String,
    ended: When,
    took: String,
    compared: String,
}

impl ProcessRow {
    fn of(consumer: &Consumer, now: SystemTime) -> Option<Self> {
        let Verdict { ended, took, outcome, rows, offsets, whole_log } = consumer.verification.as_ref()?;
        let (outcome, sentence) = match outcome {
            VerdictOutcome::Equal => (("good", "equal"), found(0)),
            VerdictOutcome::Different(count) => (("bad", "different"), found(*count)),
            VerdictOutcome::Unfinished(why) => (("warn", "not finished"), why.clone()),
        };
        let whole = if *whole_log { "the log from its beginning" } else { "what the log still holds" };
        let compared = format!("{}, {} of {whole}", counted(*rows, "row", "rows"), counted(*offsets, "offset", "offsets"));
        Some(Self {
            host: consumer.host.clone(),
            process_id: consumer.process_id,
            this: consumer.this,
            alive: consumer.alive,
            sentence,
            ended: When::of(ended, now),
            took: words::took(*took),
            // Of one that was not finished, nobody can say.
            compared: if outcome.0 == "warn" { String::new() } else { compared },
            outcome,
        })
    }
}

/// `GET /console/verify`.
pub(crate) async fn show<O: Operations>(State(console): State<Arc<Console<O>>>, Extension(visitor): Extension<Visitor>) -> Response {
    let (flow, _) = console.flow(&visitor).await;
    let (verification, now) = (console.operations.verification(), SystemTime::now());
    let (verdict, class) = verdict(&verification);
    let processes = flow.consumers.map(|consumers| {
        // The last one to end is the one that counts.
        let mut told: Vec<_> = consumers.into_iter().filter(|consumer| consumer.verification.is_some()).collect();
        told.sort_by_key(|consumer| Reverse(ended(consumer)));
        told.iter().filter_map(|consumer| ProcessRow::of(consumer, now)).collect()
    });
    let page = VerifyPage {
        shell: Shell::new(&console.gate, &visitor, Screen::Verify, "Verify"),
        verdict,
        class,
        finished: verification.finished.as_ref().map(|at| When::of(at, now)),
        interval: verification.interval.map(span),
        verification,
        processes,
    };
    html(StatusCode::OK, &page)
}

/// `POST /console/verify/now`: begins one now, in this process.
pub(crate) async fn begin<O: Operations>(State(console): State<Arc<Console<O>>>, Extension(visitor): Extension<Visitor>) -> Answer {
    console.operations.verify_now(&visitor.caller()).map_err(|why| refused(&console, &visitor, &why))?;
    tracing::info!(caller = visitor.account.name, "begins a verification, from the console");
    let sentence =
        "The tables are verified now, unless another consumer does it; what it finds stands here when it is finished.".to_owned();
    console.gate.sessions.tell(&visitor.key, Notice { sentence, link: None });
    Ok(Redirect::to("/console/verify").into_response())
}

/// The last one in a sentence.
fn verdict(verification: &Verification) -> (String, &'static str) {
    let count = verification.differences.iter().map(|difference| difference.count).sum();
    match (&verification.finished, verification.interval, count) {
        (_, None, _) => ("This process does not verify the tables.".to_owned(), ""),
        (None, Some(_), _) => {
            ("This process has finished none yet: another consumer does it, or the first one is under way.".to_owned(), "")
        }
        (Some(_), Some(_), count) => (found(count), if count == 0 { "good" } else { "bad" }),
    }
}

/// What was found, in a sentence.
fn found(differences: u64) -> String {
    match differences {
        0 => "The tables were what the log says.".to_owned(),
        1 => "There is 1 difference from the log.".to_owned(),
        count => format!("There are {} from the log.", counted(count, "difference", "differences")),
    }
}

/// When the last verification of a process ended.
fn ended(consumer: &Consumer) -> Option<DateTime<FixedOffset>> {
    DateTime::parse_from_rfc3339(&consumer.verification.as_ref()?.ended).ok()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::port::DifferenceCount;

    #[test]
    fn the_last_verification_is_told_as_far_as_it_is_known() {
        let mut known = Verification::default();
        assert_eq!(verdict(&known), ("This process does not verify the tables.".to_owned(), ""));
        known.interval = Some(Duration::from_secs(60));
        assert!(verdict(&known).0.starts_with("This process has finished none yet"));
        known.finished = Some("2026-01-15T10:30:00Z".to_owned());
        assert_eq!(verdict(&known), ("The tables were what the log says.".to_owned(), "good"));
        known.differences.push(DifferenceCount { table: "users".to_owned(), kind: "missing".to_owned(), meaning: String::new(), count: 1 });
        assert_eq!(verdict(&known), ("There is 1 difference from the log.".to_owned(), "bad"));
    }
}
