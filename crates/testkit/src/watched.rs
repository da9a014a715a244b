//! A program of ours as a process, with everything that it says.

use std::io::{Read, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// How long a program may take to stop when it is asked to; it promises ten seconds.
const STOP: Duration = Duration::from_secs(15);
/// How long an answer over HTTP may take.
const ANSWER: Duration = Duration::from_secs(15);

/// Beginnings of the names of our variables.
const OURS: [&str; 14] = [
    "KAFKA_",
    "MSSQL_",
    "REDIS_",
    "API_",
    "METRICS_",
    "BATCH_",
    "PARKING_",
    "LOG_",
    "MAX_CLOCK_",
    "MONITOR_",
    "DLQ_",
    "ADMIN_",
    "HTTP_",
    "RUST_LOG",
];

/// A running program. Killed when dropped.
pub struct Watched {
    child: Child,
    output: [Arc<Mutex<Vec<u8>>>; 2],
    readers: Vec<JoinHandle<()>>,
}

/// A program, with none of our variables set, and nothing to read.
pub fn program(path: &str) -> Command {
    let mut command = Command::new(path);
    command.stdin(Stdio::null());
    for (name, _) in std::env::vars_os() {
        if OURS.iter().any(|prefix| name.to_string_lossy().starts_with(prefix)) {
            command.env_remove(name);
        }
    }
    command
}

impl Watched {
    /// Starts it.
    pub fn start(command: &mut Command) -> Self {
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("the program starts");
        let mut readers = Vec::new();
        let stdout = keep(child.stdout.take().expect("piped"), &mut readers);
        let stderr = keep(child.stderr.take().expect("piped"), &mut readers);
        Self { child, output: [stdout, stderr], readers }
    }

    /// What it has said so far: standard output, standard error.
    pub fn said(&self) -> [String; 2] {
        self.output.each_ref().map(|text| String::from_utf8_lossy(&text.lock().unwrap()).into_owned())
    }

    /// Waits for its end; the exit code and everything that it said. It is killed after a while.
    pub fn ended(mut self, bound: Duration) -> (Option<i32>, [String; 2]) {
        let deadline = Instant::now() + bound;
        let status = loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                break Some(status);
            }
            if Instant::now() >= deadline {
                break None;
            }
            std::thread::yield_now();
            std::thread::park_timeout(Duration::from_millis(20));
        };
        self.child.kill().ok();
        self.child.wait().unwrap();
        self.readers.drain(..).for_each(|reader| reader.join().unwrap());
        (status.and_then(|status| status.code()), self.said())
    }

    /// Asks it to stop and waits for that; the exit code and everything that it said.
    pub fn stopped(self) -> (Option<i32>, [String; 2]) {
        Command::new("kill").args(["-TERM", &self.child.id().to_string()]).status().expect("kill is there");
        self.ended(STOP)
    }
}

impl Drop for Watched {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

fn keep(mut from: impl Read + Send + 'static, readers: &mut Vec<JoinHandle<()>>) -> Arc<Mutex<Vec<u8>>> {
    let text = Arc::new(Mutex::new(Vec::new()));
    let kept = Arc::clone(&text);
    readers.push(std::thread::spawn(move || {
        let mut piece = [0; 8192];
        while let Ok(length @ 1..) = from.read(&mut piece) {
            kept.lock().unwrap().extend_from_slice(&piece[..length]);
        }
    }));
    text
}

/// What a server answers to a GET, head and body; empty where there is no answer.
pub fn get(address: SocketAddr, path: &str, bearer: &str) -> String {
    let ask = || -> std::io::Result<String> {
        let mut stream = TcpStream::connect_timeout(&address, ANSWER)?;
        stream.set_read_timeout(Some(ANSWER))?;
        write!(stream, "GET {path} HTTP/1.1\r\nhost: test\r\nauthorization: Bearer {bearer}\r\nconnection: close\r\n\r\n")?;
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer)?;
        Ok(String::from_utf8_lossy(&answer).into_owned())
    };
    ask().unwrap_or_default()
}

/// The first address of loopback that this text names.
pub fn address_in(text: &str) -> Option<SocketAddr> {
    let begin = text.find("127.0.0.1:").or_else(|| text.find("0.0.0.0:"))?;
    let rest = &text[begin..];
    let end = rest.find(|c: char| !(c.is_ascii_digit() || c == '.' || c == ':')).unwrap_or(rest.len());
    let address: SocketAddr = rest[..end].parse().ok()?;
    Some(SocketAddr::from(([127, 0, 0, 1], address.port())))
}
