//! What is asked for, on a command line.

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;

/// Options of `verify`.
#[derive(Clone, Debug, Default, PartialEq, Args)]
pub struct VerifyArgs {
    /// Keep the shadow in this folder: a later run reads only what is new, and does not need what retention has deleted since. A run that was
    /// stopped or killed goes on where it was.
    #[arg(long, value_name = "DIR")]
    pub state: Option<PathBuf>,
    /// Compare only those rows that the log has changed since a verification with the same --state found all equal; all of them where none has. What
    /// something else has written into the others is not found.
    #[arg(long, requires = "state")]
    pub changed_only: bool,
    /// One JSON object per difference, and a last one with the verdict.
    #[arg(long)]
    pub json: bool,
    /// Tell differences with their values. They may be personal data.
    #[arg(long)]
    pub values: bool,
    /// Compare the dead letters too, one by one. Those that were redriven or purged are then told as missing.
    #[arg(long)]
    pub dead_letters: bool,
    /// Write what the log says where the tables have something else, and verify once more. Rows that no record explains stay, without --delete-extra. Asks before.
    #[arg(long)]
    pub repair: bool,
    /// Repair without asking.
    #[arg(long, requires = "repair")]
    pub yes: bool,
    /// Only say what would be repaired.
    #[arg(long, requires = "repair", conflicts_with = "yes")]
    pub dry_run: bool,
    /// Repair deletes rows too that no record of the log explains, where the log was read from its beginning.
    #[arg(long, requires = "repair")]
    pub delete_extra: bool,
    /// Rows per second to read from the tables, at most.
    #[arg(long, value_name = "ROWS", value_parser = positive)]
    pub rate: Option<f64>,
    /// Records of the log per second to read, at most.
    #[arg(skip)]
    pub fold_rate: Option<f64>,
    /// Stop after this time, such as 90s or 10m, with exit code 3.
    #[arg(long, value_name = "TIME", value_parser = time)]
    pub max_time: Option<Duration>,
}

fn positive(text: &str) -> Result<f64, String> {
    text.parse().ok().filter(|rate: &f64| rate.is_finite() && *rate > 0.0).ok_or_else(|| "must be a number above 0".to_owned())
}

fn time(text: &str) -> Result<Duration, String> {
    settings::span::parse(text).ok_or_else(|| "must be a number with a unit, such as 90s, 10m or 1h".to_owned())
}
