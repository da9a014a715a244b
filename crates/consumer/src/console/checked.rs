//! The check of this process as the console shows it.

use std::time::Duration;

use ::check::State;
use console::{Checked, Finding, FindingState};

use crate::check;

/// What a check came to, in the words of the command: what was found often begins with a name, which has no capital of ours.
pub(super) fn checked(check::Checked { at, took_ms, report }: &check::Checked) -> Checked {
    Checked { at: at.to_string(), took: Duration::from_millis(*took_ms), findings: report.findings.iter().map(finding).collect() }
}

fn finding(::check::Finding { part, check, state, found, advice }: &::check::Finding) -> Finding {
    Finding {
        state: match state {
            State::Fail => FindingState::Failed,
            State::Warn => FindingState::Warning,
            State::Ok => FindingState::Good,
        },
        part: (*part).to_owned(),
        check: (*check).to_owned(),
        found: found.clone(),
        advice: advice.clone(),
    }
}
