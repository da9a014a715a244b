//! Refusals and sentences as the console shows them.

use std::fmt::Display;

use console::{RefusalKind, Refused, Selection};
use events::Timestamp;

use crate::dlq::{Filter, Refusal};
use crate::reason::reason;

impl From<Refusal> for Refused {
    fn from(refusal: Refusal) -> Self {
        let kind = match refusal {
            Refusal::Fault(fault) => return Self { kind: RefusalKind::Unavailable, sentence: problem(&reason(&fault)) },
            Refusal::Unaudited(_) => RefusalKind::Unavailable,
            Refusal::NotAnId | Refusal::NotJson { .. } | Refusal::NoDeadLetter { .. } => RefusalKind::Bad,
            Refusal::NotFound | Refusal::NoSuchJob(_) => RefusalKind::NotFound,
            Refusal::Ambiguous(_)
            | Refusal::OtherEvent
            | Refusal::NotEditable
            | Refusal::Violation(_)
            | Refusal::Unchanged
            | Refusal::NoBroker
            | Refusal::NoTables
            | Refusal::NoAuditLog
            | Refusal::NoJobs
            | Refusal::JobIs(..)
            | Refusal::TooManyJobs(_) => RefusalKind::Impossible,
        };
        Self { kind, sentence: problem(&refusal) }
    }
}

/// What was asked for is not understood.
pub(super) fn bad(sentence: &str) -> Refused {
    Refused { kind: RefusalKind::Bad, sentence: sentence.to_owned() }
}

/// A sentence with its beginning and its end. The name of a field stays as it is written.
pub(super) fn problem(what: &dyn Display) -> String {
    let text = what.to_string();
    let is_name = text.split(' ').next().is_some_and(|word| word.contains(|c: char| c.is_uppercase() || c == '.' || c == '_'));
    let mut characters = text.chars();
    let first = characters.next().into_iter();
    let first: String = if is_name { first.collect() } else { first.flat_map(char::to_uppercase).collect() };
    let end = if text.ends_with(['.', '!', '?']) { "" } else { "." };
    format!("{first}{}{end}", characters.as_str())
}

/// Which entries are meant. What is everything is for the caller to allow.
pub(super) fn filter(selection: &Selection) -> Result<Filter, Refused> {
    let older_than = match &selection.older_than {
        None => None,
        Some(text) => Some(settings::span::parse(text).ok_or_else(|| bad("An age is a number with a unit, such as 90s, 15m, 1h or 7d."))?),
    };
    let until = match &selection.until {
        None => None,
        Some(text) => Some(Timestamp::parse(text).map_err(|_| bad("The time until which dead letters are meant is no time (RFC 3339)."))?),
    };
    let Selection { ids, reason, fingerprint, event_type, .. } = selection.clone();
    Ok(Filter { ids: ids.into_iter().collect(), reason, fingerprint, event_type, older_than, until })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sentence_begins_and_ends_as_one() {
        assert_eq!(problem(&"the message is not JSON"), "The message is not JSON.");
        assert_eq!(problem(&"Done."), "Done.");
        assert_eq!(problem(&"eventType must be one of four"), "eventType must be one of four.");
        assert_eq!(problem(&""), ".");
    }

    #[test]
    fn an_age_that_is_none_is_refused() {
        let selection = |older_than: &str| Selection { older_than: Some(older_than.to_owned()), ..Selection::default() };
        assert_eq!(filter(&selection("15m")).unwrap().older_than, Some(std::time::Duration::from_secs(900)));
        assert_eq!(filter(&selection("long")).unwrap_err().kind, RefusalKind::Bad);
    }
}
