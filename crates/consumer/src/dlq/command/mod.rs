//! `dlq …` on a command line.

mod change;
mod ending;
mod jobs;
mod look;
mod run;
mod text;
mod wait;

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Subcommand};

use super::choice::RedriveRequest;
use super::filter::{Filter, event_type};
use super::stats::By;
use crate::watch;

pub use jobs::JobsArgs;
pub use run::run;

/// What can be done with dead letters.
#[derive(Clone, Debug, PartialEq, Subcommand)]
pub enum DlqCommand {
    /// List dead letters, newest first.
    List(ListArgs),
    /// Show everything about one dead letter.
    Show {
        /// Its id, or the beginning of it.
        id: String,
    },
    /// Count dead letters by what they have in common.
    Stats(StatsArgs),
    /// Send dead letters back to their topic, the oldest first, under the same key and event id.
    ///
    /// Safe to break off and to repeat: an entry leaves the list after the broker has acknowledged it, and an event counts once. It is a job:
    /// Ctrl-C pauses it; where this command is killed, a consumer that serves `/admin` goes on with it.
    Redrive(RedriveArgs),
    /// Look at redrive jobs, whoever began them and wherever they run: pause, resume, cancel one.
    Jobs(JobsArgs),
    /// Mend the payload of one dead letter in `$VISUAL` or `$EDITOR`, and send it under the same event id.
    Edit {
        /// Its id, or the beginning of it.
        id: String,
        /// Do not ask before it is sent.
        #[arg(long)]
        yes: bool,
    },
    /// Remove dead letters for good.
    Purge(PurgeArgs),
    /// Write dead letters as JSON lines, oldest first: all of them, or those that are meant.
    Export {
        /// Which ones.
        #[command(flatten)]
        filter: FilterArgs,
        /// Where to, readable for its owner alone; without it, or with `-`, to the standard output.
        file: Option<PathBuf>,
        /// Replace the file where it exists.
        #[arg(long)]
        force: bool,
    },
    /// Put dead letters into the list that were exported; those that are there already are skipped.
    Import {
        /// Where from; `-` is the standard input.
        file: PathBuf,
        /// Also what cannot be read as a dead letter, which other programs may have put into the list.
        #[arg(long)]
        any: bool,
    },
}

/// What a command needs besides the list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Needs {
    /// A broker to send to.
    pub broker: bool,
    /// Tables to ask, or to note in what is changed.
    pub tables: bool,
}

impl DlqCommand {
    /// What it needs besides the list.
    pub const fn needs(&self) -> Needs {
        match self {
            Self::Redrive(RedriveArgs { dry_run, .. }) => Needs { broker: !*dry_run, tables: true },
            Self::Jobs(jobs) => Needs { broker: jobs.is_run_here(), tables: true },
            Self::Edit { .. } => Needs { broker: true, tables: true },
            Self::Purge(_) | Self::Import { .. } => Needs { broker: false, tables: true },
            _ => Needs { broker: false, tables: false },
        }
    }
}

/// Which dead letters.
#[derive(Clone, Debug, Default, PartialEq, Eq, Args)]
pub struct FilterArgs {
    /// Only this one: its id, or the beginning of it. May be given more than once.
    #[arg(long = "id", value_name = "ID")]
    ids: Vec<String>,
    /// Only those with this reason, such as `missing_parent`; `unknown` where others told none, `unreadable` for what is no dead letter.
    #[arg(long)]
    reason: Option<String>,
    /// Only those with this fingerprint; see `stats`.
    #[arg(long)]
    fingerprint: Option<String>,
    /// Only those of this event type, or `unknown`.
    #[arg(long, value_name = "TYPE", value_parser = event_type)]
    event_type: Option<String>,
    /// Only those that have been dead letters for so long, such as `1h` or `7d`.
    #[arg(long, value_name = "AGE", value_parser = age)]
    older_than: Option<Duration>,
}

impl FilterArgs {
    /// The filter with these ids in full.
    fn filter(&self, ids: BTreeSet<String>) -> Filter {
        let Self { reason, fingerprint, event_type, older_than, .. } = self.clone();
        Filter { ids, reason, fingerprint, event_type, older_than, until: None }
    }

    fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// `list`.
#[derive(Clone, Debug, PartialEq, Eq, Args)]
pub struct ListArgs {
    #[command(flatten)]
    filter: FilterArgs,
    /// At most so many.
    #[arg(long, value_name = "N", default_value_t = 50)]
    limit: u64,
    /// With type, event id and place, in 130 columns instead of 80.
    #[arg(long, conflicts_with = "json")]
    wide: bool,
    /// Show it again every so many seconds, until Ctrl-C.
    #[arg(long, value_name = "SECONDS", num_args = 0..=1, default_missing_value = "5", value_parser = watch::seconds, conflicts_with = "json")]
    watch: Option<Duration>,
    /// One JSON object per line.
    #[arg(long)]
    json: bool,
}

/// `stats`.
#[derive(Clone, Debug, PartialEq, Eq, Args)]
pub struct StatsArgs {
    #[command(flatten)]
    filter: FilterArgs,
    /// Count by this too; keys may be personal data. May be given more than once.
    #[arg(long, value_enum)]
    by: Vec<By>,
    /// As JSON.
    #[arg(long)]
    json: bool,
}

/// `redrive`.
#[derive(Clone, Debug, PartialEq, Args)]
pub struct RedriveArgs {
    #[command(flatten)]
    filter: FilterArgs,
    /// All of them.
    #[arg(long, conflicts_with_all = ["ids", "reason", "fingerprint", "event_type", "older_than"])]
    all: bool,
    /// At most so many.
    #[arg(long, value_name = "N")]
    limit: Option<u64>,
    /// So many per second, at most, such as `50/s`; `30/m` is so many per minute.
    #[arg(long, value_name = "N/s", value_parser = rate)]
    rate: Option<f64>,
    /// Leave those that were redriven so often; without it, `DLQ_MAX_RETRIES` says so.
    #[arg(long, value_name = "N")]
    max_retries: Option<u32>,
    /// Send nothing; ask the database how each would end. It does what it would do, and undoes it.
    #[arg(long)]
    dry_run: bool,
    /// Wait until the consumer has taken what was sent, so many seconds at most (60), then ask how each letter ended: applied, duplicate, stale, parked,
    /// failed again, or not yet. Exits with 1 where one failed again or how it ended is not known.
    #[arg(long, value_name = "SECONDS", num_args = 0..=1, default_missing_value = "60", value_parser = watch::seconds, conflicts_with = "dry_run")]
    wait: Option<Duration>,
    /// As JSON; with `--wait`, each letter on a line of its own.
    #[arg(long)]
    json: bool,
}

impl RedriveArgs {
    fn order(&self, ids: BTreeSet<String>, max_retries: u32) -> RedriveRequest {
        let max_retries = self.max_retries.unwrap_or(max_retries);
        RedriveRequest { filter: self.filter.filter(ids), limit: self.limit, rate: self.rate, max_retries }
    }
}

/// `purge`.
#[derive(Clone, Debug, PartialEq, Eq, Args)]
pub struct PurgeArgs {
    #[command(flatten)]
    filter: FilterArgs,
    /// All of them.
    #[arg(long, conflicts_with_all = ["ids", "reason", "fingerprint", "event_type", "older_than"])]
    all: bool,
    /// Do not ask.
    #[arg(long)]
    yes: bool,
}

fn age(text: &str) -> Result<Duration, String> {
    settings::span::parse(text).ok_or_else(|| "an age is a number with a unit, such as 90s, 15m, 1h or 7d".to_owned())
}

/// A rate per second.
pub(crate) fn rate(text: &str) -> Result<f64, String> {
    let (number, seconds) = match text.split_once('/') {
        None | Some((_, "s")) => (text.trim_end_matches("/s"), 1.0),
        Some((number, "m")) => (number, 60.0),
        Some((number, "h")) => (number, 3600.0),
        Some(_) => ("", 1.0),
    };
    let rate = number.parse::<f64>().ok().map(|number| number / seconds).filter(|rate| rate.is_finite() && *rate > 0.0);
    rate.ok_or_else(|| "a rate is a number above 0 with a unit, such as 50/s or 30/m".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rates_are_told_per_second_minute_or_hour() {
        for (text, per_second) in [("50", 50.0), ("50/s", 50.0), ("30/m", 0.5), ("1800/h", 0.5), ("0.5/s", 0.5)] {
            assert_eq!(rate(text), Ok(per_second), "{text}");
        }
        for text in ["", "0", "-1/s", "inf", "NaN", "5/d", "x/s"] {
            assert!(rate(text).is_err(), "{text}");
        }
    }
}
