//! What every program of this workspace tells about itself: numbers, health, log lines; and how it is told to stop.
//!
//! | module | what it holds |
//! |---|---|
//! | [`catalog`] | every metric, declared once: name, kind, labels, help, buckets |
//! | [`metrics`] | [`Metrics`]: one small method per thing that is counted |
//! | [`exposition`] | reading the text of `/metrics` again |
//! | [`health`] | [`Health`]: which parts are up, since when, and why not |
//! | [`http`] | `/metrics`, `/health/live`, `/health/ready`, and a server whose every wait has a bound |
//! | [`problem`](mod@problem) | error bodies |
//! | [`probe`] | asking a server of ours whether it is alive, for containers |
//! | [`logging`] | log lines on stderr, one line each |
//! | [`output`] | results on stdout, which may be closed or full |
//! | [`command_line`] | the version, completions for shells and manual pages |
//! | [`shutdown`] | [`Shutdown`]: the first signal asks, the second ends |
//! | [`side_task`] | tasks beside the main one, none of which ends unnoticed |

pub mod command_line;
pub mod exposition;
pub mod health;
pub mod http;
pub mod logging;
pub mod metrics;
pub mod output;
pub mod probe;
pub mod problem;
pub mod shutdown;
pub mod side_task;

pub use health::{DataReport, Health, LogReport, PartReport, PositionReport, Report};
pub use logging::LoggingConfig;
pub use metrics::catalog;
pub use metrics::{Metrics, Part, PoolUse, Status};
pub use shutdown::Shutdown;
