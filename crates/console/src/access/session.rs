//! Who is logged in. Kept in memory: a restart logs everyone out.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use sha2::{Digest as _, Sha256};

use super::Account;

/// A session ends when nothing was asked for so long …
const IDLE: Duration = Duration::from_secs(30 * 60);
/// … and in any case after so long.
pub(crate) const TOTAL: Duration = Duration::from_secs(12 * 60 * 60);
/// More than this are not kept; the one that was idle longest goes.
const MOST: usize = 1000;

/// The digest of a session's id. Whoever reads the memory of this process or a dump of it finds no id to come in with.
pub(crate) type SessionKey = [u8; 32];

/// The sessions of this process.
#[derive(Default)]
pub(crate) struct Sessions(Mutex<HashMap<SessionKey, Session>>);

struct Session {
    account: Account,
    /// What each form of this session carries.
    csrf: String,
    began: Instant,
    seen: Instant,
    notice: Option<Notice>,
}

/// What the next page says first: what became of the form before it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Notice {
    /// One sentence.
    pub sentence: String,
    /// Where to look next: words and an address of the console.
    pub link: Option<(String, String)>,
}

impl Sessions {
    /// Begins a session, and returns its id.
    pub fn begin(&self, account: Account, now: Instant) -> String {
        let (id, csrf) = (random(), random());
        let mut sessions = self.lock();
        sessions.retain(|_, session| session.lives(now));
        if sessions.len() >= MOST {
            let idlest = sessions.iter().min_by_key(|(_, session)| session.seen).map(|(key, _)| *key);
            idlest.and_then(|key| sessions.remove(&key));
        }
        sessions.insert(key(&id), Session { account, csrf, began: now, seen: now, notice: None });
        id
    }

    /// Whose session this is, and what its forms carry. `used` keeps it from becoming idle; a page that renews itself does not.
    pub fn find(&self, id: &str, now: Instant, used: bool) -> Option<(SessionKey, Account, String)> {
        let key = key(id);
        let mut sessions = self.lock();
        let session = sessions.get_mut(&key)?;
        if !session.lives(now) {
            sessions.remove(&key);
            return None;
        }
        if used {
            session.seen = now;
        }
        Some((key, session.account.clone(), session.csrf.clone()))
    }

    /// Whether this session has not ended. Does not keep it from becoming idle.
    pub fn lives(&self, key: &SessionKey, now: Instant) -> bool {
        self.lock().get(key).is_some_and(|session| session.lives(now))
    }

    /// Ends a session.
    pub fn end(&self, key: &SessionKey) {
        self.lock().remove(key);
    }

    /// The next page of this session says so.
    pub fn tell(&self, key: &SessionKey, notice: Notice) {
        if let Some(session) = self.lock().get_mut(key) {
            session.notice = Some(notice);
        }
    }

    /// What is to be said, once.
    pub fn told(&self, key: &SessionKey) -> Option<Notice> {
        self.lock().get_mut(key)?.notice.take()
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<SessionKey, Session>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Session {
    fn lives(&self, now: Instant) -> bool {
        now.saturating_duration_since(self.seen) < IDLE && now.saturating_duration_since(self.began) < TOTAL
    }
}

fn key(id: &str) -> SessionKey {
    Sha256::digest(id).into()
}

/// 256 random bits as text.
fn random() -> String {
    rand::random::<[u8; 32]>().iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::super::Role;
    use super::*;

    fn ada() -> Account {
        Account { name: "ada".to_owned(), role: Role::Viewer }
    }

    #[test]
    fn a_session_ends_when_it_is_idle_and_after_twelve_hours() {
        let sessions = Sessions::default();
        let start = Instant::now();
        let id = sessions.begin(ada(), start);
        let minutes = |n: u64| start + Duration::from_secs(60 * n);
        assert!(sessions.find(&id, minutes(29), true).is_some());
        assert!(sessions.find(&id, minutes(58), true).is_some(), "it was used meanwhile");
        assert!(sessions.find(&id, minutes(88), true).is_none(), "idle for half an hour");
        assert!(sessions.find(&id, minutes(59), true).is_none(), "and gone for good");

        let id = sessions.begin(ada(), start);
        let mut minute = 0;
        while minute < 12 * 60 {
            assert!(sessions.find(&id, minutes(minute), true).is_some(), "minute {minute}");
            minute += 20;
        }
        assert!(sessions.find(&id, minutes(12 * 60), true).is_none());
    }

    #[test]
    fn a_page_that_renews_itself_does_not_keep_a_session() {
        let sessions = Sessions::default();
        let start = Instant::now();
        let id = sessions.begin(ada(), start);
        let (key, ..) = sessions.find(&id, start + IDLE - Duration::from_secs(1), false).unwrap();
        assert!(sessions.lives(&key, start + IDLE - Duration::from_secs(1)) && !sessions.lives(&key, start + IDLE));
        assert!(sessions.find(&id, start + IDLE, false).is_none());
    }

    #[test]
    fn ids_differ_and_have_256_bits() {
        let sessions = Sessions::default();
        let (one, other) = (sessions.begin(ada(), Instant::now()), sessions.begin(ada(), Instant::now()));
        assert!(one != other && one.len() == 64);
        assert!(!sessions.lock().keys().any(|key| one.as_bytes().starts_with(key)), "only digests are kept");
    }

    #[test]
    fn a_notice_is_said_once() {
        let sessions = Sessions::default();
        let id = sessions.begin(ada(), Instant::now());
        let (key, ..) = sessions.find(&id, Instant::now(), true).unwrap();
        sessions.tell(&key, Notice { sentence: "Done.".to_owned(), link: None });
        assert_eq!(sessions.told(&key).unwrap().sentence, "Done.");
        assert_eq!(sessions.told(&key), None);
    }
}
