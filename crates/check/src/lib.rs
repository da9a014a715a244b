//! The `check` of every program: tests the settings and every part that they name, says what to do, and changes nothing.
//!
//! | module | what it holds |
//! |---|---|
//! | `finding` | one line of the answer |
//! | `report` | all of them, as a table or as JSON |
//! | `run` | a whole check: settings, parts, exit code |
//! | `database` | what SQL Server says of itself |
//! | `clock` | clocks that differ |
//!
//! *FAIL* is what keeps the program from working, or would lose events. *warn* is what works and that somebody will regret.

mod clock;
mod database;
mod finding;
mod report;
mod run;

pub use clock::{Reading, clock, since_1970};
pub use database::{Role, ask_database};
pub use finding::{Finding, State};
pub use report::{Report, wrapped};
pub use run::{SettingsNote, bounded, check, with_addresses, wrong};
