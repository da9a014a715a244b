//! `dlq jobs`: looking at redrive jobs, and changing one.

use std::io::Write;
use std::process::ExitCode;
use std::time::Duration;

use clap::{Args, Subcommand};
use events::Timestamp;
use indicatif::ProgressBar;
use pipeline::ports::Clock as _;
use pipeline::ports::{ClaimQueue, DeadLetterReader, EventTrace, Publisher};
use pipeline::redrive_job::{JobChange, JobLetter, JobPlan, JobState, RedriveJob};
use tokio_util::sync::CancellationToken;

use super::ending::{Ending, begun};
use super::{rate, wait};
use crate::audit::Who;
use crate::backends::SystemClock;
use crate::dlq::context::AdminContext;
use crate::dlq::jobs::report::{JobReport, LetterReport};
use crate::dlq::jobs::{self, Held, JobTables, control, find, in_words};
use crate::dlq::printable::printable;
use crate::dlq::refusal::Refusal;
use crate::dlq::stats::dead_letters;

/// Jobs that are listed, where nothing else is asked for.
const SHOWN: usize = 20;
/// A job that runs notes what it did at least so often, unless its rate is very low.
const STILL: Duration = Duration::from_secs(60);
/// Letters that are read at once.
const PAGE: usize = 1000;

/// `jobs`.
#[derive(Clone, Debug, PartialEq, Args)]
pub struct JobsArgs {
    /// Without one, the last jobs are listed.
    #[command(subcommand)]
    command: Option<JobsCommand>,
}

/// What can be done with jobs.
#[derive(Clone, Debug, PartialEq, Subcommand)]
enum JobsCommand {
    /// List jobs, the newest first.
    List {
        /// At most so many.
        #[arg(long, value_name = "N", default_value_t = SHOWN)]
        limit: usize,
        /// One JSON object per line.
        #[arg(long)]
        json: bool,
    },
    /// Show everything about one job.
    Show {
        /// Its number.
        number: i64,
        /// With what became of each letter.
        #[arg(long)]
        letters: bool,
        /// With how the letters ended that were sent, as far as it is known now; exits with 1 where one failed again, or how it ended is not known (yet).
        #[arg(long, conflicts_with = "letters")]
        ended: bool,
        /// As JSON; each letter on a line of its own.
        #[arg(long)]
        json: bool,
    },
    /// Have nobody go on with a job before it is resumed. What is in flight is waited for.
    Pause {
        /// Its number.
        number: i64,
    },
    /// Have a job go on that was paused, or that could not go on: in a consumer that serves `/admin` (`ADMIN_TOKEN`), or in this command (`--here`), which
    /// also goes on with one that nobody does.
    Resume {
        /// Its number.
        number: i64,
        /// At another rate, such as `50/s`.
        #[arg(long, value_name = "N/s", value_parser = rate)]
        rate: Option<f64>,
        /// Go on with it here, until it is done.
        #[arg(long)]
        here: bool,
    },
    /// End a job; what was not sent stays in the list.
    Cancel {
        /// Its number.
        number: i64,
    },
}

impl JobsArgs {
    /// Whether letters are sent by this command.
    pub(super) const fn is_run_here(&self) -> bool {
        matches!(self.command, Some(JobsCommand::Resume { here: true, .. }))
    }
}

pub(super) async fn jobs<Q, P, T>(
    context: &AdminContext<Q, P, T>,
    args: JobsArgs,
    stop: &CancellationToken,
    out: &mut impl Write,
) -> anyhow::Result<ExitCode>
where
    Q: DeadLetterReader + ClaimQueue,
    P: Publisher,
    T: EventTrace + JobTables,
{
    let tables = context.tables.as_ref().ok_or(Refusal::NoJobs)?;
    match args.command.unwrap_or(JobsCommand::List { limit: SHOWN, json: false }) {
        JobsCommand::List { limit, json } => list(tables, limit, json, out).await?,
        JobsCommand::Show { number, letters, ended, json } => {
            show(tables, number, (letters, json), out).await?;
            if ended {
                let letters = all_letters(tables, number).await?;
                let ended = jobs::ended::ended((&context.queue, tables), &letters, stop).await;
                return wait::write(&ended, json, out);
            }
        }
        JobsCommand::Pause { number } => change(tables, number, &JobChange::Pause, out).await?,
        JobsCommand::Cancel { number } => change(tables, number, &JobChange::Cancel, out).await?,
        JobsCommand::Resume { number, rate, here: false } => change(tables, number, &JobChange::Resume(rate), out).await?,
        JobsCommand::Resume { number, rate, here: true } => {
            context.route(stop)?;
            let job = find(tables, number).await.map_err(Refusal::from)?.ok_or(Refusal::NoSuchJob(number))?;
            // One that runs, and that nobody goes on with, needs nothing but somebody who does.
            if job.state != JobState::Running || rate.is_some() {
                control(tables, Who::command_line(), number, &JobChange::Resume(rate)).await?;
            }
            let Some(held) = jobs::take(tables, number).await.map_err(Refusal::from)? else {
                writeln!(out, "job {number} is gone on with by another process")?;
                return Ok(ExitCode::SUCCESS);
            };
            return here(context, held, stop, (&ProgressBar::hidden(), false), out).await;
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// Goes on with a job until it has ended, or somebody stops it; tells what was done of it.
pub(super) async fn here<Q, P, T>(
    context: &AdminContext<Q, P, T>,
    held: Held<T>,
    stop: &CancellationToken,
    (bar, json): (&ProgressBar, bool),
    out: &mut impl Write,
) -> anyhow::Result<ExitCode>
where
    Q: DeadLetterReader + ClaimQueue,
    P: Publisher,
    T: JobTables,
{
    let number = held.number;
    eprintln!("{}", begun(number, &dead_letters(held.letters())));
    let summary = jobs::run(context, held, stop, |summary| bar.set_position(summary.examined())).await;
    bar.finish_and_clear();
    let mut state = None;
    if let Some(tables) = &context.tables {
        // Nobody is to go on by itself with what a person has stopped.
        if stop.is_cancelled()
            && summary.stopped
            && let Err(refusal) = control(tables, Who::command_line(), number, &JobChange::Pause).await
        {
            eprintln!("job {number} is not paused: {refusal}; a consumer that serves /admin goes on with it");
        }
        // What was done is told all the same.
        state = find(tables, number).await.ok().flatten().map(|job| job.state);
    }
    let ending = Ending { number, state };
    ending.write(&summary, json, out)?;
    if json && state != Some(JobState::Done) {
        eprintln!("{}", ending.sentence());
    }
    Ok(if summary.is_whole() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

async fn list(tables: &impl JobTables, limit: usize, json: bool, out: &mut impl Write) -> anyhow::Result<()> {
    let jobs = tables.jobs_before(i64::MAX, limit).await.map_err(Refusal::from)?;
    if json {
        return jobs.iter().try_for_each(|job| Ok(writeln!(out, "{}", serde_json::to_string(&JobReport::of(job))?)?));
    }
    if jobs.is_empty() {
        return Ok(writeln!(out, "no jobs")?);
    }
    writeln!(out, "{:>6}  {:<9}  {:>8}  {:>8}  {:<27}  {:<14}  what", "job", "state", "letters", "left", "made at", "who")?;
    for RedriveJob { number, plan, state, counts, .. } in &jobs {
        let JobPlan { made_at, actor, subject, .. } = plan;
        let (left, state) = (counts.get(pipeline::redrive_job::LetterResult::Pending), state.label());
        let (actor, subject) = (printable(actor), printable(subject));
        writeln!(out, "{number:>6}  {state:<9}  {:>8}  {left:>8}  {:<27}  {actor:<14}  {subject}", counts.all(), made_at.to_string())?;
    }
    let now = SystemClock.now();
    jobs.iter().filter_map(|job| stands_still(job, now)).try_for_each(|hint| Ok(writeln!(out, "{hint}")?))
}

/// What to do about a job that runs, and that nobody seems to go on with.
fn stands_still(job: &RedriveJob, now: Timestamp) -> Option<String> {
    let since = now.since(job.updated_at);
    let number = job.number;
    (job.state == JobState::Running && since >= STILL).then(|| {
        format!(
            "job {number} is running, but nothing of it was noted for {}: unless its rate is that low, no process goes on with it. A consumer goes on with \
             jobs only where it has ADMIN_TOKEN; `dlq jobs resume {number} --here` goes on with it in this command",
            settings::span::format(Duration::from_secs(since.as_secs() / 60 * 60))
        )
    })
}

async fn show(tables: &impl JobTables, number: i64, (letters, json): (bool, bool), out: &mut impl Write) -> anyhow::Result<()> {
    let job = find(tables, number).await.map_err(Refusal::from)?.ok_or(Refusal::NoSuchJob(number))?;
    if json {
        writeln!(out, "{}", serde_json::to_string(&JobReport::of(&job))?)?;
    } else {
        let JobPlan { operation, made_at, actor, origin, subject, rate, max_retries } = &job.plan;
        let mut field = |name: &str, value: &str| writeln!(out, "{name:<12} {}", printable(value));
        field("job", &number.to_string())?;
        field("state", job.state.label())?;
        job.problem.as_ref().map_or(Ok(()), |problem| field("problem", problem))?;
        field("what", subject)?;
        field("who", &format!("{actor}, {origin}"))?;
        field("made at", &made_at.to_string())?;
        field("updated at", &job.updated_at.to_string())?;
        field("rate", &rate.map_or_else(|| "-".to_owned(), |rate| format!("{rate}/s")))?;
        field("max retries", &max_retries.to_string())?;
        field("operation", &operation.to_string())?;
        field("letters", &job.counts.all().to_string())?;
        for (name, letters) in in_words(&job.counts) {
            writeln!(out, "  {name:<16} {letters:>9}")?;
        }
        stands_still(&job, SystemClock.now()).map_or(Ok(()), |hint| writeln!(out, "{hint}"))?;
    }
    if !letters {
        return Ok(());
    }
    let mut after = String::new();
    loop {
        let page = tables.job_letters(number, &after, PAGE).await.map_err(Refusal::from)?;
        let Some(last) = page.last() else { return Ok(()) };
        after.clone_from(&last.id);
        for letter in &page {
            if json {
                writeln!(out, "{}", serde_json::to_string(&LetterReport::of(letter))?)?;
            } else {
                writeln!(out, "{}  {}", letter.id, letter.result.label())?;
            }
        }
    }
}

async fn all_letters(tables: &impl JobTables, number: i64) -> Result<Vec<JobLetter>, Refusal> {
    let mut letters: Vec<JobLetter> = Vec::new();
    loop {
        let after = letters.last().map_or("", |last| &last.id);
        let page = tables.job_letters(number, after, PAGE).await?;
        if page.is_empty() {
            return Ok(letters);
        }
        letters.extend(page);
    }
}

async fn change(tables: &impl JobTables, number: i64, change: &JobChange, out: &mut impl Write) -> anyhow::Result<()> {
    control(tables, Who::command_line(), number, change).await?;
    let hint = match change {
        JobChange::Resume(_) => {
            ": a consumer that serves /admin (ADMIN_TOKEN) goes on with it within seconds; without one, `dlq jobs resume --here` does"
        }
        _ => "",
    };
    Ok(writeln!(out, "job {number} is {}{hint}", change.to().label())?)
}

#[cfg(test)]
mod tests {
    use pipeline::redrive_job::JobCounts;
    use uuid::Uuid;

    use super::*;

    #[test]
    fn a_job_that_runs_and_of_which_nothing_was_noted_for_a_minute_is_told() {
        let now = Timestamp::UNIX_EPOCH.plus_micros(1_000_000_000);
        let job = |state, seconds: i64| RedriveJob {
            number: 7,
            plan: JobPlan {
                operation: Uuid::nil(),
                made_at: Timestamp::UNIX_EPOCH,
                actor: "ada".to_owned(),
                origin: "command_line".to_owned(),
                subject: "all dead letters".to_owned(),
                rate: None,
                max_retries: 5,
            },
            state,
            problem: None,
            counts: JobCounts::default(),
            updated_at: now.plus_micros(-seconds * 1_000_000),
        };
        let told = stands_still(&job(JobState::Running, 90), now).unwrap();
        assert!(
            told.starts_with("job 7 is running, but nothing of it was noted for 1m: ") && told.contains("dlq jobs resume 7 --here"),
            "{told}"
        );
        assert_eq!(stands_still(&job(JobState::Running, 59), now), None);
        assert_eq!(stands_still(&job(JobState::Paused, 90), now), None, "nobody is to go on with it");
        assert_eq!(stands_still(&job(JobState::Running, -90), now), None, "by a clock that is ahead");
    }
}
