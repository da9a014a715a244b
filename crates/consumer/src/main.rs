//! `consumer`: see `consumer --help`.

use std::process::ExitCode;

use clap::Parser;
use consumer::cli::{Cli, Command};
use consumer::wiring;

fn main() -> ExitCode {
    match Cli::parse().command.unwrap_or(Command::Run) {
        Command::Run => wiring::run(),
        Command::Migrate => wiring::migrate(),
        Command::Resume(resume) => wiring::resume(resume.permit()),
        Command::Healthcheck => wiring::healthcheck(),
    }
}
