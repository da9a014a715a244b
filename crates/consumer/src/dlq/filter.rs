//! Which entries are meant.

use std::collections::BTreeSet;
use std::fmt;
use std::time::Duration;

use events::{EventType, Timestamp};
use pipeline::dead_letter::{ENTRY_ID_DIGITS, Entry, UNKNOWN};

use super::listed::Listed;

/// A type of event, as a filter takes it.
///
/// # Errors
/// There is none of this name; the sentence lists those that there are.
pub fn event_type(name: &str) -> Result<String, String> {
    if name == UNKNOWN || EventType::parse(name).is_some() {
        return Ok(name.to_owned());
    }
    Err(format!("there is no event type {name}: it is one of {}, or {UNKNOWN}", EventType::ALL.map(EventType::as_str).join(", ")))
}

/// Which entries are meant: those to which everything that is given here applies.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filter {
    /// One of these ids, in full; none stands for any.
    pub ids: BTreeSet<String>,
    /// See [`Listed::reason`].
    pub reason: Option<String>,
    /// See [`Listed::fingerprint`].
    pub fingerprint: Option<String>,
    /// See [`Listed::event_type`].
    pub event_type: Option<String>,
    /// A dead letter for at least so long. One that does not tell since when is not meant.
    pub older_than: Option<Duration>,
    /// No dead letter that tells a later time: what came after somebody had looked. Ages count up to then.
    pub until: Option<Timestamp>,
}

impl Filter {
    /// Whether it means every entry.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// What is said where it means none of so many dead letters: what was asked for, so that a slip is seen.
    pub fn selects_none_of(&self, depth: u64) -> String {
        if depth == 0 || self.is_empty() {
            return "no dead letters".to_owned();
        }
        let of = if depth == 1 { "the 1 dead letter is not".to_owned() } else { format!("none of the {depth} dead letters is") };
        format!("{of} one with {}", self.conditions().join(", "))
    }

    /// Whether it means this entry.
    pub fn selects(&self, listed: &Listed, now: Timestamp) -> bool {
        let is = |wanted: &Option<String>, found: &str| wanted.as_deref().is_none_or(|wanted| wanted == found);
        (self.ids.is_empty() || self.ids.contains(&listed.id))
            && is(&self.reason, listed.reason())
            && is(&self.event_type, listed.event_type())
            && (self.fingerprint.is_none() || is(&self.fingerprint, &listed.fingerprint()))
            && self.until.is_none_or(|until| listed.entry.as_ref().and_then(Entry::at).is_none_or(|at| at <= until))
            && self.older_than.is_none_or(|least| listed.age(self.until.unwrap_or(now)).is_some_and(|age| age >= least))
    }
}

impl Filter {
    /// In words.
    fn conditions(&self) -> Vec<String> {
        let Self { ids, reason, fingerprint, event_type, older_than, until } = self;
        let texts = [("reason", reason), ("fingerprint", fingerprint), ("event type", event_type)];
        let mut conditions: Vec<String> =
            texts.into_iter().filter_map(|(name, text)| text.as_ref().map(|text| format!("{name} {text}"))).collect();
        conditions.extend(older_than.map(|age| format!("older than {} s", age.as_secs())));
        conditions.extend(until.map(|until| format!("until {until}")));
        if !ids.is_empty() {
            let ids: Vec<_> = ids.iter().map(String::as_str).collect();
            conditions.push(format!("ids {}", ids.join(" ")));
        }
        conditions
    }
}

impl Filter {
    /// What is said so by its [`Display`](fmt::Display); `None` where it cannot be read again, as where the words were cut. A reason or a fingerprint of
    /// another program may look like more than one condition: whoever acts on this shows what it means.
    pub fn from_words(text: &str) -> Option<Self> {
        let mut filter = Self::default();
        for condition in text.strip_prefix("dead letters: ").into_iter().flat_map(|conditions| conditions.split(", ")) {
            let value = |name: &str| condition.strip_prefix(name);
            if let Some(reason) = value("reason ") {
                filter.reason = Some(reason.to_owned());
            } else if let Some(fingerprint) = value("fingerprint ") {
                filter.fingerprint = Some(fingerprint.to_owned());
            } else if let Some(name) = value("event type ") {
                filter.event_type = Some(event_type(name).ok()?);
            } else if let Some(seconds) = value("older than ").and_then(|age| age.strip_suffix(" s")) {
                filter.older_than = Some(Duration::from_secs(seconds.parse().ok()?));
            } else if let Some(until) = value("until ") {
                filter.until = Some(Timestamp::parse(until).ok()?);
            } else {
                filter.ids = value("ids ")?.split(' ').map(str::to_owned).collect();
            }
        }
        let is_id = |id: &String| id.len() == ENTRY_ID_DIGITS && id.bytes().all(|byte| byte.is_ascii_hexdigit());
        (filter.to_string() == text && filter.ids.iter().all(is_id)).then_some(filter)
    }
}

/// In words for a log: which conditions are given.
impl fmt::Display for Filter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let conditions = self.conditions();
        if conditions.is_empty() { f.write_str("all dead letters") } else { write!(f, "dead letters: {}", conditions.join(", ")) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: &str = "2026-01-15T12:00:00Z";

    fn listed(reason: Option<&str>, at: &str, data: &str) -> Listed {
        let fingerprint = reason.map(|reason| format!("{reason}:UserCreated:email"));
        let entry = serde_json::json!({
            "eventId": null, "originalData": data, "error": "", "timestamp": at, "retryCount": 0, "reason": reason, "fingerprint": fingerprint,
        });
        Listed::new(entry.to_string())
    }

    #[test]
    fn its_words_are_read_again_and_words_that_were_cut_are_not() {
        let full = Filter {
            ids: ["0123456789ab".to_owned(), "ffffffffffff".to_owned()].into(),
            reason: Some("invalid_value".to_owned()),
            fingerprint: Some("invalid_value:UserCreated:payload.email".to_owned()),
            event_type: Some("UserCreated".to_owned()),
            older_than: Some(Duration::from_secs(90)),
            until: Timestamp::parse(NOW).ok(),
        };
        for filter in [full.clone(), Filter { ids: BTreeSet::new(), ..full.clone() }, Filter::default()] {
            assert_eq!(Filter::from_words(&filter.to_string()), Some(filter));
        }
        let words = full.to_string();
        for cut in [&words[..words.len() - 1], &words[..20], "", "all", "dead letters: ", "dead letters: event type Foo", "dead letters: x"]
        {
            assert_eq!(Filter::from_words(cut), None, "{cut}");
        }
    }

    #[test]
    fn what_was_asked_for_is_named_where_no_dead_letter_has_it() {
        let filter = Filter { reason: Some("nonsense".into()), event_type: Some("OrderPlaced".into()), ..Filter::default() };
        assert_eq!(filter.selects_none_of(3), "none of the 3 dead letters is one with reason nonsense, event type OrderPlaced");
        assert_eq!((filter.selects_none_of(0), Filter::default().selects_none_of(1)), ("no dead letters".into(), "no dead letters".into()));
        assert_eq!(filter.selects_none_of(1), "the 1 dead letter is not one with reason nonsense, event type OrderPlaced");
    }

    #[test]
    fn an_event_type_that_does_not_exist_is_refused_with_those_that_do() {
        for name in ["UserCreated", "InventoryAdjusted", "unknown"] {
            assert_eq!(event_type(name).as_deref(), Ok(name));
        }
        let sentence = event_type("Foo").unwrap_err();
        assert_eq!(
            sentence,
            "there is no event type Foo: it is one of UserCreated, OrderPlaced, PaymentSettled, InventoryAdjusted, or unknown"
        );
    }

    fn selects(filter: &Filter, listed: &Listed) -> bool {
        filter.selects(listed, Timestamp::parse(NOW).unwrap())
    }

    #[test]
    fn everything_that_is_given_has_to_apply() {
        let ours = listed(Some("too_long"), "2026-01-15T11:00:00Z", "{}");
        let other = listed(None, "some day", r#"{"eventType":"OrderPlaced"}"#);
        let some = |text: &str| Some(text.to_owned());
        let hour = Some(Duration::from_secs(3600));
        for (filter, meant) in [
            (Filter::default(), [true, true]),
            (Filter { ids: [ours.id.clone(), "0".to_owned()].into(), ..Filter::default() }, [true, false]),
            (Filter { reason: some("too_long"), ..Filter::default() }, [true, false]),
            (Filter { reason: some("unknown"), ..Filter::default() }, [false, true]),
            (Filter { fingerprint: some("too_long:UserCreated:email"), ..Filter::default() }, [true, false]),
            (Filter { fingerprint: some("unknown:OrderPlaced:"), ..Filter::default() }, [false, true]),
            (Filter { event_type: some("OrderPlaced"), ..Filter::default() }, [false, true]),
            (Filter { until: Timestamp::parse("2026-01-15T11:00:00Z").ok(), ..Filter::default() }, [true, true]),
            (Filter { until: Timestamp::parse("2026-01-15T10:59:59Z").ok(), ..Filter::default() }, [false, true]),
            (Filter { older_than: hour, ..Filter::default() }, [true, false]),
            (Filter { older_than: hour, until: Timestamp::parse("2026-01-15T11:30:00Z").ok(), ..Filter::default() }, [false, false]),
            (Filter { older_than: hour.map(|hour| hour + Duration::from_micros(1)), ..Filter::default() }, [false, false]),
            (Filter { reason: some("too_long"), event_type: some("OrderPlaced"), ..Filter::default() }, [false, false]),
        ] {
            assert_eq!([selects(&filter, &ours), selects(&filter, &other)], meant, "{filter:?}");
        }
    }

    #[test]
    fn a_filter_is_told_in_words() {
        assert_eq!(Filter::default().to_string(), "all dead letters");
        let filter = Filter {
            ids: ["0a".to_owned(), "0b".to_owned()].into(),
            reason: Some("too_long".to_owned()),
            older_than: Some(Duration::from_secs(90)),
            ..Filter::default()
        };
        assert_eq!(filter.to_string(), "dead letters: reason too_long, older than 90 s, ids 0a 0b");
    }

    #[test]
    fn what_is_no_dead_letter_has_a_reason_of_its_own() {
        let filter = Filter { reason: Some("unreadable".to_owned()), ..Filter::default() };
        assert!(selects(&filter, &Listed::new("boom".to_owned())));
        assert!(!selects(&filter, &listed(None, NOW, "{}")));
    }
}
