//! What an entry says, fit for a page.

use super::words::problem;
use crate::dlq::listed::Listed;
use crate::dlq::printable::printable;

/// Characters of a text that another program may have written, at most.
const LONGEST: usize = 300;

/// The sentence of an entry. What another program wrote may hold personal data, and is not for everybody.
pub(super) fn error(listed: &Listed) -> String {
    match told(listed) {
        None => "It does not tell why.".to_owned(),
        Some(error) if is_ours(listed) => problem(&shortened(error)),
        Some(_) => "Another program wrote it; its own words are shown to editors.".to_owned(),
    }
}

/// What an entry tells as the reason.
pub(super) fn told(listed: &Listed) -> Option<&str> {
    listed.entry.as_ref().map(|entry| entry.error.as_str()).filter(|error| !error.is_empty())
}

/// Whether this program has written the entry, as far as its form tells: it names a reason of ours, and a fingerprint that begins with it.
pub(super) fn is_ours(listed: &Listed) -> bool {
    let (reason, fingerprint) = (listed.reason(), listed.fingerprint());
    let is_known = telemetry::catalog::DLQ_REASONS.contains(&reason) && listed.entry.as_ref().is_some_and(|entry| entry.reason.is_some());
    let mut parts = fingerprint.split(':');
    is_known && parts.next() == Some(reason) && parts.count() == 2
}

/// A text of another program, fit for a page.
pub(super) fn shortened(text: &str) -> String {
    let text = printable(text);
    if text.chars().count() <= LONGEST { text.into_owned() } else { text.chars().take(LONGEST).chain(['…']).collect() }
}
