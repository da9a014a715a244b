//! How each event ended.

use events::Body;
use uuid::Uuid;

use crate::dead_letter::Reason;

/// How one event ended. Every event gets exactly one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The rows show it, or the ledger holds it, since this batch.
    Applied,
    /// It was applied before.
    Duplicate,
    /// Something newer was applied before, or superseded it in this batch.
    Stale,
    /// It cannot be applied yet.
    Parked(WaitsFor),
    /// It can never be applied.
    Rejected {
        /// The stable label of why.
        reason: Reason,
        /// The database's error number, where one told us.
        code: Option<i64>,
    },
}

impl Outcome {
    /// Whether the event's entity is in its table now: its children may follow.
    pub const fn persisted(&self) -> bool {
        matches!(self, Self::Applied | Self::Duplicate | Self::Stale)
    }
}

/// What a parked event waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum WaitsFor {
    /// The user of an order.
    User(Uuid),
    /// The order of a payment.
    Order(Uuid),
    /// That the e-mail address of a user becomes free.
    Email,
}

impl WaitsFor {
    /// The parent that an event of this body needs; `None` for those that need none.
    pub const fn parent_of(body: &Body<'_>) -> Option<Self> {
        match body {
            Body::UserCreated(_) | Body::InventoryAdjusted(_) => None,
            Body::OrderPlaced(order) => Some(Self::User(order.user_id)),
            Body::PaymentSettled(payment) => Some(Self::Order(payment.order_id)),
        }
    }

    /// What is there for those that wait once an event of this body is persisted; `None` for those that nothing waits for.
    pub const fn brought_by(body: &Body<'_>) -> Option<Self> {
        match body {
            Body::UserCreated(user) => Some(Self::User(user.user_id)),
            Body::OrderPlaced(order) => Some(Self::Order(order.order_id)),
            Body::PaymentSettled(_) | Body::InventoryAdjusted(_) => None,
        }
    }

    /// The number under which stores keep it (`waits_for_type`).
    pub const fn type_number(self) -> u8 {
        match self {
            Self::User(_) => 1,
            Self::Order(_) => 2,
            Self::Email => 3,
        }
    }

    /// The parent's identity, where there is one.
    pub const fn parent_id(self) -> Option<Uuid> {
        match self {
            Self::User(id) | Self::Order(id) => Some(id),
            Self::Email => None,
        }
    }

    /// From a store's columns; `None` for a combination that no event of ours has.
    pub const fn from_columns(type_number: u8, parent_id: Option<Uuid>) -> Option<Self> {
        match (type_number, parent_id) {
            (1, Some(id)) => Some(Self::User(id)),
            (2, Some(id)) => Some(Self::Order(id)),
            (3, None) => Some(Self::Email),
            _ => None,
        }
    }

    /// Why an event is expired that waited for this in vain.
    pub const fn reason(self) -> Reason {
        match self {
            Self::User(_) | Self::Order(_) => Reason::MissingParent,
            Self::Email => Reason::EmailTaken,
        }
    }
}

/// What a store did with a batch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Applied {
    /// One outcome per event, in the order of the batch.
    pub outcomes: Vec<Outcome>,
    /// Whether, after the commit, parked events wait for users or orders of this batch.
    pub children_wait: bool,
    /// Whether a user of this batch gave an e-mail address up that is free now and that a parked event waits for.
    pub addresses_free: bool,
}

#[cfg(test)]
mod tests {
    use super::*;

    const PARENT: Uuid = Uuid::from_u128(7);

    /// Stores hold these numbers, also those that an older program has written.
    #[test]
    fn what_is_waited_for_comes_back_from_the_columns_in_which_stores_keep_it() {
        for (waits_for, number, parent) in
            [(WaitsFor::User(PARENT), 1, Some(PARENT)), (WaitsFor::Order(PARENT), 2, Some(PARENT)), (WaitsFor::Email, 3, None)]
        {
            assert_eq!((waits_for.type_number(), waits_for.parent_id()), (number, parent));
            assert_eq!(WaitsFor::from_columns(number, parent), Some(waits_for));
        }
        for (number, parent) in [(0, None), (1, None), (2, None), (3, Some(PARENT)), (4, Some(PARENT))] {
            assert_eq!(WaitsFor::from_columns(number, parent), None, "{number}, {parent:?}");
        }
    }

    #[test]
    fn children_may_follow_only_what_is_in_its_table() {
        let rejected = Outcome::Rejected { reason: Reason::MissingParent, code: None };
        assert!([Outcome::Applied, Outcome::Duplicate, Outcome::Stale].iter().all(Outcome::persisted));
        assert!(![Outcome::Parked(WaitsFor::Email), rejected].iter().any(Outcome::persisted));
    }
}
