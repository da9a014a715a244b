//! What became of a redrive, in numbers that add up.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use pipeline::fault::Fault;
use serde::Serialize;

use super::printable::printable;
use crate::plural::counted;
use crate::reason::reason;

/// What became of the entries that were examined: each counts in exactly one place.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Summary {
    /// Not meant by the filter.
    pub not_selected: u64,
    /// The broker has them, and they left the list.
    pub redriven: u64,
    /// Not in the list any more: someone else was faster.
    pub gone: u64,
    /// They were redriven too often before, and stay.
    pub too_many_retries: u64,
    /// They cannot be read as dead letters, and stay.
    pub unreadable: u64,
    /// How many each topic keeps in the list that the brokers refuse: it is missing, or this user may not write to it.
    pub refused: BTreeMap<String, u64>,
    /// They were not delivered, or could not be taken off the list. They are in the list, or come back.
    pub failed: u64,
    /// Of those that failed, the broker has these: they come back into the list, and sending them once more changes nothing.
    pub unsettled: u64,
    /// What an earlier redrive had claimed and not finished, put back into the list before this one began.
    pub returned: u64,
    /// Whether it was stopped before the end.
    pub stopped: bool,
    /// The first failure.
    pub fault: Option<Fault>,
    /// From the first look to the last settlement.
    pub took: Duration,
}

impl Summary {
    /// This, and what was done after it of what was left then.
    #[must_use]
    pub(crate) fn and(mut self, later: &Self) -> Self {
        let Self {
            redriven,
            gone,
            too_many_retries: _,
            unreadable: _,
            not_selected: _,
            ref refused,
            failed,
            unsettled,
            returned,
            stopped,
            ref fault,
            took,
        } = *later;
        if self == Self::default() {
            return later.clone();
        }
        self.redriven += redriven;
        self.gone += gone;
        self.failed += failed;
        self.unsettled += unsettled;
        self.returned += returned;
        self.took += took;
        self.stopped |= stopped;
        refused.iter().for_each(|(topic, count)| *self.refused.entry(topic.clone()).or_default() += count);
        self.fault = self.fault.or_else(|| fault.clone());
        self
    }

    /// Entries that were looked at and dealt with.
    pub fn examined(&self) -> u64 {
        self.not_selected + self.redriven + self.gone + self.too_many_retries + self.unreadable + self.refused() + self.failed
    }

    /// Entries whose topic the brokers refuse.
    pub fn refused(&self) -> u64 {
        self.refused.values().sum()
    }

    /// Entries that were meant to be sent.
    pub const fn attempted(&self) -> u64 {
        self.redriven + self.gone + self.failed
    }

    /// What became of the entries that were meant.
    pub fn counts(&self) -> [(&'static str, u64); 6] {
        [
            ("redriven", self.redriven),
            ("gone", self.gone),
            ("too many retries", self.too_many_retries),
            ("unreadable", self.unreadable),
            ("topic refused", self.refused()),
            ("failed", self.failed),
        ]
    }

    /// What came of it, in one line: counts, and why not all of it was done.
    pub fn outcome(&self) -> String {
        let counts = self.counts().into_iter().filter(|(name, count)| *count > 0 || *name == "redriven");
        let counts: Vec<_> = counts.map(|(name, count)| format!("{count} {name}")).collect();
        let why = self.why_not_whole().map_or_else(String::new, |why| format!("; {why}"));
        format!("{}{why}", counts.join(", "))
    }

    /// Why not all of it was done.
    pub fn why_not_whole(&self) -> Option<String> {
        if let Some(fault) = &self.fault {
            return Some(format!("it ended early or in part: {}", reason(fault)));
        }
        if !self.refused.is_empty() {
            let topics: Vec<_> = self.refused.iter().map(|(topic, count)| format!("{} ({count})", printable(topic))).collect();
            return Some(format!("topics that are missing, or that this user may not write to, keep theirs: {}", topics.join(", ")));
        }
        self.stopped.then(|| "it was stopped before the end; what was in flight was waited for".to_owned())
    }

    /// Whether everything that was asked for was done.
    pub fn is_whole(&self) -> bool {
        self.failed == 0 && self.refused.is_empty() && self.fault.is_none() && !self.stopped
    }

    /// As JSON, of the job that has done it.
    pub fn report(&self, job: i64) -> Report {
        let Self { not_selected, redriven, gone, too_many_retries, unreadable, ref refused, failed, returned, stopped, .. } = *self;
        let refused = refused.clone();
        let fault = self.fault.as_ref().map(Fault::to_string);
        let seconds = self.took.as_secs_f64();
        let examined = self.examined();
        Report {
            job,
            examined,
            not_selected,
            redriven,
            gone,
            too_many_retries,
            unreadable,
            refused,
            failed,
            returned,
            stopped,
            fault,
            seconds,
        }
    }
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.returned > 0 {
            let entries = counted(self.returned, "entry", "entries");
            writeln!(f, "put back first: {entries} of an earlier redrive that was not finished")?;
        }
        writeln!(f, "{:<18} {:>9}", "examined", self.examined())?;
        for (name, count, hint) in [
            ("redriven", self.redriven, ""),
            ("not selected", self.not_selected, ""),
            ("gone", self.gone, "someone else was faster"),
            ("too many retries", self.too_many_retries, "they stay; --max-retries raises the limit"),
            ("unreadable", self.unreadable, "they stay; see `list --reason unreadable`"),
            ("topic refused", self.refused(), "they stay; their topic is missing, or this user may not write to it:"),
            ("failed", self.failed, "they stay, or come back into the list"),
        ] {
            let hint = if count == 0 { "" } else { hint };
            writeln!(f, "{}", format!("  {name:<16} {count:>9}  {hint}").trim_end())?;
            if name == "topic refused" {
                self.refused.iter().try_for_each(|(topic, count)| writeln!(f, "    {topic}: {count}"))?;
            }
        }
        let seconds = self.took.as_secs_f64();
        let rate = if seconds > 0.0 { self.redriven as f64 / seconds } else { 0.0 };
        write!(f, "{seconds:.2} s, {rate:.0} redriven/s")?;
        if self.unsettled > 0 {
            write!(f, "\nthe brokers have {} of the failed all the same: what comes back is sent twice, and counts once", self.unsettled)?;
        }
        if let Some(fault) = &self.fault {
            write!(f, "\nended early or in part: {fault}")?;
        }
        if self.stopped { write!(f, "\nstopped before the end; what was in flight was waited for") } else { Ok(()) }
    }
}

/// A [`Summary`] as JSON.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Report {
    job: i64,
    examined: u64,
    not_selected: u64,
    redriven: u64,
    gone: u64,
    too_many_retries: u64,
    unreadable: u64,
    /// By topic.
    refused: BTreeMap<String, u64>,
    failed: u64,
    returned: u64,
    stopped: bool,
    fault: Option<String>,
    seconds: f64,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_places_add_up_to_what_was_examined() {
        let summary =
            Summary { not_selected: 1, redriven: 2, gone: 4, too_many_retries: 8, unreadable: 16, failed: 32, ..Summary::default() };
        let summary = Summary { refused: BTreeMap::from([("old".to_owned(), 60), ("older".to_owned(), 4)]), ..summary };
        assert_eq!((summary.examined(), summary.attempted()), (127, 38));
        assert!(!summary.is_whole());
        let shown = summary.to_string();
        let lines: Vec<Vec<&str>> = shown.lines().map(|line| line.split_whitespace().collect()).collect();
        assert_eq!((&lines[0], &lines[1]), (&vec!["examined", "127"], &vec!["redriven", "2"]));
        assert!(shown.contains("\n    old: 60\n    older: 4\n"), "{shown}");
    }

    #[test]
    fn what_was_left_is_told_in_the_right_number() {
        let first = |returned| Summary { returned, ..Summary::default() }.to_string().lines().next().unwrap().to_owned();
        assert_eq!(first(1), "put back first: 1 entry of an earlier redrive that was not finished");
        assert_eq!(first(2), "put back first: 2 entries of an earlier redrive that was not finished");
    }
}
