//! What an unwritable record becomes.
//!
//! | module | what it holds |
//! |---|---|
//! | `diagnosis` | why: a stable reason, a sentence, what to group by |
//! | `entry` | the JSON that stands in the list, ours and that of others |
//! | `identity` | what makes an entry this one |

mod diagnosis;
mod entry;
mod identity;

use events::Timestamp;

pub use diagnosis::{Diagnosis, Reason, UNKNOWN};
pub use entry::Entry;
pub use identity::entry_id;

pub use crate::encoding::{Encoding, EntryHeader};
pub use crate::headers::{ENTRY_ID_DIGITS, is_entry_id};
use crate::record::Record;

/// A record that cannot be written, with everything needed to understand it and to send it again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeadLetter {
    /// What makes it this dead letter and no other, as 64 hexadecimal digits. A record that is consumed again has the same.
    pub identity: String,
    /// The stable label of [`Reason`], for metrics.
    pub reason: &'static str,
    /// The JSON text that goes into the list; see [`Entry`].
    pub json: String,
}

impl DeadLetter {
    /// The dead letter for this record.
    pub fn new(record: &Record, diagnosis: &Diagnosis, now: Timestamp) -> Self {
        let entry = Entry::new(record, diagnosis, now);
        Self { identity: record.id().to_string(), reason: diagnosis.reason.label(), json: entry.to_json() }
    }
}
