//! How the rate changes while the tables grow: one long log, consumed at one go.

use std::fmt::Write as _;
use std::time::Duration;

use crate::place::Place;
use crate::running::Running;
use crate::stage::{Stage, consumer};
use crate::tap::Tap;

/// Parts that the log is divided into.
const PARTS: u64 = 10;
/// A part has at least so many records: fewer are over in a moment.
const LEAST: u64 = 100_000;
/// The rows of one event in so many are looked up.
const SAMPLE: usize = 500;

/// The rates along a log.
#[derive(Clone, Debug, PartialEq)]
pub struct Curve(
    /// In order: how many records were committed at the end of a part, and records per second in it, making them included.
    pub Vec<(u64, f64)>,
);

impl Curve {
    /// The rate of the last part over that of the first.
    pub fn kept(&self) -> Option<f64> {
        let (first, last) = (self.0.first()?.1, self.0.last()?.1);
        (first > 0.0).then(|| last / first)
    }

    /// From when the parts were over, since the first record was taken.
    fn of(ends: &[(u64, Duration)]) -> Self {
        let mut before = (0, Duration::ZERO);
        let mut points = Vec::with_capacity(ends.len());
        for (records, at) in ends {
            let took = at.saturating_sub(before.1).as_secs_f64();
            points.push((*records, (records - before.0) as f64 / took.max(f64::EPSILON)));
            before = (*records, *at);
        }
        Self(points)
    }

    /// The curve as a picture: records to the right, records per second upwards.
    pub fn svg(&self) -> String {
        let (width, height, left, bottom, top) = (720.0, 260.0, 70.0, 40.0, 20.0);
        let most_records = self.0.last().map_or(1, |(records, _)| *records).max(1) as f64;
        let most_rate = self.0.iter().map(|(_, rate)| *rate).fold(1.0, f64::max);
        let x = |records: f64| left + records / most_records * (width - left - 20.0);
        let y = |rate: f64| height - bottom - rate / most_rate * (height - bottom - top);
        let mut svg = format!(
            r##"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" font-family="sans-serif" font-size="12" fill="#555">
<title>Records per second while the tables grow</title>
"##
        );
        // Writing to memory cannot fail.
        for share in [0.0, 0.5, 1.0] {
            let (up, label) = (y(share * most_rate), (share * most_rate / 1000.0).round());
            writeln!(
                svg,
                r##"<path d="M{left} {up:.0}H{width}" stroke="#ccc"/><text x="{:.0}" y="{:.0}" text-anchor="end">{label} k/s</text>"##,
                left - 8.0,
                up + 4.0
            )
            .ok();
        }
        let mut line = String::new();
        for (place, (records, rate)) in self.0.iter().enumerate() {
            let (across, up) = (x(*records as f64), y(*rate));
            write!(line, "{}{across:.0} {up:.0}", if place == 0 { "M" } else { "L" }).ok();
            writeln!(svg, r##"<circle cx="{across:.0}" cy="{up:.0}" r="3" fill="#2a6fb0"/>"##).ok();
            writeln!(
                svg,
                r##"<text x="{across:.0}" y="{:.0}" text-anchor="middle">{:.1} M</text>"##,
                height - bottom + 18.0,
                *records as f64 / 1e6
            )
            .ok();
        }
        writeln!(svg, r##"<path d="{line}" fill="none" stroke="#2a6fb0" stroke-width="2"/>"##).ok();
        svg.push_str("</svg>\n");
        svg
    }
}

impl<P: Place> Stage<'_, P> {
    /// Consumes a long log that is made meanwhile into empty tables, and notes the rate of each part of it.
    ///
    /// # Errors
    /// A part fails, or a row is wrong.
    pub async fn by_table_size(&self) -> anyhow::Result<Curve> {
        let opened = self.place.open().await?;
        let records = self.scale.growth;
        let parts = (records / LEAST).clamp(1, PARTS);
        let (tap, log) = Tap::open(records, self.options.seed, SAMPLE);
        let mut running = Running::in_memory(log, &opened.tables, &opened.dead_letters, consumer(self.batch()))?;
        let mut ends = Vec::new();
        for part in 1..=parts {
            let end = records * part / parts;
            ends.push((end, running.until(end).await?));
            eprintln!("{end} records: {:.0} records/s", Curve::of(&ends).0.last().map_or(0.0, |(_, rate)| *rate));
        }
        running.stop().await?;
        tap.check(&opened.tables).await?;
        Ok(Curve::of(&ends))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_part_has_its_own_rate() {
        let curve = Curve::of(&[(100, Duration::from_secs(1)), (200, Duration::from_secs(3)), (400, Duration::from_secs(4))]);
        assert_eq!(curve.0, [(100, 100.0), (200, 50.0), (400, 200.0)]);
        assert_eq!(curve.kept(), Some(2.0));
        assert_eq!((Curve(Vec::new()).kept(), Curve::of(&[]).0.len()), (None, 0));
    }

    #[test]
    fn the_picture_has_a_point_for_each_part_inside_its_frame() {
        let svg = Curve(vec![(1_000_000, 50_000.0), (2_000_000, 25_000.0)]).svg();
        assert_eq!(svg.matches("<circle").count(), 2, "{svg}");
        assert!(svg.contains(r#"cy="20""#) && svg.contains(r#"cy="120""#) && svg.contains(">50 k/s<") && svg.contains(">2.0 M<"), "{svg}");
    }
}
