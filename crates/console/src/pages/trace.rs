//! What is known of one event, or of what events are about.

use std::sync::Arc;
use std::time::SystemTime;

use askama::Template;
use axum::Extension;
use axum::extract::{RawQuery, State};
use axum::http::StatusCode;
use axum::response::Response;

use super::problem::status;
use super::{Screen, Shell, html};
use crate::access::Visitor;
use crate::fields::{Fields, address};
use crate::port::{Operations, Trace, TraceBy, TraceStep};
use crate::state::Console;
use crate::words::When;

#[derive(Template)]
#[template(path = "trace.html")]
struct TracePage {
    shell: Shell,
    by: TraceBy,
    id: String,
    traced: Option<Traced>,
    refusal: Option<String>,
}

/// What was found.
struct Traced {
    id: String,
    verdict: String,
    findings: Vec<(String, String)>,
    steps: Vec<Step>,
}

/// A line of the timeline.
struct Step {
    at: When,
    kind: String,
    class: &'static str,
    sentence: String,
    /// Its dead letter.
    letter: Option<String>,
    /// The address of the trace of its event.
    event: Option<String>,
}

impl Traced {
    fn of(trace: Trace, now: SystemTime) -> Self {
        let Trace { id, verdict, findings, steps } = trace;
        Self { id, verdict, findings, steps: steps.into_iter().map(|step| Step::of(step, now)).collect() }
    }
}

impl Step {
    fn of(step: TraceStep, now: SystemTime) -> Self {
        let TraceStep { at, kind, sentence, event_id, letter } = step;
        let class = match kind.as_str() {
            "applied" => "good",
            "parked" | "waiting" | "superseded" => "warn",
            "dead letter" => "bad",
            "change" => "accent",
            _ => "",
        };
        let event = event_id.map(|id| address("/console/trace", &[("event", &id)]));
        Self { at: When::maybe(at.as_ref(), now), kind, class, sentence, letter, event }
    }
}

/// What is asked for: `?order=…`, or what the form sends, `?by=order&id=…`.
fn asked(fields: &Fields) -> (TraceBy, String) {
    let named = TraceBy::ALL.into_iter().find_map(|by| Some((by, fields.given(by.name())?)));
    let chosen = || {
        let by = fields.given("by").and_then(|name| TraceBy::ALL.into_iter().find(|by| by.name() == name));
        (by.unwrap_or(TraceBy::Event), fields.given("id").unwrap_or_default())
    };
    let (by, id) = named.unwrap_or_else(chosen);
    (by, id.trim().to_owned())
}

/// `GET /console/trace?event=…`, or by `user`, `order`, `payment` or `sku`.
pub(crate) async fn show<O: Operations>(
    State(console): State<Arc<Console<O>>>,
    Extension(visitor): Extension<Visitor>,
    RawQuery(query): RawQuery,
) -> Response {
    let (by, id) = asked(&Fields::parse(query.unwrap_or_default().as_bytes()));
    let shell = Shell::new(&console.gate, &visitor, Screen::Trace, "Trace");
    if id.is_empty() {
        return html(StatusCode::OK, &TracePage { shell, by, id, traced: None, refusal: None });
    }
    match console.operations.trace(by, &id).await {
        Ok(trace) => html(StatusCode::OK, &TracePage { shell, by, id, traced: Some(Traced::of(trace, SystemTime::now())), refusal: None }),
        // The form stays, so that the id can be mended.
        Err(why) => html(status(why.kind), &TracePage { shell, by, id, traced: None, refusal: Some(why.sentence) }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_says_by_what_is_looked_for_and_so_does_the_form() {
        let asked = |query: &str| asked(&Fields::parse(query.as_bytes()));
        assert_eq!(asked(""), (TraceBy::Event, String::new()));
        assert_eq!(asked("event=e1"), (TraceBy::Event, "e1".to_owned()));
        assert_eq!(asked("sku=A%201"), (TraceBy::Sku, "A 1".to_owned()));
        assert_eq!(asked("by=payment&id=+p1+"), (TraceBy::Payment, "p1".to_owned()));
        assert_eq!(asked("by=strange&id=e1"), (TraceBy::Event, "e1".to_owned()));
    }
}
