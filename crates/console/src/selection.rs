//! Which dead letters are meant: in an address, and in words.

use std::time::SystemTime;

use chrono::{DateTime, SecondsFormat, Utc};

use crate::fields::{Fields, address};
use crate::port::Selection;
use crate::words::{counted, list, parse};

impl Selection {
    /// What an address or a form says.
    pub(crate) fn of(fields: &Fields) -> Self {
        let text = |name| fields.given(name).map(str::to_owned);
        Self {
            ids: ids(fields, "id"),
            reason: text("reason"),
            fingerprint: text("fingerprint"),
            event_type: text("type"),
            older_than: text("older"),
            // No address says it: see `seen`.
            until: None,
            all: fields.given("all").is_some(),
        }
    }

    /// As it is meant on a page that was made at this time: nothing that comes later, because nobody was shown it.
    pub(crate) fn seen(self, at: SystemTime) -> Self {
        Self { until: Some(DateTime::<Utc>::from(at).to_rfc3339_opts(SecondsFormat::Micros, true)), ..self }
    }

    /// The same, in a form of such a page; `None` where it tells no time, or one that is still to come.
    pub(crate) fn seen_by(self, fields: &Fields, now: SystemTime) -> Option<Self> {
        let until = fields.given("until")?;
        parse(until).filter(|until| *until <= now)?;
        Some(Self { until: Some(until.to_owned()), ..self })
    }

    /// The first of its ids that cannot be one. They are compared in full, so the beginning of one is none.
    pub(crate) fn no_id(&self) -> Option<&str> {
        let is_one = |id: &&String| id.len() == 12 && id.bytes().all(|byte| byte.is_ascii_hexdigit());
        self.ids.iter().find(|id| !is_one(id)).map(String::as_str)
    }

    /// As an address says it: what the log tells of it, the ids too.
    pub(crate) fn query(&self) -> String {
        address("", &self.pairs())
    }

    /// As names and values, in one order: what an address says, and what a proof is made over.
    pub(crate) fn pairs(&self) -> Vec<(&'static str, &str)> {
        let texts = [("reason", &self.reason), ("fingerprint", &self.fingerprint), ("type", &self.event_type), ("older", &self.older_than)];
        let ids = self.ids.iter().map(|id| ("id", id.as_str()));
        let texts = texts.into_iter().filter_map(|(name, value)| Some((name, value.as_deref()?)));
        ids.chain(texts).chain(self.all.then_some(("all", "1"))).collect()
    }

    /// Whether it means nothing in particular, as an unfiltered list does. The time of a page narrows, but means nothing in particular.
    pub(crate) fn is_empty(&self) -> bool {
        self.pairs().is_empty()
    }

    /// As an operator would say it.
    pub(crate) fn words(&self) -> String {
        if self.all && self.pairs().len() == 1 {
            return "every dead letter".to_owned();
        }
        let mut terms = Vec::new();
        if let Some(reason) = &self.reason {
            terms.push(format!("the reason {reason}"));
        }
        if let Some(fingerprint) = &self.fingerprint {
            terms.push(format!("the fingerprint {fingerprint}"));
        }
        if let Some(event_type) = &self.event_type {
            terms.push(format!("the event type {event_type}"));
        }
        let mut words = match self.ids.len() {
            0 => "dead letters".to_owned(),
            many => counted(many as u64, "picked dead letter", "picked dead letters"),
        };
        if !terms.is_empty() {
            words = format!("{words} with {}", list(&terms, "and"));
        }
        if let Some(age) = &self.older_than {
            words = format!("{words}, older than {age}");
        }
        words
    }
}

/// The ids under this name.
pub(crate) fn ids(fields: &Fields, name: &str) -> Vec<String> {
    let mut ids: Vec<String> = fields.all(name).map(|id| id.trim().to_owned()).filter(|id| !id.is_empty()).collect();
    ids.dedup();
    ids
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn full() -> Selection {
        Selection {
            ids: vec!["0123456789ab".to_owned(), "ffffffffffff".to_owned()],
            reason: Some("invalid_value".to_owned()),
            fingerprint: Some("a:b&c=d:e +%".to_owned()),
            event_type: Some("OrderPlaced".to_owned()),
            older_than: Some("7d".to_owned()),
            until: None,
            all: true,
        }
    }

    #[test]
    fn a_selection_survives_an_address() {
        for selection in [full(), Selection::default(), Selection { all: true, ..Selection::default() }] {
            let address = address("/x", &selection.pairs());
            let query = address.split_once('?').map_or("", |(_, query)| query);
            assert_eq!(Selection::of(&Fields::parse(query.as_bytes())), selection);
        }
    }

    #[test]
    fn empty_fields_of_a_form_mean_nothing() {
        assert!(Selection::of(&Fields::parse(b"reason=&fingerprint=&type=+&older=&id=")).is_empty());
    }

    #[test]
    fn the_time_of_a_page_is_told_by_its_form_only() {
        let now = parse("2026-11-30T12:00:00Z").unwrap();
        let seen = full().seen(now);
        assert_eq!(seen.until.as_deref(), Some("2026-11-30T12:00:00.000000Z"));
        assert_eq!((seen.pairs(), seen.query()), (full().pairs(), full().query()), "it is no part of an address");
        let query =
            "?id=0123456789ab&id=ffffffffffff&reason=invalid_value&fingerprint=a%3Ab%26c%3Dd%3Ae+%2B%25&type=OrderPlaced&older=7d&all=1";
        assert_eq!(full().query(), query, "the log tells all of it");
        assert!(Selection::default().seen(now).is_empty(), "a time alone means nothing in particular");
        let by = |form: &str, now| Selection::default().seen_by(&Fields::parse(form.as_bytes()), now).and_then(|seen| seen.until);
        assert_eq!(by("until=2026-11-30T12:00:00.000000Z", now).as_deref(), Some("2026-11-30T12:00:00.000000Z"));
        for wrong in ["", "until=", "until=now", "until=2026-11-30", "until=2026-11-30T12:00:01Z"] {
            assert_eq!(by(wrong, now), None, "{wrong}");
        }
        assert!(by("until=2026-11-30T12:00:01Z", now + Duration::from_secs(1)).is_some());
    }

    #[test]
    fn what_is_no_id_is_found() {
        let no_id = |ids: &[&str]| {
            Selection { ids: ids.iter().map(|id| (*id).to_owned()).collect(), ..Selection::default() }.no_id().map(str::to_owned)
        };
        assert_eq!(no_id(&["0123456789ab", "ABCDEF012345"]), None);
        for wrong in ["zz", "0123", "0123456789abc", "01234 6789ab", "é23456789ab"] {
            assert_eq!(no_id(&["0123456789ab", wrong]).as_deref(), Some(wrong));
        }
    }

    #[test]
    fn it_is_said_in_words() {
        let reason = Selection { reason: Some("too_large".to_owned()), older_than: Some("7d".to_owned()), ..Selection::default() };
        assert_eq!(reason.words(), "dead letters with the reason too_large, older than 7d");
        assert_eq!(Selection { all: true, ..Selection::default() }.words(), "every dead letter");
        assert_eq!(Selection { ids: vec!["0123456789ab".to_owned()], ..Selection::default() }.words(), "1 picked dead letter");
    }
}
