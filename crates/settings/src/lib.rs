//! Settings from the environment, files and the command line: typed, with a default and a sentence of help each, every problem reported at once.
//!
//! A configuration struct reads its fields from a [`Reader`]. Asking is declaring: the reader notes name, default and help of whatever it
//! is asked for, and from these notes come the redacted print-out at start, `.env.example` and the table in README.md beside this crate.
//!
//! ```
//! let mut env = settings::Reader::from_pairs([("API_PORT", "80_80")]);
//! let port: u16 = env.number("API_PORT", 8080, 1..=65535, "Port of the read API.");
//! assert_eq!(port, 8080, "the default stands in, so that reading goes on and finds the other problems");
//! assert!(env.finish().unwrap_err().to_string().contains("API_PORT"));
//! ```

mod layers;
mod near_miss;
mod problem;
mod reader;
mod source;
pub mod span;
mod variable;

pub use layers::Layers;
pub use problem::{Problem, Problems};
pub use reader::{Reader, is_host};
pub use secrecy::{ExposeSecret, SecretString};
pub use variable::Variable;
