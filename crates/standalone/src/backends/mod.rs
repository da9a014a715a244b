//! Which part is real and which is embedded: decided here, by the environment, and nowhere else.

mod dead_letters;
mod store;

pub use dead_letters::DeadLetters;
pub use store::Store;

/// Calls the same method on whichever part it is.
macro_rules! either {
    ($self:ident, $part:ident => $call:expr) => {
        match $self {
            Self::Real($part) => $call.await,
            Self::Embedded($part) => $call.await,
        }
    };
}
use either;
