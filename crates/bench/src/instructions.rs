//! How many instructions of the processor an event costs. Valgrind counts them, and they hardly change with the load of the machine: what a clock
//! cannot hold in a test run, this can.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::hint::black_box;
use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, bail, ensure};
use clap::ValueEnum;
use events::{Event, EventType, samples};
use pipeline::plan::{items, plan};
use producer::generate::{Generator, GeneratorConfig};
use sqlite::Sqlite;

use crate::floor;
use crate::pure::candidates;
use crate::stage::max_rows;

/// Events in a batch.
const BATCH: usize = 1000;
/// By how many percent of the recorded one a count may differ from it.
const TOLERANCE: u64 = 3;

/// What is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, ValueEnum)]
pub enum Work {
    /// Decoding and validating events, as many of each type.
    Decode,
    /// Planning batches of 1000 events.
    Plan,
    /// Writing batches of 1000 new events, parents first, to the embedded tables: the statements, the commits, and the log's way into the file.
    Apply,
}

impl Work {
    fn name(self) -> &'static str {
        match self {
            Self::Decode => "decode",
            Self::Plan => "plan",
            Self::Apply => "apply",
        }
    }

    /// How many events are worked on: enough that what is done once does not count.
    const fn events(self) -> usize {
        match self {
            Self::Decode => 40_000,
            Self::Plan => 100 * BATCH,
            Self::Apply => 40 * BATCH,
        }
    }

    /// Makes ready what the work needs, and does it if asked to. The same work twice is the same instructions: nothing here is random.
    ///
    /// # Errors
    /// The embedded tables fail.
    pub fn run(self, prepare_only: bool) -> anyhow::Result<()> {
        match self {
            Self::Decode => {
                let values = EventType::ALL.map(|event_type| samples::of(event_type).to_json());
                let times = if prepare_only { 0 } else { self.events() / values.len() };
                for value in std::iter::repeat_n(&values, times).flatten() {
                    drop(black_box(events::decode(black_box(value))));
                }
            }
            Self::Plan => {
                let candidates = candidates(generated(BATCH).into_iter());
                let times = if prepare_only { 0 } else { self.events() / BATCH };
                for _ in 0..times {
                    for round in plan(&candidates, 0..BATCH, max_rows()) {
                        drop(black_box(items(&candidates, &round)));
                    }
                }
            }
            Self::Apply => {
                let (tables, events) = (Sqlite::temporary()?, generated(self.events()));
                if !prepare_only {
                    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
                    runtime.block_on(floor::write(&tables, &events, BATCH, max_rows()))?;
                }
            }
        }
        Ok(())
    }
}

/// The same events each time.
fn generated(count: usize) -> Vec<Event<'static>> {
    Generator::new(GeneratorConfig::new(count as u64, 1)).collect()
}

/// Instructions per event, by work.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Counts(BTreeMap<Work, u64>);

impl Counts {
    /// Counts each work with Valgrind, by running `program` (this one) with `--work`.
    ///
    /// # Errors
    /// There is no Valgrind, or it counts nothing.
    pub fn of(program: &Path) -> anyhow::Result<Self> {
        let mut counts = BTreeMap::new();
        for work in Work::value_variants() {
            let all = collected(program, *work, false)?;
            let before = collected(program, *work, true)?;
            ensure!(all > before, "{}: the work took no instructions", work.name());
            counts.insert(*work, (all - before) / work.events() as u64);
        }
        Ok(Self(counts))
    }

    /// One line for each work: its name and the instructions. Lines that begin with `#` are for readers.
    ///
    /// # Errors
    /// A line is none, or a work is missing.
    pub fn parse(text: &str) -> anyhow::Result<Self> {
        let mut counts = BTreeMap::new();
        for line in text.lines().filter(|line| !line.starts_with('#')) {
            let (name, count) = line.split_once(' ').with_context(|| format!("{line:?} is not a name and a number"))?;
            let work = Work::from_str(name, false).map_err(anyhow::Error::msg)?;
            counts.insert(work, count.trim().parse().with_context(|| format!("{line:?} is not a name and a number"))?);
        }
        if let Some(missing) = Work::value_variants().iter().find(|work| !counts.contains_key(work)) {
            bail!("there is no line for {}", missing.name());
        }
        Ok(Self(counts))
    }

    /// What [`parse`](Self::parse) reads.
    pub fn to_text(&self) -> String {
        let mut text =
            String::from("# Instructions per event. Written by `cargo run --release -p bench --bin instructions -- --record`.\n");
        for (work, count) in &self.0 {
            // Writing to memory cannot fail.
            writeln!(text, "{} {count}", work.name()).ok();
        }
        text
    }

    /// These counts beside recorded ones, a line for each, and whether all are as recorded.
    pub fn against(&self, recorded: &Self) -> (String, bool) {
        let (mut text, mut as_recorded) = (String::new(), true);
        for (work, count) in &self.0 {
            let before = recorded.0.get(work).copied().unwrap_or_default();
            let differs = count.abs_diff(before) * 100 > before * TOLERANCE;
            as_recorded &= !differs;
            let verdict = match (differs, *count > before) {
                (false, _) => "as recorded",
                (true, true) => "MORE than may be",
                (true, false) => "FEWER: record them",
            };
            let change = *count as f64 / before as f64 - 1.0;
            writeln!(
                text,
                "{:<7} {count:>7} instructions per event, recorded {before:>7}, {:+.1} %: {verdict}",
                work.name(),
                change * 100.0
            )
            .ok();
        }
        (text, as_recorded)
    }
}

/// What Valgrind counts of one run.
fn collected(program: &Path, work: Work, prepare_only: bool) -> anyhow::Result<u64> {
    let mut valgrind = Command::new("valgrind");
    valgrind.args(["--tool=callgrind", "--callgrind-out-file=/dev/null"]).arg(program).args(["--work", work.name()]);
    if prepare_only {
        valgrind.arg("--prepare-only");
    }
    // The C library copies memory with what the processor offers: with the same, whichever it is.
    valgrind.env("GLIBC_TUNABLES", "glibc.cpu.hwcaps=-AVX2,-AVX2_Usable,-ERMS,-FSRM");
    let output = valgrind.output().context("valgrind cannot be run: install it, for example with `apt-get install valgrind`")?;
    let said = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "{}: {}: {said}", work.name(), output.status);
    total(&said).with_context(|| format!("{}: valgrind tells no count: {said}", work.name()))
}

/// The number in `==1234== Collected : 5678`.
fn total(said: &str) -> Option<u64> {
    let (_, number) = said.lines().find(|line| line.contains("Collected"))?.rsplit_once(':')?;
    number.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counts(decode: u64, plan: u64, apply: u64) -> Counts {
        Counts(BTreeMap::from([(Work::Decode, decode), (Work::Plan, plan), (Work::Apply, apply)]))
    }

    #[test]
    fn three_percent_are_as_recorded_and_more_or_less_is_told() {
        let recorded = counts(1000, 1000, 1000);
        assert!(counts(1030, 970, 1000).against(&recorded).1);
        let (text, as_recorded) = counts(1031, 1000, 969).against(&recorded);
        assert!(!as_recorded);
        assert!(text.contains("1031 instructions per event, recorded    1000, +3.1 %: MORE"), "{text}");
        assert!(text.contains("-3.1 %: FEWER") && text.matches("as recorded").count() == 1, "{text}");
    }

    #[test]
    fn what_is_written_is_read_again_and_a_gap_is_named() {
        let written = counts(1, 22, 333);
        assert_eq!(Counts::parse(&written.to_text()).unwrap(), written);
        assert!(Counts::parse("decode 1\nplan 2\n").unwrap_err().to_string().contains("no line for apply"));
        assert!(Counts::parse("decode many\n").unwrap_err().to_string().contains("decode many"));
    }

    #[test]
    fn the_total_is_found_in_what_valgrind_says() {
        let said = "==7== Events    : Ir\n==7== Collected : 123456789\n==7== \n==7== I   refs:      123,456,789\n";
        assert_eq!(total(said), Some(123_456_789));
        assert_eq!(total("valgrind: no such file"), None);
    }

    #[test]
    fn the_recorded_counts_are_complete() {
        Counts::parse(include_str!("../instructions.txt")).unwrap();
    }
}
