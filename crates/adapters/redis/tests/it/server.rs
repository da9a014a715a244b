//! A Redis of a test's own.

use std::ffi::OsString;
use std::fs::File;
use std::net::{Ipv4Addr, TcpListener};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU16, Ordering};
use std::time::{Duration, Instant};

use tempfile::TempDir;

const START: Duration = Duration::from_secs(20);
const POLL: Duration = Duration::from_millis(5);

/// A server on a free port of loopback that writes everything to its append-only file. Ends with the test.
pub struct Server {
    process: Child,
    kind: Kind,
    dir: TempDir,
    arguments: Vec<String>,
    pub port: u16,
}

/// How a process is started.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A server that holds data.
    Data,
    /// A sentinel, whose settings are the arguments, a line each.
    Sentinel,
}

impl Server {
    /// Starts a sentinel with these lines of configuration; `None` when `redis-server` is not installed.
    pub fn sentinel(lines: &[&str]) -> Option<Self> {
        Self::launched(Kind::Sentinel, lines)
    }

    /// Starts one; `None` when `redis-server` is not installed.
    pub fn start(arguments: &[&str]) -> Option<Self> {
        Self::launched(Kind::Data, arguments)
    }

    fn launched(kind: Kind, arguments: &[&str]) -> Option<Self> {
        let installed = Command::new(program()).arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status().is_ok();
        if !installed {
            return None;
        }
        let dir = tempfile::tempdir().unwrap();
        let arguments: Vec<_> = arguments.iter().map(|&argument| argument.to_owned()).collect();
        // Someone else may take the port between choosing and listening: then the server ends, and another port is chosen.
        let (port, process) = (0..20)
            .find_map(|_| {
                let port = free_port();
                launch(kind, &dir, port, &arguments).map(|process| (port, process))
            })
            .expect("redis-server starts");
        Some(Self { process, kind, dir, arguments, port })
    }

    /// Ends it as `kill -9` does.
    pub fn kill(&mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }

    /// Starts it again on the same port and the same file.
    pub fn restart(&mut self) {
        self.process = launch(self.kind, &self.dir, self.port, &self.arguments).expect("redis-server starts again");
    }

    /// Takes so many bytes from the end of its file, as a write that was cut short would.
    pub fn cut(&self, bytes: u64) {
        let files = std::fs::read_dir(self.dir.path().join("appendonlydir")).unwrap().map(|file| file.unwrap().path());
        let last = files.filter(|path| path.extension().is_some_and(|kind| kind == "aof")).max().expect("it writes a file");
        let file = File::options().write(true).open(last).unwrap();
        file.set_len(file.metadata().unwrap().len() - bytes).unwrap();
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if self.process.kill().is_ok() {
            self.process.wait().expect("it ends");
        }
    }
}

/// `redis-server`, or the one of its kin that `REDIS_TEST_SERVER` names, which is started in the same way.
fn program() -> OsString {
    std::env::var_os("REDIS_TEST_SERVER").unwrap_or_else(|| "redis-server".into())
}

/// A port that nobody listens on just now, below those that the system gives to clients, and another one each time.
pub fn free_port() -> u16 {
    static NEXT: AtomicU16 = AtomicU16::new(0);
    loop {
        // Test binaries that run side by side begin in different places.
        let port = 20_000 + ((std::process::id() * 101) as u16).wrapping_add(NEXT.fetch_add(1, Ordering::Relaxed)) % 10_000;
        if TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok() {
            return port;
        }
    }
}

/// The server, once it listens; `None` when it ended because someone else has the port.
fn launch(kind: Kind, dir: &TempDir, port: u16, arguments: &[String]) -> Option<Child> {
    let (log, file) = (dir.path().join("log"), dir.path().join("sentinel.conf"));
    let mut command = Command::new(program());
    if kind == Kind::Sentinel {
        // It writes what it learns into its own file.
        std::fs::write(&file, arguments.join("\n") + "\n").unwrap();
        command.arg(&file).arg("--sentinel");
    }
    command.args(["--port", &port.to_string(), "--bind", "127.0.0.1", "--dir"]).arg(dir.path());
    let ready = match kind {
        Kind::Data => {
            command.args(["--save", "", "--appendonly", "yes", "--appendfsync", "always"]).args(arguments);
            "Ready to accept connections"
        }
        Kind::Sentinel => "+monitor master",
    };
    let mut process = command.stdout(File::create(&log).unwrap()).spawn().unwrap();
    let started = Instant::now();
    // Its own word, not an answer on the port, which may come from another server.
    while !std::fs::read_to_string(&log).unwrap().contains(ready) {
        if process.try_wait().unwrap().is_some() {
            let said = std::fs::read_to_string(&log).unwrap();
            assert!(said.contains("Address already in use"), "redis-server did not start: {said}");
            return None;
        }
        assert!(started.elapsed() < START, "redis-server does not listen");
        std::thread::sleep(POLL);
    }
    Some(process)
}
