//! The port that fetches views.

use std::future::Future;
use std::time::Duration;

use events::Timestamp;
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

    /// How old what can be read is; `None` where nothing was ever written.
    fn as_of(&self) -> impl Future<Output = Result<Option<AsOf>, ReadFault>> + Send;
}

/// How old the tables are, as the server has them that is asked.
///
/// A consumer that has nothing to write writes its heartbeat, every few seconds. So an age above that says that the server is a secondary replica that
/// is behind, or that no consumer works.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AsOf {
    /// When a consumer wrote last, a batch or its heartbeat, by the clock of the server to which it wrote.
    pub written_at: Timestamp,
    /// The clock of the server that was asked.
    pub now: Timestamp,
}

impl AsOf {
    /// The age; zero where the clocks of two servers differ by more than that.
    pub fn age(&self) -> Duration {
        self.now.since(self.written_at)
    }
}

/// Why nothing could be read. Carries numbers and names only, never a server's text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReadFault {
    /// A stable label: `unavailable`, `operator` or `bug`.
    pub class: &'static str,
    /// The server's error number, where it gave one.
    pub code: Option<i64>,
    /// Who cannot be read, where that is, why, and what to look at: one sentence, as every other message about that part.
    pub told: String,
}

impl std::fmt::Display for ReadFault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.told)
    }
}

impl std::error::Error for ReadFault {}
