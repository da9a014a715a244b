//! A rate over a window that falls to 0 when nothing flows.

use super::catalog::RATE_WINDOW_SECONDS;

/// One slot more than the window has seconds: the running second is counted but not yet part of the rate.
const SLOTS: usize = RATE_WINDOW_SECONDS as usize + 1;

/// Counts per second, for as many whole seconds as the window has.
#[derive(Debug, Default)]
pub(super) struct Window {
    /// (second, count); a slot that holds another second than the one looked for is out of date, and counts as 0.
    slots: [(u64, u64); SLOTS],
}

impl Window {
    /// Counts into this second. Seconds never go back.
    pub(super) fn add(&mut self, second: u64, count: u64) {
        let slot = &mut self.slots[(second % SLOTS as u64) as usize];
        *slot = if slot.0 == second { (second, slot.1.saturating_add(count)) } else { (second, count) };
    }

    /// Per second, over the last whole seconds before this one.
    pub(super) fn per_second(&self, second: u64) -> f64 {
        let window = second.saturating_sub(RATE_WINDOW_SECONDS)..second;
        let sum: u64 = self.slots.iter().filter(|(at, _)| window.contains(at)).map(|(_, count)| count).sum();
        sum as f64 / RATE_WINDOW_SECONDS as f64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rate_is_the_sum_of_the_last_ten_whole_seconds() {
        let mut window = Window::default();
        for second in 0..30 {
            window.add(second, 5);
            window.add(second, second);
        }
        // Seconds 20 to 29: 50 by the fives, 245 by the numbers themselves.
        assert_eq!(window.per_second(30), 29.5);
    }

    #[test]
    fn the_running_second_counts_from_its_end_on() {
        let mut window = Window::default();
        window.add(7, 100);
        assert_eq!(window.per_second(7), 0.0);
        assert_eq!(window.per_second(8), 10.0);
    }

    #[test]
    fn the_rate_falls_to_zero_when_nothing_flows() {
        let mut window = Window::default();
        window.add(100, 40);
        assert_eq!(window.per_second(110), 4.0);
        assert_eq!(window.per_second(111), 0.0);
        assert_eq!(window.per_second(10_000), 0.0);
    }
}
