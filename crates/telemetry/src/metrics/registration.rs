//! From declarations to collectors.

use prometheus::core::{Collector, MetricVec, MetricVecBuilder};
use prometheus::{CounterVec, GaugeVec, HistogramOpts, HistogramVec, IntCounterVec, Opts, Registry};

use super::metric::{Kind, Metric, Part, Values};

/// A declaration of the catalog that the metrics library does not take.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the metric {0} is declared in a way that cannot be served")]
pub struct InvalidMetric(pub &'static str);

/// Makes collectors, and registers those that are served here.
pub(super) struct Registration<'r> {
    pub(super) registry: &'r Registry,
    pub(super) parts: &'r [Part],
}

impl Registration<'_> {
    pub(super) fn counter(&self, metric: &Metric) -> Result<IntCounterVec, InvalidMetric> {
        let made = (metric.kind == Kind::Counter).then(|| IntCounterVec::new(opts(metric), &label_names(metric)));
        self.finish(metric, made)
    }

    /// A counter that counts fractions.
    pub(super) fn seconds_counter(&self, metric: &Metric) -> Result<CounterVec, InvalidMetric> {
        let made = (metric.kind == Kind::Counter).then(|| CounterVec::new(opts(metric), &label_names(metric)));
        self.finish(metric, made)
    }

    pub(super) fn gauge(&self, metric: &Metric) -> Result<GaugeVec, InvalidMetric> {
        let made = (metric.kind == Kind::Gauge).then(|| GaugeVec::new(opts(metric), &label_names(metric)));
        self.finish(metric, made)
    }

    pub(super) fn histogram(&self, metric: &Metric) -> Result<HistogramVec, InvalidMetric> {
        let made = if let Kind::Histogram(buckets) = metric.kind {
            let opts = HistogramOpts { common_opts: opts(metric), buckets: buckets.to_vec() };
            Some(HistogramVec::new(opts, &label_names(metric)))
        } else {
            None
        };
        self.finish(metric, made)
    }

    fn finish<B: MetricVecBuilder>(
        &self,
        metric: &Metric,
        made: Option<prometheus::Result<MetricVec<B>>>,
    ) -> Result<MetricVec<B>, InvalidMetric>
    where
        MetricVec<B>: Collector + Clone + 'static,
    {
        let invalid = || InvalidMetric(metric.name);
        let collector = made.ok_or_else(invalid)?.map_err(|_| invalid())?;
        for series in known_series(metric) {
            collector.get_metric_with_label_values(&series).map_err(|_| invalid())?;
        }
        if metric.parts.iter().any(|part| self.parts.contains(part)) {
            self.registry.register(Box::new(collector.clone())).map_err(|_| invalid())?;
        }
        Ok(collector)
    }
}

fn opts(metric: &Metric) -> Opts {
    Opts::new(metric.name, metric.help)
}

fn label_names(metric: &Metric) -> Vec<&'static str> {
    metric.labels.iter().map(|label| label.name).collect()
}

/// Every combination of values, where all labels have known ones; for a metric without labels, its one series.
fn known_series(metric: &Metric) -> Vec<Vec<&'static str>> {
    metric.labels.iter().fold(vec![Vec::new()], |series, label| match label.values {
        Values::Known(values) => {
            series.iter().flat_map(|start| values.iter().map(|value| [start.as_slice(), &[*value]].concat())).collect()
        }
        Values::Each(_) => Vec::new(),
    })
}
