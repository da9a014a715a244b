//! The consumers of the database, as a table.

use std::fmt::{self, Formatter};
use std::time::Duration;

use events::Timestamp;
use pipeline::heartbeat::VerificationVerdict;

use super::Lag;
use crate::dlq::printable::printable;
use crate::fleet::ConsumerView;
use crate::parked::waited;
use crate::verify::last::found;

/// Consumers that are shown.
const SHOWN: usize = 50;

/// One line for each, one for what its last verification came to, and one that names what of it is down. Of those that are there, partitions and lag
/// are those that `group` tells, so that no two tables of a screen differ.
pub(super) fn show(f: &mut Formatter<'_>, consumers: &[ConsumerView], group: Option<&Lag>, now: Timestamp) -> fmt::Result {
    let lost = consumers.iter().filter(|consumer| !consumer.alive).count();
    write!(f, "{}", consumers.len() - lost)?;
    match lost {
        0 => writeln!(f)?,
        1 => writeln!(f, ", and 1 that is gone and has not said that it stops")?,
        lost => writeln!(f, ", and {lost} that are gone and have not said that they stop")?,
    }
    if consumers.is_empty() {
        return Ok(());
    }
    writeln!(f, "  {:<26}  {:<9} {:>8} {:>12}  partitions", "host, process", "state", "events/s", "lag")?;
    for consumer in consumers.iter().take(SHOWN) {
        let name = printable(&consumer.name()).into_owned();
        let state = if consumer.alive { printable(&consumer.status).into_owned() } else { "lost".to_owned() };
        let Share { partitions, lag } = share(consumer, group);
        let lag = lag.map_or_else(|| "-".to_owned(), |lag| lag.to_string());
        writeln!(f, "  {name:<26}  {state:<9} {:>8} {lag:>12}  {partitions}", consumer.events_per_second)?;
        if let Some(verdict) = &consumer.verification {
            writeln!(f, "    verified {}", printable(&told(verdict, now)))?;
        }
        if !consumer.alive {
            let ago = settings::span::format(Duration::from_secs(consumer.last_seen_seconds));
            writeln!(f, "    heard of {ago} ago; its partitions go to the others after its session timeout")?;
            continue;
        }
        if !consumer.down.is_empty() {
            // Why stands in the verdict.
            let down: Vec<_> = consumer.down.iter().map(|down| printable(&down.part)).collect();
            writeln!(f, "    down: {}", down.join(", "))?;
        }
    }
    match consumers.len().saturating_sub(SHOWN) {
        0 => Ok(()),
        hidden => writeln!(f, "  and {hidden} more, see --json"),
    }
}

/// What a verification came to, and when.
fn told(VerificationVerdict { ended_at, outcome, differences, reason, .. }: &VerificationVerdict, now: Timestamp) -> String {
    let ago = Timestamp::parse(ended_at).map_or_else(|_| ended_at.clone(), |ended| format!("{} ago", waited(ended, now)));
    if outcome == VerificationVerdict::UNFINISHED {
        return format!("{ago}: not finished: {}", reason.as_deref().unwrap_or("it does not say why"));
    }
    format!("{ago}: {}", found(*differences))
}

/// What a consumer has of the topic.
struct Share {
    partitions: String,
    lag: Option<u64>,
}

fn share(consumer: &ConsumerView, group: Option<&Lag>) -> Share {
    let known = group.filter(|group| consumer.alive && (&group.group, &group.topic) == (&consumer.group, &consumer.topic));
    if let Some(group) = known.filter(|_| consumer.more_partitions == 0) {
        let own = group.partitions.iter().filter(|partition| partition.owner.as_ref() == Some(&consumer.name()));
        let (numbers, lags): (Vec<_>, Vec<_>) = own.map(|own| (own.partition.to_string(), own.lag)).unzip();
        return Share { partitions: listed(&numbers), lag: Some(lags.iter().sum()) };
    }
    let numbers: Vec<_> = consumer.partitions.iter().map(|partition| partition.partition.to_string()).collect();
    let more = if consumer.more_partitions > 0 { format!(" and {} more", consumer.more_partitions) } else { String::new() };
    let had = if consumer.alive || numbers.is_empty() { "" } else { "had " };
    let lag = consumer.partitions.iter().map(|partition| partition.lag).sum::<Option<u64>>();
    Share { partitions: format!("{had}{}{more}", listed(&numbers)), lag: lag.filter(|_| consumer.alive && consumer.more_partitions == 0) }
}

fn listed(numbers: &[String]) -> String {
    if numbers.is_empty() { "none".to_owned() } else { numbers.join(",") }
}
