//! Durations as people write them: `500ms`, `30s`, `15m`, `24h`, `30d`; a bare number is seconds.

use std::time::Duration;

const UNITS: [(&str, u64); 5] = [("ms", 1), ("s", 1000), ("m", 60_000), ("h", 3_600_000), ("d", 86_400_000)];

/// Reads a duration; `None` for anything else.
pub fn parse(text: &str) -> Option<Duration> {
    let digits = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let number: u64 = text[..digits].parse().ok()?;
    let millis = match &text[digits..] {
        "" => 1000,
        unit => UNITS.iter().find(|(name, _)| *name == unit)?.1,
    };
    number.checked_mul(millis).map(Duration::from_millis)
}

/// Writes a duration in the largest unit that is exact.
pub fn format(duration: Duration) -> String {
    let millis = duration.as_millis();
    let (name, unit) = UNITS.iter().rev().find(|(_, unit)| millis != 0 && millis.is_multiple_of(u128::from(*unit))).unwrap_or(&UNITS[1]);
    format!("{}{name}", millis / u128::from(*unit))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_read_and_written_in_the_units_people_use() {
        for (text, millis, written) in [
            ("500ms", 500, "500ms"),
            ("30s", 30_000, "30s"),
            ("90", 90_000, "90s"),
            ("15m", 900_000, "15m"),
            ("24h", 86_400_000, "1d"),
            ("0", 0, "0s"),
        ] {
            assert_eq!(parse(text), Some(Duration::from_millis(millis)), "{text}");
            assert_eq!(format(Duration::from_millis(millis)), written);
        }
        for text in ["", "s", "-1s", "1.5h", "1 s", "1y", "99999999999999999999d"] {
            assert_eq!(parse(text), None, "{text}");
        }
    }
}
