//! What the list consists of.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use events::Timestamp;
use pipeline::fault::Fault;
use pipeline::ports::DeadLetterReader;
use serde::Serialize;

use super::filter::Filter;
use super::listed::Listed;
use super::printable::printable;
use super::scan::Scan;

/// Distinct labels that are counted each by itself; others may have pushed anything.
const LABELS: usize = 1000;
/// What the rest is counted under.
const OTHERS: &str = "(others)";
/// Labels shown to a person, the most frequent first.
const SHOWN: usize = 20;

/// Minutes shown to a person, the newest first.
const MINUTES: usize = 60;

const HOUR: u64 = 3600;
/// Upper bounds of the ages, in seconds.
const AGES: [(&str, u64); 4] = [("under 1h", HOUR), ("1h to 1d", 24 * HOUR), ("1d to 7d", 7 * 24 * HOUR), ("over 7d", u64::MAX)];
const UNTOLD: &str = "untold";
/// The characters of an RFC 3339 time up to its minutes.
const TO_THE_MINUTE: usize = "2026-01-15T10:30".len();

/// Entries counted by what they have in common.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Stats {
    /// All of them that are in the list.
    pub entries: u64,
    /// Those that a redrive has claimed: they are in no other count.
    pub claimed: u64,
    /// By [`Listed::fingerprint`].
    pub by_fingerprint: BTreeMap<String, u64>,
    /// By [`Listed::reason`].
    pub by_reason: BTreeMap<String, u64>,
    /// By [`Listed::event_type`].
    pub by_event_type: BTreeMap<String, u64>,
    /// By how long they have been dead letters.
    pub by_age: BTreeMap<&'static str, u64>,
    /// By how often they were redriven.
    pub by_retries: BTreeMap<u32, u64>,
    /// By topic.
    pub by_topic: BTreeMap<String, u64>,
    /// By `topic/partition`.
    pub by_partition: BTreeMap<String, u64>,
    /// By the key of the record, where keys were asked for: they may be personal data.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub by_key: BTreeMap<String, u64>,
    /// By the minute in which they became dead letters, where minutes were asked for.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub by_minute: BTreeMap<String, u64>,
}

/// What is counted only where it is asked for: it has many values.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum By {
    /// The key of the record.
    Key,
    /// The minute in which it became a dead letter.
    Minute,
}

/// Counts those entries of the list that are meant, and by these too.
///
/// # Errors
/// The queue is away.
pub async fn stats(queue: &impl DeadLetterReader, filter: &Filter, by: &[By], now: Timestamp) -> Result<Stats, Fault> {
    let mut stats = Stats { claimed: queue.claimed().await?, ..Stats::default() };
    let mut scan = Scan::start(queue).await?;
    loop {
        let page = scan.look().await?;
        if page.is_empty() {
            return Ok(stats);
        }
        page.iter().filter(|listed| filter.selects(listed, now)).for_each(|listed| stats.count(listed, by, now));
    }
}

impl Stats {
    fn count(&mut self, listed: &Listed, by: &[By], now: Timestamp) {
        self.entries += 1;
        count(&mut self.by_fingerprint, &listed.fingerprint());
        count(&mut self.by_reason, listed.reason());
        count(&mut self.by_event_type, listed.event_type());
        *self.by_age.entry(age(listed.age(now))).or_default() += 1;
        *self.by_retries.entry(listed.retries()).or_default() += 1;
        let entry = listed.entry.as_ref();
        let topic = entry.and_then(|entry| entry.topic.as_deref()).unwrap_or(UNTOLD);
        count(&mut self.by_topic, topic);
        let partition = entry.and_then(|entry| entry.partition).map(|partition| format!("{topic}/{partition}"));
        count(&mut self.by_partition, partition.as_deref().unwrap_or(UNTOLD));
        if by.contains(&By::Key) {
            count(&mut self.by_key, entry.and_then(|entry| entry.key.as_deref()).unwrap_or("(none)"));
        }
        if by.contains(&By::Minute) {
            let minute = entry.and_then(|entry| entry.at()).map(|at| format!("{}Z", &at.to_string()[..TO_THE_MINUTE]));
            count(&mut self.by_minute, minute.as_deref().unwrap_or(UNTOLD));
        }
    }
}

/// So many of them, in words.
pub(crate) fn dead_letters(count: u64) -> String {
    if count == 1 { "1 dead letter".to_owned() } else { format!("{count} dead letters") }
}

/// Tells of claimed entries, where there are any, behind the number of the others.
pub(crate) fn and_claimed(claimed: u64) -> String {
    match claimed {
        0 => String::new(),
        1 => ", and 1 that a redrive has claimed".to_owned(),
        claimed => format!(", and {claimed} that a redrive has claimed"),
    }
}

fn count(counts: &mut BTreeMap<String, u64>, label: &str) {
    if let Some(count) = counts.get_mut(label) {
        *count += 1;
        return;
    }
    let label = if counts.len() < LABELS { label } else { OTHERS };
    *counts.entry(label.to_owned()).or_default() += 1;
}

fn age(age: Option<Duration>) -> &'static str {
    let bucket = age.and_then(|age| AGES.into_iter().find(|(_, bound)| age.as_secs() < *bound));
    bucket.map_or(UNTOLD, |(name, _)| name)
}

impl fmt::Display for Stats {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", dead_letters(self.entries), and_claimed(self.claimed))?;
        if self.entries == 0 {
            return Ok(());
        }
        frequent(f, "fingerprint", &self.by_fingerprint)?;
        frequent(f, "reason", &self.by_reason)?;
        frequent(f, "event type", &self.by_event_type)?;
        let ages = AGES.iter().map(|(name, _)| *name).chain([UNTOLD]);
        section(f, "age", ages.filter_map(|name| Some((name.to_owned(), *self.by_age.get(name)?))))?;
        section(f, "retries", self.by_retries.iter().map(|(retries, count)| (retries.to_string(), *count)))?;
        frequent(f, "partition", &self.by_partition)?;
        if !self.by_key.is_empty() {
            frequent(f, "key", &self.by_key)?;
        }
        if !self.by_minute.is_empty() {
            let newest = self.by_minute.iter().rev().take(MINUTES);
            section(f, "minute, the newest first", newest.map(|(minute, count)| (minute.clone(), *count)))?;
        }
        Ok(())
    }
}

fn frequent(f: &mut fmt::Formatter<'_>, title: &str, counts: &BTreeMap<String, u64>) -> fmt::Result {
    let mut counts: Vec<_> = counts.iter().map(|(label, count)| (printable(label).into_owned(), *count)).collect();
    counts.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    let hidden = counts.len().saturating_sub(SHOWN);
    counts.truncate(SHOWN);
    section(f, title, counts.into_iter())?;
    if hidden > 0 { write!(f, "\n             and {hidden} more, see --json") } else { Ok(()) }
}

fn section(f: &mut fmt::Formatter<'_>, title: &str, counts: impl Iterator<Item = (String, u64)>) -> fmt::Result {
    write!(f, "\n\nby {title}")?;
    counts.into_iter().try_for_each(|(label, count)| write!(f, "\n  {count:>9}  {label}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn claimed_ones_are_told_beside_the_others() {
        assert_eq!(Stats::default().to_string(), "0 dead letters");
        assert_eq!(Stats { claimed: 1, ..Stats::default() }.to_string(), "0 dead letters, and 1 that a redrive has claimed");
        assert!(
            Stats { entries: 3, claimed: 2, ..Stats::default() }
                .to_string()
                .starts_with("3 dead letters, and 2 that a redrive has claimed\n")
        );
    }

    #[test]
    fn ages_fall_into_the_bucket_above_their_bound() {
        for (seconds, bucket) in [(0, "under 1h"), (3599, "under 1h"), (3600, "1h to 1d"), (86_400, "1d to 7d"), (604_800, "over 7d")] {
            assert_eq!(age(Some(Duration::from_secs(seconds))), bucket);
        }
        assert_eq!(age(None), "untold");
    }

    #[test]
    fn labels_without_end_do_not_fill_the_memory() {
        let mut counts = BTreeMap::new();
        (0..LABELS + 5).for_each(|number| count(&mut counts, &number.to_string()));
        assert_eq!((counts.len(), counts[OTHERS]), (LABELS + 1, 5));
    }
}
