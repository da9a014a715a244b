//! `audit …` on a command line: looking at the log, and verifying it.

use std::collections::VecDeque;
use std::process::ExitCode;

use clap::{Args, Subcommand};
use pipeline::Fault;
use pipeline::audit::{AuditEntry, AuditRecord, AuditTail, Break, ChainCheck, Sha256Digest};
use pipeline::ports::{AuditLog, AuditPage};
use serde_json::{Value, json};
use telemetry::output::print_line;
use uuid::Uuid;

use crate::dlq::printable::printable;
use crate::plural::counted;

/// Entries read at once.
const PAGE: usize = 1000;
/// Entries that are shown, where nothing else is asked for.
pub(crate) const SHOWN: usize = 50;

/// What is asked for.
#[derive(Clone, Debug, PartialEq, Eq, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub struct AuditArgs {
    /// Another thing to do than to show entries.
    #[command(subcommand)]
    pub command: Option<AuditCommand>,
    /// The last N entries; without it 50, or all of the operation.
    #[arg(long, value_name = "N")]
    limit: Option<usize>,
    /// Only the entries of this operation.
    #[arg(long, value_name = "ID")]
    operation: Option<Uuid>,
    /// One JSON object per line.
    #[arg(long)]
    json: bool,
}

/// What can be done with the log besides looking at it.
#[derive(Clone, Debug, PartialEq, Eq, Subcommand)]
pub enum AuditCommand {
    /// Prove that no entry was changed, removed or inserted: walk through the chain of their hashes, and print the last one.
    ///
    /// Note the last hash in another place, and give it as `--expect` the next time: whoever may write the whole table can write a whole chain anew.
    ///
    /// Exit codes: 0 unbroken, 1 broken, 2 wrong usage or settings, 3 it could not be read.
    Verify {
        /// A hash that was noted earlier: it has to be in the chain still.
        #[arg(long, value_name = "HASH")]
        expect: Option<Sha256Digest>,
    },
}

/// Says why the log cannot be read. Whoever verifies it tells that apart from one that is broken.
pub fn cannot_read(arguments: &AuditArgs, why: impl std::fmt::Display) -> ExitCode {
    eprintln!("error: the audit log cannot be read: {why}");
    if arguments.command.is_some() { ExitCode::from(3) } else { ExitCode::FAILURE }
}

/// Does what was asked for.
pub async fn run(log: &impl AuditLog, arguments: AuditArgs) -> ExitCode {
    if let Some(AuditCommand::Verify { expect }) = &arguments.command {
        return match verify(log, *expect).await {
            Ok(verdict) => tell(&[verdict.to_string()], verdict.is_unbroken()),
            Err(fault) => cannot_read(&arguments, fault),
        };
    }
    match entries(log, &arguments).await {
        Ok(entries) if arguments.json => tell(&entries.iter().map(|entry| to_json(entry).to_string()).collect::<Vec<_>>(), true),
        Ok(entries) => tell(&table(&entries), true),
        Err(fault) => cannot_read(&arguments, fault),
    }
}

fn tell(lines: &[String], is_well: bool) -> ExitCode {
    let is_told = lines.is_empty() || print_line(lines.join("\n"));
    if is_told && is_well { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// What a walk through the log has found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Nothing was changed; this is the end.
    Unbroken(AuditTail),
    /// Something was.
    Broken(Break),
    /// The chain of what is there is whole, and the hash that was noted earlier is not in it.
    NotMet(AuditTail, Sha256Digest),
}

impl Verdict {
    /// Whether nothing was changed.
    pub const fn is_unbroken(self) -> bool {
        matches!(self, Self::Unbroken(_))
    }

    /// As JSON. Of a log that was changed, no number and no hash is known that could be relied on.
    pub fn to_json(self) -> Value {
        let tail = match self {
            Self::Unbroken(tail) => Some(tail),
            Self::Broken(_) | Self::NotMet(..) => None,
        };
        json!({
            "unbroken": self.is_unbroken(), "entries": tail.map(|tail| tail.number),
            "lastHash": tail.filter(|tail| tail.number > 0).map(|tail| tail.hash.to_string()), "verdict": self.to_string(),
        })
    }
}

/// How many a log has.
fn entries_of(number: i64) -> String {
    counted(number.unsigned_abs(), "entry", "entries")
}

impl std::fmt::Display for Verdict {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Unbroken(AuditTail { number: 0, .. }) => f.write_str("unbroken: the audit log has no entries"),
            Self::Unbroken(AuditTail { number, hash }) => write!(f, "unbroken: {}, the last hash is {hash}", entries_of(*number)),
            Self::Broken(broken) => write!(f, "broken: {broken}"),
            Self::NotMet(AuditTail { number, .. }, expected) => write!(
                f,
                "broken: no entry has the hash {expected} ({} in all): the log was cut off before it, or written anew",
                entries_of(*number)
            ),
        }
    }
}

/// Walks through the whole log.
///
/// # Errors
/// The database is away.
pub async fn verify(log: &impl AuditLog, expected: Option<Sha256Digest>) -> Result<Verdict, Fault> {
    let mut check = ChainCheck::new(expected);
    loop {
        let page = log.audit_page(AuditPage::After(check.tail().number), PAGE).await?;
        if page.is_empty() {
            let tail = check.tail();
            return Ok(expected.filter(|_| !check.has_met_expected()).map_or(Verdict::Unbroken(tail), |hash| Verdict::NotMet(tail, hash)));
        }
        if let Err(broken) = check.walk(&page) {
            return Ok(Verdict::Broken(broken));
        }
    }
}

/// The entries that are asked for, the newest last.
async fn entries(log: &impl AuditLog, arguments: &AuditArgs) -> Result<VecDeque<AuditEntry>, Fault> {
    let mut found = VecDeque::new();
    let Some(operation) = arguments.operation else {
        let mut before = i64::MAX;
        let limit = arguments.limit.unwrap_or(SHOWN);
        while found.len() < limit {
            let page = log.audit_page(AuditPage::Before(before), PAGE.min(limit - found.len())).await?;
            let Some(last) = page.last() else { break };
            before = last.number;
            page.into_iter().for_each(|entry| found.push_front(entry));
        }
        return Ok(found);
    };
    let mut after = 0;
    loop {
        let page = log.audit_page(AuditPage::Of { operation, after }, PAGE).await?;
        let Some(last) = page.last() else { return Ok(found) };
        after = last.number;
        found.extend(page);
        let surplus = found.len().saturating_sub(arguments.limit.unwrap_or(usize::MAX));
        found.drain(..surplus);
    }
}

/// The entries for a person. As wide as what is in it.
fn table(entries: &VecDeque<AuditEntry>) -> Vec<String> {
    let headings = ["number", "time", "who", "from", "what", "subject", "outcome"].map(str::to_owned);
    let rows = entries.iter().map(|AuditEntry { number, record, .. }| {
        let AuditRecord { at, actor, origin, action, subject, outcome, .. } = record;
        let [actor, origin, action, subject, outcome] = [actor, origin, action, subject, outcome].map(|text| printable(text).into_owned());
        [number.to_string(), at.to_string(), actor, origin, action, subject, outcome]
    });
    let rows: Vec<[String; 7]> = std::iter::once(headings).chain(rows).collect();
    let widths: [usize; 7] = std::array::from_fn(|column| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or(0));
    let line = |row: &[String; 7]| {
        let cells: Vec<_> = row.iter().zip(widths).map(|(cell, width)| format!("{cell:<width$}")).collect();
        cells.join("  ").trim_end().to_owned()
    };
    rows.iter().map(line).collect()
}

/// An entry as JSON.
pub(crate) fn to_json(entry: &AuditEntry) -> Value {
    let AuditEntry { number, record, previous_hash, hash } = entry;
    let AuditRecord { at, actor, origin, action, operation, subject, before, after, outcome } = record;
    let digest = |digest: &Option<Sha256Digest>| digest.map(|digest| digest.to_string());
    json!({
        "number": number, "at": at, "actor": actor, "origin": origin, "action": action, "operation": operation, "subject": subject,
        "before": digest(before), "after": digest(after), "outcome": outcome, "previousHash": previous_hash.to_string(), "hash": hash.to_string(),
    })
}

#[cfg(test)]
mod tests {
    use clap::Parser;
    use pipeline::audit::chain;

    use super::*;
    use crate::audit::{Audit, Subject, Who};

    #[derive(Parser)]
    struct Cli {
        #[command(flatten)]
        arguments: AuditArgs,
    }

    fn parse(arguments: &[&str]) -> Result<AuditArgs, clap::Error> {
        Cli::try_parse_from(std::iter::once("audit").chain(arguments.iter().copied())).map(|cli| cli.arguments)
    }

    async fn log_of(operations: usize) -> sqlite::Sqlite {
        let log = sqlite::Sqlite::temporary().unwrap();
        for number in 0..operations {
            let subject = Subject::new(format!("dead letter {number}"));
            let begun = Audit(&log).begin(Who::console("ada"), pipeline::audit::AuditAction::Purge, subject).await;
            begun.unwrap().end("1 removed").await;
        }
        log
    }

    #[test]
    fn what_is_asked_for_is_understood() {
        let hash = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
        assert!(parse(&[]).unwrap().command.is_none());
        assert!(parse(&["--limit", "3", "--json"]).unwrap().json);
        let expected = Some(AuditCommand::Verify { expect: Some(hash.parse().unwrap()) });
        assert_eq!(parse(&["verify", "--expect", hash]).unwrap().command, expected);
        for wrong in [&["verify", "--expect", "abc"][..], &["--operation", "7"], &["--json", "verify"], &["--limit", "-1"]] {
            assert!(parse(wrong).is_err(), "{wrong:?}");
        }
    }

    #[tokio::test]
    async fn the_last_entries_are_shown_the_newest_last_and_those_of_one_operation() {
        let log = log_of(30).await;
        let numbers = async |arguments: &[&str]| {
            let entries = entries(&log, &parse(arguments).unwrap()).await.unwrap();
            entries.iter().map(|entry| entry.number).collect::<Vec<_>>()
        };
        assert_eq!(numbers(&[]).await, (11..=60).collect::<Vec<_>>());
        assert_eq!(numbers(&["--limit", "2"]).await, [59, 60]);
        assert_eq!(numbers(&["--limit", "0"]).await, [0; 0]);
        let operation = log.audit_page(AuditPage::After(2), 1).await.unwrap()[0].record.operation.to_string();
        assert_eq!(numbers(&["--operation", &operation]).await, [3, 4]);
        assert_eq!(numbers(&["--operation", &operation, "--limit", "1"]).await, [4]);
    }

    #[tokio::test]
    async fn a_row_says_who_from_where_what_to_what_and_what_came_of_it() {
        let entries = entries(&log_of(1).await, &parse(&[]).unwrap()).await.unwrap();
        let lines = table(&entries);
        assert!(lines[0].starts_with("number  time"), "{}", lines[0]);
        assert!(lines[2].ends_with("ada  console  purge  dead letter 0  1 removed"), "{}", lines[2]);
        let object = to_json(&entries[1]);
        assert_eq!((&object["number"], &object["previousHash"]), (&json!(2), &json!(entries[0].hash.to_string())));
    }

    #[tokio::test]
    async fn a_verdict_tells_the_last_hash_or_where_the_chain_is_broken() {
        let log = log_of(2).await;
        let all = log.audit_page(AuditPage::After(0), PAGE).await.unwrap();
        let whole = verify(&log, None).await.unwrap();
        assert_eq!(whole.to_string(), format!("unbroken: 4 entries, the last hash is {}", all[3].hash));
        assert_eq!(verify(&log, Some(all[1].hash)).await, Ok(whole));
        let gone = chain(AuditTail { number: 4, hash: all[3].hash }, &[all[0].record.clone()])[0].hash;
        let cut = verify(&log, Some(gone)).await.unwrap();
        assert!(!cut.is_unbroken() && cut.to_string().contains("cut off"), "{cut}");
        let one = AuditTail { number: 1, hash: all[0].hash };
        assert!(Verdict::Unbroken(one).to_string().starts_with("unbroken: 1 entry, "));
        assert!(Verdict::NotMet(one, gone).to_string().contains(" (1 entry in all): "));
        let empty = verify(&log_of(0).await, None).await.unwrap();
        assert_eq!(empty.to_string(), "unbroken: the audit log has no entries");

        let file = rusqlite::Connection::open(log.path()).unwrap();
        file.execute_batch("DROP TRIGGER audit_log_is_not_changed; UPDATE audit_log SET actor = 'eve' WHERE number = 3").unwrap();
        let broken = verify(&log, None).await.unwrap();
        assert_eq!(broken.to_string(), "broken: entry 3 was changed: its fields do not give its hash");
    }
}
