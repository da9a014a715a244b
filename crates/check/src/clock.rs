//! Clocks that differ: deadlines and bounds are counted by several of them.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use crate::Finding;

/// Above this difference the finding is a warning.
const MOST: Duration = Duration::from_secs(5);

/// A look at another clock, all of it since 1970.
#[derive(Clone, Copy, Debug)]
pub struct Reading {
    /// Our clock when we asked.
    pub asked: Duration,
    /// The other clock.
    pub theirs: Duration,
    /// Our clock when the answer was here.
    pub answered: Duration,
}

impl Reading {
    /// How far the other clock is ahead, at least, in milliseconds: it was read somewhere between question and answer.
    fn ahead_ms(self) -> i128 {
        let [asked, theirs, answered] =
            [self.asked, self.theirs, self.answered].map(|time| i128::try_from(time.as_millis()).unwrap_or(i128::MAX));
        if theirs > answered { theirs - answered } else { (theirs - asked).min(0) }
    }
}

/// The clock of a part beside that of this machine.
pub fn clock(part: &'static str, reading: Reading) -> Finding {
    let ahead = reading.ahead_ms();
    let seconds = ahead.unsigned_abs() as f64 / 1000.0;
    if ahead.unsigned_abs() <= MOST.as_millis() {
        return Finding::ok(part, "clock", format!("{seconds:.1} s from that of this machine"));
    }
    let direction = if ahead > 0 { "ahead of" } else { "behind" };
    let advice = "set both by NTP: PARKING_DEADLINE counts by the database's clock, MAX_CLOCK_SKEW and the dead letters' times by those of producers and consumers";
    Finding::warn(part, "clock", format!("{seconds:.1} s {direction} that of this machine"), advice)
}

/// This machine's clock.
pub fn since_1970() -> Duration {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::State;

    fn found(asked: u64, theirs: u64, answered: u64) -> (State, String) {
        let [asked, theirs, answered] = [asked, theirs, answered].map(Duration::from_millis);
        let finding = clock("database", Reading { asked, theirs, answered });
        (finding.state, finding.found)
    }

    #[test]
    fn a_slow_answer_is_no_difference_and_six_seconds_are() {
        assert_eq!(found(100_000, 104_000, 109_000), (State::Ok, "0.0 s from that of this machine".to_owned()));
        assert_eq!(found(100_000, 105_010, 100_010).0, State::Ok);
        assert_eq!(found(100_000, 106_010, 100_010), (State::Warn, "6.0 s ahead of that of this machine".to_owned()));
        assert_eq!(found(100_000, 93_000, 100_010), (State::Warn, "7.0 s behind that of this machine".to_owned()));
    }
}
