//! One dead letter: what it is, and what would come of other bytes in its place.

use std::fmt::Write as _;
use std::sync::Arc;
use std::time::SystemTime;

use askama::Template;
use axum::Extension;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Redirect};

use super::audit::Row;
use super::draft::DraftPart;
use super::problem::{refused, status as problem_status};
use super::{Answer, Screen, Shell, html};
use crate::access::{Notice, Role, Visitor, kept};
use crate::fields::{Fields, address};
use crate::filters;
use crate::locate::locate;
use crate::port::{Draft, Known, Letter, Operations, PayloadField, Selection};
use crate::state::Console;
use crate::words::{When, left_out, thousands};

/// More bytes than this are not dumped.
const DUMPED: usize = 4096;
/// Entries of the audit log that are shown, at most.
const HISTORY: usize = 50;
/// Fields of a payload that are shown, at most.
const FIELDS: usize = 200;

#[derive(Template)]
#[template(path = "letter.html")]
struct LetterPage {
    shell: Shell,
    letter: Letter,
    since: When,
    /// When a redrive failed the last time.
    again: Option<When>,
    /// The times of the event and of its record.
    event_at: When,
    record_at: When,
    size: String,
    /// The bytes as text, in parts of which some are marked.
    text: Option<Vec<(String, bool)>>,
    hex: String,
    /// The payload field by field, those that are wrong among them.
    fields: Vec<PayloadField>,
    /// How many fields are not shown, as a sentence without its end.
    unshown: Option<String>,
    /// How many bytes are not dumped, as a sentence without its end.
    undumped: Option<String>,
    /// What another program wrote as the reason.
    told: Option<String>,
    by_fingerprint: String,
    redrive: String,
    purge: String,
    trace: Option<String>,
    draft: DraftPart,
    /// What operators have done to it.
    history: Known<Vec<Row>>,
    /// What stands in the editor.
    payload: String,
    /// Why it was not sent.
    refusal: Option<String>,
}

/// `GET /console/dead-letters/{id}`.
pub(crate) async fn show<O: Operations>(
    State(console): State<Arc<Console<O>>>,
    Extension(visitor): Extension<Visitor>,
    Path(id): Path<String>,
) -> Answer {
    page(&console, &visitor, &id, None, None, (StatusCode::OK, None)).await
}

/// `POST /console/dead-letters/{id}/check`: what would come of this payload. Changes nothing.
pub(crate) async fn check<O: Operations>(
    State(console): State<Arc<Console<O>>>,
    Extension(visitor): Extension<Visitor>,
    Extension(fields): Extension<Fields>,
    Path(id): Path<String>,
) -> Answer {
    let payload = payload(&fields);
    let draft = console.operations.check(&id, &payload).await;
    if visitor.partial {
        return Ok(match draft {
            Ok(draft) => html(StatusCode::OK, &DraftPart::of(draft, &payload)),
            // The script takes only what was answered with 200 into the page.
            Err(why) => html(StatusCode::OK, &DraftPart::refused(why.sentence)),
        });
    }
    match draft {
        Ok(draft) => page(&console, &visitor, &id, Some(payload), Some(draft), (StatusCode::OK, None)).await,
        Err(why) => page(&console, &visitor, &id, Some(payload), None, (problem_status(why.kind), Some(why.sentence))).await,
    }
}

/// `POST /console/dead-letters/{id}/send`: this payload, under the same event id.
pub(crate) async fn send<O: Operations>(
    State(console): State<Arc<Console<O>>>,
    Extension(visitor): Extension<Visitor>,
    Extension(fields): Extension<Fields>,
    Path(id): Path<String>,
) -> Answer {
    let payload = payload(&fields);
    tracing::info!(caller = visitor.account.name, id, "sends an edited dead letter, from the console");
    match console.operations.send(&visitor.caller(), &id, &payload).await {
        Ok(sent) => {
            let trace = address("/console/trace", &[("event", &sent.event_id)]);
            let sentence = format!("Dead letter {id} was sent as event {} to {}, and is off the list.", sent.event_id, sent.place);
            console.gate.sessions.tell(&visitor.key, Notice { sentence, link: Some(("Trace the event".to_owned(), trace)) });
            Ok(Redirect::to("/console/dead-letters").into_response())
        }
        Err(why) => {
            // What was written must not be lost, and what is wrong with it is said beside it.
            let draft = console.operations.check(&id, &payload).await.ok();
            page(&console, &visitor, &id, Some(payload), draft, (problem_status(why.kind), Some(why.sentence))).await
        }
    }
}

async fn page<O: Operations>(
    console: &Console<O>,
    visitor: &Visitor,
    id: &str,
    payload: Option<String>,
    draft: Option<Draft>,
    (status, refusal): (StatusCode, Option<String>),
) -> Answer {
    let (letter, history) = tokio::join!(console.operations.letter(id), console.operations.letter_history(id, HISTORY));
    let mut letter = match (letter, &payload) {
        (Ok(letter), _) => letter,
        // The letter cannot be shown, but what was written can.
        (Err(why), Some(payload)) if visitor.may(Role::Editor) && id.bytes().all(|byte| byte.is_ascii_hexdigit()) => {
            let sentence = format!("{} Nothing was sent, and what you wrote is kept.", refusal.as_deref().unwrap_or(&why.sentence));
            let letter = format!("/console/dead-letters/{id}");
            return Ok(kept::page(visitor.theme, (problem_status(why.kind), "Not sent", &sentence), (&letter, &visitor.csrf), payload));
        }
        (Err(why), _) => return Err(refused(console, visitor, &why)),
    };
    let mut shell = Shell::new(&console.gate, visitor, Screen::DeadLetters, format!("Dead letter {}", letter.row.id));
    shell.here = format!("/console/dead-letters/{}", letter.row.id);
    // What was asked for may be the beginning of its id.
    let history = if letter.row.id == id { history } else { console.operations.letter_history(&letter.row.id, HISTORY).await };
    let history = history.map(|entries| entries.into_iter().map(|entry| Row::of(entry, SystemTime::now())).collect());
    let only = Selection { ids: vec![letter.row.id.clone()], ..Selection::default() };
    let payload = payload.or_else(|| letter.editable.clone()).unwrap_or_default();
    let draft = draft.map_or(DraftPart::unchecked(), |draft| DraftPart::of(draft, &payload));
    // What a viewer must not see is not even written into a template.
    let (fields, unshown) = if shell.editor { shown(std::mem::take(&mut letter.fields)) } else { Default::default() };
    let undumped = letter.bytes.len().saturating_sub(DUMPED) as u64;
    let page = LetterPage {
        since: When::maybe(letter.row.since.as_ref(), SystemTime::now()),
        again: letter.failed_again.as_ref().map(|at| When::maybe(Some(at), SystemTime::now())),
        event_at: When::maybe(letter.event_at.as_ref(), SystemTime::now()),
        record_at: When::maybe(letter.record_at.as_ref(), SystemTime::now()),
        size: thousands(letter.bytes.len() as u64),
        text: if shell.editor { marked(&letter) } else { None },
        fields,
        unshown,
        hex: if shell.editor { dump(letter.bytes.get(..DUMPED).unwrap_or(&letter.bytes)) } else { String::new() },
        undumped: (undumped > 0).then(|| left_out(undumped, "more byte", "more bytes", "dumped")),
        told: if shell.editor { letter.told.take() } else { None },
        by_fingerprint: address("/console/dead-letters", &[("fingerprint", &letter.row.fingerprint)]),
        redrive: address("/console/redrive", &[only.pairs(), vec![("rehearse", "1")]].concat()),
        purge: address("/console/purge", &only.pairs()),
        trace: letter.row.event_id.as_ref().map(|event| address("/console/trace", &[("event", event)])),
        payload: if shell.editor { payload } else { String::new() },
        draft,
        history,
        refusal,
        letter,
        shell,
    };
    Ok(html(status, &page))
}

/// Forms end their lines with CR LF; payloads do not.
fn payload(fields: &Fields) -> String {
    fields.get("payload").unwrap_or_default().replace("\r\n", "\n")
}

/// The fields in their order, those that are wrong before all others where there are too many, and what is said of the rest.
fn shown(mut fields: Vec<PayloadField>) -> (Vec<PayloadField>, Option<String>) {
    let unshown = fields.len().saturating_sub(FIELDS) as u64;
    if unshown > 0 {
        fields.sort_by_key(|field| field.problem.is_none());
        fields.truncate(FIELDS);
    }
    (fields, (unshown > 0).then(|| left_out(unshown, "more field", "more fields", "shown")))
}

/// The bytes as text, in parts: those that are marked are the fields that are wrong.
fn marked(letter: &Letter) -> Option<Vec<(String, bool)>> {
    let text = letter.is_text.then(|| std::str::from_utf8(&letter.bytes).ok())??;
    let wrong = letter.fields.iter().filter(|field| field.problem.is_some()).map(|field| &field.path);
    let mut places: Vec<_> = wrong.chain(&letter.field).take(FIELDS).filter_map(|field| locate(text, field)).collect();
    places.sort_by_key(|place| place.start);
    let mut parts = Vec::new();
    let mut at = 0;
    let mut part = |range: std::ops::Range<usize>, is_marked| {
        if !range.is_empty() {
            parts.push((text.get(range).unwrap_or_default().to_owned(), is_marked));
        }
    };
    for place in places {
        // A field that is named twice, or that stands in one that is named, is marked already.
        if place.start >= at {
            part(at..place.start, false);
            part(place.clone(), true);
            at = place.end;
        }
    }
    part(at..text.len(), false);
    Some(parts)
}

/// Offset, sixteen bytes, and the characters that they may be.
fn dump(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len() * 5);
    for (place, line) in bytes.chunks(16).enumerate() {
        let mut hex = String::with_capacity(49);
        for (column, byte) in line.iter().enumerate() {
            let gap = if column == 8 { " " } else { "" };
            // Writing to a string does not fail.
            let _written = write!(hex, "{gap}{byte:02x} ");
        }
        let readable: String = line.iter().map(|&byte| if (32..127).contains(&byte) { char::from(byte) } else { '.' }).collect();
        let _written = writeln!(text, "{:08x}  {hex:<49} {readable}", place * 16);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_are_dumped_as_an_operator_knows_it() {
        let text = dump(b"{\"eventId\":\"\xff\x00 0123456\"}");
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines[0], "00000000  7b 22 65 76 65 6e 74 49  64 22 3a 22 ff 00 20 30  {\"eventId\":\".. 0");
        assert_eq!(lines[1], "00000010  31 32 33 34 35 36 22 7d                           123456\"}");
    }

    #[test]
    fn where_there_are_too_many_fields_those_that_are_wrong_are_shown_first() {
        let field = |number: usize| PayloadField {
            path: number.to_string(),
            value: None,
            problem: (number % 100 == 99).then(|| "is wrong".to_owned()),
        };
        let (few, unshown) = shown((0..FIELDS).map(field).collect());
        assert_eq!((few.len(), few[99].path.as_str(), unshown), (FIELDS, "99", None));
        let (many, unshown) = shown((0..FIELDS + 150).map(field).collect());
        assert_eq!(many[..4].iter().map(|field| field.path.as_str()).collect::<Vec<_>>(), ["99", "199", "299", "0"]);
        assert_eq!((many.len(), unshown.as_deref()), (FIELDS, Some("150 more fields are not shown")));
    }
}
