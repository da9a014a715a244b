//! The consumers of the database, as a table.

use std::fmt::{self, Formatter};
use std::time::Duration;

use events::Timestamp;
use pipeline::heartbeat::VerificationVerdict;

use crate::dlq::printable::printable;
use crate::fleet::ConsumerView;
use crate::parked::waited;
use crate::verify::last::found;

/// Consumers that are shown.
const SHOWN: usize = 50;

/// One line for each, one for what its last verification came to, and one for each part of it that is down.
pub(super) fn show(f: &mut Formatter<'_>, consumers: &[ConsumerView], now: Timestamp) -> fmt::Result {
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
        let name = printable(&format!("{} {}", consumer.host, consumer.process_id)).into_owned();
        let state = if consumer.alive { printable(&consumer.status).into_owned() } else { "lost".to_owned() };
        let lag = consumer.partitions.iter().map(|partition| partition.lag).sum::<Option<u64>>();
        let lag = lag.filter(|_| consumer.alive && consumer.more_partitions == 0).map_or_else(|| "-".to_owned(), |lag| lag.to_string());
        writeln!(f, "  {name:<26}  {state:<9} {:>8} {lag:>12}  {}", consumer.events_per_second, partitions(consumer))?;
        if let Some(verdict) = &consumer.verification {
            writeln!(f, "    verified {}", printable(&told(verdict, now)))?;
        }
        if !consumer.alive {
            let ago = settings::span::format(Duration::from_secs(consumer.last_seen_seconds));
            writeln!(f, "    heard of {ago} ago; its partitions go to the others after its session timeout")?;
            continue;
        }
        for down in &consumer.down {
            writeln!(f, "    {}: {}", printable(&down.part), printable(&down.reason))?;
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

fn partitions(consumer: &ConsumerView) -> String {
    let numbers: Vec<_> = consumer.partitions.iter().map(|partition| partition.partition.to_string()).collect();
    let more = if consumer.more_partitions > 0 { format!(" and {} more", consumer.more_partitions) } else { String::new() };
    match (numbers.is_empty(), consumer.alive) {
        (true, _) => "none".to_owned(),
        (false, true) => format!("{}{more}", numbers.join(",")),
        (false, false) => format!("had {}{more}", numbers.join(",")),
    }
}
