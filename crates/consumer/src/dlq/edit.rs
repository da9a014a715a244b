//! A dead letter with a payload that was mended.

use events::Violation;
use pipeline::audit::{AuditAction, Sha256Digest};
use pipeline::decoded::{Decoded, decode_record};
use pipeline::ports::{AuditLog, ClaimQueue, Clock as _, Delivered, Message, Publisher};
use pipeline::record::{Position, Record};
use similar::TextDiff;
use uuid::Uuid;

use super::choice::Letter;
use super::dry_run::Rules;
use super::layout::lay_out;
use super::listed::Listed;
use super::redrive::Route;
use super::refusal::Refusal;
use super::send::Sender;
use crate::audit::{Audit, Handled, Subject, Who, outcome};
use crate::backends::SystemClock;

/// Lines around a change that a diff shows.
const CONTEXT: usize = 3;

/// The payload of an entry as a person edits it: one field per line where it is JSON, else as it is. Bytes that are not UTF-8 are U+FFFD.
///
/// # Errors
/// The entry cannot be read.
pub fn editable(listed: &Listed) -> Result<String, Refusal> {
    let value = listed.entry.as_ref().and_then(|entry| entry.value()).ok_or(Refusal::NotEditable)?;
    Ok(laid_out(&String::from_utf8_lossy(&value)))
}

/// A mended dead letter, checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Revision {
    /// As it is sent.
    pub dead_letter: Letter,
    /// Under which id.
    pub event_id: Uuid,
    /// What changed, as a unified diff.
    pub diff: String,
    /// The digests of the payload before and after.
    pub digests: (Sha256Digest, Sha256Digest),
}

impl Revision {
    /// The entry with this payload, under the key that the event has by the contract.
    ///
    /// # Errors
    /// The entry cannot be read, or the payload breaks the contract, names another event, or is the same.
    pub fn new(listed: &Listed, payload: &str, rules: Rules, default_topic: &str) -> Result<Self, Refusal> {
        let (original, payload) = (editable(listed)?, payload.trim());
        let entry = listed.entry.as_ref().ok_or(Refusal::NotEditable)?;
        let laid_out = laid_out(payload);
        if laid_out == original {
            return Err(Refusal::Unchanged);
        }
        let (event_id, key) = check(payload, rules)?;
        let known = entry.event_uuid().or_else(|| readable_id(&original));
        if known.is_some_and(|known| known != event_id) {
            return Err(Refusal::OtherEvent);
        }
        let before = entry.value().ok_or(Refusal::NotEditable)?;
        let digests = (Sha256Digest::of(&before), Sha256Digest::of(payload.as_bytes()));
        let headers = entry.headers_of_redrive(&listed.id).ok_or(Refusal::NotEditable)?;
        let message = Message { key: Some(key.into_bytes()), value: Some(payload.as_bytes().to_vec()), headers };
        let dead_letter = Letter::new(listed, entry, message, default_topic);
        Ok(Self { dead_letter, event_id, diff: diff(&original, &laid_out), digests })
    }
}

/// What this payload changes of an entry, as a unified diff.
///
/// # Errors
/// The entry cannot be read.
pub fn changes(listed: &Listed, payload: &str) -> Result<String, Refusal> {
    Ok(diff(&editable(listed)?, &laid_out(payload.trim())))
}

/// One field per line where it is JSON, else as it is.
fn laid_out(payload: &str) -> String {
    lay_out(payload).unwrap_or_else(|| payload.to_owned())
}

/// The event's id and key, if the consumer would take it now.
fn check(payload: &str, rules: Rules) -> Result<(Uuid, String), Refusal> {
    let position = Position { topic: "".into(), partition: 0, offset: 0 };
    let now = SystemClock.now();
    let timestamp_ms = Some(now.unix_millis());
    let record = Record {
        position,
        assignment: 0,
        timestamp_ms,
        timestamp_type: None,
        key: None,
        value: Some(payload.as_bytes().to_vec()),
        headers: Vec::new(),
    };
    match decode_record(&record, now, rules.max_clock_skew) {
        Decoded::Valid(event) => Ok((event.id, event.key())),
        Decoded::Broken(violation) => Err(Refusal::Violation(violation)),
        Decoded::Tombstone => Err(Refusal::NotEditable),
    }
}

fn readable_id(payload: &str) -> Option<Uuid> {
    match events::decode(payload.as_bytes()) {
        Ok(event) => Some(event.id),
        Err(Violation { event_id, .. }) => event_id,
    }
}

fn diff(before: &str, after: &str) -> String {
    // With an end of line, so that the diff does not speak of a missing one.
    let (before, after) = (format!("{before}\n"), format!("{after}\n"));
    TextDiff::from_lines(&before, &after).unified_diff().context_radius(CONTEXT).header("dead letter", "edited").to_string()
}

/// Sends a mended dead letter and takes the entry off the list, and notes who did that.
///
/// # Errors
/// It cannot be noted, and nothing was done; or the entry is not in the list any more, or a part is away: then it is in the list, or comes back.
pub async fn resend<Q: ClaimQueue, P: Publisher, L: AuditLog>(
    route: &Route<'_, Q, P>,
    (audit, who): (Audit<L>, Who),
    revision: Revision,
) -> Result<Delivered, Refusal> {
    let (before, after) = revision.digests;
    let mut letter = Handled::new(revision.dead_letter.id.clone(), Some(&revision.event_id.to_string()), "not sent");
    letter.edited = Some((before, after));
    let subject = Subject::new(letter.subject()).edited(before, after);
    let mut operation = audit.begin(who, AuditAction::Edit, subject).await?;
    let delivered = send(route, revision).await;
    if let Ok(Delivered { .. }) = delivered {
        letter.outcome = "sent";
    }
    operation.note(&letter);
    operation.end(outcome(&delivered, |Delivered { partition, offset }| format!("sent to partition {partition}, offset {offset}"))).await;
    delivered
}

async fn send<Q: ClaimQueue, P: Publisher>(route: &Route<'_, Q, P>, revision: Revision) -> Result<Delivered, Refusal> {
    let topic = revision.dead_letter.topic.clone();
    let mut sender = Sender::new(route.queue, route.publisher, route.lease, route.stop);
    let sent = sender.send(vec![revision.dead_letter]).await;
    match (sent.fault.as_ref().or(sender.refusal(&topic)).cloned(), sent.delivered) {
        (Some(fault), _) => Err(fault.into()),
        (None, Some(delivered)) => Ok(delivered),
        (None, None) => Err(Refusal::NotFound),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use events::{EventType, samples};
    use pipeline::Header;
    use pipeline::headers::Redriven;

    use super::*;

    const RULES: Rules = Rules { max_rows: 100, max_clock_skew: Duration::from_secs(60) };

    fn payload() -> String {
        String::from_utf8(samples::of(EventType::UserCreated).to_json()).unwrap()
    }

    fn listed(data: &str, event_id: Option<&str>) -> Listed {
        let entry =
            serde_json::json!({"eventId": event_id, "originalData": data, "error": "", "timestamp": "", "retryCount": 2, "topic": "t"});
        Listed::new(entry.to_string())
    }

    fn revise(listed: &Listed, payload: &str) -> Result<Revision, Refusal> {
        Revision::new(listed, payload, RULES, "events")
    }

    #[test]
    fn a_mended_payload_goes_out_as_it_was_written_under_its_own_key() {
        let sample = samples::of(EventType::UserCreated);
        let broken = payload().replace("\"firstName\"", "\"first_name\"");
        let entry = listed(&broken, None);
        let revision = revise(&entry, &format!("{}\n", payload())).unwrap();
        assert_eq!(revision.event_id, sample.id);
        assert_eq!(revision.dead_letter.message.key, Some(sample.key().into_bytes()));
        assert_eq!(revision.dead_letter.message.value, Some(payload().into_bytes()));
        assert_eq!(revision.dead_letter.message.headers, Redriven { retry_count: 3, id: Some(entry.id), since: None }.headers());
        assert_eq!(revision.dead_letter.topic, "t");
        assert!(revision.diff.contains("-  \"first_name\": ") && revision.diff.contains("+  \"firstName\": "), "{}", revision.diff);
    }

    #[test]
    fn the_headers_of_others_stay_before_those_of_the_redrive() {
        let json = serde_json::json!({ "originalData": payload().replace("firstName", "first"), "recordHeaders": [
            { "name": "traceparent", "value": "00-1" }, { "name": "bytes", "value": "/w==", "encoding": "base64" }, { "name": "null", "value": null },
        ] });
        let revision = revise(&Listed::new(json.to_string()), &payload()).unwrap();
        let own = [
            Header::text("traceparent", "00-1"),
            Header { name: "bytes".to_owned(), value: Some(vec![0xff]) },
            Header { name: "null".to_owned(), value: None },
        ];
        let headers = revision.dead_letter.message.headers;
        assert_eq!(headers[..3], own);
        assert_eq!(Redriven::read(&headers[3..]).retry_count, 1);
    }

    #[test]
    fn what_the_consumer_would_refuse_is_refused_here() {
        let entry = listed("{", None);
        assert!(matches!(revise(&entry, "{}"), Err(Refusal::Violation(_))));
        let future = payload().replace("2026-", "2996-");
        assert!(matches!(revise(&entry, &future), Err(Refusal::Violation(violation)) if violation.rule.label() == "timestamp_in_future"));
    }

    #[test]
    fn the_event_stays_the_event_that_it_was() {
        let id = samples::of(EventType::UserCreated).id.to_string();
        let other = payload().replace(&id, "00000000-0000-0000-0000-000000000001");
        assert_ne!(other, payload());
        let by_payload = listed(&payload().replace("firstName", "first"), None);
        let by_entry = listed("{", Some(&id));
        for entry in [by_payload, by_entry] {
            assert_eq!(revise(&entry, &other), Err(Refusal::OtherEvent));
            assert!(revise(&entry, &payload()).is_ok());
        }
        assert!(revise(&listed("{", None), &other).is_ok(), "where the original's could not be read, any will do");
    }

    #[test]
    fn white_space_alone_is_no_change() {
        let entry = listed(&payload(), None);
        assert_eq!(revise(&entry, &editable(&entry).unwrap()), Err(Refusal::Unchanged));
        assert_eq!(revise(&entry, &payload()), Err(Refusal::Unchanged));
        assert_eq!(revise(&Listed::new("boom".to_owned()), &payload()), Err(Refusal::NotEditable));
    }
}
