//! What is known of one event, or of what events are about.

/// By what is looked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TraceBy {
    /// One event.
    Event,
    /// All about a user.
    User,
    /// All about an order.
    Order,
    /// All about a payment.
    Payment,
    /// All about an article.
    Sku,
}

impl TraceBy {
    /// Each of them.
    pub const ALL: [Self; 5] = [Self::Event, Self::User, Self::Order, Self::Payment, Self::Sku];

    /// Its name in an address.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Event => "event",
            Self::User => "user",
            Self::Order => "order",
            Self::Payment => "payment",
            Self::Sku => "sku",
        }
    }

    /// What is given of it.
    pub const fn words(self) -> &'static str {
        match self {
            Self::Event => "Event id",
            Self::User => "User id",
            Self::Order => "Order id",
            Self::Payment => "Payment id",
            Self::Sku => "SKU",
        }
    }
}

/// What is known of an event, or of what events are about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trace {
    /// Its id.
    pub id: String,
    /// One sentence.
    pub verdict: String,
    /// What each place says: its name (`rows`, `ledger`, `parking`, `dead letters`, `changes`) and a sentence.
    pub findings: Vec<(String, String)>,
    /// What happened, in order of time.
    pub steps: Vec<TraceStep>,
}

/// Something that happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TraceStep {
    /// When, RFC 3339, as far as it is told.
    pub at: Option<String>,
    /// What it is: `event`, `parked`, `waiting`, `applied`, `superseded`, `dead letter` or `change`.
    pub kind: String,
    /// One sentence.
    pub sentence: String,
    /// The event of it, where that is not the one that was asked for.
    pub event_id: Option<String>,
    /// The dead letter of it, where that is in the list.
    pub letter: Option<String>,
}
