//! The command line of `consumer`.

use clap::{Parser, Subcommand};

/// Writes events from Kafka to SQL Server, each once; what can never be written goes to a dead letter queue in Redis.
///
/// Settings come from the environment and from a `.env` file in the working directory. Without a subcommand the consumer runs.
///
/// Exit codes: 0 stopped or done, 1 failed, 2 wrong usage or settings.
#[derive(Debug, Parser)]
#[command(name = "consumer", version)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Option<Command>,
}

/// What `consumer` can do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Subcommand)]
pub enum Command {
    /// Consume until SIGINT or SIGTERM (the default).
    Run,
    /// Create or upgrade the database, and say what was done.
    Migrate,
    /// Ask a running consumer on this machine whether its loop turns; for containers. Exit code 0 if it does.
    Healthcheck,
}
