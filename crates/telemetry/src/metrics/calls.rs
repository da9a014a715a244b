//! Calls of others, and of ourselves.

use std::time::Duration;

use prometheus::GaugeVec;

use super::{Metrics, NONE};

/// Connections of a pool at one moment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PoolUse {
    /// Open and not needed now.
    pub idle: usize,
    /// In use, or being opened.
    pub used: usize,
}

/// How to learn the use of the pool.
pub(super) struct Pool(Box<dyn Fn() -> PoolUse + Send + Sync>);

impl Pool {
    pub(super) fn show(&self, gauge: &GaugeVec) {
        let PoolUse { idle, used } = (self.0)();
        gauge.with_label_values(&["idle"]).set(idle as f64);
        gauge.with_label_values(&["used"]).set(used as f64);
    }
}

impl Metrics {
    /// A call of the database, by the name of the port's method.
    pub fn db_operation(&self, operation: &'static str, took: Duration) {
        self.0.collectors.db_operation.with_label_values(&[operation]).observe(took.as_secs_f64());
    }

    /// A message was acknowledged by the broker.
    pub fn produced(&self, took: Duration) {
        self.0.collectors.produce.with_label_values(NONE).observe(took.as_secs_f64());
    }

    /// A try failed and is made again.
    pub fn retry(&self, dependency: &'static str, class: &'static str) {
        self.0.collectors.retries.with_label_values(&[dependency, class]).inc();
    }

    /// Whether a dependency answers.
    pub fn dependency(&self, dependency: &'static str, up: bool) {
        self.0.collectors.dependency_up.with_label_values(&[dependency]).set(f64::from(u8::from(up)));
    }

    /// A request was answered. The route is its template, never the path that was asked for.
    pub fn http_request(&self, route: &'static str, method: &'static str, status: u16, took: Duration) {
        self.0.collectors.http_requests.with_label_values(&[route, method, &status.to_string()]).inc();
        self.0.collectors.http_duration.with_label_values(&[route]).observe(took.as_secs_f64());
    }

    /// How old the tables are that the API reads; `None` while that is not known.
    pub fn data_age(&self, age: Option<Duration>) {
        self.0.data.set(age);
    }

    /// Whom to ask, at each scrape, how the pool of database connections is used. The first one stays.
    pub fn db_pool(&self, ask: impl Fn() -> PoolUse + Send + Sync + 'static) {
        self.0.pool.get_or_init(|| Pool(Box::new(ask)));
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;
    use crate::metrics::tests::{all, value};

    #[tokio::test(start_paused = true)]
    async fn the_age_of_the_tables_grows_between_two_looks_and_is_not_told_where_it_is_not_known() {
        let (metrics, name) = (all(), "pipeline_data_age_seconds");
        assert_eq!(value(&metrics, name), None);
        metrics.data_age(Some(Duration::from_millis(1500)));
        assert_eq!(value(&metrics, name), Some(1.5));
        tokio::time::advance(Duration::from_secs(2)).await;
        assert_eq!(value(&metrics, name), Some(3.5));
        metrics.data_age(None);
        assert_eq!(value(&metrics, name), None);
    }

    #[test]
    fn the_pool_is_asked_at_each_scrape() {
        let metrics = all();
        let idle = "pipeline_db_pool_connections{state=\"idle\"}";
        assert_eq!(value(&metrics, idle), Some(0.0), "nobody to ask yet");
        let connections = Arc::new(AtomicUsize::new(3));
        let now = Arc::clone(&connections);
        metrics.db_pool(move || PoolUse { idle: now.load(Ordering::Relaxed), used: 1 });
        assert_eq!(value(&metrics, idle), Some(3.0));
        connections.store(2, Ordering::Relaxed);
        assert_eq!(value(&metrics, idle), Some(2.0));
        assert_eq!(value(&metrics, "pipeline_db_pool_connections{state=\"used\"}"), Some(1.0));
    }
}
