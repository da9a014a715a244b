//! Commands that change the list.

use std::fs::File;
use std::io::{self, BufRead as _, BufReader, IsTerminal as _, Write};
use std::path::Path;
use std::process::ExitCode;

use anyhow::{Context as _, bail};
use indicatif::{ProgressBar, ProgressStyle};
use pipeline::audit::AuditAction;
use pipeline::ports::{AuditLog, ClaimQueue, Clock as _, DeadLetterArchive, DeadLetterReader, DryRun, EventTrace, LogPositions, Publisher};
use tokio_util::sync::CancellationToken;

use super::jobs::here;
use super::look::ids;
use super::{PurgeArgs, RedriveArgs, text, wait};
use crate::audit::{Subject, Who, outcome};
use crate::backends::SystemClock;
use crate::dlq::after_redrive::{SentLetter, after_redrive};
use crate::dlq::choice::RedriveRequest;
use crate::dlq::context::AdminContext;
use crate::dlq::dry_run::dry_run;
use crate::dlq::edit::{Revision, editable, resend};
use crate::dlq::editor;
use crate::dlq::find::find;
use crate::dlq::jobs::{self, JobTables};
use crate::dlq::printable::printable_lines;
use crate::dlq::purge::{self, Purged};
use crate::dlq::refusal::Refusal;
use crate::dlq::stats::dead_letters;
use crate::dlq::transfer;

/// Nothing was asked for that could be done.
pub(super) fn usage(problem: &str) -> ExitCode {
    eprintln!("error: {problem}");
    ExitCode::from(2)
}

const ALL_IS_MEANT: &str = "say which dead letters: by --id, --reason, --fingerprint, --event-type or --older-than, or with --all";

pub(super) async fn send<Q, P, T>(
    context: &AdminContext<Q, P, T>,
    args: &RedriveArgs,
    stop: &CancellationToken,
    out: &mut impl Write,
) -> anyhow::Result<ExitCode>
where
    Q: DeadLetterReader + ClaimQueue,
    P: Publisher,
    T: DryRun + EventTrace + JobTables + LogPositions,
{
    if args.filter.is_empty() && !args.all {
        return Ok(usage(ALL_IS_MEANT));
    }
    let order = args.order(ids(&context.queue, &args.filter.ids).await?, context.terms.max_retries);
    if args.dry_run {
        preview(context, &order, args.json, out).await?;
        return Ok(ExitCode::SUCCESS);
    }
    let bar = bar(context.queue.depth().await.map_err(Refusal::from)?);
    let held = jobs::plan(context, Who::command_line(), &order).await?;
    let Some(bound) = args.wait else {
        return here(context, held, stop, (&bar, args.json), out).await;
    };
    let tables = context.tables()?;
    let (held, mut settled) = held.followed();
    let code = here(context, held, stop, (&bar, args.json), out).await?;
    out.flush()?;
    let sent = std::iter::from_fn(|| settled.try_recv().ok()).filter_map(SentLetter::of);
    let ended = after_redrive((&context.queue, tables), sent, bound, stop).await;
    let ended = wait::write(&ended, args.json, out)?;
    Ok(if code == ExitCode::SUCCESS { ended } else { code })
}

/// A bar that moves on a terminal, and nothing elsewhere.
fn bar(entries: u64) -> ProgressBar {
    if !std::io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let bar = ProgressBar::new(entries);
    let template = "{bar:30.cyan} {pos}/{len} examined  {per_sec}  {eta} left";
    bar.with_style(ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar()))
}

async fn preview<Q, P, T>(context: &AdminContext<Q, P, T>, order: &RedriveRequest, json: bool, out: &mut impl Write) -> anyhow::Result<()>
where
    Q: DeadLetterReader,
    T: DryRun,
{
    if !json {
        writeln!(out, "{}", text::dry_run_headings())?;
    }
    let mut written = Ok(());
    let totals = dry_run(&context.queue, context.tables()?, order, context.terms.rules, |preview| {
        let line = if json { serde_json::to_string(&preview).unwrap_or_default() } else { text::dry_run_outcome(&preview) };
        if written.is_ok() {
            written = writeln!(out, "{line}");
        }
    });
    let totals = totals.await.map_err(Refusal::from)?;
    written?;
    if json {
        writeln!(out, "{}", serde_json::to_string(&totals)?)?;
    } else {
        writeln!(out, "\n{totals}")?;
    }
    Ok(())
}

pub(super) async fn edit<Q, P, T>(
    context: &AdminContext<Q, P, T>,
    id: &str,
    yes: bool,
    stop: &CancellationToken,
    out: &mut impl Write,
) -> anyhow::Result<ExitCode>
where
    Q: DeadLetterReader + ClaimQueue,
    P: Publisher,
    T: AuditLog,
{
    let route = context.route(stop)?;
    let listed = find(&context.queue, id).await?;
    let original = editable(&listed)?;
    let mut text = editor::edit(&original)?;
    let sent = async {
        let revision = loop {
            match Revision::new(&listed, &text, context.terms.rules, &context.terms.topic) {
                Ok(revision) => break revision,
                Err(refusal @ (Refusal::Violation(_) | Refusal::OtherEvent)) if can_ask() => {
                    eprintln!("{refusal}");
                    if !ask("Edit it again?")? {
                        return Ok(false);
                    }
                    text = editor::edit(&text)?;
                }
                Err(refusal) => return Err(refusal.into()),
            }
        };
        write!(out, "{}", printable_lines(&revision.diff))?;
        if !yes && !may("Send it to its topic, and take it off the list?")? {
            return Ok(false);
        }
        let (event_id, topic) = (revision.event_id, revision.dead_letter.topic.clone());
        let delivered = resend(&route, (context.audit()?, Who::command_line()), revision).await?;
        writeln!(out, "sent as event {event_id} to {topic}, partition {}, offset {}", delivered.partition, delivered.offset)?;
        Ok::<_, anyhow::Error>(true)
    };
    let sent = sent.await;
    if matches!(sent, Ok(true)) {
        return Ok(ExitCode::SUCCESS);
    }
    // A person's work is not thrown away because it did not pass, or could not be sent.
    if text.trim_end() != original.trim_end() {
        match editor::keep(&text, &listed.id) {
            Ok(path) => eprintln!("what you wrote is kept in {}", path.display()),
            Err(error) => eprintln!("what you wrote cannot be kept: {error}"),
        }
    }
    sent.map(|_| ExitCode::FAILURE)
}

pub(super) async fn remove<Q, P, T>(context: &AdminContext<Q, P, T>, args: &PurgeArgs, out: &mut impl Write) -> anyhow::Result<ExitCode>
where
    Q: DeadLetterReader + ClaimQueue,
    T: AuditLog,
{
    let queue = &context.queue;
    if args.filter.is_empty() && !args.all {
        return Ok(usage(ALL_IS_MEANT));
    }
    let filter = args.filter.filter(ids(queue, &args.filter.ids).await?);
    let now = SystemClock.now();
    let meant = purge::count(queue, &filter, now).await.map_err(Refusal::from)?;
    if meant == 0 {
        let depth = queue.depth().await.map_err(Refusal::from)?;
        writeln!(out, "{}; nothing was removed", filter.selects_none_of(depth))?;
        return Ok(ExitCode::SUCCESS);
    }
    if !args.yes && !may(&format!("Remove {} for good?", dead_letters(meant)))? {
        return Ok(ExitCode::FAILURE);
    }
    let mut operation = context.audit()?.begin(Who::command_line(), AuditAction::Purge, Subject::new(&filter)).await?;
    let purged = purge::purge(queue, &filter, now, &mut operation).await;
    operation.end(&purged).await;
    let Purged { removed, fault } = purged;
    writeln!(out, "{} removed", dead_letters(removed))?;
    fault.map_or(Ok(ExitCode::SUCCESS), |fault| Err(Refusal::from(fault).into()))
}

pub(super) async fn import<Q, P, T>(
    context: &AdminContext<Q, P, T>,
    file: &Path,
    any: bool,
    out: &mut impl Write,
) -> anyhow::Result<ExitCode>
where
    Q: DeadLetterReader + DeadLetterArchive,
    T: AuditLog,
{
    let lines: Box<dyn Iterator<Item = io::Result<String>>> = if file == Path::new("-") {
        Box::new(io::stdin().lines())
    } else {
        let opened = File::open(file).with_context(|| format!("{} cannot be read", file.display()))?;
        Box::new(BufReader::new(opened).lines())
    };
    let subject = Subject::new(if file == Path::new("-") { "lines of the standard input" } else { "lines of a file" });
    let mut operation = context.audit()?.begin(Who::command_line(), AuditAction::Import, subject).await?;
    let imported = transfer::import(&context.queue, lines, any, &mut operation).await;
    operation.end(outcome(&imported, ToString::to_string)).await;
    let imported = imported?;
    writeln!(out, "{} imported, {} were in the list already", dead_letters(imported.imported), imported.skipped)?;
    Ok(ExitCode::SUCCESS)
}

fn can_ask() -> bool {
    std::io::stdin().is_terminal() && std::io::stderr().is_terminal()
}

fn ask(question: &str) -> anyhow::Result<bool> {
    Ok(dialoguer::Confirm::new().with_prompt(question).default(false).interact()?)
}

/// Whether a person says yes; without a terminal nobody can be asked.
fn may(question: &str) -> anyhow::Result<bool> {
    if !can_ask() {
        bail!("nobody can be asked without a terminal, so nothing was done; --yes answers for you");
    }
    let yes = ask(question)?;
    if !yes {
        eprintln!("nothing was done");
    }
    Ok(yes)
}
