//! Each scenario, in four ways, on the same store: interleaved, so that noise of the machine meets all of them.

use std::collections::BTreeMap;

use anyhow::Context as _;

use crate::check;
use crate::place::Place;
use crate::scenarios::Scenario;
use crate::stage::{EndToEnd, Pace, Stage, one_by_one};
use crate::statistics::Samples;
use crate::workload::{Reference, Workload, records};

/// A way to get a stream into the tables.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Method {
    /// Ready-made batches, applied in a bare loop.
    Floor,
    /// The consumer, fed by a broker, with one event per take, statement and commits; for the last events, on tables that hold all before
    /// them.
    OneByOne,
    /// The consumer, fed from memory.
    Memory,
    /// The consumer, fed by a broker.
    EndToEnd,
}

impl Method {
    /// All of them, in the order of the report.
    pub const ALL: [Self; 4] = [Self::Floor, Self::OneByOne, Self::Memory, Self::EndToEnd];

    /// What the report calls it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Floor => "floor",
            Self::OneByOne => "one by one",
            Self::Memory => "pipeline, in memory",
            Self::EndToEnd => "end to end",
        }
    }
}

/// What the runs gave: records per second, which share of the time went to the store, and which share of the records was parked.
#[derive(Clone, Debug, Default)]
pub struct Rates {
    rates: BTreeMap<(Scenario, Method), Samples>,
    in_store: BTreeMap<(Scenario, Method), Samples>,
    parked: BTreeMap<(Scenario, Method), Samples>,
}

impl Rates {
    /// Records per second.
    pub fn rate(&self, scenario: Scenario, method: Method) -> Option<&Samples> {
        self.rates.get(&(scenario, method))
    }

    /// The share of the time in the store.
    pub fn in_store(&self, scenario: Scenario, method: Method) -> Option<&Samples> {
        self.in_store.get(&(scenario, method))
    }

    /// The share of the records that was parked.
    pub fn parked(&self, scenario: Scenario, method: Method) -> Option<&Samples> {
        self.parked.get(&(scenario, method))
    }

    /// One rate over another, run by run.
    pub fn ratio(&self, of: (Scenario, Method), over: (Scenario, Method)) -> Option<Samples> {
        Some(self.rates.get(&of)?.over(self.rates.get(&over)?))
    }

    /// The scenarios that were run.
    pub fn scenarios(&self) -> impl Iterator<Item = Scenario> {
        Scenario::ALL.into_iter().filter(|scenario| self.rates.contains_key(&(*scenario, Method::Floor)))
    }

    /// Notes a run.
    pub fn note(&mut self, scenario: Scenario, method: Method, pace: Pace) {
        self.rates.entry((scenario, method)).or_default().add(pace.rate);
        self.in_store.entry((scenario, method)).or_default().add(pace.in_store);
        self.parked.entry((scenario, method)).or_default().add(pace.parked);
    }
}

/// A scenario that is ready to be run, and what its runs must end in.
struct Prepared {
    scenario: Scenario,
    workload: Workload,
    reference: Reference,
}

impl<P: Place> Stage<'_, P> {
    /// Runs every scenario that was asked for, and checks the rows after each run.
    ///
    /// # Errors
    /// A part fails, or a row is wrong.
    pub async fn compare(&self) -> anyhow::Result<Rates> {
        let asked = Scenario::ALL.into_iter().filter(|scenario| self.options.wants_scenario(*scenario));
        let prepared: Vec<_> = asked.map(|scenario| self.prepare(scenario)).collect();
        let mut rates = Rates::default();
        for run in 0..self.scale.runs.max(self.scale.insert_only_runs) {
            for prepared in prepared.iter().filter(|prepared| run < self.runs_of(prepared.scenario)) {
                let mut methods = Method::ALL;
                // Nobody is always first.
                methods.rotate_left(run % Method::ALL.len());
                for method in methods {
                    let place = || format!("{}, {}", prepared.scenario.name(), method.name());
                    let pace = self.run(prepared, method).await.with_context(place)?;
                    let Pace { rate, in_store, .. } = pace;
                    eprintln!(
                        "run {} of {}: {}: {rate:.0} records/s, {:.0} % of the time in the store",
                        run + 1,
                        self.runs_of(prepared.scenario),
                        place(),
                        in_store * 100.0
                    );
                    rates.note(prepared.scenario, method, pace);
                }
            }
        }
        Ok(rates)
    }

    const fn runs_of(&self, scenario: Scenario) -> usize {
        if matches!(scenario, Scenario::InsertOnly) { self.scale.insert_only_runs } else { self.scale.runs }
    }

    fn prepare(&self, scenario: Scenario) -> Prepared {
        let workload = Workload::new(scenario, self.scale.events, self.options.seed);
        let reference = workload.reference();
        Prepared { scenario, workload, reference }
    }

    async fn run(&self, Prepared { workload, reference, .. }: &Prepared, method: Method) -> anyhow::Result<Pace> {
        let opened = self.opened_for(workload).await?;
        let pace = match method {
            Method::Floor => self.floor(&opened, &workload.events, self.batch()).await?,
            Method::OneByOne => {
                let (before, last) = workload.events.split_at(workload.events.len() - self.scale.one_by_one);
                self.floor(&opened, before, self.batch()).await?;
                let log = EndToEnd { records: &records(last), partitions: self.options.partitions, config: one_by_one() };
                self.end_to_end(&opened, log).await?
            }
            Method::Memory => self.in_memory(&opened, &workload.records, self.batch()).await?,
            Method::EndToEnd => self.end_to_end(&opened, self.log_of(&workload.records, self.options.partitions)).await?,
        };
        match method {
            Method::Floor | Method::OneByOne => check::rows(&opened.tables, reference).await?,
            Method::Memory | Method::EndToEnd => check::whole::<P>(&opened, workload, reference).await?,
        }
        Ok(pace)
    }
}
