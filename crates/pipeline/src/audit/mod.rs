//! What operators change, as a log that tells when it was changed itself: each entry holds the hash of the one before it.
//!
//! Whoever changes, removes or inserts an entry has to write every later one anew. Whoever may write the whole log can do that: so a hash that was
//! noted elsewhere is what proves that everything up to it is as it was.

mod chain;
mod digest;

use events::Timestamp;
use sha2::{Digest as _, Sha256};
use uuid::Uuid;

pub(crate) use chain::fitting;
pub use chain::{Break, ChainCheck, chain, verify};
pub use digest::{NoDigest, Sha256Digest};

/// What comes first in the text that is hashed: another encoding gets another name.
const ENCODING: &[u8] = b"event-pipeline audit entry 1";
/// The longest name of who acts, in UTF-16 code units, as SQL Server counts.
pub const LONGEST_ACTOR: usize = 200;
/// The longest subject, in UTF-16 code units.
pub const LONGEST_SUBJECT: usize = 2000;
/// The longest outcome, in UTF-16 code units.
pub const LONGEST_OUTCOME: usize = 1000;

/// Where a change was asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// In the operator's console.
    Console,
    /// Over HTTP, at `/admin/dlq`.
    Http,
    /// On a command line.
    CommandLine,
}

impl Origin {
    /// As it is written.
    pub const fn label(self) -> &'static str {
        match self {
            Self::Console => "console",
            Self::Http => "http",
            Self::CommandLine => "command_line",
        }
    }
}

/// What was asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AuditAction {
    /// Sending dead letters to their topics again.
    Redrive,
    /// Sending one with another payload.
    Edit,
    /// Removing dead letters.
    Purge,
    /// Saying how much of a flood of unwritable records may pass.
    Resume,
    /// Putting dead letters into the list.
    Import,
    /// Writing into the tables what the log says.
    Repair,
    /// Moving the group's offsets back, so that records are consumed again.
    Replay,
    /// Folding old lines of the ledger into opening balances.
    Compact,
}

impl AuditAction {
    /// As it is written.
    pub const fn label(self) -> &'static str {
        match self {
            Self::Redrive => "redrive",
            Self::Edit => "edit",
            Self::Purge => "purge",
            Self::Resume => "resume",
            Self::Import => "import",
            Self::Repair => "repair",
            Self::Replay => "replay",
            Self::Compact => "compact",
        }
    }
}

/// What an entry says. Holds no value of an event: digests of payloads, ids, filters and counts alone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditRecord {
    /// When, by the clock of the program that wrote it.
    pub at: Timestamp,
    /// Who: the name of a token, or the operating system's user.
    pub actor: String,
    /// From where: the label of an [`Origin`], or of one that only a newer program knows.
    pub origin: String,
    /// What was done: the label of an [`AuditAction`], or of one that only a newer program knows.
    pub action: String,
    /// What the entries of one operation have in common.
    pub operation: Uuid,
    /// To what: a dead letter, an event, a filter.
    pub subject: String,
    /// The digest of the payload before a change of it.
    pub before: Option<Sha256Digest>,
    /// The digest of the payload afterwards.
    pub after: Option<Sha256Digest>,
    /// What came of it: `begun`, `sent`, `12 removed`, `refused: …`.
    pub outcome: String,
}

/// An entry of the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditEntry {
    /// From 1, without gaps.
    pub number: i64,
    /// What it says.
    pub record: AuditRecord,
    /// The hash of the entry before it; [`Sha256Digest::ZERO`] in the first.
    pub previous_hash: Sha256Digest,
    /// The hash of all of this; see [`AuditEntry::expected_hash`].
    pub hash: Sha256Digest,
}

impl AuditEntry {
    /// SHA-256 of number, record and previous hash: each field as the number of its bytes (64 bits, the most significant first) and then the bytes,
    /// so that no two entries are written alike. Numbers and times (microseconds since 1970) are 64 bits; a digest that is not there has no bytes.
    pub fn expected_hash(&self) -> Sha256Digest {
        let AuditRecord { at, actor, origin, action, operation, subject, before, after, outcome } = &self.record;
        let digest = |digest: &Option<Sha256Digest>| digest.map_or_else(Vec::new, |digest| digest.0.to_vec());
        let fields: [&[u8]; 12] = [
            ENCODING,
            &self.number.to_be_bytes(),
            &at.unix_micros().to_be_bytes(),
            actor.as_bytes(),
            origin.as_bytes(),
            action.as_bytes(),
            operation.as_bytes(),
            subject.as_bytes(),
            &digest(before),
            &digest(after),
            outcome.as_bytes(),
            &self.previous_hash.0,
        ];
        let mut hasher = Sha256::new();
        for field in fields {
            hasher.update((field.len() as u64).to_be_bytes());
            hasher.update(field);
        }
        Sha256Digest(hasher.finalize().into())
    }
}

/// The end of a log: what the next entry is chained to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AuditTail {
    /// The number of the last entry; 0 where there is none.
    pub number: i64,
    /// Its hash.
    pub hash: Sha256Digest,
}

impl AuditTail {
    /// That of an empty log.
    pub const EMPTY: Self = Self { number: 0, hash: Sha256Digest::ZERO };
}
