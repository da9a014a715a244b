//! The pipeline on one screen: the verdict first, and then what the running process says of itself, how far the group is, what waits, and what is dead.
//!
//! | module | what it holds |
//! |---|---|
//! | `gather` | asking every part at once |
//! | `known` | what was found |
//! | `process`, `backlog`, `dead_letters`, `changes` | the pieces of that with rules of their own |
//! | `verdict` | what of it is wrong, where, and what to do: the pure part |
//! | `screen`, `verdict_screen`, `consumers` | all of it for people |

mod backlog;
mod changes;
mod consumers;
mod dead_letters;
mod gather;
mod known;
mod process;
mod screen;
mod verdict;
mod verdict_screen;

use std::io::Write as _;
use std::process::ExitCode;
use std::time::Duration;

use clap::Args;
use telemetry::Shutdown;
use telemetry::output::print_line;

pub use backlog::Backlog;
pub use changes::Change;
pub use dead_letters::Group;
pub use gather::{Opened, Progress, Sources, status};
pub use known::{Known, Lag, MissingParent, Parked, PartitionLag, Status};
pub use process::{Answer, AnsweredLog, AnsweredPosition, EventTimeLag, Part, Process, Verification, group_of};
pub use verdict::{Kind, Problem, Severity};

use crate::watch;

/// `status`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Args)]
pub struct StatusArgs {
    /// Show it again every so many seconds, until Ctrl-C.
    #[arg(long, value_name = "SECONDS", num_args = 0..=1, default_missing_value = "5", value_parser = watch::seconds, conflicts_with = "json")]
    pub watch: Option<Duration>,
    /// As JSON.
    #[arg(long)]
    pub json: bool,
}

/// Asks, and shows what was found: once, or again and again until Ctrl-C.
///
/// # Errors
/// The signals of the system cannot be heard, or the screen cannot be written.
pub async fn tell(arguments: StatusArgs, mut ask: impl AsyncFnMut() -> Status) -> anyhow::Result<ExitCode> {
    let Some(every) = arguments.watch else {
        return Ok(show(&ask().await, arguments.json));
    };
    let stop = Shutdown::on_signals()?.token();
    watch::repeat(every, &stop, async |out| Ok(write!(out, "{}", ask().await)?)).await
}

/// Prints it on the standard output. The exit code is 0 where [`Status::is_well`] holds and it could be printed, and 1 otherwise.
fn show(status: &Status, json: bool) -> ExitCode {
    let printed = if json { print_line(status.to_json()) } else { print_line(status.to_string().trim_end()) };
    if printed && status.is_well() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
