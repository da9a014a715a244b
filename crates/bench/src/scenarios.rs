//! The streams that are compared.

use clap::ValueEnum;

/// A kind of stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, ValueEnum)]
pub enum Scenario {
    /// Every event makes rows.
    InsertOnly,
    /// Every second event changes a row.
    HalfUpdate,
    /// A few rows are changed again and again.
    HotKey,
    /// Everything was applied before.
    Replay,
    /// Some records break the contract.
    PoisonDecode,
    /// Some events are refused by a constraint.
    PoisonAddress,
    /// Some events are refused by the ledger.
    PoisonLedger,
    /// Every child comes before its parent.
    ChildrenFirst,
}

impl Scenario {
    /// All of them, in the order of the report.
    pub const ALL: [Self; 8] = [
        Self::InsertOnly,
        Self::HalfUpdate,
        Self::HotKey,
        Self::Replay,
        Self::PoisonDecode,
        Self::PoisonAddress,
        Self::PoisonLedger,
        Self::ChildrenFirst,
    ];

    /// The name on the command line and in the report.
    pub const fn name(self) -> &'static str {
        match self {
            Self::InsertOnly => "insert-only",
            Self::HalfUpdate => "half-update",
            Self::HotKey => "hot-key",
            Self::Replay => "replay",
            Self::PoisonDecode => "poison-decode",
            Self::PoisonAddress => "poison-address",
            Self::PoisonLedger => "poison-ledger",
            Self::ChildrenFirst => "children-first",
        }
    }

    /// How it is made.
    pub const fn about(self) -> &'static str {
        match self {
            Self::InsertOnly => {
                "the generator's mix: one user in ten events, orders of 1 to 5 items, payments, stock movements; parents first, every event new"
            }
            Self::HalfUpdate => "insert-only, and after each event a newer one about a user, order or payment drawn from all before it",
            Self::HotKey => "insert-only, and after each event a newer one about one of 1 % of its users, orders and payments",
            Self::Replay => "insert-only once more, on tables that hold all of it: every event is a duplicate",
            Self::PoisonDecode => {
                "insert-only, with 1 % of records that decoding refuses (eight kinds); each ends as a dead letter. Its floor writes the good ones only"
            }
            Self::PoisonAddress => {
                "insert-only, with 1 % of users who claim an e-mail address that another user has held since before: both stores decide inside \
                 the batch who gets it, and whoever does not is parked. Its floor writes the good ones only"
            }
            Self::PoisonLedger => {
                "insert-only, with 1 % of stock movements that reuse an event id of the ledger with another quantity: both stores compare \
                 with the ledger inside the statement, and each ends as a dead letter. Its floor writes the good ones only"
            }
            Self::ChildrenFirst => {
                "insert-only with all payments first, then all orders, then users: every child is parked and released. Its floor writes parents first"
            }
        }
    }
}
