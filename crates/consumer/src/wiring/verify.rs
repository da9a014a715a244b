//! `consumer verify`: the log from Kafka, the shadow in a file of its own, and whatever tables and dead letters there are.

use std::io::IsTerminal as _;
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, bail};
use indicatif::{ProgressBar, ProgressStyle};
use kafka::{KafkaConfig, KafkaLogReader, KafkaProgress};
use pipeline::audit::AuditAction;
use pipeline::fault::Fault;
use pipeline::ports::{DeadLetterReader, Leases, LogPositions as _, TableRows as _};
use pipeline::rows::Table;
use redis_dlq::{RedisConfig, RedisDlq};
use sqlite::Sqlite;
use sqlserver::{SqlServer, SqlServerConfig};
use telemetry::output::print_line;
use telemetry::{Health, Metrics, Part, Shutdown, side_task};
use tokio_util::sync::CancellationToken;

use super::{CLOSE, name_places, with_settings_quietly};
use crate::audit::{Audit, Subject, Who, outcome};
use crate::config::ConsumerConfig;
use crate::plural::counted;
use crate::verify::Verified;
use crate::verify::schedule::keep_verifying;
use crate::verify::{
    Fold as _, FoldSettings, Repairable, Report, ScheduleConfig, Settings, ShadowFold, Unfinished, Verification, VerifyArgs, repair, verify,
};

/// The shadow's file in the folder of `--state`.
const SHADOW: &str = "shadow.db";
/// Says that the shadow was not begun at the beginning of the log.
const PARTIAL: &str = "not-from-the-beginning";
/// What names the folder of the shadow.
const FOLDER: &str = "--state or VERIFY_STATE";
const UNASKED: &str = "--repair asks before it writes, and nobody can answer here: say --yes, or --dry-run";
/// Added to the interval of sweeps: how long an event may wait whose parent is there.
const PATIENCE: Duration = Duration::from_secs(5);

/// `consumer verify`: 0 where the tables are what the log says, 1 where they differ, 2 for wrong usage or settings, 3 where it could not be
/// finished.
pub fn verify_tables(arguments: VerifyArgs) -> ExitCode {
    with_settings_quietly(
        |env| (KafkaConfig::read(env), SqlServerConfig::read(env), RedisConfig::read(env), ConsumerConfig::read(env)),
        async move |(kafka, database, redis, consumer)| {
            name_places(Some(&kafka), Some(&database), Some(&redis));
            let dead_letters = match RedisDlq::new(&redis) {
                Ok(dead_letters) => dead_letters,
                Err(fault) => return Ok(unfinished(&fault.into())),
            };
            Ok(verify_against(&SqlServer::new(database), &dead_letters, (&kafka, &consumer), arguments).await)
        },
    )
}

/// Tells why a verification did not come to its end: 1 would say that the tables differ.
pub fn unfinished(why: &anyhow::Error) -> ExitCode {
    eprintln!("error: the verification was not finished: {why:#}");
    ExitCode::from(3)
}

/// Verifies these tables against the topic, and tells what came of it.
pub async fn verify_against<T: Verified + Repairable, Q: DeadLetterReader>(
    tables: &T,
    dead_letters: &Q,
    (kafka, consumer): (&KafkaConfig, &ConsumerConfig),
    arguments: VerifyArgs,
) -> ExitCode {
    if arguments.repair && !arguments.yes && !arguments.dry_run && !std::io::stdin().is_terminal() {
        eprintln!("error: {UNASKED}");
        return ExitCode::from(2);
    }
    let stop = match Shutdown::on_signals() {
        Ok(shutdown) => shutdown.token(),
        Err(error) => return unfinished(&error.into()),
    };
    if let Some(time) = arguments.max_time {
        let stop = stop.clone();
        tokio::spawn(async move {
            tokio::time::sleep(time).await;
            stop.cancel();
        });
    }
    let bar = ProgressBar::new(0);
    if let Ok(style) = ProgressStyle::with_template("{msg:24} {human_pos:>12} of {human_len}") {
        bar.set_style(style);
    }
    let ended = run(tables, dead_letters, (kafka, consumer), &arguments, &stop, &bar).await;
    bar.finish_and_clear();
    match ended.and_then(|ended| Ok(ended?)) {
        Ok(report) => {
            let printed = print(&report, &arguments);
            if printed && report.is_equal() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
        }
        Err(why) => unfinished(&why),
    }
}

/// Verifies these tables once against the topic, and says nothing meanwhile.
///
/// # Errors
/// The shadow's file or a client cannot be opened, or it could not be finished.
pub async fn verify_once<T: Verified + Repairable, Q: DeadLetterReader>(
    tables: &T,
    dead_letters: &Q,
    settings: (&KafkaConfig, &ConsumerConfig),
    arguments: &VerifyArgs,
    stop: &CancellationToken,
) -> anyhow::Result<Report> {
    Ok(run(tables, dead_letters, settings, arguments, stop, &ProgressBar::hidden()).await??)
}

/// Verifies these tables again and again beside the consumer until `stop`, while this process has the lease.
pub fn spawn_verify<T, Q>(
    (tables, dead_letters): (T, Q),
    settings: (KafkaConfig, ConsumerConfig),
    schedule: ScheduleConfig,
    (metrics, health): (Metrics, Health),
    stop: CancellationToken,
) where
    T: Verified + Repairable + Leases + Clone + 'static,
    Q: DeadLetterReader + Clone + 'static,
{
    let stopped = stop.clone();
    let start = move || {
        verify_on_schedule(tables.clone(), dead_letters.clone(), settings.clone(), schedule.clone(), metrics.clone(), stopped.clone())
    };
    // It ends by itself.
    drop(tokio::spawn(side_task::keep_running("verify", health, stop, start)));
}

async fn verify_on_schedule<T: Verified + Repairable + Leases, Q: DeadLetterReader>(
    tables: T,
    dead_letters: Q,
    (kafka, consumer): (KafkaConfig, ConsumerConfig),
    schedule: ScheduleConfig,
    metrics: Metrics,
    stop: CancellationToken,
) {
    let rate = Some(schedule.rate);
    let arguments = VerifyArgs { state: schedule.state.clone(), rate, fold_rate: rate, ..VerifyArgs::default() };
    let (tables, dead_letters, kafka, consumer, arguments) = (&tables, &dead_letters, &kafka, &consumer, &arguments);
    let verify = move |stop: CancellationToken| async move {
        Ok(run(tables, dead_letters, (kafka, consumer), arguments, &stop, &ProgressBar::hidden()).await??)
    };
    keep_verifying(tables, &kafka.topic, &schedule, &metrics, &stop, verify).await;
}

async fn run<T: Verified + Repairable, Q: DeadLetterReader>(
    tables: &T,
    dead_letters: &Q,
    (kafka, consumer): (&KafkaConfig, &ConsumerConfig),
    arguments: &VerifyArgs,
    stop: &CancellationToken,
    bar: &ProgressBar,
) -> anyhow::Result<Result<Report, Unfinished>> {
    let shadow = arguments.state.as_deref().map_or_else(|| Ok(Sqlite::temporary()?), open_shadow)?;
    shadow.drop_read_indexes().await?;
    let (reader, progress) = (KafkaLogReader::open(kafka)?, KafkaProgress::open(kafka)?);
    let topic: Arc<str> = kafka.topic.as_str().into();
    if shadow.positions(&topic).await?.is_empty() && has_rows(&shadow).await? {
        bail!("{FOLDER}: the shadow there is of another topic than {topic}; name another folder");
    }
    let partial = arguments.state.as_ref().map(|folder| folder.join(PARTIAL));
    let was_whole = partial.as_ref().is_none_or(|mark| !mark.exists());
    let folding = bar.clone();
    let (log, metrics) = ((reader.clone(), progress.clone()), Metrics::new(&[Part::Consumer])?);
    let settings = FoldSettings { consumer: consumer.clone(), was_whole, rate: arguments.fold_rate };
    let opened = ShadowFold::open(log, shadow, Arc::clone(&topic), settings, metrics, stop.clone());
    let mut fold = match opened.await {
        Ok(fold) => fold.telling(move |done, of| show(&folding, "reading the log", done, of)),
        Err(unfinished) => return Ok(Err(unfinished)),
    };
    if let Some(mark) = partial.filter(|_| !fold.is_whole()) {
        std::fs::write(&mark, []).with_context(|| format!("{FOLDER}: {} cannot be written", mark.display()))?;
    }
    let settings = Settings {
        rate: arguments.rate,
        patience: consumer.sweep_interval + PATIENCE,
        values: arguments.values,
        dead_letters: arguments.dead_letters,
        changed_only: arguments.changed_only,
    };
    let log = fold.log();
    let on_progress = |phase: &str, done, of| show(bar, phase, done, of);
    let stop = stop.clone();
    let verification = Verification {
        tables,
        dead_letters,
        fold: &mut fold,
        topic: Arc::clone(&topic),
        log,
        settings,
        stop: stop.clone(),
        on_progress: &on_progress,
    };
    let mut report = verify(verification).await;
    if let Ok(found) = &report
        && arguments.repair
        && is_to_be_repaired(found, arguments, bar)?
    {
        let deletes = if arguments.delete_extra { ", those that no record explains among them" } else { "" };
        let subject = format!("{} of {} of topic {topic}{deletes}", found.repairable(arguments.delete_extra), differences(found.count()));
        let operation = Audit(tables).begin(Who::command_line(), AuditAction::Repair, Subject::new(subject)).await?;
        let repaired = repair(tables, &fold, found, arguments.delete_extra).await;
        operation.end(outcome(&repaired, |()| "written; verified once more afterwards".to_owned())).await;
        report = match repaired {
            Ok(()) => {
                let again = Verification { tables, dead_letters, fold: &mut fold, topic, log, settings, stop, on_progress: &on_progress };
                verify(again).await
            }
            Err(unfinished) => Err(unfinished),
        };
    }
    drop(fold);
    // What is left of the clients ends by itself.
    reader.close(CLOSE).await.ok();
    progress.close(CLOSE).await.ok();
    Ok(report)
}

async fn has_rows(shadow: &Sqlite) -> Result<bool, Fault> {
    for table in Table::ALL {
        if shadow.count(table).await? > 0 {
            return Ok(true);
        }
    }
    Ok(false)
}

fn print(report: &Report, arguments: &VerifyArgs) -> bool {
    let lines = if arguments.json { report.to_json_lines() } else { vec![report.to_string()] };
    lines.into_iter().all(print_line)
}

fn differences(count: u64) -> String {
    counted(count, "difference", "differences")
}

/// Shows what was found and says how much of it can be repaired; whether it is to be.
fn is_to_be_repaired(report: &Report, arguments: &VerifyArgs, bar: &ProgressBar) -> anyhow::Result<bool> {
    let (can, all) = (report.repairable(arguments.delete_extra), report.count());
    if can == 0 || arguments.dry_run {
        // The report itself follows.
        if all > 0 {
            eprintln!("{can} of {} can be repaired from the log; nothing was written", differences(all));
        }
        return Ok(false);
    }
    if arguments.yes {
        return Ok(true);
    }
    bar.suspend(|| {
        print(report, arguments);
        let question = format!("Write {can} of these {all} into the tables?");
        let asked = dialoguer::Confirm::new().with_prompt(question).default(false).interact();
        asked.context(UNASKED)
    })
}

fn show(bar: &ProgressBar, phase: &str, done: u64, of: u64) {
    bar.set_message(phase.to_owned());
    bar.set_length(of.max(done));
    bar.set_position(done);
}

/// The shadow of earlier runs, or an empty one.
fn open_shadow(folder: &Path) -> anyhow::Result<Sqlite> {
    std::fs::create_dir_all(folder).with_context(|| format!("{FOLDER}: the folder {} cannot be made", folder.display()))?;
    // Its positions are in the same commits: what a loss of power takes is read again.
    Ok(Sqlite::open_remakeable(&folder.join(SHADOW))?)
}
