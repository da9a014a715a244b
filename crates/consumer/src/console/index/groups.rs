//! Dead letters by fingerprint.

use console::Group;
use events::Timestamp;

use super::Index;
use super::names::Name;
use super::row::{Row, id};
use crate::dlq::groups::{Tally, by_frequency};

/// Groups that are told, the largest; other programs may have pushed anything.
const TOLD: usize = 1000;
/// Points of a sparkline.
const SPANS: usize = 24;

impl Index {
    /// By fingerprint, the most frequent first. A list tells its own history only where it is told among the largest.
    pub fn groups(&self) -> Vec<Group> {
        let mut tallies: Vec<(Tally, Option<&Row>)> = vec![(Tally::default(), None); self.names.len()];
        for row in &self.rows {
            let (tally, sample) = &mut tallies[row.fingerprint.place()];
            tally.note(row.at());
            sample.get_or_insert(row);
        }
        let mut groups: Vec<_> = tallies.into_iter().filter_map(|(tally, sample)| Some((tally, sample?))).collect();
        let text = |name: Name| self.names.text(name);
        groups.sort_by(|(one, its), (other, others)| {
            by_frequency((one.count, text(its.fingerprint)), (other.count, text(others.fingerprint)))
        });
        let first = groups.iter().filter_map(|(tally, _)| tally.first_seen).min();
        let last = groups.iter().filter_map(|(tally, _)| tally.last_seen).max();
        groups.truncate(TOLD);
        let mut histories = self.histories(&groups, first, last);
        let group = |(place, (tally, sample)): (usize, (Tally, &Row))| Group {
            fingerprint: text(sample.fingerprint).to_owned(),
            count: tally.count,
            first_seen: tally.first_seen.map(|at| at.to_string()),
            last_seen: tally.last_seen.map(|at| at.to_string()),
            history: std::mem::take(&mut histories[place]),
            sample: text(sample.error).to_owned(),
            sample_id: id(sample.id),
        };
        groups.into_iter().enumerate().map(group).collect()
    }

    /// For each of these groups, how many came in each span between the first and the last of the whole list.
    fn histories(&self, groups: &[(Tally, &Row)], first: Option<Timestamp>, last: Option<Timestamp>) -> Vec<Vec<u64>> {
        let mut histories = vec![vec![0; SPANS]; groups.len()];
        let (Some(first), Some(last)) = (first, last) else { return histories };
        let mut by_name = vec![None; self.names.len()];
        groups.iter().enumerate().for_each(|(place, (_, sample))| by_name[sample.fingerprint.place()] = Some(place));
        for row in &self.rows {
            let (Some(place), Some(at)) = (by_name[row.fingerprint.place()], row.at()) else { continue };
            if let Some(count) = histories[place].get_mut(span(at.unix_micros(), first.unix_micros(), last.unix_micros())) {
                *count += 1;
            }
        }
        histories
    }
}

/// In which of equally long spans between two times, both of them included, this one lies.
fn span(at: i64, first: i64, last: i64) -> usize {
    let length = i128::from(last) - i128::from(first) + 1;
    let place = (i128::from(at) - i128::from(first)) * SPANS as i128 / length;
    usize::try_from(place).unwrap_or(SPANS)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_time_lies_in_one_span() {
        assert_eq!(span(5, 5, 5), 0);
        assert_eq!([0, 1, 99].map(|at| span(at, 0, 99)), [0, 0, SPANS - 1]);
        assert_eq!([i64::MIN, i64::MAX].map(|at| span(at, i64::MIN, i64::MAX)), [0, SPANS - 1]);
        assert_eq!(span(-1, 0, 99), 0, "outside of the list's own times there are none");
    }
}
