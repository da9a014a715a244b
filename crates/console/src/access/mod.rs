//! Who may ask, from where, and for what.
//!
//! | module | what it holds |
//! |---|---|
//! | `session` | who is logged in, for how long |
//! | `place` | from where it is asked, and by which name |
//! | `guard` | the check in front of every route: its place, a session, a role, no other site |
//! | `origin` | whether a request that changes something comes from the console's own pages |
//! | `login` | the page that asks for a token |
//! | `kept` | what somebody wrote is shown again where it cannot be taken |
//! | `bound` | how many wrong tokens may be tried |

mod bound;
mod guard;
pub(crate) mod kept;
pub(crate) mod login;
mod origin;
mod place;
mod session;

use std::sync::Arc;

pub use bound::WrongTokens;
pub(crate) use guard::{Need, Visitor, cookie, guard, headers, local_only};
pub use place::Place;
pub(crate) use session::{Notice, SessionKey, Sessions};

/// Tells whose token this is; takes equally long whichever it is, or none.
pub type Authenticate = Arc<dyn Fn(&str) -> Option<Account> + Send + Sync>;

/// Who may ask, and from where.
pub struct Access {
    /// Whose token this is.
    pub authenticate: Authenticate,
    /// Who is answered.
    pub place: Place,
}

/// Whose token it is, and what they may do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Account {
    /// Stands in the log of every change.
    pub name: String,
    /// What they may do.
    pub role: Role,
}

/// What someone may do. Each role may also do what the one before it may.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Role {
    /// Sees everything but payloads and keys, which hold personal data.
    Viewer,
    /// Redrives, purges, permits and stops.
    Operator,
    /// Sees payloads and keys, and sends edited ones.
    Editor,
}

impl Role {
    /// As a page names it.
    pub const fn label(self) -> &'static str {
        match self {
            Self::Viewer => "viewer",
            Self::Operator => "operator",
            Self::Editor => "editor",
        }
    }
}

/// What the checks share.
pub(crate) struct Gate {
    pub access: Access,
    pub sessions: Sessions,
    pub bound: WrongTokens,
}
