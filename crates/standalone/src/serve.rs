//! Running the stack: until Ctrl-C, under the menu, or for the demo.

use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

use consumer::verify::VerifyArgs;
use consumer::wiring::verify_once;
use producer::{Exit, Target, Timed};
use tokio_util::sync::CancellationToken;

use crate::demo::{self, Stage};
use crate::table::table;
use crate::wiring::{Settings, Stack};

/// In the demo, an orphan waits so long for its parent. Only on tables of the demo's own.
const DEMO_DEADLINE: Duration = Duration::from_secs(2);
/// In the demo, parked events are looked through so often.
const DEMO_SWEEP: Duration = Duration::from_millis(200);

/// `standalone run`.
pub async fn run(settings: Settings, data_dir: Option<&Path>) -> anyhow::Result<ExitCode> {
    let Some(stack) = Stack::start(settings, data_dir).await? else { return Ok(ExitCode::SUCCESS) };
    say!("Event Pipeline\n\n{}\n\n{}", table(&stack.parts), hints(&stack));
    stack.stopped().await;
    stack.stop().await?;
    say!("stopped");
    Ok(ExitCode::SUCCESS)
}

/// `standalone menu`.
pub async fn menu(settings: Settings, data_dir: Option<&Path>) -> anyhow::Result<ExitCode> {
    let Some(stack) = Stack::start(settings, data_dir).await? else { return Ok(ExitCode::SUCCESS) };
    say!("Event Pipeline\n\n{}\n\nRead API: http://{}\n", table(&stack.parts), stack.api);
    let target = Target { brokers: stack.kafka.brokers.clone(), topic: stack.kafka.topic.clone() };
    let metrics = stack.metrics.clone();
    let publisher = Timed::new(stack.publisher.clone(), move |took| metrics.produced(took));
    let exit = producer::run(None, &publisher, target).await;
    stack.stop().await?;
    Ok(if exit == Exit::Delivered { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// `standalone demo`.
pub async fn demo(mut settings: Settings, data_dir: Option<&Path>) -> anyhow::Result<ExitCode> {
    let gives_up_soon = settings.database_is_embedded();
    if gives_up_soon {
        settings.consumer.parking_deadline = DEMO_DEADLINE;
    }
    settings.consumer.sweep_interval = DEMO_SWEEP;
    settings.consumer.monitor_interval = DEMO_SWEEP;
    let (consumer, is_own) = (settings.consumer.clone(), gives_up_soon && settings.kafka.is_none() && data_dir.is_none());
    let Some(stack) = Stack::start(settings, data_dir).await? else { return Ok(ExitCode::FAILURE) };
    say!("Event Pipeline: demo\n\n{}", table(&stack.parts));
    let (tables, dead_letters, kafka) = (stack.tables.clone(), stack.dead_letters.clone(), stack.kafka.clone());
    let verification: demo::Verification = Box::pin(async move {
        verify_once(&tables, &dead_letters, (&kafka, &consumer), &VerifyArgs::default(), &CancellationToken::new()).await
    });
    let stage = Stage {
        publisher: stack.publisher.clone(),
        progress: stack.progress.clone(),
        dead_letters: stack.dead_letters.clone(),
        topic: stack.kafka.topic.clone(),
        api: format!("http://{}", stack.api),
        metrics: vec![format!("http://{}", stack.api)],
        gives_up_soon,
        verification: is_own.then_some(verification),
    };
    let held = tokio::select! {
        held = demo::run(stage) => held,
        () = stack.stopped() => {
            say!("\nstopped before the end");
            Ok(false)
        }
    };
    stack.stop().await?;
    Ok(if held? { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn hints(stack: &Stack) -> String {
    let (api, brokers) = (stack.api, &stack.kafka.brokers);
    format!(
        "Try, in another terminal:\n  \
         curl http://{api}/users/recent\n  \
         curl http://{api}/metrics\n  \
         cargo build --release\n  \
         KAFKA_BROKERS={brokers} target/release/producer\n\n\
         Ctrl-C stops."
    )
}
