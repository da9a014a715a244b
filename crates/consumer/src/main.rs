//! `consumer`: see `consumer --help`.

use std::process::ExitCode;

use consumer::cli::{Cli, Command};
use consumer::wiring;
use telemetry::command_line;

fn main() -> ExitCode {
    let cli: Cli = match command_line::parse() {
        Ok(cli) => cli,
        Err(done) => return done,
    };
    match cli.command.unwrap_or(Command::Run { migrate: false }) {
        Command::Run { migrate } => wiring::run(migrate),
        Command::Check { json } => wiring::check(json),
        Command::Migrate => wiring::migrate(),
        Command::Status(arguments) => wiring::tell_status(arguments),
        Command::Trace(arguments) => wiring::trace_event(arguments),
        Command::Verify(arguments) => wiring::verify_tables(arguments),
        Command::Parked(command) => wiring::parked(command),
        Command::Peek(arguments) => wiring::peek_records(arguments),
        Command::Replay(arguments) => wiring::replay_records(arguments),
        Command::Ledger(command) => wiring::ledger(command),
        Command::Resume(arguments) => wiring::resume(arguments),
        Command::Dlq(command) => wiring::dlq(command),
        Command::Audit(arguments) => wiring::audit(arguments),
        Command::Healthcheck => wiring::healthcheck(),
    }
}
