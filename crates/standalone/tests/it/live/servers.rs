//! The servers that the variables name, and whose turn it is.

use std::io::Write as _;

use tokio::sync::{Mutex, MutexGuard};

/// Cases take turns: each starts several processes, and measures time.
static TURN: Mutex<()> = Mutex::const_new(());

/// Where the servers are.
pub struct Servers {
    pub kafka: String,
    pub redis_host: String,
    pub redis_port: u16,
    _turn: MutexGuard<'static, ()>,
}

impl Servers {
    /// Waits for this case's turn. Without servers it says that the case did not run.
    pub async fn configured() -> Option<Self> {
        let variable = |name| std::env::var(name).ok().filter(|value| !value.is_empty());
        let (Some(kafka), Some(redis_host)) = (variable("KAFKA_BROKERS"), variable("REDIS_HOST")) else {
            say("did not run: it needs a real Kafka and a real Redis; set KAFKA_BROKERS and REDIS_HOST");
            return None;
        };
        let redis_port = variable("REDIS_PORT").map_or(6379, |port| port.parse().unwrap());
        Some(Self { kafka, redis_host, redis_port, _turn: TURN.lock().await })
    }
}

/// Says something about this case. Not with `eprintln`, which the harness would swallow.
pub fn say(text: &str) {
    let name = std::thread::current().name().unwrap_or_default().to_owned();
    let mut stderr = std::io::stderr();
    writeln!(stderr, "{name} {text}").unwrap();
}
