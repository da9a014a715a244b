//! What came of it, as text or JSON.

use std::collections::{BTreeMap, HashSet};
use std::fmt;

use pipeline::rows::Table;
use serde_json::{Value, json};
use uuid::Uuid;

use super::difference::{Difference, Kind};
use super::fold::Folded;
use crate::plural::counted;
use crate::processing::Counts;

/// Differences that are told one by one; the others are counted.
pub const TOLD: usize = 100_000;

/// Differences that the text shows; all that are known are in the JSON.
const SHOWN: usize = 50;

/// What came of a verification.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// Each table that was compared.
    pub tables: BTreeMap<Table, TableReport>,
    /// What is wrong, up to a hundred thousand.
    pub differences: Vec<Difference>,
    /// How many more there are.
    pub untold: u64,
    /// Events that wait, by the log.
    pub waiting: u64,
    /// Rows whose event stands in the log behind what the tables say to hold: a consumer is writing it.
    pub in_flight: u64,
    /// Rows that the order of arrival decides: who holds an e-mail address, and which of two events of one id came first.
    pub disputed: u64,
    /// What would be a difference, and is explained by a dead letter.
    pub dead_letters: u64,
    /// Dead letters that were compared one by one; `None` where they were not.
    pub compared_dead_letters: Option<u64>,
    /// Rows that no record explains, or whose parent no record makes, where the log does not reach back to its beginning.
    pub unexplained: u64,
    /// Lines that the log makes, and that were folded into opening balances.
    pub compacted: u64,
    /// Opening balances that were compared with the lines that were folded into them; `None` where they were not: the log does not reach back to
    /// its beginning, or lines were being folded.
    pub opening_balances: Option<u64>,
    /// Whether only those rows were compared that the log has changed since a verification that found all equal.
    pub changed_only: bool,
    /// Whether the log was folded from its beginning.
    pub is_whole: bool,
    /// What was folded of each partition in this run.
    pub folded: BTreeMap<i32, Folded>,
    /// How far the tables hold each partition.
    pub positions: BTreeMap<i32, i64>,
}

/// A table that was compared.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TableReport {
    /// Rows that were compared.
    pub rows: u64,
}

impl Report {
    /// Whether nothing is wrong.
    pub const fn is_equal(&self) -> bool {
        self.differences.is_empty() && self.untold == 0
    }

    pub(super) fn add(&mut self, difference: Difference) {
        if self.differences.len() < TOLD {
            self.differences.push(difference);
        } else {
            self.untold += 1;
        }
    }

    /// The events that should show or wait, of differences that a dead letter may explain.
    pub(super) fn expected(&self) -> HashSet<Uuid> {
        self.differences.iter().filter(|found| found.kind.is_explained_by_dead_letter()).filter_map(|found| found.expected).collect()
    }

    /// Takes away what these dead letters explain.
    pub(super) fn explain(&mut self, dead: &HashSet<Uuid>) {
        let before = self.differences.len();
        let is_explained =
            |found: &Difference| found.kind.is_explained_by_dead_letter() && found.expected.is_some_and(|event| dead.contains(&event));
        self.differences.retain(|found| !is_explained(found));
        self.dead_letters += (before - self.differences.len()) as u64;
    }

    /// Takes away what may come of records that the log does not hold any more.
    pub(super) fn leave_unexplained(&mut self) {
        let before = self.differences.len();
        self.differences.retain(|found| !found.kind.is_explained_by_horizon());
        self.unexplained += (before - self.differences.len()) as u64;
    }

    /// How many differences of each kind each table has, of those that are known one by one.
    pub fn by_kind(&self) -> BTreeMap<(&'static str, Kind), u64> {
        let mut kinds = BTreeMap::new();
        for found in &self.differences {
            *kinds.entry((found.table, found.kind)).or_default() += 1;
        }
        kinds
    }

    /// How many of the differences the log says how to repair, where rows that it does not explain may be deleted or not.
    pub fn repairable(&self, delete_extra: bool) -> u64 {
        self.differences.iter().filter(|found| found.kind.can_be_repaired(delete_extra)).count() as u64
    }

    /// Rows of the tables that were compared.
    pub fn rows(&self) -> u64 {
        self.tables.values().map(|table| table.rows).sum()
    }

    /// Offsets of the log up to which they were.
    pub fn offsets(&self) -> u64 {
        self.positions.values().map(|next| next.unsigned_abs()).sum()
    }

    /// How many differences there are.
    pub const fn count(&self) -> u64 {
        self.differences.len() as u64 + self.untold
    }

    /// The law of conservation: what was read, and what became of it.
    fn write_folded(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (mut all, mut without_record) = (Counts::default(), 0);
        for folded in self.folded.values() {
            all += folded.counts;
            without_record += folded.without_record();
        }
        let Counts { records, applied, duplicate, stale, parked, dead_letters, tombstones } = all;
        if records == 0 && without_record == 0 {
            return Ok(());
        }
        let mut parts = Vec::new();
        for (count, what) in [
            (applied, "applied"),
            (duplicate, "duplicate"),
            (stale, "stale"),
            (parked, "parked at first"),
            (dead_letters, if dead_letters == 1 { "dead letter" } else { "dead letters" }),
            (tombstones, if tombstones == 1 { "tombstone" } else { "tombstones" }),
        ] {
            if count > 0 {
                parts.push(format!("{count} {what}"));
            }
        }
        let offsets = match without_record {
            0 => String::new(),
            1 => "; 1 offset holds no record".to_owned(),
            many => format!("; {many} offsets hold no record"),
        };
        writeln!(f, "read from the log: {}: {}{offsets}", counted(records, "record", "records"), parts.join(", "))
    }

    fn verdict(&self) -> &'static str {
        if self.is_equal() { "equal" } else { "different" }
    }

    /// A line for each difference, and a last one with the verdict.
    pub fn to_json_lines(&self) -> Vec<String> {
        let rows: BTreeMap<_, _> = self.tables.iter().map(|(table, report)| (table.name(), report.rows)).collect();
        let verdict = json!({
            "verdict": self.verdict(),
            "differences": self.count(),
            "rows": rows,
            "waiting": self.waiting,
            "in_flight": self.in_flight,
            "disputed": self.disputed,
            "dead_letters": self.dead_letters,
            "compared_dead_letters": self.compared_dead_letters,
            "unexplained": self.unexplained,
            "compacted": self.compacted,
            "opening_balances": self.opening_balances,
            "changed_only": self.changed_only,
            "whole_log": self.is_whole,
            "folded": self.folded,
            "positions": self.positions,
        });
        let differences = self.differences.iter().map(|found| serde_json::to_value(found).unwrap_or(Value::Null));
        differences.chain([verdict]).map(|line| line.to_string()).collect()
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{:<24} {:>12} {:>12}", "table", "rows", "differences")?;
        let kinds = self.by_kind();
        let of_table = |name: &str| kinds.iter().filter(|((table, _), _)| *table == name).map(|(_, count)| count).sum::<u64>();
        for (table, report) in &self.tables {
            writeln!(f, "{:<24} {:>12} {:>12}", table.name(), report.rows, of_table(table.name()))?;
        }
        writeln!(f, "{:<24} {:>12} {:>12}", "inventory", "", of_table("inventory"))?;
        if let Some(compared) = self.opening_balances {
            writeln!(f, "{:<24} {:>12} {:>12}", "opening_balances", compared, of_table("opening_balances"))?;
        }
        writeln!(f, "{:<24} {:>12} {:>12}", "parked_events", self.waiting, of_table("parked_events"))?;
        if let Some(compared) = self.compared_dead_letters {
            writeln!(f, "{:<24} {:>12} {:>12}", "dead_letters", compared, of_table("dead_letters"))?;
        }
        for (count, what) in [
            (self.in_flight, ["row", "rows", "that a consumer is writing, from records behind its position"]),
            (self.disputed, ["row", "rows", "that the order of arrival decides (e-mail addresses, event ids that came twice)"]),
            (self.dead_letters, ["row", "rows", "that a dead letter explains"]),
            (self.compacted, ["line of the ledger that was", "lines of the ledger that were", "folded into opening balances"]),
            (self.unexplained, ["row", "rows", "that the log does not explain: it does not reach back to its beginning"]),
        ] {
            if count > 0 {
                let [one, many, what] = what;
                writeln!(f, "not counted: {} {what}", counted(count, one, many))?;
            }
        }
        if !self.differences.is_empty() {
            writeln!(f)?;
        }
        for Difference { kind, table, key, columns, values, .. } in self.differences.iter().take(SHOWN) {
            write!(f, "{table} {key}: {}", kind.meaning())?;
            if !columns.is_empty() {
                write!(f, " ({})", columns.join(", "))?;
            }
            for (column, (shown, expected)) in values {
                let value = |value: &Option<String>| value.as_ref().map_or_else(|| "nothing".to_owned(), |value| format!("{value:?}"));
                write!(f, "; {column} is {}, by the log {}", value(shown), value(expected))?;
            }
            writeln!(f)?;
        }
        let more = self.count().saturating_sub(SHOWN as u64);
        if more > 0 {
            writeln!(f, "… and {more} more")?;
        }
        writeln!(f)?;
        self.write_folded(f)?;
        let whole = if self.is_whole { "from its beginning" } else { "from where it begins now" };
        match self.count() {
            0 if self.changed_only => write!(
                f,
                "equal: the rows that the log has changed since all were found equal are what it says; the others were not looked at"
            ),
            0 => write!(f, "equal: the tables are what the log says, {whole}"),
            count => write!(f, "{} between the tables and the log, read {whole}", counted(count, "difference", "differences")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_of_each_kind_is_told_in_the_singular() {
        let counts = Counts { records: 1, dead_letters: 1, tombstones: 1, ..Counts::default() };
        let told = |counts: Counts, number| {
            let folded = BTreeMap::from([(0, Folded { from: 0, to: counts.records.cast_signed(), counts })]);
            Report { folded, untold: number, in_flight: number, compacted: number, ..Report::default() }.to_string()
        };
        let one = told(counts, 1);
        for words in [
            "not counted: 1 row that a consumer is writing",
            "not counted: 1 line of the ledger that was folded into",
            "read from the log: 1 record: 1 dead letter, 1 tombstone\n",
            "\n1 difference between the tables and the log",
        ] {
            assert!(one.contains(words), "{words}: {one}");
        }
        let two = told(Counts { records: 2, dead_letters: 2, ..Counts::default() }, 2);
        for words in [
            "not counted: 2 rows that a consumer is writing",
            "not counted: 2 lines of the ledger that were folded into",
            "read from the log: 2 records: 2 dead letters\n",
            "\n2 differences between the tables and the log",
        ] {
            assert!(two.contains(words), "{words}: {two}");
        }
    }
}
