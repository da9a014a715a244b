//! That someone has seen a rehearsal: a digest that only this process can make, given out with it and asked for before a large redrive.

use std::time::{SystemTime, UNIX_EPOCH};

use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;

use crate::fields::address;
use crate::port::{Caller, Selection};

/// So long a rehearsal tells something: the tables change meanwhile.
const SECONDS: u64 = 30 * 60;

/// Makes proofs, and knows its own.
pub(crate) struct Proofs {
    key: [u8; 32],
}

impl Default for Proofs {
    fn default() -> Self {
        Self { key: rand::random() }
    }
}

impl Proofs {
    /// This caller has seen a rehearsal of this selection, which meant so many.
    pub fn give(&self, caller: &Caller, selection: &Selection, selected: u64, now: SystemTime) -> String {
        let at = seconds(now);
        format!("{at}.{}", self.digest(caller, selection, selected, at))
    }

    /// Whether this caller has seen one lately.
    pub fn holds(&self, proof: &str, caller: &Caller, selection: &Selection, selected: u64, now: SystemTime) -> bool {
        let Some((at, digest)) = proof.split_once('.') else { return false };
        let Ok(at) = at.parse::<u64>() else { return false };
        let recent = seconds(now).checked_sub(at).is_some_and(|age| age < SECONDS);
        recent && bool::from(digest.as_bytes().ct_eq(self.digest(caller, selection, selected, at).as_bytes()))
    }

    /// Key, then a digest of what it is about: as the second part has one length, nothing can be appended to it.
    ///
    /// The time of the page is in it: what came later was not rehearsed.
    fn digest(&self, caller: &Caller, selection: &Selection, selected: u64, at: u64) -> String {
        let until = selection.until.as_deref().unwrap_or_default();
        let about = address(&format!("{at}\n{selected}\n{until}\n{}\n", caller.0), &selection.pairs());
        let digest = Sha256::new().chain_update(self.key).chain_update(Sha256::digest(about)).finalize();
        digest.iter().map(|byte| format!("{byte:02x}")).collect()
    }
}

fn seconds(time: SystemTime) -> u64 {
    time.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_proof_is_of_one_selection_one_number_one_caller_and_half_an_hour() {
        let (proofs, now) = (Proofs::default(), SystemTime::now());
        let (ada, bob) = (Caller("ada".to_owned()), Caller("bob".to_owned()));
        let selection = Selection { reason: Some("too_large".to_owned()), ..Selection::default() };
        let proof = proofs.give(&ada, &selection, 3, now);
        assert!(proofs.holds(&proof, &ada, &selection, 3, now + Duration::from_secs(SECONDS - 1)));
        assert!(!proofs.holds(&proof, &ada, &selection, 3, now + Duration::from_secs(SECONDS)));
        assert!(!proofs.holds(&proof, &ada, &selection, 3, now - Duration::from_secs(5)));
        assert!(!proofs.holds(&proof, &bob, &selection, 3, now));
        assert!(!proofs.holds(&proof, &ada, &Selection { all: true, ..Selection::default() }, 3, now));
        assert!(!proofs.holds(&proof, &ada, &selection, 4, now), "another number");
        assert!(!proofs.holds(&proof, &ada, &selection.clone().seen(now), 3, now), "another time of the page");
        assert!(!Proofs::default().holds(&proof, &ada, &selection, 3, now), "the key of another process");
        for wrong in ["", ".", "1", "x.y", "18446744073709551615.x"] {
            assert!(!proofs.holds(wrong, &ada, &selection, 3, now), "{wrong}");
        }
    }
}
