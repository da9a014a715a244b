//! What somebody wrote is not lost where it cannot be taken: the answer shows it again, with a way to go on.

use askama::Template;
use axum::body::{Body, to_bytes};
use axum::extract::Request;
use axum::http::StatusCode;
use axum::response::Response;

use crate::fields::Fields;
use crate::pages::html;
use crate::pages::theme::Theme;

/// The largest form of somebody who is not logged in whose text is kept, in bytes.
pub(crate) const KEPT_BYTES: usize = 4 << 20;

/// A page with what was written, and a form that goes on with it.
#[derive(Template)]
#[template(path = "kept.html")]
struct KeptPage<'p> {
    theme: Theme,
    heading: &'p str,
    sentence: &'p str,
    /// Where it goes on: a check, which changes nothing.
    action: String,
    csrf: &'p str,
    payload: &'p str,
}

/// Shows a payload that was not taken to whoever has this session.
pub(crate) fn page(
    theme: Theme,
    (status, heading, sentence): (StatusCode, &str, &str),
    (letter, csrf): (&str, &str),
    payload: &str,
) -> Response {
    let page = KeptPage { theme, heading, sentence, action: format!("{letter}/check"), csrf, payload };
    html(status, &page)
}

/// The address of the letter to which a form with a payload is sent.
pub(crate) fn letter_of(path: &str) -> Option<&str> {
    let letter = path.strip_suffix("/send").or_else(|| path.strip_suffix("/check"))?;
    letter.strip_prefix("/console/dead-letters/").filter(|id| !id.is_empty() && !id.contains('/')).map(|_| letter)
}

/// The payload in a form of somebody who is not logged in, and the address of its letter.
pub(crate) async fn payload_of(request: &mut Request) -> Option<(String, String)> {
    let letter = letter_of(request.uri().path())?.to_owned();
    let body = std::mem::replace(request.body_mut(), Body::empty());
    let fields = Fields::parse(&to_bytes(body, KEPT_BYTES).await.ok()?);
    Some((letter, fields.given("payload")?.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_forms_of_a_letter_have_a_payload() {
        let letter = Some("/console/dead-letters/3fa9c1d20000");
        assert_eq!(letter_of("/console/dead-letters/3fa9c1d20000/send"), letter);
        assert_eq!(letter_of("/console/dead-letters/3fa9c1d20000/check"), letter);
        for other in ["/console/purge", "/console/dead-letters//send", "/console/dead-letters/a/b/send", "/console/jobs/3/pause", "/send"] {
            assert_eq!(letter_of(other), None, "{other}");
        }
    }
}
