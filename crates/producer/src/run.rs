//! What each command does, and how it ends.

use std::process::ExitCode;

use pipeline::Publisher;
use rand::RngExt;
use telemetry::output::print_line;

use crate::cli::{Command, GenerateArgs, Output, To};
use crate::generate::{self, Generator, GeneratorConfig, Progress, Records, RunOptions, records};
use crate::menu::{self, Terminal};
use crate::receipt::{Receipt, Sending};
use crate::{Target, defaults, interrupts, raw, send};

/// How a command ended, as the exit code tells it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// 0: everything was delivered.
    Delivered,
    /// 1: something was not.
    Undelivered,
    /// 2: the arguments or the settings are wrong.
    Usage,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(match exit {
            Exit::Delivered => 0,
            Exit::Undelivered => 1,
            Exit::Usage => 2,
        })
    }
}

/// Does what was asked for; nothing opens the menu. Results go to the standard output, problems to stderr.
pub async fn run<P: Publisher>(command: Option<Command>, publisher: &P, target: Target) -> Exit {
    match command {
        None => open_menu(publisher, &target).await,
        Some(Command::Send(mut args)) => {
            let to = std::mem::take(&mut args.to);
            send_one(publisher, target, to, send::prepare(args)).await
        }
        Some(Command::SendRaw(mut args)) => {
            let to = std::mem::take(&mut args.to);
            send_one(publisher, target, to, raw::prepare(args)).await
        }
        Some(Command::Generate(args)) => generate(publisher, target, args).await,
    }
}

fn refuse(problem: &str) -> Exit {
    eprintln!("Nothing was sent: {problem}.");
    Exit::Usage
}

async fn open_menu<P: Publisher>(publisher: &P, target: &Target) -> Exit {
    let Some(terminal) = Terminal::open() else {
        return refuse("the menu needs a terminal; without one, use `producer send` or `producer generate`, see `producer --help`");
    };
    match menu::run(publisher, target, terminal, interrupts::count(), interrupts::terminated()).await {
        Ok(()) => Exit::Delivered,
        Err(error) => {
            eprintln!("The menu has ended: {error}.");
            Exit::Undelivered
        }
    }
}

async fn send_one<P: Publisher>(publisher: &P, target: Target, to: To, sending: Result<Sending, String>) -> Exit {
    let target = target.with_topic(to.topic);
    let sending = match sending {
        Ok(sending) => sending,
        Err(problem) => return refuse(&problem),
    };
    let notice = || eprintln!("{}", target.still_waiting());
    match Receipt::obtain(publisher, &target.topic, sending, notice).await {
        Ok(receipt) => {
            // It was delivered, and the exit code says so, whether or not the receipt can be read: who sends it again sends another event.
            let _printed = match to.output {
                Output::Text => print_line(&receipt),
                Output::Json => print_line(receipt.to_json()),
            };
            Exit::Delivered
        }
        Err(fault) => {
            eprintln!("Not delivered: {}", target.explain(&fault));
            Exit::Undelivered
        }
    }
}

async fn generate<P: Publisher>(publisher: &P, target: Target, args: GenerateArgs) -> Exit {
    let target = target.with_topic(args.topic.clone());
    let config = configure(&args);
    let total = records::total(args.events, args.poison_every);
    let options = RunOptions { rate: args.rate, progress: Progress::for_stderr(total) };
    let (seed, repeat) = (config.seed, repeat(&config, args.poison_every));
    let records = Records::new(Generator::new(config)).with_poison(args.poison_every, seed);
    let summary = generate::run(publisher, &target.topic, records, options, interrupts::count()).await;
    let again = format!("producer generate {repeat}");
    let _printed = match args.output {
        Output::Text => print_line(format_args!("{summary}\nThe same again: {again}")),
        Output::Json => {
            let mut told = summary.to_json();
            (told["seed"], told["again"]) = (seed.into(), again.into());
            print_line(told)
        }
    };
    if let Some(fault) = &summary.fault {
        eprintln!("Not delivered: {}", target.explain(fault));
    }
    if summary.is_delivered() { Exit::Delivered } else { Exit::Undelivered }
}

/// The arguments that give the same records.
fn repeat(config: &GeneratorConfig, poison_every: Option<u64>) -> String {
    let GeneratorConfig { events, seed, users, out_of_order, start } = config;
    let poison = poison_every.map(|every| format!(" --poison-every {every}")).unwrap_or_default();
    format!("--events {events} --seed {seed} --users {users} --out-of-order {out_of_order} --start {start}{poison}")
}

fn configure(args: &GenerateArgs) -> GeneratorConfig {
    let seed = args.seed.unwrap_or_else(|| rand::rng().random_range(0..1_000_000_000));
    let config = GeneratorConfig::new(args.events, seed);
    // A seed alone stands for the same bytes at all times: an event id that comes back must not come back with other content.
    let start = args.start.unwrap_or_else(|| if args.seed.is_some() { config.start } else { config.start_before(defaults::now()) });
    GeneratorConfig { users: args.users.unwrap_or(config.users), out_of_order: args.out_of_order, start, ..config }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;
    use crate::cli::Cli;

    fn configured(line: &str) -> (GeneratorConfig, Option<u64>) {
        match Cli::try_parse_from(line.split(' ')).unwrap().command {
            Some(Command::Generate(args)) => (configure(&args), args.poison_every),
            _ => panic!("it generates"),
        }
    }

    #[test]
    fn the_arguments_that_are_shown_give_the_same_records_again() {
        for line in ["producer generate", "producer generate --events 70 --users 9 --out-of-order 0.25 --poison-every 5"] {
            let (config, poison_every) = configured(line);
            let again = format!("producer generate {}", repeat(&config, poison_every));
            assert_eq!(configured(&again), (config, poison_every));
        }
    }
}
