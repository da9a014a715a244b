//! How far a `timestamp` lies in the future, and by which clock.

use std::fmt;
use std::time::Duration;

use crate::Timestamp;

const MINUTE: u64 = 60;
const HOUR: u64 = 60 * MINUTE;
const DAY: u64 = 24 * HOUR;

/// How far a `timestamp` lies ahead of the clock that it was compared with. Its text quotes times of clocks alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ahead {
    /// So far.
    pub by: Duration,
    /// Of this clock.
    pub of: ComparedWith,
    /// The record's own time, where it has one: by the clock of whoever produced it, or of the broker.
    pub record: Option<Timestamp>,
}

/// The clock that a `timestamp` was compared with: of those that are known, the one that is furthest behind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ComparedWith {
    /// The record's own time.
    Record,
    /// The clock of whoever decoded it.
    Consumer,
}

impl fmt::Display for Ahead {
    /// `26 h after the consumer's clock (the record's own time is 2026-01-15T10:30:00Z)`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seconds = self.by.as_secs();
        // Nobody needs more digits to see what is wrong with a clock.
        let (count, unit) = match seconds {
            ..MINUTE => (seconds, "s"),
            MINUTE..HOUR => (seconds / MINUTE, "min"),
            HOUR..=172_800 => (seconds / HOUR, "h"),
            _ => (seconds / DAY, "days"),
        };
        write!(f, "{count} {unit} after ")?;
        match (self.of, self.record) {
            (ComparedWith::Record, Some(at)) => write!(f, "the record's own time ({at})"),
            (ComparedWith::Record, None) => f.write_str("the record's own time"),
            (ComparedWith::Consumer, Some(at)) => write!(f, "the consumer's clock (the record's own time is {at})"),
            (ComparedWith::Consumer, None) => f.write_str("the consumer's clock (the record tells no time)"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_says_how_far_after_which_clock_and_what_the_record_told() {
        let record = Timestamp::parse("2026-01-15T10:30:00Z").ok();
        let said = |seconds, of, record| Ahead { by: Duration::from_secs(seconds), of, record }.to_string();
        assert_eq!(
            said(26 * HOUR + 59 * MINUTE, ComparedWith::Consumer, record),
            "26 h after the consumer's clock (the record's own time is 2026-01-15T10:30:00Z)"
        );
        assert_eq!(said(34_560_000, ComparedWith::Record, record), "400 days after the record's own time (2026-01-15T10:30:00Z)");
        assert_eq!(said(59, ComparedWith::Consumer, None), "59 s after the consumer's clock (the record tells no time)");
        assert_eq!(said(3599, ComparedWith::Record, None), "59 min after the record's own time");
        for (seconds, shown) in [(60, "1 min"), (3600, "1 h"), (172_800, "48 h"), (172_801, "2 days")] {
            assert_eq!(said(seconds, ComparedWith::Record, None), format!("{shown} after the record's own time"));
        }
    }
}
