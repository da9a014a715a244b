//! A Kafka of a case's own, for cases that stop it.

use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use tempfile::TempDir;
use testkit::eventually;

use super::servers::say;

/// How long a broker that was killed may hold its port.
const END: Duration = Duration::from_secs(20);

/// A broker whose log outlives it. Ends with the test.
pub struct Broker {
    pub address: String,
    folder: TempDir,
}

impl Broker {
    /// Starts one; without Java it says that the case did not run.
    pub async fn start() -> Option<Self> {
        if !java() {
            return None;
        }
        let folder = tempfile::tempdir().unwrap();
        let address = launch(folder.path().to_owned()).await;
        Some(Self { address, folder })
    }

    /// SIGKILL, and waits until nobody listens any more.
    pub async fn kill(&self) {
        self.signal("KILL");
        eventually(END, "nobody listens on the broker's port", async || TcpStream::connect(&self.address).is_err()).await;
    }

    /// Starts it again on the same log and the same port.
    pub async fn start_again(&self) {
        assert_eq!(launch(self.folder.path().to_owned()).await, self.address);
    }

    /// Sends a signal: `KILL`, `STOP`, `CONT`.
    pub fn signal(&self, name: &str) {
        let id = std::fs::read_to_string(self.folder.path().join("pid")).unwrap();
        assert!(Command::new("kill").args(["-s", name, id.trim()]).status().unwrap().success(), "it runs");
    }
}

impl Drop for Broker {
    fn drop(&mut self) {
        // A stopped process ends only when it goes on, and one that was killed is no longer there.
        if let Ok(id) = std::fs::read_to_string(self.folder.path().join("pid")) {
            drop(Command::new("kill").args(["-s", "KILL", id.trim()]).stderr(Stdio::null()).status());
        }
    }
}

async fn launch(folder: PathBuf) -> String {
    script("start", folder).await
}

/// Whether a Kafka can be started here; where not, this says that the case did not run.
pub fn java() -> bool {
    let installed = Command::new("java").arg("-version").stdout(Stdio::null()).stderr(Stdio::null()).status().is_ok();
    if !installed {
        say("did not run: it needs a Kafka of its own, and Java is not installed");
    }
    installed
}

/// What the script that starts and stops Kafka prints.
pub async fn script(command: &'static str, folder: PathBuf) -> String {
    tokio::task::spawn_blocking(move || {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../.ci/kafka");
        let output = Command::new(script).arg(command).arg(&folder).stderr(Stdio::inherit()).output().unwrap();
        assert!(output.status.success(), "{command} of {} succeeds", folder.display());
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    })
    .await
    .unwrap()
}
