//! Whether the tables are what the log says, by the last verification.

use std::sync::Arc;
use std::time::SystemTime;

use askama::Template;
use axum::Extension;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Redirect, Response};

use super::problem::refused;
use super::{Answer, Screen, Shell, html};
use crate::access::{Notice, Visitor};
use crate::filters;
use crate::port::{Operations, Verification};
use crate::routes::Console;
use crate::words::{When, counted, span};

#[derive(Template)]
#[template(path = "verify.html")]
struct VerifyPage {
    shell: Shell,
    verification: Verification,
    verdict: String,
    class: &'static str,
    finished: Option<When>,
    interval: Option<String>,
}

/// `GET /console/verify`.
pub(crate) async fn show<O: Operations>(State(console): State<Arc<Console<O>>>, Extension(visitor): Extension<Visitor>) -> Response {
    let verification = console.operations.verification();
    let (verdict, class) = verdict(&verification);
    let page = VerifyPage {
        shell: Shell::new(&console.gate, &visitor, Screen::Verify, "Verify"),
        verdict,
        class,
        finished: verification.finished.as_ref().map(|at| When::of(at, SystemTime::now())),
        interval: verification.interval.map(span),
        verification,
    };
    html(StatusCode::OK, &page)
}

/// `POST /console/verify/now`: begins one now, in this process.
pub(crate) async fn begin<O: Operations>(State(console): State<Arc<Console<O>>>, Extension(visitor): Extension<Visitor>) -> Answer {
    console.operations.verify_now(&visitor.caller()).map_err(|why| refused(&console, &visitor, &why))?;
    tracing::info!(caller = visitor.account.name, "begins a verification, from the console");
    let sentence =
        "The tables are verified now, unless another consumer does it; what it finds stands here when it is finished.".to_owned();
    console.gate.sessions.tell(&visitor.key, Notice { sentence, link: None });
    Ok(Redirect::to("/console/verify").into_response())
}

/// The last one in a sentence.
fn verdict(verification: &Verification) -> (String, &'static str) {
    let count = verification.differences.iter().map(|difference| difference.count).sum();
    match (&verification.finished, verification.interval, count) {
        (_, None, _) => ("This process does not verify the tables.".to_owned(), ""),
        (None, Some(_), _) => {
            ("This process has finished none yet: another consumer does it, or the first one is under way.".to_owned(), "")
        }
        (Some(_), Some(_), 0) => ("The tables were what the log says.".to_owned(), "good"),
        (Some(_), Some(_), count) => (
            format!("There {} {} from the log.", if count == 1 { "is" } else { "are" }, counted(count, "difference", "differences")),
            "bad",
        ),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::port::DifferenceCount;

    #[test]
    fn the_last_verification_is_told_as_far_as_it_is_known() {
        let mut known = Verification::default();
        assert_eq!(verdict(&known), ("This process does not verify the tables.".to_owned(), ""));
        known.interval = Some(Duration::from_secs(60));
        assert!(verdict(&known).0.starts_with("This process has finished none yet"));
        known.finished = Some("2026-01-15T10:30:00Z".to_owned());
        assert_eq!(verdict(&known), ("The tables were what the log says.".to_owned(), "good"));
        known.differences.push(DifferenceCount { table: "users".to_owned(), kind: "missing".to_owned(), meaning: String::new(), count: 1 });
        assert_eq!(verdict(&known), ("There is 1 difference from the log.".to_owned(), "bad"));
    }
}
