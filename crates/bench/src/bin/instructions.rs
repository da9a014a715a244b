//! Holds what an event costs to what was recorded: see `instructions --help`.

use std::path::Path;
use std::process::ExitCode;

use anyhow::Context as _;
use bench::instructions::{Counts, Work};
use clap::Parser;

/// What was recorded.
const RECORDED: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/instructions.txt");

/// Counts the instructions that decoding, planning and writing an event take, with Valgrind, and compares them with the recorded ones.
///
/// A clock depends on the machine and its load; this does not. To be run on a release build: a debug build has other counts.
///
/// Exit codes: 0 as recorded, within 3 %; 1 not, or nothing could be counted; 2 wrong usage.
#[derive(Debug, Parser)]
#[command(name = "instructions", version)]
struct Options {
    /// Write down the counts instead of comparing them.
    #[arg(long)]
    record: bool,

    /// Do this work and count nothing: what Valgrind runs.
    #[arg(long, value_enum, hide = true)]
    work: Option<Work>,

    /// Only make ready what the work needs.
    #[arg(long, hide = true, requires = "work")]
    prepare_only: bool,
}

fn main() -> ExitCode {
    match work(&Options::parse()) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// Whether everything is as it should be.
fn work(options: &Options) -> anyhow::Result<bool> {
    if let Some(work) = options.work {
        work.run(options.prepare_only)?;
        return Ok(true);
    }
    let counts = Counts::of(&std::env::current_exe()?)?;
    let recorded = Path::new(RECORDED);
    if options.record {
        std::fs::write(recorded, counts.to_text()).with_context(|| format!("{RECORDED} cannot be written"))?;
        print!("{}", counts.to_text());
        return Ok(true);
    }
    let recorded = std::fs::read_to_string(recorded).with_context(|| format!("{RECORDED} cannot be read: --record writes it"))?;
    let (text, as_recorded) = counts.against(&Counts::parse(&recorded).context(RECORDED)?);
    print!("{text}");
    Ok(as_recorded)
}
