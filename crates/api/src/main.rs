//! `api`: the read API on SQL Server.

use std::process::ExitCode;

use api::{Config, wiring};
use clap::{Parser, Subcommand};
use telemetry::command_line;

/// Serves what the pipeline wrote to SQL Server, as JSON over HTTP, until SIGINT or SIGTERM.
#[derive(Parser)]
#[command(after_help = Config::help())]
struct Cli {
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Subcommand)]
enum Command {
    /// Ends with 0 if the API on this machine is alive, else with 1
    Healthcheck,
}

#[tokio::main]
async fn main() -> ExitCode {
    let cli: Cli = match command_line::parse() {
        Ok(cli) => cli,
        Err(done) => return done,
    };
    match cli.command {
        None => wiring::run().await,
        Some(Command::Healthcheck) => wiring::healthcheck(),
    }
}
