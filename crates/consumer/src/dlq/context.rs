//! What an operator's commands work with.

use std::time::Duration;

use settings::Reader;
use tokio_util::sync::CancellationToken;

use super::dry_run::Rules;
use super::redrive::Route;
use super::refusal::Refusal;
use crate::audit::Audit;
use crate::config::ConsumerConfig;

/// What a claim lasts beyond the longest delivery: the time to settle it.
const SETTLING: Duration = Duration::from_secs(30);

/// The parts, and the terms of working with them.
#[derive(Clone)]
pub struct AdminContext<Q, P, T> {
    /// Where dead letters are.
    pub queue: Q,
    /// Where they are sent; `None` where no broker is known.
    pub publisher: Option<P>,
    /// The tables, which also keep the audit log; `None` where none are known.
    pub tables: Option<T>,
    /// See [`Terms`].
    pub terms: Terms,
}

/// The terms of sending dead letters again.
#[derive(Clone, Debug, PartialEq)]
pub struct Terms {
    /// The topic of entries that name none.
    pub topic: String,
    /// How long a claim lasts.
    pub lease: Duration,
    /// Entries that were redriven so often stay.
    pub max_retries: u32,
    /// How the consumer decodes.
    pub rules: Rules,
}

impl Terms {
    /// Reads `DLQ_MAX_RETRIES`. A delivery takes `delivery_timeout` at most.
    pub fn read(env: &mut Reader, consumer: &ConsumerConfig, topic: String, delivery_timeout: Duration) -> Self {
        let max_retries = env.number(
            "DLQ_MAX_RETRIES",
            5,
            0..=1_000_000,
            "A dead letter that was redriven so often stays in the list when it is redriven again, unless the command says otherwise.",
        );
        let rules = Rules { max_rows: consumer.max_rows, max_clock_skew: consumer.max_clock_skew };
        Self { topic, lease: delivery_timeout + SETTLING, max_retries, rules }
    }
}

impl<Q, P, T> AdminContext<Q, P, T> {
    /// The way back to the topics.
    ///
    /// # Errors
    /// No broker is known.
    pub fn route<'a>(&'a self, stop: &'a CancellationToken) -> Result<Route<'a, Q, P>, Refusal> {
        let publisher = self.publisher.as_ref().ok_or(Refusal::NoBroker)?;
        Ok(Route { queue: &self.queue, publisher, default_topic: &self.terms.topic, lease: self.terms.lease, stop })
    }

    /// Where is noted what operators change.
    ///
    /// # Errors
    /// No tables are known.
    pub fn audit(&self) -> Result<Audit<&T>, Refusal> {
        self.tables.as_ref().map(Audit).ok_or(Refusal::NoAuditLog)
    }

    /// The tables.
    ///
    /// # Errors
    /// None are known.
    pub fn tables(&self) -> Result<&T, Refusal> {
        self.tables.as_ref().ok_or(Refusal::NoTables)
    }
}
