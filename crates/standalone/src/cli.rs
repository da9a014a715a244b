//! The command line of `standalone`.

use std::path::PathBuf;

use clap::{Parser, Subcommand};
use consumer::audit::command::AuditArgs;
use consumer::dlq::DlqCommand;
use consumer::ledger::LedgerCommand;
use consumer::parked::ParkedCommand;
use consumer::peek::PeekArgs;
use consumer::replay::ReplayArgs;
use consumer::resume::Resume;
use consumer::status::StatusArgs;
use consumer::trace::TraceArgs;
use consumer::verify::VerifyArgs;

/// The whole event pipeline in one process: broker, consumer, tables, dead letter queue and read API.
///
/// What is configured is the real thing, what is not is embedded: set `KAFKA_BROKERS`, `MSSQL_SERVER`, `REDIS_HOST` in the environment or in
/// a `.env` file. Without a subcommand it runs until Ctrl-C.
///
/// Exit codes: 0 stopped, done, or every check of the demo held; 1 failed; 2 wrong usage or settings.
#[derive(Debug, Parser)]
#[command(name = "standalone")]
pub struct Cli {
    /// Keep the embedded tables in this folder, instead of a temporary file that goes with the process. What runs makes it if it is missing.
    #[arg(long, global = true, value_name = "DIR")]
    pub data_dir: Option<PathBuf>,

    /// Create the topic `KAFKA_TOPIC`, with 6 partitions, where `KAFKA_BROKERS` has none of this name.
    #[arg(long, global = true)]
    pub create_topic: bool,

    /// What to do.
    #[command(subcommand)]
    pub command: Option<Command>,
}

/// What `standalone` can do.
#[derive(Clone, Debug, PartialEq, Subcommand)]
pub enum Command {
    /// Run until Ctrl-C (the default).
    Run,
    /// Show the promises in six steps, each with checks, and end with a verdict.
    Demo {
        /// On a stack that is running, whose consumer and read API do the work: where this API answers. Needs `KAFKA_BROKERS` and `REDIS_HOST`.
        #[arg(long, value_name = "HOST:PORT", requires = "consumer")]
        api: Option<String>,
        /// Where the metrics of that stack's consumer are; of all of them, where the name stands for several.
        #[arg(long, value_name = "HOST:PORT", requires = "api")]
        consumer: Option<String>,
    },
    /// Run, and open the producer's menu on it.
    Menu,
    /// Generate events, consume them, and say how fast that was.
    Load {
        /// How many.
        #[arg(long, default_value_t = 200_000, value_parser = clap::value_parser!(u64).range(1..))]
        events: u64,
        /// What the random choices start from; the same seed generates the same events.
        #[arg(long, default_value_t = 1)]
        seed: u64,
    },
    /// Test the settings and every part that they name, and say what to do; changes nothing.
    ///
    /// Exit codes: 0 nothing failed (warnings may be there), 1 something failed, 2 wrong settings.
    Check {
        /// As JSON.
        #[arg(long)]
        json: bool,
    },
    /// Show on one screen what the pipeline at `API_PORT` says of itself, the lag, what is parked, and the dead letters by fingerprint.
    ///
    /// Exit codes: 0 it is ready, every part answered, and no process's last verification found a difference; 1 not so; 2 wrong usage or
    /// settings.
    Status(StatusArgs),
    /// Say what the tables, the parking table, the dead letters and the audit log know of one event, or of a user, an order, a payment or an article, on
    /// whatever is configured, else in `--data-dir`.
    ///
    /// Exit codes: 0 found, 1 nothing knows it or a part could not be asked, 2 wrong usage or settings.
    Trace(TraceArgs),
    /// Prove that the tables are what the log says: read the topic of `KAFKA_BROKERS` once more, beside the group, and compare every row.
    ///
    /// Changes nothing without `--repair`. Exit codes: 0 equal, 1 differences, 2 wrong usage or settings, 3 it could not be finished.
    Verify(VerifyArgs),
    /// Look at the events that wait for a user, an order or an e-mail address, in the database that is configured, else in `--data-dir`.
    ///
    /// Exit codes: 0 shown, 1 nothing waits for it or the database could not be asked, 2 wrong usage or settings.
    #[command(subcommand)]
    Parked(ParkedCommand),
    /// Show the next records that the group has not consumed, and what each would come to: what a hold keeps back. Changes and commits nothing.
    ///
    /// `KAFKA_BROKERS` must hold the address that the running `standalone` prints. Exit codes: 0 shown, 1 not every record came or a part could not
    /// be asked, 2 wrong usage or settings.
    Peek(PeekArgs),
    /// Consume records again: move the group's offsets back, in Kafka. Shows what would come again, and moves nothing without `--execute`.
    ///
    /// Needs `KAFKA_BROKERS`, and that the group's programs are stopped. Once they are started they read from there to the end of the log, as always: there is no end to be given. The tables keep
    /// what they hold; an event that is in them changes nothing, one that is not is applied. Nothing can be skipped: offsets only go back.
    ///
    /// Exit codes: 0 shown or moved, 1 refused (the group has members) or a part could not be asked, 2 wrong usage or settings.
    Replay(ReplayArgs),
    /// Fold old lines of the ledger of stock into opening balances, in the database that is configured, else in `--data-dir`: what nothing can bring again
    /// needs no line of its own.
    ///
    /// Needs `KAFKA_BROKERS`. Exit codes: 0 shown or folded, 1 refused or a part could not be asked, 2 wrong usage or settings.
    #[command(subcommand)]
    Ledger(LedgerCommand),
    /// Let unwritable records pass that are held back because there were too many (`DLQ_MAX_RATIO`); heard within seconds.
    Resume(Resume),
    /// Look at dead letters, send them again, mend, remove, carry them away: those in Redis where it is configured, else in `--data-dir`.
    ///
    /// To send, `KAFKA_BROKERS` must hold the address that the running `standalone` prints. Exit codes: 0 all of it was done, 1 something failed,
    /// 2 wrong usage or settings.
    #[command(subcommand)]
    Dlq(DlqCommand),
    /// Show what operators have changed, the newest last, or verify that log: in the database that is configured, else in `--data-dir`.
    ///
    /// Exit codes: 0 shown, 1 it could not be read, 2 wrong usage or settings; those of `verify` are its own.
    Audit(AuditArgs),
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    /// What `standalone` alone can do starts a pipeline of its own: there is nothing that an operator could ask of one that runs.
    const ALONE: [&str; 3] = ["demo", "menu", "load"];

    #[test]
    fn whatever_else_it_can_do_the_consumer_can_do_too_and_so_has_its_path_or_a_reason() {
        let names = |command: clap::Command| command.get_subcommands().map(|one| one.get_name().to_owned()).collect::<Vec<_>>();
        let of_the_consumer = names(consumer::cli::Cli::command());
        let (alone, shared): (Vec<_>, Vec<_>) = names(Cli::command()).into_iter().partition(|name| ALONE.contains(&name.as_str()));
        assert_eq!(alone, ALONE);
        assert!(shared.iter().all(|name| of_the_consumer.contains(name)), "{shared:?} in {of_the_consumer:?}");
    }
}
