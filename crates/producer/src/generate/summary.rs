//! What became of a stream of records.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use events::EventType;
use pipeline::Fault;
use serde_json::{Map, Value, json};

use super::flight::Landing;
use super::latency::Latencies;
use super::records::{Content, Record};

/// How a run ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// Every record was sent and answered.
    Whole,
    /// It was stopped; what was in flight was answered.
    Stopped,
    /// It was stopped twice; records in flight may or may not have arrived.
    GaveUp,
    /// A record was not delivered and the next would not have been either.
    Failed,
}

impl End {
    const fn name(self) -> &'static str {
        match self {
            Self::Whole => "whole",
            Self::Stopped => "stopped",
            Self::GaveUp => "given up",
            Self::Failed => "failed",
        }
    }
}

/// Records of one kind.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Count {
    /// Given to the client.
    pub sent: u64,
    /// Acknowledged by the broker.
    pub delivered: u64,
    /// Not delivered.
    pub failed: u64,
}

/// What became of a stream of records.
pub struct Summary {
    /// Per content.
    pub counts: BTreeMap<Content, Count>,
    /// Bytes of the keys and values that were sent.
    pub bytes: u64,
    /// From the first record to the last acknowledgement.
    pub took: Duration,
    /// How it ended.
    pub end: End,
    /// The first failure.
    pub fault: Option<Fault>,
    latencies: Latencies,
    total: Count,
}

impl Summary {
    pub(super) fn new() -> Self {
        let (counts, total) = (BTreeMap::new(), Count::default());
        Self { counts, bytes: 0, took: Duration::ZERO, end: End::Whole, fault: None, latencies: Latencies::new(), total }
    }

    /// Given to the client.
    pub const fn sent(&self) -> u64 {
        self.total.sent
    }

    /// Acknowledged by the broker.
    pub const fn delivered(&self) -> u64 {
        self.total.delivered
    }

    /// Not delivered, or not known to be.
    pub const fn undelivered(&self) -> u64 {
        self.total.sent - self.total.delivered
    }

    /// Whether everything that was sent has arrived, and nothing was left out because of a failure.
    pub fn is_delivered(&self) -> bool {
        self.undelivered() == 0 && self.end != End::Failed
    }

    pub(super) fn note_sent(&mut self, (content, message): &Record) {
        let bytes = message.key.as_ref().map_or(0, Vec::len) + message.value.as_ref().map_or(0, Vec::len);
        self.bytes += bytes as u64;
        self.total.sent += 1;
        self.counts.entry(*content).or_default().sent += 1;
    }

    /// Notes how a record ended; whether it was the first that makes sending more hopeless.
    pub(super) fn note_landing(&mut self, landing: Landing) -> bool {
        let hopeless = landing.is_hopeless();
        let count = self.counts.entry(landing.content).or_default();
        match landing.result {
            Ok(_) => {
                count.delivered += 1;
                self.total.delivered += 1;
                self.latencies.note(landing.took);
            }
            Err(fault) => {
                count.failed += 1;
                self.total.failed += 1;
                self.fault.get_or_insert(fault);
            }
        }
        if hopeless && self.end == End::Whole {
            self.end = End::Failed;
        }
        hopeless
    }
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{:<20} {:>10} {:>10} {:>10}", "", "sent", "delivered", "failed")?;
        let line = |f: &mut fmt::Formatter<'_>, name: &str, count: Count| {
            writeln!(f, "{name:<20} {:>10} {:>10} {:>10}", count.sent, count.delivered, count.failed)
        };
        for event_type in EventType::ALL {
            line(f, event_type.as_str(), self.counts.get(&Content::Event(event_type)).copied().unwrap_or_default())?;
        }
        let unwritable = self.unwritable();
        if unwritable.sent > 0 {
            line(f, "unwritable", unwritable)?;
        }
        line(f, "total", self.total)?;
        write!(f, "{} bytes in {:.2} s, {:.0} records/s", self.bytes, self.took.as_secs_f64(), self.rate())?;
        if let (Some(p50), Some(p99)) = (self.latencies.percentile(0.5), self.latencies.percentile(0.99)) {
            write!(f, "\nacknowledged after {} (p50), {} (p99)", millis(p50), millis(p99))?;
        }
        match self.end {
            End::Whole => Ok(()),
            End::Stopped => write!(f, "\nstopped before the end; everything that was sent has been answered"),
            End::GaveUp => {
                let records = self.undelivered();
                let noun = if records == 1 { "record" } else { "records" };
                write!(f, "\nstopped before the end; {records} {noun} may or may not have arrived")
            }
            End::Failed => write!(f, "\nended early, because a record was not delivered"),
        }
    }
}

impl Summary {
    /// As JSON. What is not known is null.
    pub fn to_json(&self) -> Value {
        let count = |Count { sent, delivered, failed }: Count| json!({ "sent": sent, "delivered": delivered, "failed": failed });
        let of_type = |event_type| self.counts.get(&Content::Event(event_type)).copied().unwrap_or_default();
        let mut of_types: Map<String, Value> =
            EventType::ALL.iter().map(|event_type| (event_type.as_str().to_owned(), count(of_type(*event_type)))).collect();
        of_types.insert("unwritable".to_owned(), count(self.unwritable()));
        let after = |part| self.latencies.percentile(part).map(|took| took.as_secs_f64() * 1000.0);
        json!({
            "total": count(self.total), "of": of_types, "bytes": self.bytes, "seconds": self.took.as_secs_f64(), "recordsPerSecond": self.rate(),
            "acknowledgedAfterMs": { "p50": after(0.5), "p99": after(0.99) },
            "end": self.end.name(),
        })
    }

    /// Acknowledged records per second.
    fn rate(&self) -> f64 {
        let seconds = self.took.as_secs_f64();
        if seconds > 0.0 { self.total.delivered as f64 / seconds } else { 0.0 }
    }

    fn unwritable(&self) -> Count {
        let poison = self.counts.iter().filter(|(content, _)| matches!(content, Content::Poison(_)));
        poison.fold(Count::default(), |sum, (_, count)| Count {
            sent: sum.sent + count.sent,
            delivered: sum.delivered + count.delivered,
            failed: sum.failed + count.failed,
        })
    }
}

fn millis(duration: Duration) -> String {
    format!("{:.1} ms", duration.as_secs_f64() * 1000.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_may_not_have_arrived_is_told_in_the_right_number() {
        let told = |sent| Summary { total: Count { sent, ..Count::default() }, end: End::GaveUp, ..Summary::new() }.to_string();
        assert!(told(1).ends_with("; 1 record may or may not have arrived"), "{}", told(1));
        assert!(told(2).ends_with("; 2 records may or may not have arrived"), "{}", told(2));
    }
}
