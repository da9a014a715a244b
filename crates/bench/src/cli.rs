//! The command line, and how much work it asks for.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Parser, ValueEnum};

use crate::scenarios::Scenario;

/// Measures the pipeline against its floor: a bare loop that executes the same store statement with ready-made batches.
///
/// Runs on embedded parts; `MSSQL_SERVER` (with `REDIS_HOST`) and `KAFKA_BROKERS` put real ones in their place. After every run the rows
/// are checked. A whole run writes the report beside the crate; any other prints it.
///
/// Exit codes: 0 measured, and every row right; 1 failed, or a wrong row; 2 wrong usage or settings.
#[derive(Clone, Debug, Parser)]
#[command(name = "bench", version)]
pub struct Options {
    /// A short run: a look at whether everything works, no figures to go by.
    #[arg(long)]
    pub quick: bool,

    /// Only this; may be given several times.
    #[arg(long, value_name = "NAME")]
    pub only: Vec<Name>,

    /// Records per scenario. The embedded broker holds a few MiB per partition: about 4000 records.
    #[arg(long, value_parser = clap::value_parser!(u32).range(100..))]
    pub events: Option<u32>,

    /// How often each is measured.
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..))]
    pub runs: Option<u32>,

    /// Dead letters, and parked events, over which the console is asked: 100000, where nothing is said.
    #[arg(long, value_parser = clap::value_parser!(u32).range(200..))]
    pub letters: Option<u32>,

    /// Records of the long backlogs: a million over which memory is watched, ten along which the tables grow, where nothing is said.
    #[arg(long, value_parser = clap::value_parser!(u64).range(100..))]
    pub backlog: Option<u64>,

    /// Events in a batch, where the batch size is not what is varied.
    #[arg(long, default_value_t = 1000, value_parser = clap::value_parser!(u32).range(1..))]
    pub batch: u32,

    /// Partitions of a topic, where they are not what is varied.
    #[arg(long, default_value_t = 32, value_parser = clap::value_parser!(u16).range(1..))]
    pub partitions: u16,

    /// What the random choices start from.
    #[arg(long, default_value_t = 1)]
    pub seed: u64,

    /// The embedded tables do not wait for the disk, as in a `standalone` without `--data-dir`.
    #[arg(long)]
    pub no_sync: bool,

    /// Where the embedded tables are made; without it in the system's folder for temporary files.
    #[arg(long, value_name = "DIR")]
    pub folder: Option<PathBuf>,

    /// Jars of Kafka Connect, of the JDBC sinks of Aiven or Debezium, and of the JDBC driver of SQLite, all in this folder: with `KAFKA_BROKERS` set,
    /// they are measured beside this pipeline.
    #[arg(long, value_name = "DIR")]
    pub connect: Option<PathBuf>,

    /// Write the report to this file, whatever was measured.
    #[arg(long, value_name = "FILE")]
    pub out: Option<PathBuf>,
}

/// What can be measured by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Name {
    /// One of the streams.
    Scenario(Scenario),
    /// Another part of the report.
    Part(Part),
}

/// The parts of the report beside the comparison.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Part {
    /// Decoding and planning, by themselves.
    Pure,
    /// Pushing dead letters to Redis.
    Redis,
    /// How the rate grows with the size of a batch.
    BatchSize,
    /// How the rate grows with partitions.
    Partitions,
    /// How the rate changes while the tables grow.
    TableSize,
    /// From sending an event until the API shows it.
    Latency,
    /// How much memory a long backlog takes.
    Memory,
    /// How long it takes to prove that the tables are what the log says.
    Verify,
    /// The API while the consumer writes.
    Api,
    /// The operator's console over many dead letters and parked events.
    Console,
    /// JDBC sinks of Kafka Connect at the same work; needs `--connect` and `KAFKA_BROKERS`.
    Peers,
}

impl ValueEnum for Name {
    fn value_variants<'a>() -> &'a [Self] {
        const ALL: [Name; 19] = [
            Name::Scenario(Scenario::InsertOnly),
            Name::Scenario(Scenario::HalfUpdate),
            Name::Scenario(Scenario::HotKey),
            Name::Scenario(Scenario::Replay),
            Name::Scenario(Scenario::PoisonDecode),
            Name::Scenario(Scenario::PoisonAddress),
            Name::Scenario(Scenario::PoisonLedger),
            Name::Scenario(Scenario::ChildrenFirst),
            Name::Part(Part::Pure),
            Name::Part(Part::Redis),
            Name::Part(Part::BatchSize),
            Name::Part(Part::Partitions),
            Name::Part(Part::TableSize),
            Name::Part(Part::Latency),
            Name::Part(Part::Memory),
            Name::Part(Part::Verify),
            Name::Part(Part::Api),
            Name::Part(Part::Console),
            Name::Part(Part::Peers),
        ];
        &ALL
    }

    fn to_possible_value(&self) -> Option<clap::builder::PossibleValue> {
        match self {
            Self::Scenario(scenario) => scenario.to_possible_value(),
            Self::Part(part) => part.to_possible_value(),
        }
    }
}

/// How much work there is to do.
#[derive(Clone, Debug, PartialEq)]
pub struct Scale {
    /// Records per scenario.
    pub events: usize,
    /// How often each is measured.
    pub runs: usize,
    /// How often insert-only is, which the others are compared with: disks are not as steady as what is asked of it.
    pub insert_only_runs: usize,
    /// Events that are written one by one.
    pub one_by_one: usize,
    /// Sizes of a batch to compare.
    pub batches: Vec<usize>,
    /// Numbers of partitions to compare.
    pub partitions: Vec<u16>,
    /// Records per run of that comparison on the embedded broker: they must fit into one of its partitions. On a real one as many as in a scenario.
    pub partition_events: usize,
    /// Records of the log along which the tables grow.
    pub growth: u64,
    /// Records of the long backlog.
    pub backlog: u64,
    /// How often the long backlog is verified.
    pub verify_runs: u32,
    /// Requests per second.
    pub requests: u32,
    /// How long the latency and the API are watched.
    pub watch: Duration,
    /// Letters in one push.
    pub dead_letters: usize,
    /// Dead letters over which the console is asked.
    pub letters: usize,
    /// Parked events over which it is asked.
    pub parked: usize,
    /// How often each of its screens is.
    pub asks: usize,
    /// How often consoles are opened and closed beside a consumer.
    pub turns: usize,
    /// How often a pure part is repeated.
    pub repeats: u32,
}

impl Options {
    /// How much work these options ask for.
    pub fn scale(&self) -> Scale {
        let mut scale = if self.quick { Scale::quick() } else { Scale::whole() };
        scale.events = self.events.map_or(scale.events, |events| events as usize);
        if let Some(runs) = self.runs {
            (scale.runs, scale.insert_only_runs) = (runs as usize, runs as usize);
        }
        if let Some(letters) = self.letters {
            (scale.letters, scale.parked) = (letters as usize, letters as usize);
        }
        (scale.backlog, scale.growth) = self.backlog.map_or((scale.backlog, scale.growth), |records| (records, records));
        scale.one_by_one = scale.one_by_one.min(scale.events);
        scale
    }

    /// Whether this scenario is asked for.
    pub fn wants_scenario(&self, scenario: Scenario) -> bool {
        self.wants(Name::Scenario(scenario))
    }

    /// Whether this part is asked for.
    pub fn wants_part(&self, part: Part) -> bool {
        self.wants(Name::Part(part))
    }

    /// Whether this is the run that the report beside the crate comes from.
    pub fn is_whole(&self) -> bool {
        !self.quick && self.only.is_empty()
    }

    fn wants(&self, name: Name) -> bool {
        self.only.is_empty() || self.only.contains(&name)
    }
}

impl Scale {
    fn whole() -> Self {
        Self {
            events: 100_000,
            runs: 5,
            insert_only_runs: 15,
            one_by_one: 2_000,
            batches: vec![1, 10, 100, 500, 1000, 2000],
            partitions: vec![1, 2, 4, 8, 32],
            partition_events: 4_000,
            growth: 10_000_000,
            backlog: 1_000_000,
            verify_runs: 3,
            requests: 1000,
            watch: Duration::from_secs(10),
            dead_letters: 1000,
            letters: 100_000,
            parked: 100_000,
            asks: 50,
            turns: 7,
            repeats: 20_000,
        }
    }

    fn quick() -> Self {
        Self {
            events: 300,
            runs: 1,
            insert_only_runs: 1,
            one_by_one: 50,
            batches: vec![1, 10, 100],
            partitions: vec![1, 2],
            partition_events: 200,
            growth: 1_000,
            backlog: 1_000,
            verify_runs: 1,
            requests: 100,
            watch: Duration::from_millis(300),
            dead_letters: 20,
            letters: 400,
            parked: 200,
            asks: 2,
            turns: 1,
            repeats: 20,
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn the_command_line_is_sound_and_every_scenario_has_its_name_there() {
        Options::command().debug_assert();
        for scenario in Scenario::ALL {
            let options = Options::try_parse_from(["bench", "--only", scenario.name()]).unwrap();
            assert!(options.wants_scenario(scenario) && !options.wants_part(Part::Pure) && !options.is_whole());
        }
        assert_eq!(Name::value_variants().len(), Scenario::ALL.len() + Part::value_variants().len());
    }
}
