//! The report: Markdown, generated, with everything that is needed to read and to repeat it.

use std::fmt::Write as _;

use crate::comparison::Method;
use crate::console::Screens;
use crate::curve::Curve;
use crate::growth::Point;
use crate::peers::Peers;
use crate::reach;
use crate::results::Results;
use crate::scenarios::Scenario;
use crate::statistics::{Samples, percentile};
use crate::table::{Table, mib, millis, percent, ratio, whole, with_spread};

/// What a section says where it was not measured.
const NOT_MEASURED: &str = "Not measured in this run.\n";

/// What stands above the figures.
#[derive(Clone, Debug)]
pub struct Head {
    /// The command that made the report.
    pub command: String,
    /// When, in UTC.
    pub at: String,
    /// How often each was measured.
    pub runs: usize,
    /// How often insert-only was.
    pub insert_only_runs: usize,
    /// Machine, versions, store, log.
    pub facts: Vec<(&'static str, String)>,
    /// Events that were written one by one.
    pub one_by_one: usize,
    /// Whether the broker is the one inside the process.
    pub embedded_broker: bool,
}

/// The whole report.
pub fn report(head: &Head, results: &Results) -> String {
    let sections = [
        ("Goals", String::new(), reach::table(results).to_string()),
        ("Pure parts", about_pure(), pure(results)),
        ("Redis", "Dead letters that became durable per second, pushed at once.\n".to_owned(), redis(results)),
        ("Comparison", about_comparison(head), comparison(results)),
        (
            "Batch size",
            only("batch-size", "Insert-only, from memory: records per second."),
            growth(results.batch_sizes.as_deref(), "batch"),
        ),
        (
            "Partitions",
            only("partitions", "Insert-only, end to end: records per second."),
            growth(results.partitions.as_deref(), "partitions"),
        ),
        (
            "Table size",
            only(
                "table-size",
                "Insert-only, from memory, into tables that are empty at first, at one go: records per second in each part of the log.",
            ),
            curve(results.table_sizes.as_ref()),
        ),
        (
            "Latency",
            only("latency", "From handing an event to the publisher until `GET` answers 200, asked each millisecond."),
            latency(results),
        ),
        ("Memory", only("memory", "Resident memory of this process while a backlog is consumed that is made meanwhile."), memory(results)),
        (
            "Verify",
            only(
                "verify",
                "Seconds to read a log in memory into a shadow that is kept and to compare every row, and against the first pass, in which a consumer \
                 wrote them. Beside: a first pass into other tables, while these are verified at the rate of `VERIFY_RATE`.",
            ),
            verified(results),
        ),
        ("API", only("api", "`GET` of users and orders that are there, while the consumer writes at full rate."), api(results)),
        (
            "Console",
            only(
                "console",
                "Every screen of the operator's console, asked over HTTP one after the other, in milliseconds until its answer was read; each was looked at \
                 for the right counts. Then a consumer writes at full rate, by turns alone and beside ten consoles that show the flow, renew it whenever \
                 they are told to, and look at the dead letters now and then.",
            ),
            console(results),
        ),
        (
            "Peers",
            only(
                "peers --connect DIR",
                "Users alone, every one new, from a real Kafka into a SQLite file in which each commit waits for the disk, by turns: this pipeline with all its \
                 promises, and JDBC sinks of Kafka Connect, 3000 rows at a time (Aiven's with upserts, Debezium's with inserts: it cannot update SQLite). Users per second from the first commit to the last.",
            ),
            peers(results.peers.as_ref()),
        ),
    ];
    let mut text = title(head);
    for (name, about, body) in sections {
        let gap = if about.is_empty() { "" } else { "\n" };
        // Writing to memory cannot fail.
        write!(text, "\n## {name}\n\n{about}{gap}{body}").ok();
    }
    text
}

fn title(head: &Head) -> String {
    let Head { command, at, runs, insert_only_runs, facts, .. } = head;
    let mut table = Table::new(["", ""]);
    facts.iter().for_each(|(name, value)| table.row([*name, value]));
    format!(
        "# Benchmarks\n\nGenerated on {at} by `{command}`; not written by hand. Figures are medians (smallest – largest); each was \
         measured {runs} times, insert-only {insert_only_runs} times. After every run the rows were compared with a reference, and were right. \
         `--quick` is a short run, `--only NAME` a part of it; `--help` has the rest. `cargo bench -p bench` measures the pure parts and single \
         calls of the stores with Criterion.\n\n{table}"
    )
}

fn only(name: &str, about: &str) -> String {
    format!("{about} `cargo run --release -p bench -- --only {name}`\n")
}

fn about_pure() -> String {
    only("pure", "Per event, on one thread; the memory of the record itself not counted.")
}

fn about_comparison(head: &Head) -> String {
    let broker = if head.embedded_broker {
        " The broker is a mock inside this process: its own throughput means nothing, and it works on the same processors."
    } else {
        ""
    };
    format!(
        "Records per second. *Floor*: a bare loop over ready-made batches, decoded and planned beforehand, that executes the same statement of \
         the store. *Pipeline, in memory*: the consumer's own loop, fed with ready records. *End to end*: the same behind a real Kafka client, \
         with records sent before; the clock runs from the first record taken to the last commit. Children whose partition is ahead of that \
         of their parents are parked, which neither floor nor memory has to do for a stream with parents first. *One by one*: end to end, but \
         with one event per take, statement, commit of the database and commit of the offset, as simple consumers do; for the last {} events, \
         on tables that hold the others.{broker} `cargo run --release -p bench -- --only NAME`\n",
        head.one_by_one
    )
}

fn pure(results: &Results) -> String {
    let Some(costs) = &results.costs else { return NOT_MEASURED.to_owned() };
    let mut table = Table::new(["", "ns", "allocations", "bytes allocated"]);
    for cost in costs {
        table.row([cost.what.clone(), with_spread(Some(&cost.nanos), whole), format!("{:.1}", cost.allocations), whole(cost.bytes)]);
    }
    table.to_string()
}

fn redis(results: &Results) -> String {
    let Some(rates) = &results.redis else { return "Did not run: `REDIS_HOST` switches it on.\n".to_owned() };
    let mut table = Table::new(["", "letters per second"]);
    table.row(["push".to_owned(), with_spread(Some(rates), whole)]);
    table.to_string()
}

fn comparison(results: &Results) -> String {
    let rates = &results.rates;
    if rates.scenarios().next().is_none() {
        return NOT_MEASURED.to_owned();
    }
    let mut figures = Table::new(["scenario"].into_iter().chain(Method::ALL.map(Method::name)));
    let mut ratios = Table::new([
        "scenario",
        "in memory / floor",
        "end to end / floor",
        "end to end / one by one",
        "end to end, time in the store",
        "end to end, parked",
    ]);
    let mut about = String::new();
    for scenario in rates.scenarios() {
        let rate = |method| with_spread(rates.rate(scenario, method), whole);
        let over = |of, over| with_spread(rates.ratio((scenario, of), (scenario, over)).as_ref(), ratio);
        figures.row([scenario.name().to_owned()].into_iter().chain(Method::ALL.map(rate)));
        ratios.row([
            scenario.name().to_owned(),
            over(Method::Memory, Method::Floor),
            over(Method::EndToEnd, Method::Floor),
            over(Method::EndToEnd, Method::OneByOne),
            with_spread(rates.in_store(scenario, Method::EndToEnd), percent),
            with_spread(rates.parked(scenario, Method::EndToEnd), percent),
        ]);
        about.push_str(&describe(scenario));
    }
    format!("{figures}\n{ratios}\n{about}")
}

fn describe(scenario: Scenario) -> String {
    format!("- `{}`: {}.\n", scenario.name(), scenario.about())
}

fn growth(points: Option<&[Point]>, what: &str) -> String {
    let Some(points) = points else { return NOT_MEASURED.to_owned() };
    let methods = points.first().map(|point| point.rates.as_slice()).unwrap_or_default();
    let mut table = Table::new([what, "records"].into_iter().chain(methods.iter().map(|(method, _)| method.name())));
    for Point { size, records, rates } in points {
        let rates = rates.iter().map(|(_, samples)| with_spread(Some(samples), whole));
        table.row([whole(*size as f64), whole(*records as f64)].into_iter().chain(rates));
    }
    table.to_string()
}

/// The file beside the report that a curve is drawn in.
pub const CURVE: &str = "table-size.svg";

fn curve(curve: Option<&Curve>) -> String {
    let Some(curve) = curve else { return NOT_MEASURED.to_owned() };
    let first = curve.0.first().map_or(1.0, |(_, rate)| *rate);
    let mut table = Table::new(["records so far", "records per second", "of the first part"]);
    for (records, rate) in &curve.0 {
        table.row([whole(*records as f64), whole(*rate), ratio(rate / first)]);
    }
    format!("![records per second while the tables grow]({CURVE})\n\n{table}")
}

fn latency(results: &Results) -> String {
    let Some(latency) = &results.latency else { return NOT_MEASURED.to_owned() };
    let mut table = Table::new(["events sent per second", "looked for", "p50", "p99", "longest"]);
    let at = |share| millis(percentile(&latency.visible, share));
    table.row([whole(latency.rate), whole(latency.visible.len() as f64), at(0.5), at(0.99), at(1.0)]);
    table.to_string()
}

fn memory(results: &Results) -> String {
    let Some(memory) = &results.memory else { return NOT_MEASURED.to_owned() };
    let mut table = Table::new(["records", "records per second", "before", "most", "second quarter", "end", "growth"]);
    let show = |bytes: fn(&crate::memory::Resident) -> u64| {
        memory.resident.as_ref().map_or_else(|| "–".to_owned(), |resident| mib(bytes(resident)))
    };
    let growth = memory.resident.map_or_else(|| "–".to_owned(), |resident| percent(resident.growth()));
    table.row([
        whole(memory.records as f64),
        whole(memory.rate),
        show(|resident| resident.before),
        show(|resident| resident.max),
        show(|resident| resident.second_quarter),
        show(|resident| resident.end),
        growth,
    ]);
    table.to_string()
}

fn verified(results: &Results) -> String {
    let Some(verified) = &results.verified else { return NOT_MEASURED.to_owned() };
    let mut table = Table::new(["step", "seconds", "of the first pass"]);
    for (step, samples) in [
        ("first pass", &verified.first_pass),
        ("verify", &verified.whole),
        ("compare alone", &verified.compare),
        ("again after 1000 events", &verified.again),
        ("the same with --changed-only", &verified.changed),
        ("first pass beside it", &verified.beside),
    ] {
        let seconds = with_spread(Some(samples), |seconds| format!("{seconds:.1}"));
        table.row([step.to_owned(), seconds, with_spread(Some(&samples.over(&verified.first_pass)), ratio)]);
    }
    format!("{} records; at most {} of memory beside what was there before.\n\n{table}", whole(verified.records as f64), mib(verified.most))
}

fn api(results: &Results) -> String {
    let Some(load) = &results.load else { return NOT_MEASURED.to_owned() };
    let mut table = Table::new(["requests per second", "requests", "p50", "p99", "longest", "errors", "records written per second"]);
    let at = |share| millis(percentile(&load.answers, share));
    let errors = load.errors.to_string();
    table.row([whole(load.rate.into()), whole(load.answers.len() as f64), at(0.5), at(0.99), at(1.0), errors, whole(load.written)]);
    table.to_string()
}

fn console(results: &Results) -> String {
    if results.screens.is_empty() {
        return NOT_MEASURED.to_owned();
    }
    let mut text = String::new();
    for Screens { queue, amounts: (letters, parked), screens, first, counted, memory, watched, alone } in &results.screens {
        let mut table = Table::new(["screen", "asked", "p50", "p95", "longest"]);
        for (name, times) in screens {
            let at = |share| millis(percentile(times, share));
            table.row([(*name).to_owned(), times.len().to_string(), at(0.5), at(0.95), at(1.0)]);
        }
        let mut beside = Table::new(["", "records per second"]);
        beside.row(["alone".to_owned(), with_spread(Some(alone), whole)]);
        beside.row(["beside ten consoles".to_owned(), with_spread(Some(watched), whole)]);
        beside.row(["beside ten consoles / alone".to_owned(), with_spread(Some(&watched.over(alone)), ratio)]);
        let memory = memory.map_or_else(String::new, |bytes| format!(", which took {}", mib(bytes)));
        // Writing to memory cannot fail.
        write!(
            text,
            "Dead letter queue: {queue}; {} dead letters, {} parked events. While nothing of them is known, the dead letters answer in {}, and their groups are \
             there {} after that first question{memory}.\n\n{table}\n{beside}\n",
            whole(*letters as f64),
            whole(*parked as f64),
            millis(Some(*first)),
            millis(Some(*counted)),
        )
        .ok();
    }
    text
}

fn peers(peers: Option<&Peers>) -> String {
    let Some(Peers { users, ours, others }) = peers else {
        return "Did not run: `--connect` and `KAFKA_BROKERS` switch it on.\n".to_owned();
    };
    let mut table = Table::new(["", "users", "users per second", "this pipeline / it"]);
    let mut row = |name: &str, rates: &Samples, over: String| {
        table.row([name.to_owned(), whole(*users as f64), with_spread(Some(rates), whole), over]);
    };
    row("this pipeline", ours, "–".to_owned());
    for (name, rates) in others {
        row(name, rates, with_spread(Some(&ours.over(rates)), ratio));
    }
    table.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::memory::{Memory, Resident};

    fn head() -> Head {
        let facts = vec![("processor", "a fast one".to_owned())];
        Head {
            command: "bench".to_owned(),
            at: "today".to_owned(),
            runs: 5,
            insert_only_runs: 15,
            facts,
            one_by_one: 2000,
            embedded_broker: true,
        }
    }

    #[test]
    fn what_was_not_measured_is_said_to_be_so() {
        let text = report(&head(), &Results::default());
        assert_eq!(text.matches(NOT_MEASURED.trim()).count(), 10, "{text}");
        assert!(text.contains("REDIS_HOST") && text.contains("| processor | a fast one |") && text.contains("is a mock"), "{text}");
    }

    #[test]
    fn memory_is_told_in_mebibytes_with_its_growth() {
        let resident = Resident { before: 1 << 20, max: 4 << 20, second_quarter: 3 << 20, end: 3 << 20 };
        let memory = Memory { records: 1_000_000, rate: 30_000.0, resident: Some(resident) };
        let text = report(&head(), &Results { memory: Some(memory), ..Results::default() });
        assert!(text.contains("| 1 000 000 | 30 000 | 1.0 MiB | 4.0 MiB | 3.0 MiB | 3.0 MiB | 0 % |"), "{text}");
    }
}
