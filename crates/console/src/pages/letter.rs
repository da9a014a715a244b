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
use super::problem::{refused, status as problem_status};
use super::{Answer, Screen, Shell, html};
use crate::access::{Notice, Role, Visitor, kept};
use crate::fields::{Fields, address};
use crate::filters;
use crate::locate::{line_of, locate};
use crate::port::{Draft, Known, Letter, Operations, Selection};
use crate::routes::Console;
use crate::words::{When, left_out, thousands};

/// More bytes than this are not dumped.
const DUMPED: usize = 4096;
/// Entries of the audit log that are shown, at most.
const HISTORY: usize = 50;
/// Lines around a problem that are shown with it.
const AROUND: usize = 2;

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
    text: Option<Marked>,
    hex: String,
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

/// What a check says; also a page's part that is renewed by itself.
#[derive(Template)]
#[template(path = "draft.html")]
struct DraftPart {
    checked: Option<Checked>,
}

struct Checked {
    draft: Draft,
    diff: Vec<(&'static str, String)>,
    /// The lines around the field that is wrong.
    excerpt: Vec<(usize, String, bool)>,
}

impl askama::filters::HtmlSafe for DraftPart {}

/// A text of which a part is marked.
struct Marked {
    before: String,
    marked: String,
    after: String,
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
            Err(why) => html(StatusCode::OK, &DraftPart::of(unchecked(why.sentence), &payload)),
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
    let draft = draft.map_or(DraftPart { checked: None }, |draft| DraftPart::of(draft, &payload));
    let undumped = letter.bytes.len().saturating_sub(DUMPED) as u64;
    let page = LetterPage {
        since: When::maybe(letter.row.since.as_ref(), SystemTime::now()),
        again: letter.failed_again.as_ref().map(|at| When::maybe(Some(at), SystemTime::now())),
        event_at: When::maybe(letter.event_at.as_ref(), SystemTime::now()),
        record_at: When::maybe(letter.record_at.as_ref(), SystemTime::now()),
        size: thousands(letter.bytes.len() as u64),
        // What a viewer must not see is not even written into a template.
        text: if shell.editor { marked(&letter) } else { None },
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

fn unchecked(sentence: String) -> Draft {
    Draft { problem: Some(sentence), field: None, diff: String::new(), foreseen: None }
}

impl DraftPart {
    fn of(draft: Draft, payload: &str) -> Self {
        let kind = |line: &str| match line.as_bytes().first() {
            Some(b'+') => "add",
            Some(b'-') => "del",
            Some(b'@') => "hunk",
            _ => "same",
        };
        let diff = draft.diff.lines().filter(|line| !line.starts_with("---") && !line.starts_with("+++"));
        let diff = diff.map(|line| (kind(line), line.to_owned())).collect();
        let place = draft.problem.as_ref().and(draft.field.as_deref()).and_then(|field| locate(payload, field));
        Self { checked: Some(Checked { excerpt: place.map_or_else(Vec::new, |place| excerpt(payload, place.start)), diff, draft }) }
    }
}

/// The lines around a byte, with their numbers, and whether it is the one.
fn excerpt(text: &str, at: usize) -> Vec<(usize, String, bool)> {
    let line = line_of(text, at);
    let numbered = text.lines().enumerate().map(|(place, text)| (place + 1, text));
    let near = numbered.filter(|(number, _)| number.abs_diff(line) <= AROUND);
    near.map(|(number, text)| (number, text.to_owned(), number == line)).collect()
}

/// The bytes as text, the field at which the decoder stopped marked.
fn marked(letter: &Letter) -> Option<Marked> {
    let text = letter.is_text.then(|| std::str::from_utf8(&letter.bytes).ok())??;
    let place = letter.field.as_deref().and_then(|field| locate(text, field)).unwrap_or(0..0);
    let part = |range: std::ops::Range<usize>| text.get(range).unwrap_or_default().to_owned();
    Some(Marked { before: part(0..place.start), marked: part(place.clone()), after: part(place.end..text.len()) })
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
    fn the_lines_around_a_problem_are_numbered() {
        let lines = excerpt("a\nb\nc\nd\ne\nf", 4);
        assert_eq!(lines.iter().map(|(number, ..)| *number).collect::<Vec<_>>(), [1, 2, 3, 4, 5]);
        assert_eq!(lines[2], (3, "c".to_owned(), true));
    }
}
