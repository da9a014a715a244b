//! The read side: what the API shows, and the port that fetches it. No IO.
//!
//! | module | what it holds |
//! |---|---|
//! | [`views`] | the JSON bodies of the API's answers |
//! | [`port`] | [`ReadStore`]: one statement per answer |

pub mod port;
pub mod views;

pub use port::{AsOf, ReadFault, ReadStore};
pub use views::{InventoryView, OrderItemView, OrderSummary, OrderView, PaymentView, RecentUser, UserView};
