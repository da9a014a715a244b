//! The `api` binary says no secret, whatever is wrong.

use std::net::SocketAddr;
use std::time::Duration;

use testkit::canary::{SECRETS, TRACE, assert_setting_told, assert_silent, log_lines, secret};
use testkit::eventually;
use testkit::watched::{Watched, address_in, get, program};

const BOUND: Duration = Duration::from_secs(60);

fn api(settings: &[(&str, &str)]) -> Watched {
    let common = [("API_HOST", "127.0.0.1"), ("API_PORT", "0"), ("LOG_LEVEL", TRACE), ("LOG_FORMAT", "json")];
    // A folder without a `.env` file.
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests");
    Watched::start(program(env!("CARGO_BIN_EXE_api")).current_dir(folder).envs(common).envs(settings.iter().copied()))
}

#[tokio::test(flavor = "multi_thread")]
async fn an_api_whose_database_is_away_shows_no_secret() {
    let running = api(&[("MSSQL_SERVER", "127.0.0.1"), ("MSSQL_PORT", "1"), secret("MSSQL_PASSWORD")]);
    let mut address: Option<SocketAddr> = None;
    eventually(BOUND, "it says where it serves", async || {
        let [_, log] = running.said();
        address = log.lines().find(|line| line.contains("\"serving\"")).and_then(address_in);
        address.is_some()
    })
    .await;
    for path in ["/health", "/health/live", "/health/ready", "/users/recent", "/users/canary7f3a", "/inventory/canary7f3a", "/metrics"] {
        let answer = get(address.unwrap(), path, "canary7f3a");
        assert!(answer.starts_with("HTTP/1.1 "), "{path} answers");
        assert_silent(path, &answer);
    }
    let (code, [stdout, stderr]) = running.stopped();
    assert_eq!(code, Some(0), "{stderr}");
    assert_silent("standard output", &stdout);
    assert_silent("standard error", &stderr);
    assert_setting_told(&log_lines(&stderr), "MSSQL_PORT", "1");
}

#[test]
fn a_secret_in_the_wrong_place_is_not_shown() {
    let misplaced = [("MSSQL_SERVER", "sa:canary7f3a@db"), ("API_HOST", "canary7f3a"), ("MSSQL_ENCRYPT", "canary7f3a")];
    let settings: Vec<_> = SECRETS.into_iter().chain(misplaced).collect();
    let (code, [stdout, stderr]) = api(&settings).ended(BOUND);
    assert_eq!(code, Some(2), "{stderr}");
    assert_silent("standard output", &stdout);
    assert_silent("standard error", &stderr);
    for (name, _) in misplaced {
        assert!(stderr.contains(name), "{name} is reported: {stderr}");
    }
}
