//! The page that asks for a token, and leaving again.

use std::sync::Arc;
use std::time::Instant;

use askama::Template;
use axum::Extension;
use axum::body::Bytes;
use axum::extract::{RawQuery, State};
use axum::http::header::{RETRY_AFTER, SET_COOKIE};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse as _, Redirect, Response};

use super::guard::{Visitor, session_cookie};
use super::session::TOTAL;
use super::{Gate, kept, origin};
use crate::fields::{Fields, own_address};
use crate::pages::html;
use crate::pages::problem::{Chrome, problem};
use crate::pages::theme::Theme;
use crate::port::Operations;
use crate::state::Console;

#[derive(Template)]
#[template(path = "login.html")]
struct LoginPage {
    theme: Theme,
    next: String,
    problem: Option<String>,
    /// What was being written when the session ended.
    payload: Option<String>,
}

#[derive(Template)]
#[template(path = "bounce.html")]
struct BouncePage {
    theme: Theme,
    next: String,
}

/// `GET /console/login`.
pub(crate) async fn ask(RawQuery(query): RawQuery, headers: HeaderMap) -> Response {
    let fields = Fields::parse(query.unwrap_or_default().as_bytes());
    page(&headers, &fields, StatusCode::OK, None)
}

/// `POST /console/login`.
pub(crate) async fn enter(State(gate): State<Arc<Gate>>, headers: HeaderMap, body: Bytes) -> Response {
    if !origin::is_own(&headers) {
        return problem(Chrome::stranger(&headers), StatusCode::FORBIDDEN, "This came from another site, and nothing was done.");
    }
    let fields = Fields::parse(&body);
    let now = Instant::now();
    // A right token comes in even while wrong ones are refused: otherwise anyone could lock everyone out. A token is too long to be guessed.
    let Some(account) = (gate.access.authenticate)(fields.get("token").unwrap_or_default().trim()) else {
        if let Some(seconds) = gate.bound.note(now) {
            let sentence = format!("This is no token of this console, and too many wrong ones were tried: wait {seconds} s.");
            let mut response = page(&headers, &fields, StatusCode::TOO_MANY_REQUESTS, Some(sentence));
            response.headers_mut().insert(RETRY_AFTER, HeaderValue::from(seconds));
            return response;
        }
        tracing::warn!("a login to the console had no token, or a wrong one");
        return page(&headers, &fields, StatusCode::FORBIDDEN, Some("This is no token of this console.".to_owned()));
    };
    tracing::info!(caller = account.name, role = account.role.label(), "logged in to the console");
    let id = gate.sessions.begin(account, now);
    let secure = if headers.get("x-forwarded-proto").is_some_and(|proto| proto == "https") { "; Secure" } else { "" };
    let name = session_cookie(&headers);
    let cookie = format!("{name}={id}; Path=/console; HttpOnly; SameSite=Strict; Max-Age={}{secure}", TOTAL.as_secs());
    let next = own_address(fields.get("next"));
    if let Some(payload) = fields.given("payload")
        && kept::letter_of(&format!("{next}/check")).is_some()
        && let Some((_, _, csrf)) = gate.sessions.find(&id, now, true)
    {
        let why = (StatusCode::OK, "Logged in", "Nothing was sent yet. What you wrote is kept.");
        return ([(SET_COOKIE, cookie)], kept::page(Theme::of(&headers), why, (&next, &csrf), payload)).into_response();
    }
    ([(SET_COOKIE, cookie)], Redirect::to(&next)).into_response()
}

/// `POST /console/logout`.
pub(crate) async fn leave<O: Operations>(
    State(console): State<Arc<Console<O>>>,
    Extension(visitor): Extension<Visitor>,
    headers: HeaderMap,
) -> Response {
    console.gate.sessions.end(&visitor.key);
    tracing::info!(caller = visitor.account.name, "logged out of the console");
    let gone = format!("{}=; Path=/console; HttpOnly; SameSite=Strict; Max-Age=0", session_cookie(&headers));
    ([(SET_COOKIE, gone)], Redirect::to("/console/login")).into_response()
}

/// Goes to the same address once more, from a page of our own. Only addresses that change nothing come here.
pub(super) fn bounce(headers: &HeaderMap, next: &str) -> Response {
    html(StatusCode::OK, &BouncePage { theme: Theme::of(headers), next: own_address(Some(next)) })
}

/// The session had ended when this was sent.
pub(super) fn keep(headers: &HeaderMap, letter: &str, payload: &str) -> Response {
    let problem = Some("Your session is over, and nothing was sent. Log in to go on with what you wrote.".to_owned());
    let page = LoginPage { theme: Theme::of(headers), next: own_address(Some(letter)), problem, payload: Some(payload.to_owned()) };
    html(StatusCode::UNAUTHORIZED, &page)
}

fn page(headers: &HeaderMap, fields: &Fields, status: StatusCode, problem: Option<String>) -> Response {
    let payload = fields.given("payload").map(str::to_owned);
    html(status, &LoginPage { theme: Theme::of(headers), next: own_address(fields.get("next")), problem, payload })
}
