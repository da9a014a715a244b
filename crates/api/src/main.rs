//! `api`: the read API on SQL Server.

use std::process::ExitCode;

use api::{Config, wiring};
use clap::{Parser, Subcommand};
use telemetry::command_line;

/// Serves what the pipeline wrote to SQL Server, as JSON over HTTP.
///
/// Settings come from the environment and from a `.env` file in the working directory. Without a subcommand the API serves until SIGINT or SIGTERM.
///
/// Exit codes: 0 stopped or done, 1 failed, 2 wrong usage or settings.
#[derive(Parser)]
#[command(name = "api", after_long_help = Config::help())]
struct Cli {
    /// What to do.
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Subcommand)]
enum Command {
    /// Serve until SIGINT or SIGTERM (the default).
    Run,
    /// Test the settings and every part that they name, and say what to do; changes nothing.
    ///
    /// Exit codes: 0 nothing failed (warnings may be there), 1 something failed, 2 wrong settings.
    Check {
        /// As JSON.
        #[arg(long)]
        json: bool,
    },
    /// Ask a running API on this machine whether it answers; for containers. Exit code 0 if it does.
    Healthcheck,
}

fn main() -> ExitCode {
    let cli: Cli = match command_line::parse() {
        Ok(cli) => cli,
        Err(done) => return done,
    };
    match cli.command.unwrap_or(Command::Run) {
        Command::Run => wiring::run(),
        Command::Check { json } => api::check(json),
        Command::Healthcheck => wiring::healthcheck(),
    }
}
