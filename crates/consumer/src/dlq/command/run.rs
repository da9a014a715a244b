//! What each command does, and the exit codes.

use std::io::{self, Write as _};
use std::process::ExitCode;

use pipeline::ports::{ClaimQueue, DeadLetterArchive, DeadLetterReader, DryRun, EventTrace, LogPositions, Publisher};
use tokio_util::sync::CancellationToken;

use super::{DlqCommand, change, jobs, look};
use crate::dlq::context::AdminContext;
use crate::dlq::jobs::JobTables;
use crate::dlq::refusal::Refusal;
use crate::watch;

/// Does what was asked for: results go to the standard output, problems to stderr. 0 when all of it was done, 1 when something failed, 2
/// when it was asked for in a wrong way. A redrive that is told to stop finishes what is in flight.
pub async fn run<Q, P, T>(command: DlqCommand, context: &AdminContext<Q, P, T>, stop: &CancellationToken) -> ExitCode
where
    Q: DeadLetterReader + ClaimQueue + DeadLetterArchive,
    P: Publisher,
    T: DryRun + EventTrace + JobTables + LogPositions,
{
    // Boxed: the futures of all commands in one are more than the compiler follows.
    let error = match Box::pin(dispatch(command, context, stop)).await {
        Ok(code) => return code,
        Err(error) => error,
    };
    // Who closes a pipe has read enough.
    if error.downcast_ref::<io::Error>().is_some_and(|error| error.kind() == io::ErrorKind::BrokenPipe) {
        return ExitCode::SUCCESS;
    }
    eprintln!("error: {error:#}");
    match error.downcast_ref::<Refusal>() {
        Some(Refusal::NotAnId | Refusal::Ambiguous(_) | Refusal::NoBroker | Refusal::NoTables | Refusal::NoAuditLog | Refusal::NoJobs) => {
            ExitCode::from(2)
        }
        _ => ExitCode::FAILURE,
    }
}

async fn dispatch<Q, P, T>(command: DlqCommand, context: &AdminContext<Q, P, T>, stop: &CancellationToken) -> anyhow::Result<ExitCode>
where
    Q: DeadLetterReader + ClaimQueue + DeadLetterArchive,
    P: Publisher,
    T: DryRun + EventTrace + JobTables + LogPositions,
{
    let queue = &context.queue;
    let mut out = io::BufWriter::new(io::stdout());
    let code = match command {
        DlqCommand::List(args) => match args.watch {
            Some(every) => watch::repeat(every, stop, async |out| look::list(queue, &args, out).await).await,
            None => look::list(queue, &args, &mut out).await.map(|()| ExitCode::SUCCESS),
        },
        DlqCommand::Show { id } => look::show(queue, &id, &mut out).await.map(|()| ExitCode::SUCCESS),
        DlqCommand::Stats(args) => look::count(queue, &args, &mut out).await.map(|()| ExitCode::SUCCESS),
        DlqCommand::Export { filter, file, force } => {
            look::export(queue, &filter, (file.as_deref(), force), &mut out).await.map(|()| ExitCode::SUCCESS)
        }
        DlqCommand::Redrive(args) => Box::pin(change::send(context, &args, stop, &mut out)).await,
        DlqCommand::Jobs(args) => Box::pin(jobs::jobs(context, args, stop, &mut out)).await,
        DlqCommand::Edit { id, yes } => Box::pin(change::edit(context, &id, yes, stop, &mut out)).await,
        DlqCommand::Purge(args) => change::remove(context, &args, &mut out).await,
        DlqCommand::Import { file, any } => change::import(context, &file, any, &mut out).await,
    }?;
    out.flush()?;
    Ok(code)
}
