//! The command line of `consumer`.

use clap::{Args, Parser, Subcommand};
use pipeline::ports::Permit;

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
    /// Let unwritable records pass that consumers hold back because there were too many (`DLQ_MAX_RATIO`).
    ///
    /// All consumers of this dead letter queue hear it within seconds, and a restart does not forget it.
    Resume(Resume),
    /// Ask a running consumer on this machine whether its loop turns; for containers. Exit code 0 if it does.
    Healthcheck,
}

/// How many unwritable records may pass.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Args)]
#[group(required = true, multiple = false)]
pub struct Resume {
    /// Let so many records pass; the batch that uses them up passes whole.
    #[arg(long, value_name = "N")]
    records: Option<u64>,
    /// Let all records pass, until `--never`.
    #[arg(long)]
    always: bool,
    /// Take back what was permitted.
    #[arg(long)]
    never: bool,
}

impl Resume {
    /// What is permitted from now on.
    pub const fn permit(self) -> Permit {
        match self {
            Self { records: Some(records), .. } => Permit::Records(records),
            Self { always: true, .. } => Permit::Everything,
            Self { .. } => Permit::Nothing,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn permit(arguments: &[&str]) -> Option<Permit> {
        let cli = Cli::try_parse_from(["consumer", "resume"].iter().chain(arguments)).ok()?;
        match cli.command {
            Some(Command::Resume(resume)) => Some(resume.permit()),
            _ => None,
        }
    }

    #[test]
    fn a_resume_says_how_much_may_pass_in_exactly_one_way() {
        assert_eq!(permit(&["--records", "500"]), Some(Permit::Records(500)));
        assert_eq!(permit(&["--always"]), Some(Permit::Everything));
        assert_eq!(permit(&["--never"]), Some(Permit::Nothing));
        assert_eq!(permit(&[]), None);
        assert_eq!(permit(&["--always", "--never"]), None);
    }
}
