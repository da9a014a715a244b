//! The whole event pipeline in one process: see `standalone --help`.

#[macro_use]
mod say;

mod audit;
mod backends;
mod check;
mod cli;
mod demo;
mod dlq;
mod elsewhere;
mod existing;
mod ledger;
mod load;
mod opening;
mod parked;
mod peek;
mod replay;
mod resume;
mod serve;
mod status;
mod table;
mod trace;
mod verify;
mod wiring;
mod without_effect;

use std::path::Path;
use std::process::ExitCode;

use cli::{Cli, Command};
use settings::Reader;
use telemetry::{command_line, logging};
use wiring::Settings;

fn main() -> ExitCode {
    let cli: Cli = match command_line::parse() {
        Ok(cli) => cli,
        Err(done) => return done,
    };
    let command = cli.command.unwrap_or(Command::Run);
    if let Command::Check { json } = command {
        return check::run(cli.data_dir.as_deref(), json);
    }
    let mut env = match Reader::from_environment() {
        Ok(env) => env,
        Err(problem) => return wrong(&problem),
    };
    // Where a person reads along, log lines would stand between the lines of the story.
    let log_level = if command == Command::Run { "info" } else { "error,standalone=warn,consumer::verify::repair=info" };
    let mut settings = Settings::read(&mut env, log_level);
    settings.create_topic = cli.create_topic;
    let variables = match env.finish() {
        Ok(variables) => variables,
        Err(problems) => return wrong(&problems.to_string()),
    };
    let worked = logging::init(&settings.logging).map_err(anyhow::Error::from).and_then(|()| {
        // `status` tells of them among everything else.
        if !matches!(command, Command::Status(_)) {
            settings.noted.sentences().iter().for_each(|sentence| tracing::warn!("{sentence}"));
        }
        logging::tell_settings(&variables);
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
        runtime.block_on(work(command, settings, cli.data_dir.as_deref()))
    });
    match worked {
        Ok(code) => code,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

async fn work(command: Command, settings: Settings, data_dir: Option<&Path>) -> anyhow::Result<ExitCode> {
    match command {
        Command::Run => serve::run(settings, data_dir).await,
        // Done before the settings were read: it is about them.
        Command::Check { .. } => Ok(ExitCode::SUCCESS),
        Command::Menu => serve::menu(settings, data_dir).await,
        Command::Demo { api: Some(api), consumer: Some(consumer) } => elsewhere::demo(settings, &api, &consumer).await,
        Command::Demo { .. } => serve::demo(settings, data_dir).await,
        Command::Status(arguments) => status::run(settings, data_dir, arguments).await,
        Command::Trace(arguments) => trace::run(settings, data_dir, arguments).await,
        Command::Verify(arguments) => Ok(verify::run(settings, data_dir, arguments).await),
        Command::Dlq(command) => dlq::run(settings, data_dir, command).await,
        Command::Parked(command) => parked::run(settings, data_dir, command).await,
        Command::Peek(arguments) => peek::run(settings, data_dir, arguments).await,
        Command::Replay(arguments) => replay::run(settings, data_dir, arguments).await,
        Command::Ledger(command) => ledger::run(settings, data_dir, command).await,
        Command::Resume(arguments) => resume::run(settings, data_dir, arguments).await,
        Command::Audit(arguments) => Ok(audit::run(settings, data_dir, arguments).await),
        Command::Load { events, seed } => load::run(settings, data_dir, events, seed).await,
    }
}

fn wrong(problem: &str) -> ExitCode {
    eprintln!("error: {problem}");
    ExitCode::from(2)
}
