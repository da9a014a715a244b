//! Dead letters: groups, lists, one of them, and what an edit of it would come to.

use super::answer::Known;

/// The dead letters by fingerprint.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Groups {
    /// The most frequent first.
    pub groups: Vec<Group>,
    /// How many at the old end of a very long list are in none of them.
    pub uncounted: u64,
}

/// Dead letters with one fingerprint.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Group {
    /// What they have in common: `reason:eventType:subject`.
    pub fingerprint: String,
    /// How many.
    pub count: u64,
    /// When the first and the last of them became dead letters, RFC 3339, where the entries tell it.
    pub first_seen: Option<String>,
    /// See `first_seen`.
    pub last_seen: Option<String>,
    /// How many came in each of equally long spans between the first and the last of the whole list, for a sparkline.
    pub history: Vec<u64>,
    /// The sentence of one of them.
    pub sample: String,
    /// The id of that one.
    pub sample_id: String,
}

/// Which dead letters are meant: those to which everything that is given applies. Texts as an operator types them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Selection {
    /// Ids (12 hexadecimal digits); none stands for any.
    pub ids: Vec<String>,
    /// A reason's label, such as `invalid_value`.
    pub reason: Option<String>,
    /// A fingerprint.
    pub fingerprint: Option<String>,
    /// An event type, such as `OrderPlaced`.
    pub event_type: Option<String>,
    /// A number with a unit, such as `90s`, `15m`, `1h` or `7d`.
    pub older_than: Option<String>,
    /// Those that became dead letters after this time (RFC 3339) are not meant.
    pub until: Option<String>,
    /// Every dead letter is meant where nothing else is given.
    pub all: bool,
}

/// A page of dead letters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LetterPage {
    /// How many are in the whole list.
    pub depth: u64,
    /// The page.
    pub rows: Vec<LetterRow>,
    /// Where to go on; `None` at the end.
    pub next: Option<u64>,
}

/// What a list says about a dead letter; no payload.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LetterRow {
    /// 12 hexadecimal digits.
    pub id: String,
    /// Since when it is a dead letter (RFC 3339), where it tells; a redrive that fails does not change it.
    pub since: Option<String>,
    /// A label.
    pub reason: String,
    /// One of the four types, or `unknown`.
    pub event_type: String,
    /// Where it could be read.
    pub event_id: Option<String>,
    /// See [`Group::fingerprint`].
    pub fingerprint: String,
    /// One sentence; quotes no value where this program wrote it.
    pub error: String,
    /// `topic/partition/offset`, where known.
    pub place: Option<String>,
    /// How often it was redriven.
    pub retries: u32,
}

/// One dead letter in full.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Letter {
    /// What a list says about it.
    pub row: LetterRow,
    /// The message key, where there was one: text, or hexadecimal digits where it is not UTF-8.
    pub key: Option<String>,
    /// The message's headers, in order: name and value; text, or hexadecimal digits where it is not UTF-8, or `None` where it is null.
    pub headers: Vec<(String, Option<String>)>,
    /// When it became a dead letter the last time (RFC 3339), where it has been redriven since the first.
    pub failed_again: Option<String>,
    /// The message's own time (RFC 3339), where it tells one.
    pub record_at: Option<String>,
    /// By whose clock that is, in words, where it is known.
    pub record_clock: Option<&'static str>,
    /// The event's own time (RFC 3339), where its payload tells one.
    pub event_at: Option<String>,
    /// The message value, byte for byte.
    pub bytes: Vec<u8>,
    /// Whether the bytes are UTF-8.
    pub is_text: bool,
    /// The payload as a person edits it, one field per line; `None` where it cannot be edited.
    pub editable: Option<String>,
    /// The field at which the decoder stopped, as a JSON path such as `items[0].price`, where it names one.
    pub field: Option<String>,
    /// The payload as the decoder reads it, field by field; none where it breaks a rule as a whole. Only for who may see payloads.
    pub fields: Vec<PayloadField>,
    /// What another program wrote as the reason, where it was another; only for who may see payloads.
    pub told: Option<String>,
}

/// A field of a payload, with what the decoder says of it alone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PayloadField {
    /// Its JSON path, such as `items[0].price`.
    pub path: String,
    /// Its value as JSON, shortened where it is long; `None` where it is missing.
    pub value: Option<String>,
    /// What is wrong with it, as the end of a sentence that begins with its path; `None` where it is good.
    pub problem: Option<String>,
}

/// A payload that an operator wrote, looked at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Draft {
    /// What is wrong with it, as a sentence; `None` where it could be sent.
    pub problem: Option<String>,
    /// The fields that are wrong, all of them; none where it is wrong as a whole.
    pub wrong: Vec<PayloadField>,
    /// What changed, as a unified diff; empty where it could not be compared.
    pub diff: String,
    /// How the database would end it; `None` where it was not asked, because the payload is wrong.
    pub foreseen: Option<Known<Foreseen>>,
}

/// How an event would end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Foreseen {
    /// `applied`, `duplicate`, `stale`, `parked`, `rejected`, `dead letter`, `too many retries` or `unreadable`.
    pub outcome: String,
    /// What it waits for, or why it would be refused.
    pub detail: Option<String>,
}

/// A payload that was sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sent {
    /// Under which event id.
    pub event_id: String,
    /// Where the broker put it: `topic/partition/offset`.
    pub place: String,
}
