//! Dead letters by what they have in common.

use std::collections::HashMap;

use pipeline::fault::Fault;
use pipeline::ports::DeadLetterReader;
use serde::Serialize;

use crate::dlq::groups::{Tally, by_frequency};
use crate::dlq::listed::Listed;
use crate::dlq::scan::Scan;

/// Fingerprints that are counted each by itself; other programs may have pushed anything.
const MOST: usize = 1000;
/// What the rest is counted under.
const OTHERS: &str = "(others)";

/// Dead letters with one fingerprint.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Group {
    /// What they have in common, as `dlq list --fingerprint` takes it.
    pub fingerprint: String,
    /// How many.
    pub count: u64,
    /// When the first of them became a dead letter, as the entries tell it.
    pub first_seen: Option<String>,
    /// And the last.
    pub last_seen: Option<String>,
}

impl Group {
    fn new(fingerprint: String, Tally { count, first_seen, last_seen }: Tally) -> Self {
        Self { fingerprint, count, first_seen: first_seen.map(|at| at.to_string()), last_seen: last_seen.map(|at| at.to_string()) }
    }
}

/// Counts the whole list; the most frequent first.
pub(super) async fn groups(queue: &impl DeadLetterReader) -> Result<Vec<Group>, Fault> {
    let mut tallies = HashMap::new();
    let mut scan = Scan::start(queue).await?;
    loop {
        let page = scan.look().await?;
        if page.is_empty() {
            break;
        }
        page.iter().for_each(|listed| count(&mut tallies, listed));
    }
    let mut groups: Vec<_> = tallies.into_iter().map(|(fingerprint, tally)| Group::new(fingerprint, tally)).collect();
    groups.sort_by(|a, b| by_frequency((a.count, &a.fingerprint), (b.count, &b.fingerprint)));
    Ok(groups)
}

fn count(tallies: &mut HashMap<String, Tally>, listed: &Listed) {
    let fingerprint = listed.fingerprint();
    let known = tallies.contains_key(&*fingerprint) || tallies.len() < MOST;
    let name = if known { &*fingerprint } else { OTHERS };
    tallies.entry(name.to_owned()).or_default().note(listed.entry.as_ref().and_then(|entry| entry.at()));
}

/// Stands in a remedy for the option that means these dead letters and no others.
pub(super) const THESE: &str = "{these}";

/// What dead letters of this fingerprint are, and what is to be done about them, with [`THESE`] in it. A fingerprint begins with its reason.
pub(super) fn meaning(fingerprint: &str) -> Option<(&'static str, &'static str)> {
    Some(match fingerprint.split(':').next()? {
        "not_json" | "not_utf8" | "unknown_event_type" => (
            "written by something that makes no events",
            "find who writes other things to this topic (`dlq show ID` shows one), then remove what is here with `dlq purge {these}`",
        ),
        "registry_framed" => (
            "Avro or Protobuf of a schema registry, which is not read here",
            "have the producer write JSON, and send the same again; then remove what is here with `dlq purge {these}`",
        ),
        "cloud_event_data" => (
            "CloudEvents without an event in their `data`",
            "have the producer put the event there as a JSON object, and send the same again; then remove what is here with `dlq purge {these}`",
        ),
        "missing_field" | "duplicate_field" | "wrong_type" | "invalid_value" | "invalid_money" | "too_long" | "unknown_adjustment_type" => {
            ("events that break the contract", "mend their producer, and these with `dlq edit ID`, which sends them again")
        }
        "timestamp_in_future" => {
            ("events dated in the future", "set the clock of their producer, then send these again with `dlq redrive {these}`")
        }
        "missing_parent" => {
            ("their user or order did not come before PARKING_DEADLINE", "when it is there, send these again with `dlq redrive {these}`")
        }
        "email_taken" => {
            ("their e-mail address is another user's", "when that user has given it up, send these again with `dlq redrive {these}`")
        }
        "event_id_conflict" => {
            ("their event id was used before for another event", "mend their producer: each event needs an id of its own")
        }
        "ledger_compacted" => {
            ("stock adjustments older than the lines of the ledger", "the consumer's README says what to do, at `ledger_compacted`")
        }
        _ => return None,
    })
}

/// Whether they may be applied when they are sent again as they are.
pub(super) fn may_be_applied(fingerprint: &str) -> bool {
    let never = ["not_json", "not_utf8", "unknown_event_type", "registry_framed", "cloud_event_data", "event_id_conflict"];
    fingerprint.split(':').next().is_none_or(|reason| !never.contains(&reason))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reason_of_ours_has_a_meaning_and_another_programs_has_none() {
        let contract = events::Rule::RegistryFramed.label();
        for reason in [
            contract,
            events::Rule::CloudEventData(events::CloudEventData::Absent).label(),
            "not_json",
            "missing_field",
            "timestamp_in_future",
            "missing_parent",
            "email_taken",
            "event_id_conflict",
            "ledger_compacted",
        ] {
            assert!(meaning(&format!("{reason}:UserCreated:email")).is_some(), "{reason} has none");
        }
        assert_eq!(meaning("(others)"), None);
        assert!(!may_be_applied("not_json:unknown:") && may_be_applied("missing_parent:OrderPlaced:userId") && may_be_applied("(others)"));
    }
}
