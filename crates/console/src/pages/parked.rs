//! Events that wait, by what they wait for.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use askama::Template;
use axum::Extension;
use axum::extract::State;
use axum::http::StatusCode;

use super::problem::refused;
use super::{Answer, Screen, Shell, html};
use crate::access::Visitor;
use crate::fields::address;
use crate::filters;
use crate::port::{MissingParent, Operations, ParentFate};
use crate::state::Console;
use crate::words::{When, counted, left_out, parse, span, thousands};

#[derive(Template)]
#[template(path = "parked.html")]
struct ParkedPage {
    shell: Shell,
    summary: String,
    deadline: String,
    parents: Vec<Parent>,
    /// How many parents are not shown, as a sentence without its end.
    hidden: Option<String>,
}

struct Parent {
    name: String,
    children: String,
    oldest: When,
    left: String,
    class: &'static str,
    fate: ParentFate,
    trace: Option<String>,
    waiting: Vec<Child>,
    unnamed: u64,
}

struct Child {
    event_id: String,
    place: String,
    parked: When,
    left: String,
    trace: String,
}

/// `GET /console/parked`.
pub(crate) async fn show<O: Operations>(State(console): State<Arc<Console<O>>>, Extension(visitor): Extension<Visitor>) -> Answer {
    let parked = console.operations.parked().await.map_err(|why| refused(&console, &visitor, &why))?;
    let now = SystemTime::now();
    let deadline = Duration::from_secs(parked.deadline_seconds);
    let events = counted(parked.events, "event", "events");
    let parents = counted((parked.parents.len() as u64).saturating_add(parked.hidden), "missing parent", "missing parents");
    let summary = match parked.events {
        0 => "No event waits.".to_owned(),
        1 => format!("1 event waits for {parents}."),
        _ => format!("{events} wait for {parents}."),
    };
    let page = ParkedPage {
        shell: Shell::new(&console.gate, &visitor, Screen::Parked, "Parked"),
        summary,
        deadline: span(deadline),
        hidden: (parked.hidden > 0).then(|| left_out(parked.hidden, "more parent", "more parents", "shown")),
        parents: parked.parents.into_iter().map(|parent| Parent::of(parent, deadline, now)).collect(),
    };
    Ok(html(StatusCode::OK, &page))
}

impl Parent {
    fn of(parent: MissingParent, deadline: Duration, now: SystemTime) -> Self {
        let remaining = left(&parent.oldest, deadline, now);
        let soon = remaining.is_some_and(|left| left < deadline / 10);
        Self {
            children: counted(parent.children, "event", "events"),
            oldest: When::of(&parent.oldest, now),
            left: remaining.map_or_else(unknown, in_words),
            class: if soon { "bad" } else { "plain" },
            trace: parent.trace.map(|(by, id)| address("/console/trace", &[(by.name(), &id)])),
            fate: parent.fate,
            unnamed: parent.children.saturating_sub(parent.first.len() as u64),
            waiting: parent
                .first
                .into_iter()
                .map(|child| Child {
                    parked: When::of(&child.parked_at, now),
                    left: left(&child.parked_at, deadline, now).map_or_else(unknown, in_words),
                    trace: address("/console/trace", &[("event", &child.event_id)]),
                    event_id: child.event_id,
                    place: child.place,
                })
                .collect(),
            name: parent.name,
        }
    }

    fn unnamed_words(&self) -> String {
        thousands(self.unnamed)
    }
}

/// How long it may still wait.
fn left(parked_at: &str, deadline: Duration, now: SystemTime) -> Option<Duration> {
    let end = parse(parked_at)?.checked_add(deadline)?;
    Some(end.duration_since(now).unwrap_or_default())
}

fn in_words(left: Duration) -> String {
    if left.is_zero() { "past its deadline".to_owned() } else { format!("{} left", span(left)) }
}

fn unknown() -> String {
    "unknown".to_owned()
}
