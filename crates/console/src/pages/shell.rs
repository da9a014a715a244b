//! What surrounds every screen: where one can go, who is logged in, and what became of the form before.

use super::theme::Theme;
use crate::access::{Gate, Notice, Role, Visitor};
use crate::assets::{ADDRESSES, Addresses};

/// A screen of the console.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Screen {
    Flow,
    DeadLetters,
    Jobs,
    Parked,
    Trace,
    Verify,
    Audit,
    Health,
    /// None of those that the navigation names.
    Other,
}

impl Screen {
    /// Those that the navigation names, in its order.
    pub const NAMED: [Self; 8] =
        [Self::Flow, Self::DeadLetters, Self::Jobs, Self::Parked, Self::Trace, Self::Verify, Self::Audit, Self::Health];

    pub const fn name(self) -> &'static str {
        match self {
            Self::Flow => "Flow",
            Self::DeadLetters => "Dead letters",
            Self::Jobs => "Jobs",
            Self::Parked => "Parked",
            Self::Trace => "Trace",
            Self::Verify => "Verify",
            Self::Audit => "Audit log",
            Self::Health => "Health",
            Self::Other => "Console",
        }
    }

    pub const fn address(self) -> &'static str {
        match self {
            Self::Flow | Self::Other => "/console/",
            Self::DeadLetters => "/console/dead-letters",
            Self::Jobs => "/console/jobs",
            Self::Parked => "/console/parked",
            Self::Trace => "/console/trace",
            Self::Verify => "/console/verify",
            Self::Audit => "/console/audit",
            Self::Health => "/console/health",
        }
    }

    /// What it is for, where one chooses it.
    pub const fn purpose(self) -> &'static str {
        match self {
            Self::Flow | Self::Other => "what moves, what waits, what is down",
            Self::DeadLetters => "records that could not be written",
            Self::Jobs => "redrives of all processes",
            Self::Parked => "events that wait for a parent",
            Self::Trace => "what is known of an event, a user, an order, a payment, an article",
            Self::Verify => "whether the tables are what the log says",
            Self::Audit => "what operators have changed",
            Self::Health => "consumers, parts, settings",
        }
    }
}

/// What surrounds a screen.
pub(crate) struct Shell {
    pub title: String,
    pub screen: Screen,
    pub theme: Theme,
    pub name: String,
    pub role: &'static str,
    pub csrf: String,
    pub operator: bool,
    pub editor: bool,
    pub notice: Option<Notice>,
    /// The address of this page, to come back to after the theme was chosen.
    pub here: String,
    pub assets: &'static Addresses,
}

impl Shell {
    pub fn new(gate: &Gate, visitor: &Visitor, screen: Screen, title: impl Into<String>) -> Self {
        Self {
            title: title.into(),
            screen,
            theme: visitor.theme,
            name: visitor.account.name.clone(),
            role: visitor.account.role.label(),
            csrf: visitor.csrf.clone(),
            operator: visitor.may(Role::Operator),
            editor: visitor.may(Role::Editor),
            // A part that renews itself would take it away unseen.
            notice: if visitor.partial { None } else { gate.sessions.told(&visitor.key) },
            here: visitor.here.clone(),
            assets: &ADDRESSES,
        }
    }
}
