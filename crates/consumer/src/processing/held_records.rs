//! What is known of records that are held because too many cannot be written: enough to find the producer, and no value of theirs.

use std::collections::hash_map::RandomState;
use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::fmt;
use std::hash::BuildHasher as _;

use pipeline::dead_letter::Diagnosis;

use crate::plural::plural;

/// What stands in the sentence about a flood that is held, and in no other.
const MARK: &str = "more than DLQ_MAX_RATIO lets pass";
/// Where the advice begins.
const ADVICE: &str = "; most likely a producer's defect: ";
/// Partitions that are named one by one.
const NAMED: usize = 8;
/// Records that are told one by one.
const SAMPLES: usize = 3;

/// Records that are held, by what they have in common.
#[derive(Default)]
pub(super) struct HeldRecords {
    records: u64,
    fingerprints: BTreeMap<String, u64>,
    partitions: BTreeSet<i32>,
    first: Option<(i32, i64)>,
    /// The first record of each of the first kinds, and then the first ones at all.
    samples: [Vec<Sample>; 2],
    /// By hash: keys may be long, and only their number is told, for a broken producer's keys may be anything.
    keys: HashSet<u64>,
    hasher: RandomState,
}

/// A record, and why it cannot be written: as a dead letter says it, which quotes no value.
#[derive(Clone, PartialEq, Eq)]
struct Sample {
    place: (i32, i64),
    error: String,
}

impl HeldRecords {
    /// Adds a record that cannot be written for this reason, at this partition and offset.
    pub(super) fn add(&mut self, diagnosis: &Diagnosis, place: (i32, i64), key: Option<&[u8]>) {
        self.records += 1;
        let count = self.fingerprints.entry(diagnosis.fingerprint()).or_default();
        *count += 1;
        let [of_kinds, first] = &mut self.samples;
        let samples = if *count == 1 { of_kinds } else { first };
        if samples.len() < SAMPLES {
            samples.push(Sample { place, error: diagnosis.error.clone() });
        }
        self.partitions.insert(place.0);
        // Polls merge partitions by time: the first that is added is the oldest.
        self.first.get_or_insert(place);
        self.keys.extend(key.map(|key| self.hasher.hash_one(key)));
    }
}

/// What is known of the records, where a part's reason is that a flood is held: without what to type.
pub(crate) fn held_facts(reason: &str) -> Option<&str> {
    let (facts, _) = reason.split_once(ADVICE)?;
    facts.contains(MARK).then_some(facts)
}

impl fmt::Display for HeldRecords {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { records, fingerprints, partitions, first, keys, .. } = self;
        write!(f, "{records} record{} that cannot be written {} held, ", plural(*records), if *records == 1 { "is" } else { "are" })?;
        write!(f, "{MARK}")?;
        if let Some((fingerprint, count)) = fingerprints.iter().max_by_key(|(_, count)| **count) {
            write!(f, ": {} % are {fingerprint}", count * 100 / records.max(&1))?;
        }
        let named: Vec<_> = partitions.iter().take(NAMED).map(ToString::to_string).collect();
        write!(f, ", in partition{} {}", plural(partitions.len() as u64), named.join(", "))?;
        if partitions.len() > NAMED {
            write!(f, " and {} more", partitions.len() - NAMED)?;
        }
        match keys.len() {
            0 => f.write_str(", without keys")?,
            count => write!(f, ", with {count} key{}", plural(count as u64))?,
        }
        if let Some((partition, offset)) = first {
            write!(f, ", the first at partition {partition} offset {offset}")?;
        }
        let mut before = "";
        for (number, Sample { place: (partition, offset), error }) in self.samples.iter().flatten().take(SAMPLES).enumerate() {
            // The first sample is the first record, whose place has just been told.
            match number {
                0 => {}
                1 => write!(f, ", others at partition {partition} offset {offset}")?,
                _ => write!(f, " and partition {partition} offset {offset}")?,
            }
            let told = if before == error { "the same" } else { error };
            write!(f, " ({told})")?;
            before = error;
        }
        write!(
            f,
            "{ADVICE}look at them with `consumer peek`, mend the producer, then let them go with `consumer resume \
             --records {records}`, or all that come with `--always` (`standalone` has the same commands)"
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn not_json() -> Diagnosis {
        Diagnosis::from(&events::decode(b"{").unwrap_err())
    }

    /// A user event whose address, a value, is too long.
    fn too_long() -> Diagnosis {
        let text = String::from_utf8(testkit::builders::user(testkit::builders::id()).to_json()).unwrap();
        let (before, after) = text.split_once("\"email\":\"").unwrap();
        let long = format!("{before}\"email\":\"canary{}{after}", "x".repeat(400));
        Diagnosis::from(&events::decode(long.as_bytes()).unwrap_err())
    }

    #[test]
    fn a_flood_names_its_kind_its_places_and_how_many_may_pass() {
        let mut held = HeldRecords::default();
        for offset in 0..97 {
            held.add(&not_json(), (3, 1000 + offset), Some(b"k1"));
        }
        for offset in 0..3 {
            held.add(&too_long(), (0, offset), Some(&[offset as u8]));
        }
        let told = held.to_string();
        assert!(
            told.starts_with(
                "100 records that cannot be written are held, more than DLQ_MAX_RATIO lets pass: 97 % are not_json:unknown:, in partitions \
                 0, 3, with 4 keys, the first at partition 3 offset 1000 ("
            ),
            "{told}"
        );
        assert!(told.contains("`consumer resume --records 100`"), "{told}");
        let facts = held_facts(&told).unwrap();
        assert!(facts.contains("the first at partition 3 offset 1000 (") && !facts.contains("consumer"), "{facts}");
        assert_eq!(held_facts("the database is away; most likely a producer's defect: "), None);
    }

    #[test]
    fn three_samples_are_told_one_of_each_kind_first_and_none_quotes_a_value() {
        let mut held = HeldRecords::default();
        for offset in 0..4 {
            held.add(&not_json(), (1, offset), None);
        }
        held.add(&too_long(), (2, 70), None);
        let (json, long) = (not_json().error, too_long().error);
        let expected = format!(
            ", the first at partition 1 offset 0 ({json}), others at partition 2 offset 70 ({long}) and partition 1 offset 1 ({json})"
        );
        let told = held.to_string();
        assert!(held_facts(&told).unwrap().ends_with(&expected), "{told}");
        assert!(!told.contains("canary"), "{told}");
    }

    #[test]
    fn one_record_is_no_plural_and_many_partitions_are_counted() {
        let mut held = HeldRecords::default();
        held.add(&not_json(), (0, 0), None);
        assert!(held.to_string().starts_with("1 record that cannot be written is held"), "{held}");
        assert!(held.to_string().contains("in partition 0, without keys, the first"), "{held}");
        (1..8).for_each(|partition| held.add(&not_json(), (partition, 0), None));
        assert!(held.to_string().contains("in partitions 0, 1, 2, 3, 4, 5, 6, 7, without keys"), "{held}");
        (8..12).for_each(|partition| held.add(&not_json(), (partition, 0), None));
        assert!(held.to_string().contains("in partitions 0, 1, 2, 3, 4, 5, 6, 7 and 4 more"), "{held}");
    }
}
