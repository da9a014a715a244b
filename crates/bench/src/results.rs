//! Everything that a run has measured. What was not asked for is `None`.

use crate::api_load::Load;
use crate::comparison::{Method, Rates};
use crate::console::Screens;
use crate::curve::Curve;
use crate::growth::Point;
use crate::latency::Latency;
use crate::memory::Memory;
use crate::peers::Peers;
use crate::pure::Cost;
use crate::scenarios::Scenario;
use crate::statistics::Samples;
use crate::verify::Verified;

/// Everything that a run has measured.
#[derive(Clone, Debug, Default)]
pub struct Results {
    /// The parts without IO.
    pub costs: Option<Vec<Cost>>,
    /// Letters per second that became durable in Redis.
    pub redis: Option<Samples>,
    /// The comparison.
    pub rates: Rates,
    /// By the size of a batch.
    pub batch_sizes: Option<Vec<Point>>,
    /// By partitions.
    pub partitions: Option<Vec<Point>>,
    /// While the tables grow.
    pub table_sizes: Option<Curve>,
    /// Until the API shows it.
    pub latency: Option<Latency>,
    /// Over a long backlog.
    pub memory: Option<Memory>,
    /// How long it takes to verify it.
    pub verified: Option<Verified>,
    /// The API while the consumer writes.
    pub load: Option<Load>,
    /// The same work by others.
    pub peers: Option<Peers>,
    /// The console, by what holds the dead letters.
    pub screens: Vec<Screens>,
}

impl Results {
    /// What the consumer takes from a broker at full rate, in records per second, if that was measured.
    pub fn peak(&self) -> Option<f64> {
        self.rates.rate(Scenario::InsertOnly, Method::EndToEnd)?.median()
    }
}
