//! Dead letters by what they have in common.

use std::collections::HashMap;

use pipeline::fault::Fault;
use pipeline::ports::DeadLetterReader;
use serde::Serialize;

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

/// Counts the whole list; the most frequent first.
pub(super) async fn groups(queue: &impl DeadLetterReader) -> Result<Vec<Group>, Fault> {
    let mut groups = HashMap::new();
    let mut scan = Scan::start(queue).await?;
    loop {
        let page = scan.look().await?;
        if page.is_empty() {
            break;
        }
        page.iter().for_each(|listed| count(&mut groups, listed));
    }
    let mut groups: Vec<_> = groups.into_values().collect();
    groups.sort_by(|a, b| b.count.cmp(&a.count).then_with(|| a.fingerprint.cmp(&b.fingerprint)));
    Ok(groups)
}

fn count(groups: &mut HashMap<String, Group>, listed: &Listed) {
    let fingerprint = listed.fingerprint();
    let known = groups.contains_key(&*fingerprint) || groups.len() < MOST;
    let name = if known { &*fingerprint } else { OTHERS };
    let group = groups.entry(name.to_owned()).or_insert_with(|| Group { fingerprint: name.to_owned(), ..Group::default() });
    group.count += 1;
    // RFC 3339 in UTC, as it is written here, sorts as text.
    let Some(at) = listed.entry.as_ref().and_then(|entry| entry.at()).map(|at| at.to_string()) else { return };
    if group.first_seen.as_ref().is_none_or(|first| *first > at) {
        group.first_seen = Some(at.clone());
    }
    if group.last_seen.as_ref().is_none_or(|last| *last < at) {
        group.last_seen = Some(at);
    }
}
