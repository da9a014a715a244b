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
