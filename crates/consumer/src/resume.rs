//! Letting a flood of unwritable records go that consumers hold back.

use clap::Args;
use pipeline::Fault;
use pipeline::ports::{FloodPermits, Permit};
use telemetry::output::print_line;

/// How many unwritable records may pass.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Args)]
#[group(required = true, multiple = false)]
pub struct Resume {
    /// Let so many records pass, the first ones first.
    #[arg(long, value_name = "N")]
    records: Option<u64>,
    /// Let all records pass, until `--never`.
    #[arg(long)]
    always: bool,
    /// Take back what was permitted.
    #[arg(long)]
    never: bool,
}

impl Resume {
    /// What is permitted from now on.
    pub const fn permit(self) -> Permit {
        match self {
            Self { records: Some(records), .. } => Permit::Records(records),
            Self { always: true, .. } => Permit::Everything,
            Self { .. } => Permit::Nothing,
        }
    }
}

/// Permits it, and says so.
///
/// # Errors
/// The dead letter queue is away.
pub async fn resume(queue: &impl FloodPermits, arguments: Resume) -> Result<(), Fault> {
    let permit = arguments.permit();
    queue.permit(permit).await?;
    // It is done, whether or not somebody can read so.
    let _printed = print_line(match permit {
        Permit::Nothing => "A flood of unwritable records is held from now on.".to_owned(),
        Permit::Records(1) => "1 unwritable record may pass.".to_owned(),
        Permit::Records(records) => format!("{records} unwritable records may pass."),
        Permit::Everything => "All unwritable records may pass, until `resume --never`.".to_owned(),
    });
    Ok(())
}
