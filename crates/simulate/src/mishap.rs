//! What goes wrong in a run: kinds of mishaps, how often each strikes, and which of them are switched off.
//!
//! A mishap has a kind and a number: the third refused commit of a run is `commit-refused:3`. A failing run is shrunk by switching mishaps off
//! one at a time.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use crate::crowd;
use crate::dice::{Dice, fraction, stream};

macro_rules! kinds {
    ($($kind:ident $name:literal $chance:literal $about:literal,)+) => {
        /// A kind of mishap.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Kind {
            $(#[doc = $about] $kind,)+
        }

        impl Kind {
            /// All of them.
            pub const ALL: &'static [Self] = &[$(Self::$kind),+];

            /// The name on the command line.
            pub const fn name(self) -> &'static str {
                match self { $(Self::$kind => $name),+ }
            }

            /// How often it strikes where it can, in a run of ordinary misfortune.
            const fn chance(self) -> f64 {
                match self { $(Self::$kind => $chance),+ }
            }
        }
    };
}

// A new kind stands at the end, wherever it strikes: what a seed draws for the others depends on their order.
kinds! {
    // Asked at each call of the store.
    StoreAway "store-away" 0.01 "The connection breaks before the request arrives.",
    AnswerLost "answer-lost" 0.01 "The work is done and its answer is lost.",
    StoreTimeout "store-timeout" 0.005 "Nothing comes back in time; the work is done, or not.",
    DeadlockVictim "deadlock-victim" 0.01 "The server chooses this transaction as the victim of a deadlock.",
    LockTimeout "lock-timeout" 0.005 "The server gives up waiting for a lock.",
    UnknownState "doomed" 0.003 "The transaction ends in a state that nobody understands.",
    SlowStore "slow-store" 0.01 "A call takes seconds.",
    SlowClaim "slow-claim" 0.2 "The server takes seconds between finding what expires and claiming it.",
    SlowRelease "slow-release" 0.1 "A consumer takes seconds between finding what may be released and releasing it.",
    GhostWrite "ghost-write" 0.8 "Whoever asked is gone, and the server finishes the work all the same.",
    // Asked at each call of the queue.
    QueueAway "queue-away" 0.03 "The queue is away.",
    ReplyLost "reply-lost" 0.05 "The letters are pushed and the reply is lost.",
    PartialPush "partial-push" 0.05 "Some of the letters are pushed.",
    QueueFull "queue-full" 0.02 "The queue is out of memory.",
    // Asked at each call of the log.
    TakeFails "take-fails" 0.01 "Nothing can be taken: the brokers are away.",
    StartFails "start-fails" 0.1 "The client is not ready to begin a partition.",
    ReopenFails "reopen-fails" 0.2 "No client can be made.",
    LookFails "look-fails" 0.03 "The log cannot be looked at.",
    CommitRefused "commit-refused" 0.03 "The commit is refused: the coordinator moves.",
    CommitLate "commit-late" 0.03 "The commit is made and its answer comes too late.",
    ClientLost "client-lost" 0.002 "The client fails for good.",
    // Asked twice a second.
    Crash "crash" 0.02 "A consumer is killed.",
    Stop "stop" 0.015 "A consumer is told to stop, and starts again.",
    Join "join" 0.015 "Another consumer joins the group.",
    Leave "leave" 0.01 "A consumer is told to stop for good.",
    Stall "stall" 0.01 "A consumer stands still until the group has given its partitions away.",
    LeaderLost "leader-lost" 0.02 "A partition is without a leader.",
    BrokersAway "brokers-away" 0.005 "No broker answers.",
    Failover "failover" 0.015 "The database fails over: open transactions are rolled back, and for a while nobody answers.",
    DiskFull "disk-full" 0.005 "The database cannot write until somebody makes room.",
    QueueFailover "queue-failover" 0.01 "The queue fails over: replies are lost, and for a while nobody answers.",
    Retention "retention" 0.02 "Old records are deleted, consumed or not.",
    Compaction "compaction" 0.02 "Records are compacted away.",
    Recreation "recreation" 0.008 "The topic is deleted and created again.",
    NewPartition "new-partition" 0.01 "The topic gets another partition.",
    OffsetMoved "offset-moved" 0.01 "Somebody moves the group's offset.",
    Redrive "redrive" 0.02 "An operator sends dead letters back, and may be interrupted.",
    Rebalance "rebalance" 0.04 "The group divides its partitions anew, although nobody came or left.",
    OffsetsReadOnly "offsets-read-only" 0.03 "The group's offsets can be read and not written: their partition has too few replicas.",
    // Asked where events are about to be given up.
    LateParent "late-parent" 0.3 "What an overdue event waits for comes just when it is given up, and somebody is about to release it.",
}

impl Kind {
    /// Whether it does no more than delay: whoever has begun something comes to its end, and learns what came of it.
    pub const fn only_delays(self) -> bool {
        matches!(
            self,
            Self::SlowStore
                | Self::SlowClaim
                | Self::SlowRelease
                | Self::QueueAway
                | Self::ReplyLost
                | Self::PartialPush
                | Self::QueueFull
                | Self::TakeFails
                | Self::StartFails
                | Self::LookFails
                | Self::CommitRefused
                | Self::CommitLate
                | Self::LeaderLost
                | Self::BrokersAway
                | Self::OffsetsReadOnly
        )
    }
}

/// One mishap of a run.
pub type Mishap = (Kind, u32);

/// Which mishaps are switched on.
#[derive(Clone, Debug, Default)]
pub enum Allowed {
    /// All that the seed brings.
    #[default]
    All,
    /// These alone.
    Only(BTreeSet<Mishap>),
}

/// The mishaps of a run.
#[derive(Debug)]
pub struct Mishaps {
    allowed: Allowed,
    /// How often each kind strikes in this run.
    chances: BTreeMap<Kind, f64>,
    asked: BTreeMap<Kind, u64>,
    /// Those that would have struck, switched on or not.
    due: BTreeMap<Kind, u32>,
    struck: Vec<Mishap>,
    over: bool,
}

impl Mishaps {
    /// Each run has kinds of its own, and more or less of them; that of a crowd has none.
    pub fn new(dice: &mut Dice, allowed: Allowed) -> Self {
        const MOOD: u64 = stream("mood");
        let share = if crowd::is_crowd(dice) { 0.0 } else { *dice.pick(MOOD, &[0.0, 0.2, 0.4, 0.4, 0.7, 1.0]) };
        let weight = *dice.pick(MOOD, &[0.3, 1.0, 1.0, 2.0]);
        let mut chances = BTreeMap::new();
        for kind in Kind::ALL {
            let is_part = dice.chance(MOOD, share);
            chances.insert(*kind, if is_part { (kind.chance() * weight).min(0.5) } else { 0.0 });
        }
        Self { allowed, chances, asked: BTreeMap::new(), due: BTreeMap::new(), struck: Vec::new(), over: false }
    }

    /// Whether a mishap of this kind may strike in this run at all.
    pub fn includes(&self, kind: Kind) -> bool {
        self.chances[&kind] > 0.0
    }

    /// Whether it strikes here.
    pub fn strikes(&mut self, dice: &Dice, kind: Kind) -> bool {
        if self.over || self.chances[&kind] == 0.0 {
            return false;
        }
        let asked = self.asked.entry(kind).or_default();
        *asked += 1;
        if fraction(dice.nth(stream(kind.name()), *asked)) >= self.chances[&kind] {
            return false;
        }
        let due = self.due.entry(kind).or_default();
        *due += 1;
        let mishap = (kind, *due);
        let strikes = match &self.allowed {
            Allowed::All => true,
            Allowed::Only(these) => these.contains(&mishap),
        };
        if strikes {
            self.struck.push(mishap);
        }
        strikes
    }

    /// Nothing goes wrong any more.
    pub const fn end(&mut self) {
        self.over = true;
    }

    /// What has struck, in order.
    pub fn struck(&self) -> &[Mishap] {
        &self.struck
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Mishaps as the command line takes them: `crash:1,answer-lost:2`.
pub fn to_text(mishaps: &[Mishap]) -> String {
    mishaps.iter().map(|(kind, number)| format!("{kind}:{number}")).collect::<Vec<_>>().join(",")
}

/// Reads [`to_text`].
///
/// # Errors
/// What cannot be read.
pub fn from_text(text: &str) -> Result<BTreeSet<Mishap>, String> {
    let one = |part: &str| {
        let (name, number) = part.split_once(':').ok_or_else(|| format!("{part}: not of the form kind:number"))?;
        let kind = Kind::ALL.iter().find(|kind| kind.name() == name).ok_or_else(|| format!("{name}: no kind of mishap"))?;
        Ok((*kind, number.parse().map_err(|_| format!("{number}: not a number"))?))
    };
    text.split(',').filter(|part| !part.is_empty()).map(one).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mishaps_come_back_from_their_text() {
        let mishaps = [(Kind::Crash, 1), (Kind::AnswerLost, 12)];
        assert_eq!(from_text(&to_text(&mishaps)).unwrap(), mishaps.into_iter().collect());
        assert!(from_text("thunder:1").is_err() && from_text("crash").is_err() && from_text("").unwrap().is_empty());
    }
}
