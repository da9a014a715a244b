//! What still needs the lines that are to be folded: whatever may bring their events again.
//!
//! None of this keeps an event from counting twice; the stores do that whatever comes. It keeps events from becoming dead letters that somebody waits for.

use std::time::Duration;

use events::Timestamp;
use pipeline::dead_letter::Entry;
use pipeline::fault::Fault;
use pipeline::ports::{DeadLetterReader, GroupOffsets};
use settings::span;

use super::LedgerTables;
use crate::dlq::scan::Scan;
use crate::plural::plural;

/// How long ago a consumer that runs has said so, at most.
const SEEN: Duration = Duration::from_secs(60);

/// How long the topic keeps records, as far as its settings are told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Kept {
    /// The topic.
    pub topic: String,
    /// Whether `cleanup.policy` holds `compact`.
    pub compacts: Option<bool>,
    /// `retention.ms`; [`Duration::MAX`] where records are kept for ever.
    pub retention: Option<Duration>,
}

/// Why lines of that age may be needed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Obstacle {
    /// How long records are kept is not known.
    #[error("how long topic {0} keeps records is not told: give the user the right DescribeConfigs on the topic")]
    UnknownRetention(String),
    /// Records are kept for ever.
    #[error("topic {0} keeps records for ever (retention.ms is -1), so that each event can come again: let it keep them for a time first")]
    KeptForEver(String),
    /// A record may stay for ever.
    #[error(
        "topic {0} is compacted (cleanup.policy), so that the last record of each key stays for ever, and can come again: use delete alone"
    )]
    Compacted(String),
    /// Records are kept longer.
    #[error("topic {topic} keeps records for {}, and what it holds can come again: name a longer time", span::format(*.retention))]
    KeptLonger {
        /// The topic.
        topic: String,
        /// How long.
        retention: Duration,
    },
    /// Older records are still there.
    #[error(
        "the log still holds older records, in partition{} {}: Kafka deletes whole segments, once their last record is too old \
         (segment.ms, segment.bytes). Wait, or name a longer time",
        plural(.0.len() as u64), numbers(.0)
    )]
    StillThere(Vec<i32>),
    /// A dead letter is older.
    #[error("the dead letter {id} is of {at}, and can be redriven: redrive or purge those that are older, or name a longer time")]
    DeadLetter {
        /// Its id.
        id: String,
        /// When its event happened, or it became a dead letter.
        at: Timestamp,
    },
    /// Dead letters are on their way.
    #[error("somebody is at {count} dead letter{}, to redrive, edit or purge: wait until nobody is", plural(*.0), count = .0)]
    Claimed(u64),
    /// A redrive is under way.
    #[error("redrive job {0} runs: wait until it has ended, or cancel it")]
    Redrive(i64),
    /// A parked event is older.
    #[error("an event is parked since {0}: wait until it is released or given up, or name a longer time")]
    Parked(Timestamp),
    /// A consumer of another release runs.
    #[error("a consumer of version {version} runs at {host}, this is version {}: one that does not know of folded lines would count them again", env!("CARGO_PKG_VERSION"))]
    OtherVersion {
        /// Its version.
        version: String,
        /// Where.
        host: String,
    },
}

fn numbers(partitions: &[i32]) -> String {
    partitions.iter().map(i32::to_string).collect::<Vec<_>>().join(", ")
}

/// What is to be folded.
#[derive(Clone, Copy, Debug)]
pub(super) struct Wanted {
    /// How old it is,
    pub(super) older_than: Duration,
    /// that is, before this time.
    pub(super) before: Timestamp,
    /// Before which time lines were folded already.
    pub(super) already: Option<Timestamp>,
}

/// Everything that needs lines that are to be folded.
///
/// # Errors
/// A part cannot be asked.
pub(super) async fn obstacles<P: GroupOffsets, T: LedgerTables, Q: DeadLetterReader>(
    kafka: &P,
    tables: &T,
    dead_letters: &Q,
    kept: &Kept,
    wanted: Wanted,
) -> Result<Vec<Obstacle>, Fault> {
    let Wanted { older_than, before, .. } = wanted;
    let mut found = of_settings(kept, older_than);
    found.extend(of_log(kafka, before).await?);
    found.extend(of_dead_letters(dead_letters, wanted).await?);
    found.extend(tables.running_jobs().await?.into_iter().map(Obstacle::Redrive));
    let (_, oldest) = tables.parked().await?;
    found.extend(oldest.filter(|oldest| *oldest < before).map(Obstacle::Parked));
    let others = tables.consumers(SEEN).await?.into_iter().filter(|seen| seen.heartbeat.version != env!("CARGO_PKG_VERSION"));
    found.extend(others.map(|seen| Obstacle::OtherVersion { version: seen.heartbeat.version, host: seen.heartbeat.host }));
    Ok(found)
}

fn of_settings(kept: &Kept, older_than: Duration) -> Vec<Obstacle> {
    let topic = || kept.topic.clone();
    let mut found = Vec::new();
    match kept.retention {
        None => found.push(Obstacle::UnknownRetention(topic())),
        Some(Duration::MAX) => found.push(Obstacle::KeptForEver(topic())),
        Some(retention) if retention >= older_than => found.push(Obstacle::KeptLonger { topic: topic(), retention }),
        Some(_) => {}
    }
    match kept.compacts {
        Some(true) => found.push(Obstacle::Compacted(topic())),
        None if kept.retention.is_some() => found.push(Obstacle::UnknownRetention(topic())),
        Some(false) | None => {}
    }
    found
}

/// What the log really holds, which may be more than its settings say.
async fn of_log(kafka: &impl GroupOffsets, before: Timestamp) -> Result<Option<Obstacle>, Fault> {
    // In this order: where the log begins only goes up.
    let log = kafka.log().await?;
    let young = kafka.offsets_at(before.unix_millis()).await?;
    let holds_older = |(partition, first): (&i32, i64)| young.get(partition).is_some_and(|young| first < *young).then_some(*partition);
    let older: Vec<_> = log.partitions.iter().filter_map(|(partition, state)| holds_older((partition, state.first))).collect();
    Ok((!older.is_empty()).then_some(Obstacle::StillThere(older)))
}

/// The oldest dead letter, where it is older, and whether some are on their way. Reads the list from end to end: letters that came back or were
/// imported stand anywhere in it.
async fn of_dead_letters<Q: DeadLetterReader>(queue: &Q, wanted: Wanted) -> Result<Vec<Obstacle>, Fault> {
    let (mut scan, mut oldest) = (Scan::start(queue).await?, None);
    loop {
        let page = scan.look().await?;
        if page.is_empty() {
            break;
        }
        for listed in page {
            // One that tells no time was written by others.
            let Some(at) = listed.entry.as_ref().and_then(time_of) else { continue };
            // What is older than was folded before is refused already: it loses nothing more.
            let is_needed = at < wanted.before && wanted.already.is_none_or(|already| at >= already);
            if is_needed && oldest.as_ref().is_none_or(|(_, oldest)| at < *oldest) {
                oldest = Some((listed.id, at));
            }
        }
    }
    // Asked afterwards: one that was claimed meanwhile was seen, or is counted.
    let claimed = queue.claimed().await?;
    let claimed = (claimed > 0).then_some(Obstacle::Claimed(claimed));
    Ok(oldest.map(|(id, at)| Obstacle::DeadLetter { id, at }).into_iter().chain(claimed).collect())
}

/// When its event happened, where that can be read, or else when it became a dead letter for the first time.
fn time_of(entry: &Entry) -> Option<Timestamp> {
    let value = entry.value();
    let own = value.and_then(|value| events::decode(&value).ok().map(|event| event.at));
    own.into_iter().chain(entry.first_at()).min()
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY: Duration = Duration::from_secs(86_400);

    fn kept(retention: Option<Duration>, compacts: Option<bool>) -> Kept {
        Kept { topic: "events".to_owned(), compacts, retention }
    }

    #[test]
    fn only_a_topic_that_is_known_to_delete_its_records_before_is_none_in_the_way() {
        let told = |retention, compacts| -> Vec<String> {
            of_settings(&kept(retention, compacts), 30 * DAY).iter().map(ToString::to_string).collect()
        };
        assert_eq!(told(Some(29 * DAY), Some(false)), Vec::<String>::new());
        for (retention, compacts, expected) in [
            (Some(30 * DAY), Some(false), "keeps records for 30d, and"),
            (Some(Duration::MAX), Some(false), "for ever (retention.ms is -1)"),
            (Some(DAY), Some(true), "is compacted (cleanup.policy)"),
            (Some(DAY), None, "is not told"),
            (None, None, "is not told"),
        ] {
            let told = told(retention, compacts);
            assert!(told.len() == 1 && told[0].contains(expected), "{told:?}");
        }
        assert_eq!(told(Some(Duration::MAX), Some(true)).len(), 2, "both are told");
    }
}
