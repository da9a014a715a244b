//! The checks in front of every route.

use std::sync::Arc;
use std::time::Instant;

use axum::body::{Body, to_bytes};
use axum::extract::{Request, State};
use axum::http::header::{ACCEPT, CACHE_CONTROL, CONTENT_SECURITY_POLICY, COOKIE, HOST, REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};
use axum::middleware::Next;
use axum::response::{Html, IntoResponse as _, Redirect, Response};
use subtle::ConstantTimeEq as _;

use super::session::SessionKey;
use super::{Account, Gate, Role, kept, login, origin};
use crate::fields::{Fields, address};
use crate::pages::problem::{Chrome, problem};
use crate::pages::theme::Theme;
use crate::port::Caller;

/// The name of the cookie that holds a session's id, with the port behind it: cookies are for all ports of a host, sessions for one process.
pub(super) fn session_cookie(headers: &HeaderMap) -> String {
    let host = headers.get(HOST).and_then(|host| host.to_str().ok()).unwrap_or_default();
    match host.rsplit_once(':').map(|(_, port)| port).filter(|port| port.parse::<u16>().is_ok()) {
        Some(port) => format!("console_session_{port}"),
        None => "console_session".to_owned(),
    }
}

/// The script sets it on requests for a part of a page.
const PARTIAL: &str = "hx-request";

/// What a browser asks for that wants to be told of changes.
const STREAM: &str = "text/event-stream";

/// What stands beside a draft when the session is over.
const OVER: &str = "<div class=\"verdict bad\"><p>Your session is over. Copy the payload, then log in again.</p></div>";

/// Nothing inline, nothing from elsewhere, in no frame.
const POLICY: HeaderValue = HeaderValue::from_static(
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; form-action 'self'; \
     frame-ancestors 'none'; base-uri 'none'",
);

/// Who asks, and how.
#[derive(Clone)]
pub(crate) struct Visitor {
    pub key: SessionKey,
    pub account: Account,
    /// What each form carries.
    pub csrf: String,
    pub theme: Theme,
    /// The address that was asked for, to come back to.
    pub here: String,
    /// Whether only a part of the page is renewed.
    pub partial: bool,
}

impl Visitor {
    pub fn caller(&self) -> Caller {
        Caller(self.account.name.clone())
    }

    pub fn may(&self, role: Role) -> bool {
        self.account.role >= role
    }
}

/// What a route needs.
#[derive(Clone, Copy)]
pub(crate) struct Need {
    pub role: Role,
    /// The largest form it takes.
    pub bytes: usize,
}

/// What every answer carries.
pub(crate) async fn headers(request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    headers.insert(CONTENT_SECURITY_POLICY, POLICY);
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    headers.insert(HeaderName::from_static("cross-origin-opener-policy"), HeaderValue::from_static("same-origin"));
    headers.entry(CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    response
}

/// Lets a request pass that comes from this machine, unless others may ask too.
pub(crate) async fn local_only(State(gate): State<Arc<Gate>>, request: Request, next: Next) -> Response {
    match gate.access.place.refusal(&request) {
        None => next.run(request).await,
        Some(sentence) => problem(Chrome::stranger(request.headers()), StatusCode::FORBIDDEN, sentence),
    }
}

/// Lets a request pass that has a session whose role suffices, and, where it changes something, comes from a page of the console.
pub(crate) async fn guard(State((gate, need)): State<(Arc<Gate>, Need)>, mut request: Request, next: Next) -> Response {
    let partial = asks_by_itself(request.headers());
    let changes = !matches!(*request.method(), Method::GET | Method::HEAD);
    let session = cookie(request.headers(), &session_cookie(request.headers()))
        .and_then(|id| gate.sessions.find(id, Instant::now(), changes || !partial));
    let here = request.uri().path_and_query().map_or("/console/", |here| here.as_str()).to_owned();
    let Some((key, account, csrf)) = session else {
        if changes
            && !partial
            && origin::is_own(request.headers())
            && let Some((letter, payload)) = kept::payload_of(&mut request).await
        {
            return login::keep(request.headers(), &letter, &payload);
        }
        return stranger(&request, &here, changes, partial);
    };
    // A form has no address to come back to.
    let here = if changes { "/console/".to_owned() } else { here };
    let visitor = Visitor { key, account, csrf, theme: Theme::of(request.headers()), here, partial };
    // Made only for a refusal: it takes the notice that the page itself is to show.
    let chrome = || Chrome::visitor(&gate, &visitor);
    if !visitor.may(need.role) {
        tracing::warn!(caller = visitor.account.name, method = %request.method(), path = request.uri().path(), "refused: the role does not allow it");
        let sentence = format!("This needs the role {}; yours is {}.", need.role.label(), visitor.account.role.label());
        return problem(chrome(), StatusCode::FORBIDDEN, &sentence);
    }
    if changes {
        if !origin::is_own(request.headers()) {
            tracing::warn!(caller = visitor.account.name, path = request.uri().path(), "refused: the request comes from another site");
            return problem(chrome(), StatusCode::FORBIDDEN, "This came from another site, and nothing was done.");
        }
        let body = std::mem::replace(request.body_mut(), Body::empty());
        let Ok(body) = to_bytes(body, need.bytes).await else {
            return problem(chrome(), StatusCode::PAYLOAD_TOO_LARGE, "The form is larger than is taken here, and nothing was done.");
        };
        let fields = Fields::parse(&body);
        let fits = bool::from(fields.get("csrf").unwrap_or_default().as_bytes().ct_eq(visitor.csrf.as_bytes()));
        if !fits {
            tracing::warn!(caller = visitor.account.name, path = request.uri().path(), "refused: the form is not of this session");
            if !partial
                && let Some(letter) = kept::letter_of(request.uri().path())
                && let Some(payload) = fields.given("payload")
            {
                let why =
                    (StatusCode::FORBIDDEN, "Not sent", "The form is of another session, and nothing was done. What you wrote is kept.");
                return kept::page(visitor.theme, why, (letter, &visitor.csrf), payload);
            }
            return problem(chrome(), StatusCode::FORBIDDEN, "The form is of another session, and nothing was done: load its page again.");
        }
        request.extensions_mut().insert(fields);
    }
    request.extensions_mut().insert(visitor);
    next.run(request).await
}

/// Whether the script asks for an open page, and not somebody for another one.
fn asks_by_itself(headers: &HeaderMap) -> bool {
    headers.contains_key(PARTIAL) || headers.get(ACCEPT).is_some_and(|kind| kind == STREAM)
}

/// Nobody is logged in: shows where to.
fn stranger(request: &Request, here: &str, changes: bool, partial: bool) -> Response {
    // What a form would have done is not repeated after the login.
    let here = if changes { "/console/" } else { here };
    let login = address("/console/login", &[("next", here)]);
    if partial && changes {
        // Going to the login would lose what was being written.
        return (StatusCode::UNAUTHORIZED, Html(OVER)).into_response();
    }
    if partial {
        // A redirect would be followed unseen, and the login page be taken for the part that was asked for.
        return (StatusCode::UNAUTHORIZED, [(HeaderName::from_static("hx-redirect"), login)]).into_response();
    }
    // A link in a chat or an alert: the browser sends no cookie then, but does on the next request of our own page.
    let elsewhere = request.headers().get("sec-fetch-site").is_some_and(|site| site == "cross-site" || site == "same-site");
    if elsewhere && !changes {
        return login::bounce(request.headers(), here);
    }
    Redirect::to(&login).into_response()
}

/// The value of a cookie.
pub(crate) fn cookie<'h>(headers: &'h HeaderMap, name: &str) -> Option<&'h str> {
    let all = headers.get_all(COOKIE).iter().filter_map(|value| value.to_str().ok()).flat_map(|value| value.split(';'));
    all.filter_map(|pair| pair.trim().split_once('=')).find(|(known, _)| *known == name).map(|(_, value)| value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_port_has_a_session_of_its_own() {
        let name = |host: &'static str| session_cookie(&HeaderMap::from_iter([(HOST, HeaderValue::from_static(host))]));
        assert_eq!(name("localhost:9102"), "console_session_9102");
        assert_eq!(name("[::1]:80"), "console_session_80");
        for plain in ["console.test", "", "a:b", "a:99999", "a:1;x"] {
            assert_eq!(name(plain), "console_session", "{plain}");
        }
    }

    #[test]
    fn a_cookie_is_found_among_others() {
        let headers = HeaderMap::from_iter([
            (COOKIE, HeaderValue::from_static("a=1; console_session=2;b=3")),
            (COOKIE, HeaderValue::from_static("c=4")),
        ]);
        let found = ["a", "console_session", "b", "c", "session"].map(|name| cookie(&headers, name));
        assert_eq!(found, [Some("1"), Some("2"), Some("3"), Some("4"), None]);
    }
}
