//! Telling a few bad records from a bad deploy.

use std::collections::VecDeque;

/// Records over which the share is taken: at least so many, as whole batches.
const WINDOW: usize = 1000;
/// Fewer unwritable records than this are never a flood, whatever their share: in a quiet topic one bad record may be all there is.
const LEAST: usize = 100;

/// Watches which share of the newest records cannot be written.
///
/// A producer's bad deploy makes every record unwritable. Draining such a topic into the dead letter queue would hide the defect and leave the
/// repair to be done record by record; a consumer that holds loses nothing, and is fast again once the producer is mended or an operator says
/// that the records may go. What an operator let go, and what is a dead letter already, says nothing about the records to come:
/// [`DlqLimit::discount`] takes it out of the account.
#[derive(Clone, Debug)]
pub struct DlqLimit {
    max_ratio: f64,
    batches: VecDeque<(usize, usize)>,
    records: usize,
    unwritable: usize,
}

impl DlqLimit {
    /// A gate that closes when more than this share of the window, from 0 to 1, is unwritable. With 1 it never closes.
    pub const fn new(max_ratio: f64) -> Self {
        Self { max_ratio, batches: VecDeque::new(), records: 0, unwritable: 0 }
    }

    /// Notes a batch, and says whether the window is a flood now.
    pub fn note(&mut self, records: usize, unwritable: usize) -> bool {
        // Of nothing there is nothing to keep: a quiet consumer takes nothing several times a second.
        if (records, unwritable) == (0, 0) {
            return false;
        }
        self.batches.push_back((records, unwritable));
        (self.records, self.unwritable) = (self.records + records, self.unwritable + unwritable);
        while let Some((records, unwritable)) = self.batches.front().copied().filter(|(records, _)| self.records - records >= WINDOW) {
            (self.records, self.unwritable) = (self.records - records, self.unwritable - unwritable);
            self.batches.pop_front();
        }
        unwritable > 0 && self.is_flood()
    }

    /// Takes so many unwritable records out of the account, the newest first, and says whether what is left is a flood.
    pub fn discount(&mut self, mut unwritable: usize) -> bool {
        for (records, of_batch) in self.batches.iter_mut().rev() {
            let taken = unwritable.min(*of_batch);
            unwritable -= taken;
            *of_batch -= taken;
            self.unwritable -= taken;
            // Events that were rejected when they were released are noted without a record.
            let taken = taken.min(*records);
            *records -= taken;
            self.records -= taken;
        }
        self.is_flood()
    }

    fn is_flood(&self) -> bool {
        self.unwritable >= LEAST && self.unwritable as f64 > self.max_ratio * self.records as f64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_few_bad_records_are_no_flood_even_when_they_are_all_there_is() {
        let mut gate = DlqLimit::new(0.5);
        assert!(!gate.note(LEAST - 1, LEAST - 1));
        assert!(gate.note(1, 1));
    }

    #[test]
    fn the_share_of_the_newest_records_decides() {
        let mut gate = DlqLimit::new(0.5);
        for _ in 0..10 {
            assert!(!gate.note(1000, 0), "a long clean past");
        }
        assert!(!gate.note(500, 500));
        assert!(gate.note(600, 600), "the clean past has left the window");
        assert!(!gate.note(1000, 0), "a clean batch is never held");
        assert!(!gate.note(1000, 300));
    }

    #[test]
    fn what_was_let_go_says_nothing_about_what_comes() {
        let mut gate = DlqLimit::new(0.5);
        assert!(!gate.note(60, 60));
        assert!(gate.note(500, 500));
        assert!(!gate.discount(560), "an operator let them go");
        assert!(!gate.note(100, 1), "one among a hundred good ones");
        assert!(gate.note(500, 500), "the next flood is one");
        assert!(gate.discount(300), "201 of 300 are left");
        assert!(!gate.discount(5000));
        assert_eq!((gate.unwritable, gate.records), (0, 99));
    }

    #[test]
    fn a_clean_batch_passes_in_the_middle_of_a_flood() {
        let mut gate = DlqLimit::new(0.5);
        assert!(gate.note(LEAST, LEAST));
        assert!(!gate.note(1, 0));
        assert!(gate.note(1, 1));
    }

    #[test]
    fn a_share_that_is_just_allowed_is_no_flood() {
        let mut gate = DlqLimit::new(0.5);
        assert!(!gate.note(400, 200));
        assert!(gate.note(1, 1));
    }

    #[test]
    fn a_quiet_topic_takes_no_memory() {
        let mut gate = DlqLimit::new(0.5);
        for _ in 0..100 {
            assert!(!gate.note(0, 0));
        }
        assert!(gate.batches.is_empty());
    }

    #[test]
    fn a_gate_that_is_off_never_closes() {
        assert!(!DlqLimit::new(1.0).note(5000, 5000));
    }
}
