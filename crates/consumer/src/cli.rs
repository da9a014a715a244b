//! The command line of `consumer`.

use clap::{Parser, Subcommand};

use crate::audit::command::AuditArgs;
use crate::dlq::DlqCommand;
use crate::ledger::LedgerCommand;
use crate::parked::ParkedCommand;
use crate::peek::PeekArgs;
use crate::replay::ReplayArgs;
use crate::resume::Resume;
use crate::status::StatusArgs;
use crate::trace::TraceArgs;
use crate::verify::VerifyArgs;

/// Writes events from Kafka to SQL Server, each once; what can never be written goes to a dead letter queue in Redis.
///
/// Settings come from the environment and from a `.env` file in the working directory. Without a subcommand the consumer runs.
///
/// Exit codes: 0 stopped or done, 1 failed, 2 wrong usage or settings.
#[derive(Debug, Parser)]
#[command(name = "consumer")]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Option<Command>,
}

/// What `consumer` can do.
#[derive(Clone, Debug, PartialEq, Subcommand)]
pub enum Command {
    /// Consume until SIGINT or SIGTERM (the default). Waits while the database is older than this program needs.
    Run {
        /// Create or upgrade the database first, as `migrate` does; the login needs the rights for it.
        #[arg(long)]
        migrate: bool,
    },
    /// Test the settings and every part that they name, and say what to do; changes nothing.
    ///
    /// Exit codes: 0 nothing failed (warnings may be there), 1 something failed, 2 wrong settings.
    Check {
        /// As JSON.
        #[arg(long)]
        json: bool,
    },
    /// Create or upgrade the database, and say what was done.
    Migrate,
    /// Show on one screen what the consumer on this machine says of itself, the lag, what is parked, and the dead letters by fingerprint.
    ///
    /// Reads the list of dead letters from end to end. Exit codes: 0 the consumer is ready, every part answered, and no process's last
    /// verification found a difference; 1 not so; 2 wrong usage or settings.
    Status(StatusArgs),
    /// Say what the tables, the parking table, the dead letters and the audit log know of one event, or of a user, an order, a payment or an article.
    ///
    /// Reads the list of dead letters from end to end; for an event also the tables of rows, for an article (`--sku`) the ledger. Exit codes: 0 found, 1 nothing knows it or a part could not be asked, 2 wrong usage or
    /// settings.
    Trace(TraceArgs),
    /// Prove that the tables are what the log says: read the topic once more, beside the group, and compare every row.
    ///
    /// May run beside consumers, and changes nothing without `--repair`. Exit codes: 0 equal, 1 differences, 2 wrong usage or settings, 3 it could not be finished.
    Verify(VerifyArgs),
    /// Look at the events that wait for a user, an order or an e-mail address.
    ///
    /// Exit codes: 0 shown, 1 nothing waits for it or the database could not be asked, 2 wrong usage or settings.
    #[command(subcommand)]
    Parked(ParkedCommand),
    /// Show the next records that the group has not consumed, and what each would come to: what a hold keeps back. Changes and commits nothing.
    ///
    /// Exit codes: 0 shown, 1 not every record came or a part could not be asked, 2 wrong usage or settings.
    Peek(PeekArgs),
    /// Consume records again: move the group's offsets back, in Kafka. Shows what would come again, and moves nothing without `--execute`.
    ///
    /// Consumers must be stopped. Once they are started they read from there to the end of the log, as always: there is no end to be given. The tables keep
    /// what they hold; an event that is in them changes nothing, one that is not is applied. Nothing can be skipped: offsets only go back.
    ///
    /// Exit codes: 0 shown or moved, 1 refused (the group has members) or a part could not be asked, 2 wrong usage or settings.
    Replay(ReplayArgs),
    /// Fold old lines of the ledger of stock into opening balances: what nothing can bring again needs no line of its own.
    ///
    /// Exit codes: 0 shown or folded, 1 refused or a part could not be asked, 2 wrong usage or settings.
    #[command(subcommand)]
    Ledger(LedgerCommand),
    /// Let unwritable records pass that consumers hold back because there were too many (`DLQ_MAX_RATIO`).
    ///
    /// All consumers of this dead letter queue hear it within seconds, and a restart does not forget it.
    Resume(Resume),
    /// Look at dead letters, send them again, mend, remove, carry them away.
    ///
    /// Exit codes: 0 all of it was done, 1 something failed, 2 wrong usage or settings.
    #[command(subcommand)]
    Dlq(DlqCommand),
    /// Show what operators have changed, the newest last: who, from where, what, to what, and what came of it.
    ///
    /// Exit codes: 0 shown, 1 it could not be read, 2 wrong usage or settings; those of `verify` are its own.
    Audit(AuditArgs),
    /// Ask a running consumer on this machine whether its loop turns; for containers. Exit code 0 if it does.
    Healthcheck,
}

#[cfg(test)]
mod tests {
    use pipeline::ports::Permit;

    use super::*;

    #[test]
    fn nothing_migrates_unless_it_is_told_to() {
        let run = |arguments: &[&str]| Cli::try_parse_from(arguments).unwrap().command;
        assert_eq!(run(&["consumer"]), None);
        assert_eq!(run(&["consumer", "run"]), Some(Command::Run { migrate: false }));
        assert_eq!(run(&["consumer", "run", "--migrate"]), Some(Command::Run { migrate: true }));
    }

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
