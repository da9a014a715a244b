//! How the rate changes with the size of a batch, with partitions, and with the size of the tables.

use events::Event;

use crate::check::{self, Sample};
use crate::comparison::Method;
use crate::floor;
use crate::place::Place;
use crate::scenarios::Scenario;
use crate::stage::{OpenedAt, Pace, Stage, max_rows};
use crate::statistics::Samples;
use crate::workload::{Workload, generator, records};

/// In tables that grow, the rows of one event in so many are looked up.
const SAMPLE: usize = 20;

/// One point of a curve.
#[derive(Clone, Debug)]
pub struct Point {
    /// What was varied.
    pub size: usize,
    /// Records that were measured at this point.
    pub records: usize,
    /// The rates there.
    pub rates: Vec<(Method, Samples)>,
}

impl Point {
    fn new(size: usize, records: usize, methods: &[Method]) -> Self {
        Self { size, records, rates: methods.iter().map(|method| (*method, Samples::default())).collect() }
    }

    fn note(&mut self, paces: &[Pace]) {
        for ((_, samples), pace) in self.rates.iter_mut().zip(paces) {
            samples.add(pace.rate);
        }
        let rates: Vec<_> = paces.iter().map(|pace| format!("{:.0}", pace.rate)).collect();
        eprintln!("size {}: {} records/s", self.size, rates.join(", "));
    }
}

impl<P: Place> Stage<'_, P> {
    /// Floor and pipeline, in memory, by the size of a batch.
    ///
    /// # Errors
    /// A part fails, or a row is wrong.
    pub async fn by_batch_size(&self) -> anyhow::Result<Vec<Point>> {
        let mut points: Vec<_> = self.scale.batches.iter().map(|batch| self.batch_point(*batch)).collect();
        for _ in 0..self.scale.runs {
            for point in &mut points {
                let workload = Workload::new(Scenario::InsertOnly, point.records, self.options.seed);
                let reference = workload.reference();
                let opened = self.opened_for(&workload).await?;
                let floor = self.floor(&opened, &workload.events, point.size).await?;
                check::rows(&opened.tables, &reference).await?;
                let opened = self.opened_for(&workload).await?;
                let pipeline = self.in_memory(&opened, &workload.records, point.size).await?;
                check::whole::<P>(&opened, &workload, &reference).await?;
                point.note(&[floor, pipeline]);
            }
        }
        Ok(points)
    }

    fn batch_point(&self, batch: usize) -> Point {
        // Small batches are slow: fewer of them tell as much.
        let records = self.scale.events.min(self.scale.one_by_one * batch);
        Point::new(batch, records, &[Method::Floor, Method::Memory])
    }

    /// End to end, by partitions.
    ///
    /// # Errors
    /// A part fails, or a row is wrong.
    pub async fn by_partitions(&self) -> anyhow::Result<Vec<Point>> {
        let records = self.scale.partition_events;
        let workload = Workload::new(Scenario::InsertOnly, records, self.options.seed);
        let reference = workload.reference();
        let new = |partitions: &u16| Point::new(usize::from(*partitions), records, &[Method::EndToEnd]);
        let mut points: Vec<_> = self.scale.partitions.iter().map(new).collect();
        for _ in 0..self.scale.runs {
            for (point, partitions) in points.iter_mut().zip(&self.scale.partitions) {
                let opened = self.opened_for(&workload).await?;
                let pace = self.end_to_end(&opened, self.log_of(&workload.records, *partitions)).await?;
                check::whole::<P>(&opened, &workload, &reference).await?;
                point.note(&[pace]);
            }
        }
        Ok(points)
    }

    /// Floor and pipeline, in memory, by the rows that are in the tables before. The same tables grow from point to point.
    ///
    /// # Errors
    /// A part fails, or a row is wrong.
    pub async fn by_table_size(&self) -> anyhow::Result<Vec<Point>> {
        let mut grown = Grown { opened: self.place.open().await?, rows: 0, seed: self.options.seed, sample: Sample::new(SAMPLE) };
        let mut points = Vec::new();
        for rows in &self.scale.rows {
            self.grow(&mut grown, *rows).await?;
            let mut point = Point::new(*rows, self.scale.growth_events, &[Method::Floor, Method::Memory]);
            for _ in 0..self.scale.runs {
                let events = grown.next(self.scale.growth_events);
                let floor = self.floor(&grown.opened, &events, self.batch()).await?;
                let records = records(&grown.next(self.scale.growth_events));
                let pipeline = self.in_memory(&grown.opened, &records, self.batch()).await?;
                point.note(&[floor, pipeline]);
            }
            grown.sample.check(&grown.opened.tables).await?;
            points.push(point);
        }
        Ok(points)
    }

    /// Writes until the tables hold so many rows.
    async fn grow(&self, grown: &mut Grown<P>, rows: usize) -> anyhow::Result<()> {
        while grown.rows < rows {
            let events = grown.next(self.scale.events.min(rows - grown.rows));
            floor::write(&grown.opened.tables, &events, self.batch(), max_rows()).await?;
        }
        Ok(())
    }
}

/// Tables that grow.
struct Grown<P: Place> {
    opened: OpenedAt<P>,
    rows: usize,
    seed: u64,
    sample: Sample,
}

impl<P: Place> Grown<P> {
    /// The next events to write, about nothing that is there.
    fn next(&mut self, count: usize) -> Vec<Event<'static>> {
        self.seed += 1;
        let events: Vec<_> = generator(count, self.seed).collect();
        for event in &events {
            self.sample.note(event);
            self.rows += rows_of(event);
        }
        events
    }
}

/// Rows that an insert-only event leaves; the few of the stock do not count.
fn rows_of(event: &Event<'_>) -> usize {
    match &event.body {
        events::Body::OrderPlaced(order) => 1 + order.items.len(),
        _ => 1,
    }
}
