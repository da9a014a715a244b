//! Measures the pipeline: see `bench --help`.

use std::path::Path;
use std::process::ExitCode;

use anyhow::Context as _;
use bench::cli::Options;
use bench::program::{Settings, run};
use bench::report::CURVE;
use clap::Parser;
use settings::Reader;
use telemetry::logging;

/// The report of a whole run stands beside the crate.
const REPORT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/BENCHMARKS.md");

fn main() -> ExitCode {
    let options = Options::parse();
    let settings = match Reader::from_environment().map(Settings::read) {
        Ok(Ok(settings)) => settings,
        Ok(Err(problems)) => return wrong(&problems.to_string()),
        Err(problem) => return wrong(&problem),
    };
    match work(&options, &settings) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn work(options: &Options, settings: &Settings) -> anyhow::Result<()> {
    logging::init(&settings.logging)?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let report = runtime.block_on(run(options, settings))?;
    println!("{}", report.text);
    let Some(file) = options.out.as_deref().or_else(|| options.is_whole().then(|| Path::new(REPORT))) else { return Ok(()) };
    if let Some(curve) = report.curve {
        std::fs::write(file.with_file_name(CURVE), curve).context("the picture beside the report cannot be written")?;
    }
    std::fs::write(file, report.text).context("the report cannot be written")
}

fn wrong(problem: &str) -> ExitCode {
    eprintln!("error: {problem}");
    ExitCode::from(2)
}
