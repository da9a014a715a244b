//! The demo on a stack that is running: somebody else's consumer and API do the work, and the demo sends, asks and checks.

use std::time::Duration;

use super::place::Place;
use super::servers::Servers;
use crate::process::run;

const BOUND: Duration = Duration::from_secs(60);

#[tokio::test(flavor = "multi_thread")]
async fn the_demo_holds_on_a_stack_that_is_running() {
    let Some(servers) = Servers::configured().await else { return };
    let place = Place::on(&servers).await;
    let member = place.start(&[]);
    member.until_ready(BOUND).await;
    let api = member.api().await.replace("http://", "");

    let mut demo = place.command(&[]);
    demo.args(["demo", "--api", &api, "--consumer", &api]);
    let (output, stdout, stderr) = tokio::task::spawn_blocking(|| run(demo)).await.unwrap();
    assert!(output.status.success(), "{stdout}\n{stderr}");
    assert!(stdout.contains("VERDICT: everything is as it must be.") && !stdout.contains("[FAILED]"), "{stdout}");
    assert_eq!(place.dead_letters().await.len(), 3, "nothing but what the demo meant to be one");
    assert!(member.warnings().is_empty(), "{:?}", member.warnings());
    member.stop().await;
}
