//! The simulated dead letter queue, and the adapter of it.
//!
//! | module | what it holds |
//! |---|---|
//! | [`list`] | the list, the claims, and the identities that were pushed before |
//! | [`adapter`] | the ports |

pub mod adapter;
pub mod list;

pub use adapter::SimQueue;
pub use list::DeadLetters;
