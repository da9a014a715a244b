//! Which dead letters are meant: in an address, and in words.

use crate::fields::Fields;
use crate::port::Selection;
use crate::words::{counted, list};

impl Selection {
    /// What an address or a form says.
    pub(crate) fn of(fields: &Fields) -> Self {
        let text = |name| fields.given(name).map(str::to_owned);
        let mut ids: Vec<String> = fields.all("id").map(|id| id.trim().to_owned()).filter(|id| !id.is_empty()).collect();
        ids.dedup();
        Self {
            ids,
            reason: text("reason"),
            fingerprint: text("fingerprint"),
            event_type: text("type"),
            older_than: text("older"),
            all: fields.given("all").is_some(),
        }
    }

    /// As names and values, in one order: what an address says, and what a proof is made over.
    pub(crate) fn pairs(&self) -> Vec<(&'static str, &str)> {
        let texts = [("reason", &self.reason), ("fingerprint", &self.fingerprint), ("type", &self.event_type), ("older", &self.older_than)];
        let ids = self.ids.iter().map(|id| ("id", id.as_str()));
        let texts = texts.into_iter().filter_map(|(name, value)| Some((name, value.as_deref()?)));
        ids.chain(texts).chain(self.all.then_some(("all", "1"))).collect()
    }

    /// Whether it means nothing in particular, as an unfiltered list does.
    pub(crate) fn is_empty(&self) -> bool {
        *self == Self::default()
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fields::address;

    fn full() -> Selection {
        Selection {
            ids: vec!["0123456789ab".to_owned(), "ffffffffffff".to_owned()],
            reason: Some("invalid_value".to_owned()),
            fingerprint: Some("a:b&c=d:e +%".to_owned()),
            event_type: Some("OrderPlaced".to_owned()),
            older_than: Some("7d".to_owned()),
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
    fn it_is_said_in_words() {
        let reason = Selection { reason: Some("too_large".to_owned()), older_than: Some("7d".to_owned()), ..Selection::default() };
        assert_eq!(reason.words(), "dead letters with the reason too_large, older than 7d");
        assert_eq!(Selection { all: true, ..Selection::default() }.words(), "every dead letter");
        assert_eq!(Selection { ids: vec!["0123456789ab".to_owned()], ..Selection::default() }.words(), "1 picked dead letter");
    }
}
