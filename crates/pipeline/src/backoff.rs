//! How long to wait before the next try.

use std::time::Duration;

/// The shortest pause before the next try of a race.
const RACE_MIN: Duration = Duration::from_millis(20);
/// The longest.
const RACE_MAX: Duration = Duration::from_millis(200);
/// The first pause of an outage.
const OUTAGE_FIRST: Duration = Duration::from_millis(500);
/// The longest pause of an outage.
const OUTAGE_MAX: Duration = Duration::from_secs(30);

/// The pause after two writers met; `chance` in 0..1 keeps them from meeting again.
pub fn race(chance: f64) -> Duration {
    RACE_MIN + (RACE_MAX - RACE_MIN).mul_f64(chance.clamp(0.0, 1.0))
}

/// The pause after the `tries`-th try (from 1) of an outage: 0.5 s, doubled up to 30 s, shortened by up to a fifth by `chance` in 0..1, so
/// that many consumers do not come back at once.
pub fn outage(tries: u32, chance: f64) -> Duration {
    let doubled = OUTAGE_FIRST.saturating_mul(1 << tries.saturating_sub(1).min(16));
    doubled.min(OUTAGE_MAX).mul_f64(1.0 - 0.2 * chance.clamp(0.0, 1.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn races_wait_20_to_200_ms() {
        assert_eq!(race(0.0), Duration::from_millis(20));
        assert_eq!(race(1.0), Duration::from_millis(200));
    }

    #[test]
    fn outages_wait_longer_each_time_up_to_30_s() {
        let pauses: Vec<_> = (1..=9).map(|tries| outage(tries, 0.0).as_millis()).collect();
        assert_eq!(pauses, [500, 1000, 2000, 4000, 8000, 16_000, 30_000, 30_000, 30_000]);
        assert_eq!(outage(u32::MAX, 1.0), Duration::from_secs(24));
    }
}
