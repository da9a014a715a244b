//! The operator's console: what the pipeline does, what it could not write, and what an operator can do about it, under `/console`.
//!
//! Pages are made by the server and work without script; a small script adds keys, and renews in place what changes.
//! What the console shows and does comes from an [`Operations`]; who may see and do it is told by an [`Access`].
//!
//! | module | what it holds |
//! |---|---|
//! | `port` | what the programs fill: [`Operations`] and its views |
//! | `access` | who may ask: sessions, roles, the guard in front of every route |
//! | `pages` | one file per screen: its handler and its template |
//! | `selection` | which dead letters are meant, in an address and in words |
//! | `state` | what the handlers share: the flow as all pages show it is asked for once for all of them |
//! | `look` | a look at the flow, and whether it shows something new |
//! | `shared` | one answer for all who ask |
//! | `stream`, `beats` | tells open pages when to renew what they show |
//! | `routes` | which address leads where, and which role it needs |
//! | `draw` | what is drawn: the flow, sparklines |
//! | `words` | numbers, times and labels as an operator reads them |
//! | `assets` | style, script and their hashes |

mod access;
mod assets;
mod beats;
mod draw;
mod fields;
mod filters;
mod locate;
mod look;
mod pages;
mod port;
mod proof;
mod rates;
mod routes;
mod selection;
mod shared;
mod state;
mod stream;
mod words;

pub use access::{Access, Account, Authenticate, Place, Role, WrongTokens};
pub use port::{
    AuditRow, Caller, Checked, Consumer, DifferenceCount, Draft, Finding, FindingState, Flow, Foreseen, Group, Groups, Held, HeldRecord,
    Here, Job, JobControl, JobLetter, JobLetters, JobState, Known, Letter, LetterEnd, LetterPage, LetterRow, MissingParent, Operations,
    Order, Outcomes, ParentFate, Parked, Part, PartState, Partition, PayloadField, Permit, RefusalKind, Refused, Rehearsal, RehearsedRow,
    Selection, Sent, Trace, TraceBy, TraceStep, Verdict, VerdictOutcome, Verification, Waiting,
};
pub use routes::routes;
