//! Carrying entries out of the list and into one, as JSON lines.

use std::collections::HashMap;
use std::fmt;
use std::io;

use events::Timestamp;
use pipeline::dead_letter::Entry;
use pipeline::fault::Fault;
use pipeline::ports::{DeadLetterArchive, DeadLetterReader};
use serde::Serialize;
use sha2::{Digest as _, Sha256};

use super::filter::Filter;
use super::listed::Listed;
use super::refusal::Refusal;
use super::scan::Scan;
use crate::audit::{Handled, Witness};

/// Entries that are put into the list at once, and bytes of them.
const CHUNK: (usize, usize) = (500, 4 << 20);

/// The line of an entry, without its end: the text as it is where that is JSON on one line, and the text as a JSON string where it is not.
/// [`text_of`] gives back every byte.
pub fn line_of(text: &str) -> String {
    let one_line = !text.contains(['\n', '\r']) && text.starts_with(['{', '[']);
    if one_line && serde_json::from_str::<serde::de::IgnoredAny>(text).is_ok() {
        return text.to_owned();
    }
    // A string can be written to memory.
    serde_json::to_string(text).unwrap_or_default()
}

/// The entry of a line; `None` where the line is not JSON.
pub fn text_of(line: &str) -> Option<String> {
    if line.starts_with('"') {
        return serde_json::from_str(line).ok();
    }
    serde_json::from_str::<serde::de::IgnoredAny>(line).ok().map(|_| line.to_owned())
}

/// The next lines of an export of what is meant, oldest first, each with its end; none when it is complete.
///
/// # Errors
/// The queue is away.
pub async fn export_page<Q: DeadLetterReader>(scan: &mut Scan<'_, Q>, filter: &Filter, now: Timestamp) -> Result<Vec<String>, Fault> {
    loop {
        let page = scan.look().await?;
        let is_end = page.is_empty();
        let meant = page.into_iter().filter(|listed| filter.selects(listed, now));
        let lines: Vec<_> = meant.map(|listed| line_of(&listed.text) + "\n").collect();
        if is_end || !lines.is_empty() {
            return Ok(lines);
        }
    }
}

/// What an import did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Imported {
    /// Lines that hold an entry.
    pub lines: u64,
    /// Put into the list.
    pub imported: u64,
    /// In the list already.
    pub skipped: u64,
}

impl fmt::Display for Imported {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} imported, {} skipped", self.imported, self.skipped)
    }
}

/// Puts the entries of these lines into the list, the first one as the oldest of them, except those that are there: each text is in the list
/// afterwards as often as it is in the lines, or more often, so that importing twice changes nothing. Empty lines are skipped. Holds 20
/// bytes for each entry of the list. `witness` is told of those that were put there; where it cannot note it, no more are. `any` also takes entries that cannot be read as dead letters, which an export may hold.
///
/// # Errors
/// A line is not JSON, or no dead letter, or the queue is away. The lines before are in the list, at least in part; importing again is safe.
pub async fn import<Q>(
    queue: &Q,
    lines: impl Iterator<Item = io::Result<String>>,
    any: bool,
    witness: &mut impl Witness,
) -> Result<Imported, ImportError>
where
    Q: DeadLetterReader + DeadLetterArchive,
{
    let mut present = present(queue).await?;
    let mut imported = Imported::default();
    let (mut chunk, mut bytes) = (Vec::new(), 0);
    for (number, line) in (1..).zip(lines) {
        let line = line.map_err(ImportError::Read)?;
        let line = line.strip_suffix('\r').unwrap_or(&line);
        if line.trim().is_empty() {
            continue;
        }
        let text = match text_of(line) {
            Some(text) if any || Entry::parse(&text).is_ok() => text,
            other => {
                restore(queue, chunk, witness).await?;
                let refusal = if other.is_none() { Refusal::NotJson { line: number } } else { Refusal::NoDeadLetter { line: number } };
                return Err(refusal.into());
            }
        };
        imported.lines += 1;
        if let Some(count) = present.get_mut(&digest(&text)).filter(|count| **count > 0) {
            *count -= 1;
            imported.skipped += 1;
            continue;
        }
        imported.imported += 1;
        bytes += text.len();
        chunk.push(text);
        if chunk.len() >= CHUNK.0 || bytes >= CHUNK.1 {
            restore(queue, std::mem::take(&mut chunk), witness).await?;
            bytes = 0;
        }
    }
    restore(queue, chunk, witness).await?;
    Ok(imported)
}

/// Puts these into the list, and says so.
async fn restore(queue: &impl DeadLetterArchive, texts: Vec<String>, witness: &mut impl Witness) -> Result<(), Fault> {
    if texts.is_empty() {
        return Ok(());
    }
    let restored = queue.restore(&texts).await;
    // One that fails may have put some there.
    let outcome = if restored.is_ok() { "imported" } else { "imported, or not: the queue did not answer" };
    let handled = texts.into_iter().map(|text| {
        let listed = Listed::new(text);
        Handled::new(listed.id, listed.entry.as_ref().and_then(|entry| entry.event_id.as_deref()), outcome)
    });
    let noted = witness.handled(handled.collect()).await;
    restored?;
    noted
}

/// Why an import ended early.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    /// A line is not JSON, or no dead letter, or the queue is away.
    #[error(transparent)]
    Refusal(#[from] Refusal),
    /// The lines cannot be read.
    #[error("the file cannot be read on: {0}")]
    Read(io::Error),
}

impl From<Fault> for ImportError {
    fn from(fault: Fault) -> Self {
        Self::Refusal(fault.into())
    }
}

/// How often each text is in the list.
async fn present(queue: &impl DeadLetterReader) -> Result<HashMap<[u8; 16], u32>, Fault> {
    let mut counts = HashMap::new();
    let mut scan = Scan::start(queue).await?;
    loop {
        let page = scan.look().await?;
        if page.is_empty() {
            return Ok(counts);
        }
        page.iter().for_each(|listed| *counts.entry(digest(&listed.text)).or_default() += 1);
    }
}

/// Half a SHA-256: no two texts of any list share one.
fn digest(text: &str) -> [u8; 16] {
    let mut half = [0; 16];
    half.copy_from_slice(&Sha256::digest(text)[..16]);
    half
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_text_comes_back_from_its_line_byte_for_byte() {
        for text in [
            "",
            "boom",
            "{}",
            " {} ",
            "{\n}",
            "\"text\"",
            "[1]",
            "7",
            "null",
            "{\"a\":\"\\u0000\"}",
            "\u{2028}\r\n\0",
            "{} {}",
            "{\"a\": 1 }  ",
        ] {
            let line = line_of(text);
            assert!(!line.contains(['\n', '\r']) && !line.is_empty(), "{line}");
            assert_eq!(text_of(&line).as_deref(), Some(text));
        }
        assert_eq!(line_of("{\"eventId\": null}"), "{\"eventId\": null}", "an entry of ours is its own line");
    }

    #[test]
    fn a_line_that_is_not_json_is_no_entry() {
        for line in ["boom", "{", "\"open", "{} {}"] {
            assert_eq!(text_of(line), None, "{line}");
        }
    }
}
