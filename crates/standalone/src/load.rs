//! `standalone load`: generated events through the whole stack, and how fast that was.

use std::path::Path;
use std::process::ExitCode;
use std::time::{Duration, Instant, SystemTime};

use pipeline::ports::GroupProgress;
use producer::generate::{self, Generator, GeneratorConfig, Progress, Records, RunOptions};
use producer::interrupts;
use telemetry::exposition::samples;

use crate::table::table;
use crate::wiring::{Settings, Stack};

/// How often the consumer's progress is looked at.
const INTERVAL: Duration = Duration::from_millis(2);

/// Generates `events` events, waits until the group has committed them all, and prints rates.
///
/// # Errors
/// The stack cannot be started or stopped.
pub async fn run(settings: Settings, data_dir: Option<&Path>, events: u64, seed: u64) -> anyhow::Result<ExitCode> {
    let cold = Instant::now();
    let Some(stack) = Stack::start(settings, data_dir).await? else { return Ok(ExitCode::FAILURE) };
    say!("Event Pipeline: load\n\n{}\n", table(&stack.parts));
    let measured = measure(&stack, events, seed, cold).await;
    stack.stop().await?;
    Ok(if measured? { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Whether everything was delivered and consumed.
async fn measure(stack: &Stack, events: u64, seed: u64, cold: Instant) -> anyhow::Result<bool> {
    let first = send(stack, 1, seed.wrapping_add(1)).await;
    let first_ok = consumed(stack).await?;
    let first_visible = cold.elapsed();

    let store_before = store_seconds(stack);
    let start = Instant::now();
    let summary = send(stack, events, seed).await;
    let produced = start.elapsed();
    let all_ok = consumed(stack).await?;
    let took = start.elapsed();
    let in_store = store_seconds(stack) - store_before;

    say!("{summary}");
    let rate = events as f64 / took.as_secs_f64();
    say!("first event committed   {:>10.3} s after the start of the stack", first_visible.as_secs_f64());
    say!("produced                {:>10.3} s", produced.as_secs_f64());
    say!("produced and consumed   {:>10.3} s, {rate:.0} events/s end to end", took.as_secs_f64());
    say!("of that in the store    {:>10.3} s, {:.0} %", in_store, 100.0 * in_store / took.as_secs_f64());
    Ok(first.is_delivered() && summary.is_delivered() && first_ok && all_ok)
}

async fn send(stack: &Stack, events: u64, seed: u64) -> generate::Summary {
    let mut config = GeneratorConfig::new(events, seed);
    config.start = config.start_before(SystemTime::now().into());
    let options = RunOptions { rate: None, progress: Progress::for_stderr(events) };
    generate::run(&stack.publisher, &stack.kafka.topic, Records::new(Generator::new(config)), options, interrupts::count()).await
}

/// Waits until the group has committed all that the log holds; `false` when the process was asked to stop before.
async fn consumed(stack: &Stack) -> anyhow::Result<bool> {
    loop {
        if stack.progress.log().await?.partitions.values().all(|partition| partition.lag() == 0) {
            return Ok(true);
        }
        tokio::select! {
            () = tokio::time::sleep(INTERVAL) => {}
            () = stack.stopped() => return Ok(false),
        }
    }
}

/// Seconds spent in the store so far, by the metric.
fn store_seconds(stack: &Stack) -> f64 {
    samples(&stack.metrics.encode(), "db_operation_duration_seconds_sum").map(|sum| sum.value).sum()
}
