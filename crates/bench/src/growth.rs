//! How the rate changes with the size of a batch and with partitions.

use crate::check;
use crate::comparison::Method;
use crate::place::Place;
use crate::scenarios::Scenario;
use crate::stage::{Pace, Stage};
use crate::statistics::Samples;
use crate::workload::Workload;

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
        // 4000 records are less than one poll. A real broker holds more in one partition.
        let records = if self.kafka.is_some() { self.scale.events } else { self.scale.partition_events };
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
}
