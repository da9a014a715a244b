//! The page that says why nothing was done.

use askama::Template;
use axum::http::header::{REFRESH, RETRY_AFTER};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::Response;

use super::theme::Theme;
use super::{Screen, Shell, html};
use crate::access::{Gate, Visitor};
use crate::port::{Operations, RefusalKind, Refused};
use crate::state::Console;

#[derive(Template)]
#[template(path = "problem.html")]
struct ProblemPage<'p> {
    shell: Shell,
    heading: &'static str,
    sentence: &'p str,
}

#[derive(Template)]
#[template(path = "stranger.html")]
struct StrangerPage<'p> {
    theme: Theme,
    heading: &'static str,
    sentence: &'p str,
}

/// What surrounds the page: for someone who is not logged in, nothing.
pub(crate) enum Chrome {
    Stranger(Theme),
    Visitor(Box<Shell>),
}

impl Chrome {
    pub fn stranger(headers: &HeaderMap) -> Self {
        Self::Stranger(Theme::of(headers))
    }

    pub fn visitor(gate: &Gate, visitor: &Visitor) -> Self {
        Self::Visitor(Box::new(Shell::new(gate, visitor, Screen::Other, "Not done")))
    }
}

/// The page with this status and sentence.
pub(crate) fn problem(chrome: Chrome, status: StatusCode, sentence: &str) -> Response {
    let heading = match status {
        StatusCode::FORBIDDEN => "Not allowed",
        StatusCode::NOT_FOUND => "Not there",
        StatusCode::SERVICE_UNAVAILABLE => "A part is away",
        _ => "Not done",
    };
    let mut response = page(chrome, status, heading, sentence);
    if status == StatusCode::SERVICE_UNAVAILABLE {
        response.headers_mut().insert(RETRY_AFTER, HeaderValue::from_static("5"));
    }
    response
}

fn page(chrome: Chrome, status: StatusCode, heading: &'static str, sentence: &str) -> Response {
    match chrome {
        Chrome::Stranger(theme) => html(status, &StrangerPage { theme, heading, sentence }),
        Chrome::Visitor(shell) => html(status, &ProblemPage { shell: *shell, heading, sentence }),
    }
}

/// The page for what the port refused.
pub(crate) fn refused<O: Operations>(console: &Console<O>, visitor: &Visitor, refused: &Refused) -> Response {
    let chrome = Chrome::visitor(&console.gate, visitor);
    if refused.kind == RefusalKind::Reading {
        reading(chrome, &refused.sentence)
    } else {
        problem(chrome, status(refused.kind), &refused.sentence)
    }
}

/// The page for what is still being read: it loads itself again, also without script.
fn reading(chrome: Chrome, sentence: &str) -> Response {
    let mut response = page(chrome, StatusCode::SERVICE_UNAVAILABLE, "Just a moment", sentence);
    response.headers_mut().insert(RETRY_AFTER, HeaderValue::from_static("1"));
    response.headers_mut().insert(REFRESH, HeaderValue::from_static("1"));
    response
}

/// The page for what the console itself does not take.
pub(crate) fn bad<O: Operations>(console: &Console<O>, visitor: &Visitor, sentence: &str) -> Response {
    problem(Chrome::visitor(&console.gate, visitor), StatusCode::BAD_REQUEST, sentence)
}

pub(crate) const fn status(kind: RefusalKind) -> StatusCode {
    match kind {
        RefusalKind::Bad => StatusCode::BAD_REQUEST,
        RefusalKind::NotFound => StatusCode::NOT_FOUND,
        RefusalKind::Impossible => StatusCode::CONFLICT,
        RefusalKind::Unavailable | RefusalKind::Reading => StatusCode::SERVICE_UNAVAILABLE,
    }
}
