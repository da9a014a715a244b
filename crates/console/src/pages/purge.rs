//! A purge: asked for on a page of its own, because it cannot be taken back.

use std::sync::Arc;
use std::time::SystemTime;

use askama::Template;
use axum::Extension;
use axum::extract::{RawQuery, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Redirect};

use super::problem::{bad, refused};
use super::redrive::{NOTHING, UNREHEARSED, amount, chosen, meant_in, named, named_in};
use super::{Answer, Screen, Shell, html};
use crate::access::{Notice, Visitor};
use crate::fields::{Fields, address};
use crate::port::{LetterRow, Operations, Refused, Selection};
use crate::state::Console;
use crate::words::{When, capital, counted};

/// Dead letters that are named before they are deleted.
const NAMED: u64 = 10;

#[derive(Template)]
#[template(path = "purge.html")]
struct PurgePage {
    shell: Shell,
    words: String,
    amount: String,
    pairs: Vec<(&'static str, String)>,
    until: String,
    list: String,
    rows: Vec<(LetterRow, When)>,
    more: bool,
}

/// `GET /console/purge?…`.
pub(crate) async fn ask<O: Operations>(
    State(console): State<Arc<Console<O>>>,
    Extension(visitor): Extension<Visitor>,
    RawQuery(query): RawQuery,
) -> Answer {
    let fields = Fields::parse(query.unwrap_or_default().as_bytes());
    if let Some(chosen) = chosen(&fields) {
        let named = named("/console/purge", &chosen, None);
        return named.map(|named| Redirect::to(&named).into_response()).ok_or_else(|| bad(&console, &visitor, NOTHING));
    }
    let now = SystemTime::now();
    let selection = named_in(&fields).map_err(|sentence| bad(&console, &visitor, &sentence))?.seen(now);
    let away = |why: Refused| refused(&console, &visitor, &why);
    let many = amount(&*console.operations, &selection, UNREHEARSED).await.map_err(away)?;
    let first = console.operations.letters(&selection, 0, NAMED).await.map_err(away)?;
    let page = PurgePage {
        shell: Shell::new(&console.gate, &visitor, Screen::DeadLetters, "Purge"),
        words: selection.words(),
        amount: capital(&many.words()),
        pairs: selection.pairs().into_iter().map(|(name, value)| (name, value.to_owned())).collect(),
        until: selection.until.clone().unwrap_or_default(),
        list: address("/console/dead-letters", &Selection { all: false, ..selection.clone() }.pairs()),
        more: first.next.is_some(),
        rows: first
            .rows
            .into_iter()
            .map(|row| {
                let since = When::maybe(row.since.as_ref(), now);
                (row, since)
            })
            .collect(),
    };
    Ok(html(StatusCode::OK, &page))
}

/// `POST /console/purge`.
pub(crate) async fn remove<O: Operations>(
    State(console): State<Arc<Console<O>>>,
    Extension(visitor): Extension<Visitor>,
    Extension(fields): Extension<Fields>,
) -> Answer {
    let selection = meant_in(&fields, SystemTime::now()).map_err(|sentence| bad(&console, &visitor, &sentence))?;
    if fields.given("sure").is_none() {
        return Err(bad(&console, &visitor, "Nothing was deleted: tick that they are to be deleted for good."));
    }
    tracing::info!(
        caller = visitor.account.name,
        selection = selection.query(),
        until = selection.until,
        "purges dead letters, from the console"
    );
    let purged = console.operations.purge(&visitor.caller(), &selection).await.map_err(|why| refused(&console, &visitor, &why))?;
    tracing::info!(caller = visitor.account.name, selection = selection.query(), purged, "purged dead letters, from the console");
    let verb = if purged == 1 { "was" } else { "were" };
    let sentence = format!("{} {verb} deleted for good.", capital(&counted(purged, "dead letter", "dead letters")));
    console.gate.sessions.tell(&visitor.key, Notice { sentence, link: None });
    Ok(Redirect::to("/console/dead-letters").into_response())
}
