//! Running the program, in a folder and an environment of its own.

use std::path::Path;
use std::process::{Child, Command, Output, Stdio};

/// The program with these arguments, in a folder without a `.env` file, with none of our variables set.
pub fn standalone(folder: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_standalone"));
    command.current_dir(folder).args(arguments).stdin(Stdio::null());
    for (name, _) in std::env::vars_os() {
        let ours =
            ["KAFKA_", "MSSQL_", "REDIS_", "API_", "METRICS_", "BATCH_", "PARKING_", "LOG_", "MAX_CLOCK_", "MONITOR_", "DLQ_", "ADMIN_"];
        if ours.iter().any(|prefix| name.to_string_lossy().starts_with(prefix)) {
            command.env_remove(name);
        }
    }
    command
}

/// Runs it to its end; standard output and standard error as text.
pub fn run(mut command: Command) -> (Output, String, String) {
    let output = command.output().expect("the program starts");
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let (stdout, stderr) = (text(&output.stdout), text(&output.stderr));
    (output, stdout, stderr)
}

/// A running program that is killed when the test ends, however it ends.
pub struct Running(pub Child);

impl Running {
    pub fn start(mut command: Command) -> Self {
        Self(command.stdout(Stdio::null()).spawn().expect("the program starts"))
    }

    /// SIGKILL: no handler runs, nothing is flushed.
    pub fn kill(mut self) {
        self.0.kill().expect("it runs");
        self.0.wait().expect("it ends");
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // It may have ended by itself, or have been killed already.
        drop(self.0.kill());
        drop(self.0.wait());
    }
}
