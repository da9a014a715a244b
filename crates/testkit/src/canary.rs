//! Values that must show nowhere, and where to look for them.

use serde_json::Value;

/// Part of every value that must not be shown.
pub const CANARY: &str = "canary7f3a";

/// Every variable that holds a secret, each with one.
pub const SECRETS: [(&str, &str); 5] = [
    ("MSSQL_PASSWORD", "sql-canary7f3a"),
    ("REDIS_PASSWORD", "redis-canary7f3a"),
    ("KAFKA_SASL_PASSWORD", "sasl-canary7f3a"),
    ("KAFKA_SSL_KEY_PASSWORD", "key-canary7f3a"),
    ("ADMIN_TOKEN", "a-long-enough-token-canary7f3a"),
];

/// Everything, of the libraries too.
pub const TRACE: &str = "trace,rdkafka=trace,librdkafka=trace,tiberius=trace,redis=trace,hyper=trace,mio=trace";

/// The secret of this variable.
pub fn secret(name: &str) -> (&'static str, &'static str) {
    SECRETS.into_iter().find(|(known, _)| *known == name).expect("a variable that holds a secret")
}

/// Fails where a canary sings, in clear text or in base64.
pub fn assert_silent(place: &str, text: &str) {
    let lower = text.to_lowercase();
    // The three ways in which base64 writes the middle of it, whatever stands before.
    for song in [CANARY, "y2fuyxj5n2yz", "bmfyetdmm2", "yw5hcnk3zjnh"] {
        let line = lower.lines().find(|line| line.contains(song));
        assert!(line.is_none(), "{place} shows a canary: {}", line.unwrap_or_default());
    }
}

/// Fails unless the program has told this setting once, with this value, as every program tells its settings.
pub fn assert_setting_told(log: &[Value], name: &str, value: &str) {
    let told: Vec<_> = log.iter().filter(|line| line["message"] == "setting" && line["name"] == name).collect();
    let [line] = told[..] else { panic!("{name} is told {} times", told.len()) };
    assert_eq!((&line["level"], &line["value"]), (&"DEBUG".into(), &value.into()), "{line}");
}

/// The lines of a log: fails for a line that is no JSON object, or that holds a control character.
pub fn log_lines(log: &str) -> Vec<Value> {
    let lines = log.split('\n').filter(|line| !line.is_empty());
    lines
        .map(|line| {
            assert!(!line.contains(char::is_control), "a control character: {line:?}");
            let value: Value = serde_json::from_str(line).unwrap_or_else(|_| panic!("no JSON: {line:?}"));
            assert!(value.is_object(), "no object: {line:?}");
            value
        })
        .collect()
}
