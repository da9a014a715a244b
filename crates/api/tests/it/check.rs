//! `api check`, as an operator runs it.

use std::net::TcpListener;
use std::process::Command;

use serde_json::Value;

/// The answer as JSON, with these variables and none else of ours, and the exit code.
fn check(variables: &[(&str, &str)]) -> (Value, Option<i32>) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_api"));
    command.args(["check", "--json"]).current_dir(std::env::temp_dir());
    for (name, _) in std::env::vars_os() {
        if ["MSSQL_", "API_", "LOG_", "AZURE_"].iter().any(|prefix| name.to_string_lossy().starts_with(prefix)) {
            command.env_remove(name);
        }
    }
    let output = command.envs(variables.iter().copied()).output().unwrap();
    (serde_json::from_slice(&output.stdout).unwrap(), output.status.code())
}

/// The state of a finding.
fn state<'a>(report: &'a Value, part: &str, check: &str) -> Option<&'a str> {
    let findings = report["findings"].as_array().unwrap();
    findings.iter().find(|finding| finding["part"] == part && finding["check"] == check)?["state"].as_str()
}

#[test]
fn wrong_settings_are_named_and_the_port_is_looked_at_all_the_same() {
    let (report, code) = check(&[("API_PORT", "0"), ("MSSQL_PORT", "hunter2")]);
    assert_eq!((code, &report["ok"]), (Some(2), &Value::Bool(false)));
    for name in ["MSSQL_PASSWORD", "MSSQL_PORT"] {
        assert_eq!(state(&report, "settings", name), Some("fail"), "{report}");
    }
    assert_eq!((state(&report, "API", "port"), state(&report, "database", "server and login")), (Some("ok"), None), "{report}");
    assert!(!report.to_string().contains("hunter2"), "{report}");
}

#[test]
fn a_database_that_is_away_and_a_port_that_is_taken_fail_with_what_to_do() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    let away = [("MSSQL_SERVER", "127.0.0.1"), ("MSSQL_PORT", "1"), ("MSSQL_PASSWORD", "hunter2")];
    let (report, code) = check(&[&away[..], &[("API_PORT", &port)]].concat());
    assert_eq!((code, state(&report, "settings", "all")), (Some(1), Some("ok")), "{report}");
    for (part, check) in [("database", "server and login"), ("API", "port")] {
        assert_eq!(state(&report, part, check), Some("fail"), "{report}");
    }
    assert!(report["findings"].as_array().unwrap().iter().all(|finding| finding["state"] == "ok" || finding["advice"].is_string()));
    assert!(!report.to_string().contains("hunter2"), "{report}");
}
