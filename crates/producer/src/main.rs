//! `producer`: puts events on a Kafka topic.

use std::process::ExitCode;
use std::time::Duration;

use kafka::{KafkaConfig, KafkaPublisher};
use producer::cli::Cli;
use producer::{Exit, Target};
use telemetry::{LoggingConfig, command_line, logging};

fn main() -> ExitCode {
    let cli: Cli = match command_line::parse() {
        Ok(cli) => cli,
        Err(done) => return done,
    };
    let config = match settings() {
        Ok(config) => config,
        Err(problem) => return fail(&problem),
    };
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return fail(&error.to_string()),
    };
    let exit = runtime.block_on(run(cli, &config));
    // Not waited for: everything that was answered is out, and the rest would hold up a person who has pressed Ctrl-C.
    runtime.shutdown_background();
    exit.into()
}

/// Reads the settings and starts logging.
fn settings() -> Result<KafkaConfig, String> {
    let mut env = settings::Reader::from_environment()?;
    let config = KafkaConfig::read(&mut env);
    // Log lines would run through the menu. What Kafka's client reports comes as the result of a delivery anyway.
    let log = LoggingConfig::read_or(&mut env, "warn,kafka=error");
    env.near_misses().iter().for_each(|near_miss| eprintln!("warning: {near_miss}"));
    let variables = env.finish().map_err(|problems| problems.to_string())?;
    logging::init(&log).map_err(|error| error.to_string())?;
    logging::tell_settings(&variables);
    Ok(config)
}

async fn run(cli: Cli, config: &KafkaConfig) -> Exit {
    let target = Target { brokers: config.brokers.clone(), topic: config.topic.clone() };
    let publisher = match KafkaPublisher::open(config) {
        Ok(publisher) => publisher,
        Err(fault) => {
            eprintln!("error: {}", target.explain(&fault));
            return Exit::Usage;
        }
    };
    let exit = producer::run(cli.command, &publisher, target).await;
    // What is still on its way here has been expired already.
    publisher.close(Duration::ZERO).await.ok();
    exit
}

fn fail(problem: &str) -> ExitCode {
    eprintln!("error: {problem}");
    Exit::Usage.into()
}
