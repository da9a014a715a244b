//! How a metric is declared.

/// A metric as it is declared in the [`catalog`](super::catalog).
#[derive(Clone, Copy, Debug)]
pub struct Metric {
    /// Its name, in base units (seconds, plain counts).
    pub name: &'static str,
    /// What it is.
    pub kind: Kind,
    /// Its labels, in order.
    pub labels: &'static [Label],
    /// What it means, in one sentence.
    pub help: &'static str,
    /// Who serves it.
    pub parts: &'static [Part],
}

/// What kind of metric it is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Kind {
    /// Only ever rises.
    Counter,
    /// Rises and falls.
    Gauge,
    /// Counts observations by size; these are the upper bounds of its buckets, without the last, infinite one.
    Histogram(&'static [f64]),
}

impl Kind {
    /// The word for it in the text format.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Counter => "counter",
            Self::Gauge => "gauge",
            Self::Histogram(_) => "histogram",
        }
    }
}

/// A label, and what bounds the number of its values.
#[derive(Clone, Copy, Debug)]
pub struct Label {
    /// Its name.
    pub name: &'static str,
    /// Which values it takes.
    pub values: Values,
}

/// The values of a label: always few.
#[derive(Clone, Copy, Debug)]
pub enum Values {
    /// These. A series for each exists from the start, so that a rate sees the first event too.
    Known(&'static [&'static str]),
    /// What this phrase says; a series exists from its first value on.
    Each(&'static str),
}

/// A part of the pipeline that serves metrics. A process serves those of the parts that run in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// The write side.
    Consumer,
    /// The read API.
    Api,
}

impl Part {
    /// All of them, for a process in which everything runs.
    pub const ALL: &'static [Self] = &[Self::Consumer, Self::Api];

    /// Its name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Consumer => "consumer",
            Self::Api => "api",
        }
    }
}
