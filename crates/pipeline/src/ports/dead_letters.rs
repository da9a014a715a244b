//! The dead letter queue, and the permits of a flood, which are kept beside it.

use std::collections::BTreeMap;
use std::future::Future;
use std::time::Duration;

use uuid::Uuid;

use crate::dead_letter::DeadLetter;
use crate::fault::Fault;

/// The durable list of what could not be written.
pub trait DeadLetterQueue: Send + Sync {
    /// Pushes dead letters in order; one whose identity was pushed before is skipped. When this returns, they are durable. Returns how many were new.
    ///
    /// # Errors
    /// Some may have been pushed; pushing all of them again is safe.
    fn push(&self, dead_letters: &[DeadLetter]) -> impl Future<Output = Result<usize, Fault>> + Send;

    /// Whether each of these was pushed before, as far as identities are remembered: pushing it again would add nothing.
    ///
    /// # Errors
    /// The queue is away.
    fn known(&self, dead_letters: &[DeadLetter]) -> impl Future<Output = Result<Vec<bool>, Fault>> + Send;
}

/// An end of the list of dead letters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// The dead letter that came last.
    Newest,
    /// The dead letter that has been there longest. New dead letters do not shift places counted from here.
    Oldest,
}

/// What tells whether the list of dead letters is still the one that was seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ListState {
    /// How many entries there are, without those that are claimed.
    pub depth: u64,
    /// How often entries have left the list or come back to its old end. As long as this stays, the list only grows, at its new end.
    pub moves: u64,
}

/// Looking at dead letters.
pub trait DeadLetterReader: Send + Sync {
    /// Whether the list is still the one that was seen: of two states with the same `moves`, the list of the later one is that of the earlier one,
    /// with so many more entries at the new end as its `depth` is larger. What is written past these ports may not be told.
    ///
    /// # Errors
    /// The queue is away.
    fn list_state(&self) -> impl Future<Output = Result<ListState, Fault>> + Send;

    /// How many there are, without those that are claimed.
    ///
    /// # Errors
    /// The queue is away.
    fn depth(&self) -> impl Future<Output = Result<u64, Fault>> + Send;

    /// How many are claimed: somebody is at them, or has begun and ended half way, and they come back when their lease ends
    /// ([`ClaimQueue::give_back_overdue`]).
    ///
    /// # Errors
    /// The queue is away.
    fn claimed(&self) -> impl Future<Output = Result<u64, Fault>> + Send;

    /// How many there are of each reason, as the entries tell it; those that tell none (others wrote them) stand under `unknown`. Looks at
    /// every entry: for a look now and then. What comes or goes meanwhile may be counted or not.
    ///
    /// # Errors
    /// The queue is away.
    fn reasons(&self) -> impl Future<Output = Result<BTreeMap<String, u64>, Fault>> + Send;

    /// Up to `limit` entries counted from this end, from the `start`-th on (0 is the one at the end), each as the JSON text that was pushed.
    /// Fewer where they are large: only an empty page says that there are no more.
    ///
    /// # Errors
    /// The queue is away.
    fn page(&self, end: End, start: u64, limit: u64) -> impl Future<Output = Result<Vec<String>, Fault>> + Send;
}

/// An entry that was taken out of the list until its lease ends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claim {
    /// Tells apart claims of entries that look alike.
    pub token: Uuid,
    /// The JSON text that was pushed.
    pub entry: String,
}

/// Taking dead letters out of the list without losing one in a crash: claim, do what is to be done, then settle. A claim that nobody
/// settled before its lease ended goes back to the list with [`ClaimQueue::give_back_overdue`], whoever calls it. So two operators do
/// not take each other's claims, and a crash loses none.
pub trait ClaimQueue: Send + Sync {
    /// Moves exactly these entries from the list to the claims, for as long as `lease` by the queue's clock. Gives for each entry its
    /// claim, or `None` when it is not in the list (any more).
    ///
    /// # Errors
    /// The queue is away. Some may have been claimed; they come back when their lease ends.
    fn claim(&self, entries: &[String], lease: Duration) -> impl Future<Output = Result<Vec<Option<Claim>>, Fault>> + Send;

    /// Removes claimed entries for good; one whose lease has ended and that went back to the list is removed from there. Returns how many
    /// were removed: fewer when someone else holds an entry by now.
    ///
    /// # Errors
    /// The queue is away. Settling again is safe.
    fn settle(&self, claims: &[Claim]) -> impl Future<Output = Result<usize, Fault>> + Send;

    /// Puts claims back to the old end of the list. Returns how many there still were.
    ///
    /// # Errors
    /// The queue is away. Giving back again is safe.
    fn give_back(&self, claims: &[Claim]) -> impl Future<Output = Result<usize, Fault>> + Send;

    /// Puts back all claims whose lease has ended: those of a crash. Returns how many.
    ///
    /// # Errors
    /// The queue is away.
    fn give_back_overdue(&self) -> impl Future<Output = Result<usize, Fault>> + Send;
}

/// Putting entries into the list that were taken out of one before.
pub trait DeadLetterArchive: Send + Sync {
    /// Puts entries at the new end of the list, the first one first, whether or not the list holds them. When this returns, they are durable.
    ///
    /// # Errors
    /// Some may have been put; see [`DeadLetterReader::page`] for which.
    fn restore(&self, entries: &[String]) -> impl Future<Output = Result<(), Fault>> + Send;
}

/// How many unwritable records of a flood may pass into the dead letter queue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Permit {
    /// None: a flood is held.
    Nothing,
    /// So many, by all consumers together.
    Records(u64),
    /// All of them, until this is taken back.
    Everything,
}

/// The operator's word about a flood, kept beside the dead letters, so that every consumer hears it and a restart does not forget it.
pub trait FloodPermits: Send + Sync {
    /// How many of so many unwritable records may pass, the first ones first; takes them from what is permitted.
    ///
    /// # Errors
    /// The queue is away. Some may have been taken from what is permitted; nothing passes that was not permitted.
    fn spend(&self, records: u64) -> impl Future<Output = Result<u64, Fault>> + Send;

    /// Replaces what is permitted.
    ///
    /// # Errors
    /// The queue is away.
    fn permit(&self, permit: Permit) -> impl Future<Output = Result<(), Fault>> + Send;
}
