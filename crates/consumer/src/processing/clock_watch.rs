//! Watching for producers whose clock is ahead: their events win against correct later ones, and nothing else shows it.

use std::time::Duration;

use pipeline::record::Record;
use telemetry::Metrics;
use tokio::time::Instant;

use super::chunk::DecodedBatch;

/// How often it is told, at most.
const WINDOW: Duration = Duration::from_secs(60);

/// Events that were taken although their time lies in the future.
#[derive(Default)]
pub(super) struct ClockWatch {
    events: u64,
    furthest: Option<Furthest>,
    told: Option<Instant>,
}

/// The one whose time lies furthest in the future. Its key is that of its entity: an id or a SKU.
struct Furthest {
    by: Duration,
    partition: i32,
    offset: i64,
    event: String,
    key: String,
}

impl ClockWatch {
    /// Counts those of a chunk.
    pub(super) fn note(&mut self, decoded: &DecodedBatch<'_>, metrics: &Metrics) {
        for &(place, by) in &decoded.ahead {
            metrics.ahead_of_clock(by);
            self.events += 1;
            if self.furthest.as_ref().is_none_or(|furthest| furthest.by < by) {
                let Record { position, .. } = decoded.sources[place];
                let event = &decoded.candidates[place].event;
                let (partition, offset) = (position.partition, position.offset);
                self.furthest = Some(Furthest { by, partition, offset, event: event.id.to_string(), key: event.key() });
            }
        }
    }

    /// Tells of them, unless something was told within the window.
    pub(super) fn look(&mut self) {
        if self.furthest.is_none() || self.told.is_some_and(|told| told.elapsed() < WINDOW) {
            return;
        }
        let Some(Furthest { by, partition, offset, event, key }) = self.furthest.take() else { return };
        self.told = Some(Instant::now());
        // Not in the line below, whose fields are evaluated only where it is written.
        let events = std::mem::take(&mut self.events);
        tracing::warn!(
            events,
            seconds = by.as_secs(),
            partition,
            offset,
            eventId = event,
            key,
            "events are dated in the future, within MAX_CLOCK_SKEW: until then they win against later changes of the same entity; set the clock \
             of their producer; the furthest is named"
        );
    }
}

#[cfg(test)]
mod tests {
    use events::{EventType, samples};
    use pipeline::plan::Candidate;
    use pipeline::record::Position;
    use telemetry::Part;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn the_furthest_of_a_window_is_kept_and_told_once() {
        let metrics = Metrics::new(&[Part::Consumer]).unwrap();
        let position = Position { topic: "events".into(), partition: 3, offset: 7 };
        let record =
            Record { position, assignment: 1, timestamp_ms: None, timestamp_type: None, key: None, value: None, headers: Vec::new() };
        let candidate = || Candidate { event: samples::of(EventType::UserCreated), parked: None };
        let decoded = DecodedBatch {
            candidates: vec![candidate(), candidate()],
            sources: vec![&record, &record],
            ahead: vec![(1, Duration::from_secs(40)), (0, Duration::from_secs(2))],
            ..DecodedBatch::default()
        };
        let mut watch = ClockWatch::default();
        watch.look();
        assert!(watch.told.is_none(), "of nothing there is nothing to tell");
        watch.note(&decoded, &metrics);
        let furthest = watch.furthest.as_ref().unwrap();
        assert_eq!((watch.events, furthest.by.as_secs(), furthest.partition, furthest.offset), (2, 40, 3, 7));
        watch.look();
        assert!(watch.furthest.is_none() && watch.told.is_some());
        watch.note(&decoded, &metrics);
        watch.look();
        assert_eq!(watch.events, 2, "the window is not over");
        tokio::time::advance(WINDOW).await;
        watch.look();
        assert_eq!(watch.events, 0);
        let text = metrics.encode();
        assert!(text.contains("pipeline_event_ahead_of_clock_seconds_bucket{le=\"30\"} 2\n"), "{text}");
        assert!(text.contains("pipeline_event_ahead_of_clock_seconds_count 4\n"), "{text}");
    }
}
