//! The dead letters: groups by fingerprint, and the list.

use std::sync::Arc;
use std::time::SystemTime;

use askama::Template;
use axum::Extension;
use axum::extract::{RawQuery, State};
use axum::http::StatusCode;

use super::problem::refused;
use super::{Answer, Screen, Shell, html};
use crate::access::Visitor;
use crate::draw::Sparkline;
use crate::fields::{Fields, address};
use crate::port::{Group, Groups, LetterRow, Operations, RefusalKind, Refused, Selection};
use crate::state::Console;
use crate::words::{When, counted, left_out, thousands};

/// Dead letters on a page of the list.
const PAGE: u64 = 50;

#[derive(Template)]
#[template(path = "dead_letters.html")]
struct DeadLettersPage {
    shell: Shell,
    selection: Selection,
    /// The selection in words.
    words: String,
    depth: String,
    empty: bool,
    groups: Vec<GroupRow>,
    /// How many groups there are beyond these, as a sentence without its end.
    more_groups: Option<String>,
    /// How many dead letters are in no group, as a sentence without its end.
    uncounted: Option<String>,
    /// Why there are no groups.
    groups_away: Option<String>,
    /// How far they are counted, where that is still going on.
    reading: Option<String>,
    reasons: Vec<String>,
    types: Vec<String>,
    rows: Vec<Row>,
    start: u64,
    newest: String,
    older: Option<String>,
    /// What "all that match" means here.
    matching: String,
}

struct GroupRow {
    group: Group,
    count: String,
    href: String,
    redrive: String,
    first_seen: When,
    last_seen: When,
    spark: Sparkline,
}

struct Row {
    row: LetterRow,
    since: When,
    by_fingerprint: String,
}

/// Groups that are shown; the rest are few and can be found by a filter.
const GROUPS: usize = 40;

/// `GET /console/dead-letters?…`.
pub(crate) async fn show<O: Operations>(
    State(console): State<Arc<Console<O>>>,
    Extension(visitor): Extension<Visitor>,
    RawQuery(query): RawQuery,
) -> Answer {
    let fields = Fields::parse(query.unwrap_or_default().as_bytes());
    let selection = Selection { all: false, ..Selection::of(&fields) };
    let start = fields.given("start").and_then(|start| start.parse().ok()).unwrap_or(0);
    let page = console.operations.letters(&selection, start, PAGE).await.map_err(|why| refused(&console, &visitor, &why))?;
    let groups = if selection.is_empty() && start == 0 { console.operations.groups().await } else { Ok(Groups::default()) };
    let (Groups { groups, uncounted }, groups_away, reading) = match groups {
        Ok(groups) => (groups, None, None),
        Err(Refused { kind: RefusalKind::Reading, sentence }) => (Groups::default(), None, Some(sentence)),
        Err(why) => (Groups::default(), Some(why.sentence), None),
    };
    let part = |place: usize| {
        let mut parts: Vec<String> = groups.iter().filter_map(|group| group.fingerprint.split(':').nth(place)).map(str::to_owned).collect();
        parts.sort_unstable();
        parts.dedup();
        parts
    };
    let (reasons, types) = (part(0), part(1));
    let now = SystemTime::now();
    let matching = if selection.is_empty() {
        format!("all {}", counted(page.depth, "dead letter", "dead letters"))
    } else {
        "all that match the filter, also those on other pages".to_owned()
    };
    let older = page.next.map(|next| list(&selection, next));
    let more_groups = groups.len().saturating_sub(GROUPS) as u64;
    let more_groups = (more_groups > 0).then(|| left_out(more_groups, "smaller group", "smaller groups", "shown"));
    let page = DeadLettersPage {
        shell: Shell::new(&console.gate, &visitor, Screen::DeadLetters, "Dead letters"),
        words: selection.words(),
        depth: thousands(page.depth),
        empty: page.depth == 0,
        more_groups,
        uncounted: (uncounted > 0).then(|| left_out(uncounted, "older dead letter", "older dead letters", "counted")),
        groups: groups.into_iter().take(GROUPS).map(|group| GroupRow::of(group, now)).collect(),
        groups_away,
        reading,
        reasons,
        types,
        rows: page.rows.into_iter().map(|row| Row::of(row, now)).collect(),
        start,
        newest: list(&selection, 0),
        older,
        matching,
        selection,
    };
    Ok(html(StatusCode::OK, &page))
}

impl GroupRow {
    fn of(group: Group, now: SystemTime) -> Self {
        let alike = Selection { fingerprint: Some(group.fingerprint.clone()), ..Selection::default() };
        Self {
            count: thousands(group.count),
            href: address("/console/dead-letters", &alike.pairs()),
            redrive: address("/console/redrive", &[alike.pairs(), vec![("rehearse", "1")]].concat()),
            first_seen: When::maybe(group.first_seen.as_ref(), now),
            last_seen: When::maybe(group.last_seen.as_ref(), now),
            spark: Sparkline::of(&group.history),
            group,
        }
    }
}

impl Row {
    fn of(row: LetterRow, now: SystemTime) -> Self {
        let by_fingerprint = address("/console/dead-letters", &[("fingerprint", &row.fingerprint)]);
        Self { since: When::maybe(row.since.as_ref(), now), by_fingerprint, row }
    }
}

/// The list, from a place on.
fn list(selection: &Selection, start: u64) -> String {
    let start = start.to_string();
    let mut pairs = selection.pairs();
    if start != "0" {
        pairs.push(("start", &start));
    }
    address("/console/dead-letters", &pairs)
}
