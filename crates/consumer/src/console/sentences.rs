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
        Some(error) if listed.is_ours() => problem(&shortened(error)),
        Some(_) => "Another program wrote it; its own words are shown to editors.".to_owned(),
    }
}

/// What an entry tells as the reason.
pub(super) fn told(listed: &Listed) -> Option<&str> {
    listed.entry.as_ref().map(|entry| entry.error.as_str()).filter(|error| !error.is_empty())
}

/// A text of another program, fit for a page.
pub(super) fn shortened(text: &str) -> String {
    let text = printable(text);
    if text.chars().count() <= LONGEST { text.into_owned() } else { text.chars().take(LONGEST).chain(['…']).collect() }
}
