//! All consumers, the parts of this process, its last check, the last verification, and the settings.

use std::sync::Arc;
use std::time::SystemTime;

use askama::Template;
use axum::Extension;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Redirect, Response};

use super::consumers::{self, ConsumerRow, Down, down, lost};
use super::{Screen, Shell, html};
use crate::access::{Notice, Visitor};
use crate::filters;
use crate::port::{Checked, Finding, FindingState, Flow, Known, Operations, Part, PartState};
use crate::state::Console;
use crate::words::{self, When, counted};

#[derive(Template)]
#[template(path = "health.html")]
struct HealthPage {
    shell: Shell,
    flow: Flow,
    at: When,
    parts: Vec<(Part, When)>,
    lost: Vec<String>,
    down: Vec<Down>,
    consumers: Known<Vec<ConsumerRow>>,
    checked: Option<CheckedRows>,
    settings: Vec<(String, String)>,
}

/// `GET /console/health`.
pub(crate) async fn show<O: Operations>(State(console): State<Arc<Console<O>>>, Extension(visitor): Extension<Visitor>) -> Response {
    let (flow, _) = console.flow(&visitor).await;
    let now = SystemTime::now();
    let parts = flow.here.parts.iter().map(|part| (part.clone(), When::of(&part.since, now))).collect();
    let page = HealthPage {
        shell: Shell::new(&console.gate, &visitor, Screen::Health, "Health"),
        at: When::of(&flow.at, now),
        parts,
        lost: lost(&flow),
        down: down(&flow, now, || console.operations.held_known()),
        consumers: consumers::rows(&flow.consumers, now),
        checked: console.operations.last_check().map(|checked| CheckedRows::of(checked, now)),
        settings: console.operations.settings(),
        flow,
    };
    html(StatusCode::OK, &page)
}

/// Where the result of a check stands.
const RESULT: &str = "/console/health#check-title";

/// `POST /console/health/check`: runs the check, and shows what it came to. It changes nothing, and opens connections of its own to every part: that is for
/// operators, and its result for everyone.
pub(crate) async fn check<O: Operations>(State(console): State<Arc<Console<O>>>, Extension(visitor): Extension<Visitor>) -> Response {
    let checked = console.operations.run_check(&visitor.caller()).await;
    let sentence = CheckedRows::of(checked, SystemTime::now()).verdict;
    console.gate.sessions.tell(&visitor.key, Notice { sentence, link: Some(("What was found".to_owned(), RESULT.to_owned())) });
    Redirect::to(RESULT).into_response()
}

/// What a check came to, as it is shown.
struct CheckedRows {
    verdict: String,
    class: &'static str,
    at: When,
    took: String,
    /// What has to be acted on first.
    findings: Vec<Finding>,
}

impl CheckedRows {
    fn of(Checked { at, took, mut findings }: Checked, now: SystemTime) -> Self {
        findings.sort_by_key(|finding| finding.state);
        let count = |state| findings.iter().filter(|finding| finding.state == state).count() as u64;
        let (failed, warned) = (count(FindingState::Failed), count(FindingState::Warning));
        let warnings = counted(warned, "warning", "warnings");
        let (verdict, class) = match (failed, warned) {
            (0, 0) => ("Everything that was looked at is as it should be.".to_owned(), "good"),
            (0, _) => (format!("Nothing failed; {warnings}."), ""),
            (failed, _) => (format!("{failed} of {} failed; {warnings}.", counted(findings.len() as u64, "finding", "findings")), "bad"),
        };
        Self { verdict, class, at: When::of(&at, now), took: words::took(took), findings }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_check_is_summed_up_and_what_failed_stands_first() {
        use FindingState::{Failed, Good, Warning};
        let shown = |states: &[FindingState]| {
            let finding = |state: &FindingState| Finding {
                state: *state,
                part: String::new(),
                check: String::new(),
                found: String::new(),
                advice: None,
            };
            let findings = states.iter().map(finding).collect();
            let rows = CheckedRows::of(Checked { at: String::new(), took: Duration::from_millis(412), findings }, SystemTime::now());
            let states: Vec<_> = rows.findings.iter().map(|finding| finding.state).collect();
            (rows.verdict, rows.class, rows.took, states)
        };
        let took = || "0.4 s".to_owned();
        assert_eq!(shown(&[Good]), ("Everything that was looked at is as it should be.".to_owned(), "good", took(), vec![Good]));
        assert_eq!(shown(&[Good, Warning]), ("Nothing failed; 1 warning.".to_owned(), "", took(), vec![Warning, Good]));
        let worst = ("1 of 3 findings failed; no warnings.".to_owned(), "bad", took(), vec![Failed, Good, Good]);
        assert_eq!(shown(&[Good, Failed, Good]), worst);
    }
}
