//! Adding to the log, and finding where it was changed.

use super::{AuditEntry, AuditRecord, AuditTail, LONGEST_ACTOR, LONGEST_OUTCOME, LONGEST_SUBJECT, Sha256Digest};

/// The entries that say this, behind the end of a log. What is longer than a column is shortened, and what would move the cursor of a terminal becomes
/// U+FFFD, before it is hashed: every store gives back exactly what it was given.
pub fn chain(tail: AuditTail, records: &[AuditRecord]) -> Vec<AuditEntry> {
    let mut tail = tail;
    let mut entries = Vec::with_capacity(records.len());
    for record in records {
        let record = AuditRecord {
            actor: fitting(&record.actor, LONGEST_ACTOR),
            subject: fitting(&record.subject, LONGEST_SUBJECT),
            outcome: fitting(&record.outcome, LONGEST_OUTCOME),
            ..record.clone()
        };
        let mut entry = AuditEntry { number: tail.number + 1, record, previous_hash: tail.hash, hash: Sha256Digest::ZERO };
        entry.hash = entry.expected_hash();
        tail = AuditTail { number: entry.number, hash: entry.hash };
        entries.push(entry);
    }
    entries
}

/// The text in so many UTF-16 code units at most, without what would move the cursor of a terminal.
pub(crate) fn fitting(text: &str, longest: usize) -> String {
    let printable = |c: char| if c.is_control() { char::REPLACEMENT_CHARACTER } else { c };
    if text.encode_utf16().count() <= longest {
        return text.chars().map(printable).collect();
    }
    let mut units = 1; // of the ellipsis
    let kept = text.chars().take_while(|c| {
        units += c.len_utf16();
        units <= longest
    });
    kept.map(printable).chain(['…']).collect()
}

/// Where a log is not what its writers wrote, and how that shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Break {
    /// The fields of this entry do not give its hash.
    #[error("entry {number} was changed: its fields do not give its hash")]
    Changed {
        /// Of the entry.
        number: i64,
    },
    /// There is no entry of this number, and later ones are there.
    #[error("entry {number} is missing: entry {next} comes after the one before it")]
    Missing {
        /// Of the first that is not there.
        number: i64,
        /// Of the entry that comes in its place.
        next: i64,
    },
    /// The number of this entry has come already.
    #[error("entry {number} is out of order: entry {after} comes before it")]
    OutOfOrder {
        /// Of the entry.
        number: i64,
        /// Of the one before it.
        after: i64,
    },
    /// This entry gives its hash, and does not hold that of the one before it: one of the two was written anew.
    #[error("entry {number} does not continue the one before it: one of the two was replaced")]
    Detached {
        /// Of the later one.
        number: i64,
    },
}

impl Break {
    /// The number at which it shows.
    pub const fn number(self) -> i64 {
        match self {
            Self::Changed { number } | Self::Missing { number, .. } | Self::OutOfOrder { number, .. } | Self::Detached { number } => number,
        }
    }
}

/// A walk through a log from its beginning, page by page, which finds the first place where the chain is broken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ChainCheck {
    tail: AuditTail,
    expected: Option<Sha256Digest>,
    met: bool,
}

impl ChainCheck {
    /// Before the first entry. A hash that was noted earlier has to be met on the way.
    pub fn new(expected: Option<Sha256Digest>) -> Self {
        Self { tail: AuditTail::EMPTY, expected, met: expected.is_none_or(|hash| hash == Sha256Digest::ZERO) }
    }

    /// Walks over the next page, in the order of numbers.
    ///
    /// # Errors
    /// The chain is broken here.
    pub fn walk(&mut self, page: &[AuditEntry]) -> Result<(), Break> {
        for entry in page {
            let (number, expected) = (entry.number, self.tail.number + 1);
            if number > expected {
                return Err(Break::Missing { number: expected, next: number });
            }
            if number < expected {
                return Err(Break::OutOfOrder { number, after: self.tail.number });
            }
            if entry.expected_hash() != entry.hash {
                return Err(Break::Changed { number });
            }
            if entry.previous_hash != self.tail.hash {
                return Err(Break::Detached { number });
            }
            self.tail = AuditTail { number, hash: entry.hash };
            self.met |= self.expected == Some(entry.hash);
        }
        Ok(())
    }

    /// How far it has come: at the end, how many entries there are, and the hash to note.
    pub const fn tail(&self) -> AuditTail {
        self.tail
    }

    /// Whether the hash that was noted earlier was met: otherwise the log was cut off before it, or written anew.
    pub const fn has_met_expected(&self) -> bool {
        self.met
    }
}

/// Walks over a whole log at once.
///
/// # Errors
/// The chain is broken.
pub fn verify(entries: &[AuditEntry]) -> Result<AuditTail, Break> {
    let mut check = ChainCheck::new(None);
    check.walk(entries)?;
    Ok(check.tail())
}

#[cfg(test)]
mod tests {
    use events::Timestamp;
    use uuid::Uuid;

    use super::*;
    use crate::audit::{AuditAction, Origin};

    fn record(subject: &str) -> AuditRecord {
        AuditRecord {
            at: Timestamp::parse("2026-01-15T10:30:00.000001Z").unwrap(),
            actor: "ada".to_owned(),
            origin: Origin::Console.label().to_owned(),
            action: AuditAction::Edit.label().to_owned(),
            operation: Uuid::from_u128(7),
            subject: subject.to_owned(),
            before: Some(Sha256Digest::of(b"before")),
            after: None,
            outcome: "begun".to_owned(),
        }
    }

    fn log(length: usize) -> Vec<AuditEntry> {
        let records: Vec<_> = (0..length).map(|number| record(&number.to_string())).collect();
        chain(AuditTail::EMPTY, &records)
    }

    #[test]
    fn entries_are_numbered_from_1_and_each_holds_the_hash_of_the_one_before() {
        let log = log(3);
        assert_eq!(log.iter().map(|entry| entry.number).collect::<Vec<_>>(), [1, 2, 3]);
        assert_eq!(log[0].previous_hash, Sha256Digest::ZERO);
        assert_eq!(log[2].previous_hash, log[1].hash);
        assert_eq!(verify(&log), Ok(AuditTail { number: 3, hash: log[2].hash }));
        assert_eq!(verify(&[]), Ok(AuditTail::EMPTY));
        let more = chain(AuditTail { number: 3, hash: log[2].hash }, &[record("more")]);
        assert_eq!(verify(&[log, more].concat()).map(|tail| tail.number), Ok(4));
    }

    /// As another implementation of the encoding has computed it: a change of it would break every log that is there.
    #[test]
    fn the_encoding_stays_as_it_is() {
        let entry = log(1).remove(0);
        assert_eq!(entry.hash.to_string(), "19f15b94c7fd35baa7e2a93a3ff8c1c37537c4e706f8729dafb0982201147816");
    }

    #[test]
    fn a_change_of_any_field_is_found_at_its_entry() {
        let changes: [fn(&mut AuditEntry); 10] = [
            |entry| entry.record.at = entry.record.at.plus_micros(1),
            |entry| entry.record.actor.push('x'),
            |entry| entry.record.origin = "http".to_owned(),
            |entry| entry.record.action = "purge".to_owned(),
            |entry| entry.record.operation = Uuid::nil(),
            |entry| entry.record.subject.clear(),
            |entry| entry.record.before = None,
            |entry| (entry.record.before, entry.record.after) = (None, entry.record.before),
            |entry| entry.record.outcome.push(' '),
            |entry| entry.hash.0[31] ^= 1,
        ];
        for (place, change) in changes.into_iter().enumerate() {
            let mut log = log(3);
            change(&mut log[1]);
            assert_eq!(verify(&log), Err(Break::Changed { number: 2 }), "change {place}");
        }
    }

    #[test]
    fn what_moves_from_one_field_to_the_next_is_a_change() {
        let (mut one, mut other) = (record("b"), record("bc"));
        (one.outcome, other.outcome) = ("cd".to_owned(), "d".to_owned());
        let hash = |record| chain(AuditTail::EMPTY, &[record])[0].hash;
        assert_ne!(hash(one), hash(other));
    }

    #[test]
    fn entries_that_are_missing_repeated_exchanged_or_replaced_are_told_apart() {
        let whole = log(5);
        let without = |place: usize| [&whole[..place], &whole[place + 1..]].concat();
        assert_eq!(verify(&without(0)), Err(Break::Missing { number: 1, next: 2 }));
        assert_eq!(verify(&without(2)), Err(Break::Missing { number: 3, next: 4 }));
        let twice = [&whole[..2], &whole[1..]].concat();
        assert_eq!(verify(&twice), Err(Break::OutOfOrder { number: 2, after: 2 }));

        let mut renumbered = without(2);
        for (entry, number) in renumbered.iter_mut().zip(1..) {
            entry.number = number;
        }
        assert_eq!(verify(&renumbered), Err(Break::Changed { number: 3 }), "the number is in the hash");

        // Written as the program writes, in the place of another one.
        let mut replaced = whole.clone();
        replaced[2] = chain(AuditTail { number: 2, hash: whole[1].hash }, &[record("forged")]).remove(0);
        assert_eq!(verify(&replaced), Err(Break::Detached { number: 4 }));
        let mut of_another_log = whole;
        of_another_log[0] = chain(AuditTail::EMPTY, &[record("forged")]).remove(0);
        assert_eq!(verify(&of_another_log), Err(Break::Detached { number: 2 }));
    }

    #[test]
    fn a_log_that_was_cut_or_written_anew_does_not_meet_the_hash_that_was_noted() {
        let whole = log(5);
        let met = |log: &[AuditEntry], noted: Sha256Digest| {
            let mut check = ChainCheck::new(Some(noted));
            // In pages of two.
            log.chunks(2).try_for_each(|page| check.walk(page)).unwrap();
            check.has_met_expected()
        };
        assert!(met(&whole, whole[4].hash) && met(&whole, whole[1].hash) && met(&whole, Sha256Digest::ZERO));
        assert!(!met(&whole[..4], whole[4].hash), "the chain of what is left is whole");
        let anew = chain(AuditTail::EMPTY, &vec![record("forged"); 9]);
        assert!(!met(&anew, whole[4].hash));
        assert!(ChainCheck::new(None).has_met_expected());
    }

    #[test]
    fn what_does_not_fit_is_shortened_before_it_is_hashed() {
        let long = AuditRecord { actor: "😀".repeat(150), subject: "a\u{1b}[2Jb\n".to_owned(), ..record("") };
        let entries = chain(AuditTail::EMPTY, &[long]);
        let AuditRecord { actor, subject, .. } = &entries[0].record;
        assert_eq!(actor.encode_utf16().count(), LONGEST_ACTOR - 1, "a pair is not divided");
        assert!(actor.ends_with('…'));
        assert_eq!(subject, "a\u{fffd}[2Jb\u{fffd}");
        assert!(verify(&entries).is_ok());
    }
}
