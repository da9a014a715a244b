//! Asking who it is.

use std::sync::Arc;
use std::time::Instant;

use axum::extract::{Request, State};
use axum::http::header::{AUTHORIZATION, CACHE_CONTROL, RETRY_AFTER, WWW_AUTHENTICATE};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::middleware::Next;
use axum::response::Response;
use console::WrongTokens;
use telemetry::problem::problem;

use super::config::{AdminConfig, AdminRole};

/// The name of the token with which a request came.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Caller(pub Arc<str>);

/// Lets a request pass whose caller may do at least so much. To be asked behind [`guard`].
pub(super) async fn at_least(State(role): State<AdminRole>, request: Request, next: Next) -> Response {
    if request.extensions().get::<AdminRole>().is_some_and(|has| *has >= role) {
        return next.run(request).await;
    }
    problem(StatusCode::FORBIDDEN, "The role of this token (ADMIN_ROLES) does not allow this.")
}

/// Who may come in.
pub(super) struct Door {
    config: Arc<AdminConfig>,
    /// Wrong tokens that came lately.
    wrong: WrongTokens,
}

impl Door {
    pub fn new(config: Arc<AdminConfig>) -> Self {
        Self { config, wrong: WrongTokens::default() }
    }
}

/// Lets a request pass that comes from this machine, unless others may ask too, under a name of ours, and has a token of ours. Of wrong tokens no more
/// than so many are told from right ones in a minute.
pub(super) async fn guard(State(door): State<Arc<Door>>, mut request: Request, next: Next) -> Response {
    let Door { config, wrong } = &*door;
    if let Some(sentence) = config.place.refusal(&request) {
        return problem(StatusCode::FORBIDDEN, sentence);
    }
    let given = token(request.headers());
    let Some((name, role)) = given.and_then(|token| config.account_of(token)) else {
        // A right token is answered even then: otherwise anyone could lock everyone out. Who has none at all does not guess.
        if let Some(seconds) = given.and_then(|_| wrong.note(Instant::now())) {
            let mut response = problem(StatusCode::TOO_MANY_REQUESTS, format!("Too many wrong tokens were tried: wait {seconds} s."));
            response.headers_mut().insert(RETRY_AFTER, HeaderValue::from(seconds));
            return response;
        }
        tracing::warn!("a request to /admin had no token, or a wrong one");
        let mut response = problem(StatusCode::UNAUTHORIZED, "A token is needed: Authorization: Bearer …");
        response.headers_mut().insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer realm=\"admin\""));
        return response;
    };
    let caller = Caller(name.into());
    request.extensions_mut().insert(caller);
    request.extensions_mut().insert(role);
    let mut response = next.run(request).await;
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

/// The token of RFC 6750, section 2.1; the scheme's case does not matter.
fn token(headers: &HeaderMap) -> Option<&str> {
    let (scheme, token) = headers.get(AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}
