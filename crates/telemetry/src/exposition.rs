//! Reading the text of `/metrics` again, which tells another process, or another part of this one, what was counted.
//!
//! Of [Prometheus' text format](https://prometheus.io/docs/instrumenting/exposition_formats/) as much as our own metrics need: no time behind a value, and no
//! quotes, commas or braces in a label's value.

/// The value of a metric under some labels.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Sample<'t> {
    labels: &'t str,
    /// The value.
    pub value: f64,
}

impl<'t> Sample<'t> {
    /// The value of a label.
    pub fn label(&self, name: &str) -> Option<&'t str> {
        let labels = self.labels.split(['{', ',', '}']);
        labels.filter_map(|label| label.strip_prefix(name)?.strip_prefix("=\"")?.strip_suffix('"')).next()
    }
}

/// Every sample of the metric of this name, which may end with `_bucket`, `_sum` or `_count`.
pub fn samples<'t>(metrics: &'t str, name: &str) -> impl Iterator<Item = Sample<'t>> {
    let series = metrics.lines().filter_map(move |line| line.strip_prefix(name)?.rsplit_once(' '));
    let own = series.filter(|(labels, _)| labels.is_empty() || labels.starts_with('{'));
    own.filter_map(|(labels, value)| Some(Sample { labels, value: value.parse().ok()? }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_samples_of_one_metric_are_told_with_their_labels() {
        let text = "# HELP waits 3\n# TYPE waits gauge\nwaits 2.5\nwaits_more 7\n\
                    calls_bucket{operation=\"park\",le=\"0.5\"} 3\ncalls_bucket{operation=\"park\",le=\"+Inf\"} 4\n";
        assert_eq!(samples(text, "waits").map(|sample| (sample.value, sample.label("le"))).collect::<Vec<_>>(), [(2.5, None)]);
        let calls: Vec<_> = samples(text, "calls_bucket").map(|call| (call.label("operation"), call.label("le"), call.value)).collect();
        assert_eq!(calls, [(Some("park"), Some("0.5"), 3.0), (Some("park"), Some("+Inf"), 4.0)]);
        assert_eq!((samples(text, "calls").count(), samples(text, "nothing").count()), (0, 0));
    }
}
