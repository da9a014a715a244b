//! `simulate`: many seeds, or one that is told.

use std::process::ExitCode;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use clap::Parser;
use simulate::mishap::{self, Allowed};
use simulate::{Defect, Report, Terms, run, shrink};
use telemetry::{Metrics, Part};

/// Runs the real consumer in simulated worlds, each from a seed, and sees to it that the promises are kept.
#[derive(Parser)]
struct Arguments {
    /// How many seeds to run.
    #[arg(long, default_value_t = 1000)]
    seeds: u64,
    /// The first of them; by default a new one each time.
    #[arg(long)]
    first: Option<u64>,
    /// Run new seeds for so many seconds instead.
    #[arg(long, conflicts_with = "seeds")]
    seconds: Option<u64>,
    /// Run this seed alone, and tell what happens.
    #[arg(long, conflicts_with_all = ["seeds", "first", "seconds"])]
    seed: Option<u64>,
    /// With these mishaps alone, as a failing run prints them; empty for none.
    #[arg(long, requires = "seed", value_name = "KIND:N,...")]
    only: Option<String>,
    /// How many threads.
    #[arg(long, default_value_t = 2)]
    threads: usize,
    /// Plant a defect in the simulated adapters.
    #[arg(long)]
    defect: Option<String>,
    /// List the defects that can be planted.
    #[arg(long)]
    defects: bool,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    if arguments.defects {
        Defect::ALL.iter().for_each(|defect| println!("{:24} {}", defect.name(), defect.about()));
        return ExitCode::SUCCESS;
    }
    match work(&arguments) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::from(2)
        }
    }
}

fn work(arguments: &Arguments) -> Result<ExitCode, String> {
    let defect = match &arguments.defect {
        None => None,
        Some(name) => {
            Some(*Defect::ALL.iter().find(|defect| defect.name() == name).ok_or_else(|| format!("{name}: no defect of the adapters"))?)
        }
    };
    match arguments.seed {
        Some(seed) => tell(seed, arguments.only.as_deref(), defect),
        None => search(arguments, defect),
    }
}

fn metrics() -> Result<Metrics, String> {
    Metrics::new(&[Part::Consumer]).map_err(|error| error.to_string())
}

/// Runs one seed and tells its story.
fn tell(seed: u64, only: Option<&str>, defect: Option<Defect>) -> Result<ExitCode, String> {
    let allowed = only.map_or(Ok(Allowed::All), |text| mishap::from_text(text).map(Allowed::Only))?;
    let report = run(&Terms { seed, allowed, told: true, defect }, &metrics()?).map_err(|error| error.to_string())?;
    report.lines.iter().for_each(|line| println!("{line}"));
    println!(
        "{} steps, {} records, {:.1} s, mishaps: {}",
        report.steps,
        report.records,
        report.lasted.as_secs_f64(),
        mishap::to_text(&report.struck)
    );
    Ok(match report.violation {
        None => ExitCode::SUCCESS,
        Some(violation) => {
            println!("step {}: {}", violation.step, violation.what);
            ExitCode::FAILURE
        }
    })
}

/// Runs many seeds until one fails.
fn search(arguments: &Arguments, defect: Option<Defect>) -> Result<ExitCode, String> {
    let first = arguments.first.unwrap_or_else(|| u64::from(rand::random::<u32>()) << 8);
    let count = arguments.seconds.map_or(arguments.seeds, |_| u64::MAX - first);
    let began = Instant::now();
    let until = arguments.seconds.map(|seconds| began + Duration::from_secs(seconds));
    println!("the first seed is {first}");
    let (next, done, failed) = (AtomicU64::new(0), AtomicU64::new(0), AtomicBool::new(false));
    let worker = || -> Result<Option<Report>, String> {
        let metrics = metrics()?;
        while !failed.load(Ordering::Relaxed) && until.is_none_or(|until| Instant::now() < until) {
            let number = next.fetch_add(1, Ordering::Relaxed);
            if number >= count {
                break;
            }
            let terms = Terms { seed: first + number, defect, ..Terms::default() };
            let report = run(&terms, &metrics).map_err(|error| error.to_string())?;
            done.fetch_add(1, Ordering::Relaxed);
            if report.violation.is_some() {
                failed.store(true, Ordering::Relaxed);
                return Ok(Some(report));
            }
        }
        Ok(None)
    };
    let reports: Result<Vec<_>, String> = std::thread::scope(|scope| {
        let workers: Vec<_> = (0..arguments.threads.max(1)).map(|_| scope.spawn(worker)).collect();
        workers.into_iter().map(|worker| worker.join().map_err(|_| "a run has panicked".to_owned())?).collect()
    });
    let failing = reports?.into_iter().flatten().min_by_key(|report| report.seed);
    let (done, took) = (done.into_inner(), began.elapsed().as_secs_f64());
    println!("{done} runs in {took:.1} s: {:.0} a minute", done as f64 / took * 60.0);
    match failing {
        None => Ok(ExitCode::SUCCESS),
        Some(report) => explain(report, first, defect),
    }
}

/// Says which seed failed, how, and with which mishaps alone it still does.
fn explain(report: Report, first: u64, defect: Option<Defect>) -> Result<ExitCode, String> {
    let seed = report.seed;
    println!("seed {seed} fails, number {} of the search", seed - first + 1);
    if let Some(violation) = &report.violation {
        println!("step {}, {:.3} s: {}", violation.step, violation.at.as_secs_f64(), violation.what);
    }
    let terms = Terms { seed, defect, ..Terms::default() };
    let (mishaps, report) = shrink::shrink(&terms, report, &metrics()?).map_err(|error| error.to_string())?;
    let violation = report.violation.map_or_else(String::new, |violation| format!("step {}: {}", violation.step, violation.what));
    println!("with the fewest mishaps: {violation}");
    let planted = defect.map_or_else(String::new, |defect| format!(" --defect {}", defect.name()));
    println!("simulate --seed {seed} --only '{}'{planted}", mishap::to_text(&mishaps));
    Ok(ExitCode::FAILURE)
}
