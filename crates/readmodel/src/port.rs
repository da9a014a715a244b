//! The port that fetches views.

use std::future::Future;

use uuid::Uuid;

use crate::views::{InventoryView, OrderView, RecentUser, UserView};

/// Reads what the pipeline wrote. Each answer comes from one statement, so that it shows one moment.
///
/// Futures may be dropped at any time; an implementation must not hand out a connection whose answer was not read to its end.
pub trait ReadStore: Send + Sync + 'static {
    /// A user with the last five orders, newest first.
    fn user(&self, user_id: Uuid) -> impl Future<Output = Result<Option<UserView>, ReadFault>> + Send;

    /// The users that came last, newest first, without their orders.
    fn recent_users(&self, limit: u16) -> impl Future<Output = Result<Vec<RecentUser>, ReadFault>> + Send;

    /// An order with its items and, of its payments, the newest settled.
    fn order(&self, order_id: Uuid) -> impl Future<Output = Result<Option<OrderView>, ReadFault>> + Send;

    /// The stock of an article.
    fn inventory(&self, sku: &str) -> impl Future<Output = Result<Option<InventoryView>, ReadFault>> + Send;

    /// Whether reading is possible at all, by one cheap statement on a table of ours.
    fn ping(&self) -> impl Future<Output = Result<(), ReadFault>> + Send;
}

/// Why nothing could be read. Carries numbers and names only, never a server's text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReadFault {
    /// A stable label: `unavailable`, `operator` or `bug`.
    pub class: &'static str,
    /// The server's error number, where it gave one.
    pub code: Option<i64>,
}

impl std::fmt::Display for ReadFault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.code {
            Some(code) => write!(f, "the database cannot be read ({}, error {code})", self.class),
            None => write!(f, "the database cannot be read ({})", self.class),
        }
    }
}

impl std::error::Error for ReadFault {}
