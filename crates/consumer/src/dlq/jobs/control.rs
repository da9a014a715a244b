//! Pausing, resuming and cancelling a job, wherever it runs.

use pipeline::audit::AuditAction;
use pipeline::redrive_job::JobChange;

use super::{JobTables, find};
use crate::audit::{Operation, Subject, Who};
use crate::dlq::refusal::Refusal;

/// Has a job pause, go on, or end. Whoever runs it hears it within about a second; what is in flight is waited for.
///
/// # Errors
/// There is no such job, it is in a state from which that cannot be done, or the tables are away.
pub async fn control<T: JobTables>(tables: &T, who: Who, number: i64, change: &JobChange) -> Result<(), Refusal> {
    let job = find(tables, number).await?.ok_or(Refusal::NoSuchJob(number))?;
    if !change.from().contains(&job.state) {
        return Err(Refusal::JobIs(number, job.state));
    }
    let outcome = match change {
        JobChange::Resume(Some(rate)) => format!("resumed, {rate} per second at most"),
        JobChange::Resume(None) => "resumed".to_owned(),
        change => change.to().label().to_owned(),
    };
    let (id, subject) = (job.plan.operation, Subject::new(&job.plan.subject));
    let operation = Operation::resumed(tables.clone(), who, AuditAction::Redrive, id, subject);
    operation.announce(&outcome).await.map_err(Refusal::Unaudited)?;
    if tables.change_job(number, change).await? {
        return Ok(());
    }
    // It has come to its end meanwhile.
    let state = find(tables, number).await?.map_or(job.state, |job| job.state);
    Err(Refusal::JobIs(number, state))
}
