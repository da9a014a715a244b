//! What operators have changed, the newest first.

use std::sync::Arc;
use std::time::SystemTime;

use askama::Template;
use axum::Extension;
use axum::extract::{RawQuery, State};
use axum::http::StatusCode;

use super::problem::{bad, refused};
use super::{Answer, Screen, Shell, html};
use crate::access::Visitor;
use crate::fields::{Fields, address};
use crate::filters;
use crate::port::{AuditRow, Operations};
use crate::state::Console;
use crate::words::When;

/// Entries of one page.
const PAGE: usize = 100;
const HERE: &str = "/console/audit";

#[derive(Template)]
#[template(path = "audit.html")]
struct AuditPage {
    shell: Shell,
    rows: Vec<Row>,
    /// Where the newest entries are, where this page does not begin with them.
    newest: Option<&'static str>,
    older: Option<String>,
}

/// An entry as a row.
pub(super) struct Row {
    pub entry: AuditRow,
    pub at: When,
    pub class: &'static str,
}

/// `GET /console/audit?before=…`.
pub(crate) async fn show<O: Operations>(
    State(console): State<Arc<Console<O>>>,
    Extension(visitor): Extension<Visitor>,
    RawQuery(query): RawQuery,
) -> Answer {
    let fields = Fields::parse(query.unwrap_or_default().as_bytes());
    let before = match fields.given("before").map(str::parse::<i64>) {
        None => None,
        Some(Ok(number)) => Some(number),
        Some(Err(_)) => return Err(bad(&console, &visitor, "An entry has a number.")),
    };
    let entries = console.operations.audit(before, PAGE).await.map_err(|why| refused(&console, &visitor, &why))?;
    let last = entries.last().filter(|last| entries.len() == PAGE && last.number > 1);
    let older = last.map(|last| address(HERE, &[("before", &last.number.to_string())]));
    let now = SystemTime::now();
    let page = AuditPage {
        shell: Shell::new(&console.gate, &visitor, Screen::Audit, "Audit log"),
        rows: entries.into_iter().map(|entry| Row::of(entry, now)).collect(),
        newest: before.map(|_| HERE),
        older,
    };
    Ok(html(StatusCode::OK, &page))
}

impl Row {
    pub fn of(entry: AuditRow, now: SystemTime) -> Self {
        let is_bad = ["failed", "refused", "not "].iter().any(|word| entry.outcome.starts_with(word));
        Self { at: When::of(&entry.at, now), class: if is_bad { "bad" } else { "" }, entry }
    }
}
