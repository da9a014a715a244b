//! Letting a flood of unwritable records go that consumers hold back.

use clap::Args;
use pipeline::audit::AuditAction;
use pipeline::ports::{AuditLog, FloodPermits, Permit};
use telemetry::output::print_line;

use crate::audit::{Audit, Subject, Who, outcome};
use crate::dlq::Refusal;

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
/// It cannot be noted, and nothing was permitted; or the dead letter queue is away.
pub async fn resume(queue: &impl FloodPermits, tables: Option<&impl AuditLog>, arguments: Resume) -> Result<(), Refusal> {
    let permit = arguments.permit();
    let audit = tables.map(Audit).ok_or(Refusal::NoAuditLog)?;
    change_permit(queue, (audit, Who::command_line()), permit).await?;
    // It is done, whether or not somebody can read so.
    let _printed = print_line(told(permit));
    Ok(())
}

/// Permits it, and notes who did.
///
/// # Errors
/// It cannot be noted, and nothing was permitted; or the dead letter queue is away.
pub(crate) async fn change_permit<L: AuditLog>(
    queue: &impl FloodPermits,
    (audit, who): (Audit<L>, Who),
    permit: Permit,
) -> Result<(), Refusal> {
    let operation = audit.begin(who, AuditAction::Resume, Subject::new(told(permit))).await?;
    let permitted = queue.permit(permit).await;
    operation.end(outcome(&permitted, |()| "done".to_owned())).await;
    Ok(permitted?)
}

/// What is permitted from now on, in words.
pub(crate) fn told(permit: Permit) -> String {
    match permit {
        Permit::Nothing => "A flood of unwritable records is held from now on.".to_owned(),
        Permit::Records(1) => "1 unwritable record may pass.".to_owned(),
        Permit::Records(records) => format!("{records} unwritable records may pass."),
        Permit::Everything => "All unwritable records may pass, until `resume --never`.".to_owned(),
    }
}
