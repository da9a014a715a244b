//! Instants, in UTC, to the microsecond.

use std::fmt;
use std::time::{Duration, SystemTime};

use chrono::{DateTime, Datelike, SecondsFormat, Utc};
use serde::ser::{Serialize, Serializer};

/// An instant in UTC between the years 1 and 9999, truncated to microseconds: what SQL Server's `datetime2(6)` holds.
///
/// Truncated before anything compares it, so that the order in our memory is the order in the database.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Timestamp(DateTime<Utc>);

/// Why a text is no [`Timestamp`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TimestampError {
    /// Not RFC 3339 with a zone.
    NotRfc3339,
    /// Outside the years 1 to 9999, once in UTC.
    OutOfRange,
}

impl Timestamp {
    /// 1970-01-01T00:00:00Z.
    pub const UNIX_EPOCH: Self = Self(DateTime::UNIX_EPOCH);

    /// 0001-01-01T00:00:00Z, before which there is none.
    pub fn earliest() -> Self {
        Self::UNIX_EPOCH.plus_micros(i64::MIN)
    }

    /// Reads RFC 3339 with any offset. A leap second is the first second of the next minute, as in SQL Server, which has none.
    pub fn parse(text: &str) -> Result<Self, TimestampError> {
        let instant = DateTime::parse_from_rfc3339(text).map_err(|_| TimestampError::NotRfc3339)?;
        Self::from_unix_micros(instant.timestamp_micros()).ok_or(TimestampError::OutOfRange)
    }

    /// The instant so many microseconds after 1970, or `None` outside the years 1 to 9999.
    pub fn from_unix_micros(micros: i64) -> Option<Self> {
        DateTime::from_timestamp_micros(micros).filter(|instant| (1..=9999).contains(&instant.year())).map(Self)
    }

    /// The instant so many milliseconds after 1970, as Kafka stamps its records, or `None` outside the years 1 to 9999.
    pub fn from_unix_millis(millis: i64) -> Option<Self> {
        millis.checked_mul(1000).and_then(Self::from_unix_micros)
    }

    /// Microseconds since 1970.
    pub fn unix_micros(self) -> i64 {
        self.0.timestamp_micros()
    }

    /// Milliseconds since 1970.
    pub fn unix_millis(self) -> i64 {
        self.0.timestamp_millis()
    }

    /// So many microseconds later (or earlier), held within the years 1 to 9999.
    pub fn plus_micros(self, micros: i64) -> Self {
        let moved = self.unix_micros().saturating_add(micros);
        let bound = if micros < 0 { Self::MIN_MICROS } else { Self::MAX_MICROS };
        Self::from_unix_micros(moved).or_else(|| Self::from_unix_micros(bound)).unwrap_or(self)
    }

    /// How long after an earlier instant this is; zero where that one is the later, as by a clock that is ahead.
    pub fn since(self, earlier: Self) -> Duration {
        Duration::from_micros((self.unix_micros() - earlier.unix_micros()).try_into().unwrap_or_default())
    }

    /// The instant as `datetime2(6)` reads it: `2026-01-15T10:30:00.000000`, UTC without a zone.
    pub fn to_sql(self) -> String {
        self.0.format("%Y-%m-%dT%H:%M:%S%.6f").to_string()
    }

    const MIN_MICROS: i64 = -62_135_596_800_000_000; // 0001-01-01T00:00:00Z
    const MAX_MICROS: i64 = 253_402_300_799_999_999; // 9999-12-31T23:59:59.999999Z
}

impl From<SystemTime> for Timestamp {
    /// A clock outside the years 1 to 9999 reads as 1970.
    fn from(clock: SystemTime) -> Self {
        Self::from_unix_micros(DateTime::<Utc>::from(clock).timestamp_micros()).unwrap_or(Self::UNIX_EPOCH)
    }
}

impl fmt::Display for Timestamp {
    /// RFC 3339 in UTC with as many decimals (0, 3 or 6) as the instant needs.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.to_rfc3339_opts(SecondsFormat::AutoSi, true))
    }
}

impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str) -> Result<String, TimestampError> {
        Timestamp::parse(text).map(|at| at.to_string())
    }

    #[test]
    fn any_offset_becomes_utc_truncated_to_microseconds() {
        for (text, utc) in [
            ("2026-01-15T10:30:00Z", "2026-01-15T10:30:00Z"),
            ("2026-01-15T10:30:00+05:30", "2026-01-15T05:00:00Z"),
            ("2026-01-15T10:30:00.123456789Z", "2026-01-15T10:30:00.123456Z"),
            ("1969-12-31T23:59:59.9999999Z", "1969-12-31T23:59:59.999999Z"),
            ("2016-12-31T23:59:60Z", "2017-01-01T00:00:00Z"),
            ("0001-01-01T00:00:00Z", "0001-01-01T00:00:00Z"),
            ("9999-12-31T23:59:59.999999Z", "9999-12-31T23:59:59.999999Z"),
        ] {
            assert_eq!(shown(text), Ok(utc.to_owned()), "{text}");
        }
    }

    #[test]
    fn what_the_database_cannot_hold_is_refused() {
        for text in ["0001-01-01T00:00:00+01:00", "9999-12-31T23:59:59-01:00", "9999-12-31T23:59:60Z", "0000-01-01T00:00:00Z"] {
            assert_eq!(shown(text), Err(TimestampError::OutOfRange), "{text}");
        }
        for text in ["", "2026-01-15", "2026-01-15T10:30:00", "10000-01-01T00:00:00Z", "2026-02-30T00:00:00Z", "1768473000"] {
            assert_eq!(shown(text), Err(TimestampError::NotRfc3339), "{text}");
        }
    }

    #[test]
    fn an_instant_is_counted_from_1970_in_milliseconds_or_microseconds() {
        let at = Timestamp::parse("1970-01-02T00:00:00.123456Z").unwrap();
        assert_eq!((at.unix_micros(), at.unix_millis()), (86_400_123_456, 86_400_123));
        assert_eq!(Timestamp::parse("1969-12-31T23:59:59.9995Z").map(Timestamp::unix_millis), Ok(-1), "never later than it was");
        assert_eq!(Timestamp::from_unix_millis(86_400_123).map(|at| at.to_string()), Some("1970-01-02T00:00:00.123Z".to_owned()));
        assert_eq!((Timestamp::from_unix_millis(i64::MAX), Timestamp::from_unix_millis(253_402_300_800_000)), (None, None));
        assert_eq!(Timestamp::earliest().to_string(), "0001-01-01T00:00:00Z");
        assert_eq!(Timestamp::from(SystemTime::UNIX_EPOCH + Duration::from_micros(86_400_123_456)), at);
    }

    #[test]
    fn the_bounds_hold_when_time_is_added() {
        let last = Timestamp::parse("9999-12-31T23:59:59.999999Z").unwrap();
        assert_eq!(last.plus_micros(1), last);
        let first = Timestamp::parse("0001-01-01T00:00:00Z").unwrap();
        assert_eq!(first.plus_micros(-1), first);
        assert_eq!(first.plus_micros(1).to_sql(), "0001-01-01T00:00:00.000001");
        assert_eq!((last.since(last.plus_micros(-7)), first.since(last)), (Duration::from_micros(7), Duration::ZERO));
    }
}
