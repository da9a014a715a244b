//! The command line of `standalone`.

use std::path::PathBuf;

use clap::{Parser, Subcommand};

/// The whole event pipeline in one process: broker, consumer, tables, dead letter queue and read API.
///
/// What is configured is the real thing, what is not is embedded: set `KAFKA_BROKERS`, `MSSQL_SERVER`, `REDIS_HOST` in the environment or in
/// a `.env` file. Without a subcommand it runs until Ctrl-C.
///
/// Exit codes: 0 stopped, done, or every check of the demo held; 1 failed; 2 wrong usage or settings.
#[derive(Debug, Parser)]
#[command(name = "standalone", version)]
pub struct Cli {
    /// Keep the embedded tables in this folder (created if missing), instead of a temporary file that goes with the process.
    #[arg(long, global = true, value_name = "DIR")]
    pub data_dir: Option<PathBuf>,

    /// What to do.
    #[command(subcommand)]
    pub command: Option<Command>,
}

/// What `standalone` can do.
#[derive(Clone, Debug, PartialEq, Eq, Subcommand)]
pub enum Command {
    /// Run until Ctrl-C (the default).
    Run,
    /// Show the promises in six steps, each with checks, and end with a verdict.
    Demo,
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
}
