//! A server that speaks just enough TDS to be logged in to, and then answers as a script says.
//!
//! Packets, prelogin and tokens: MS-TDS, sections 2.2.3 to 2.2.7.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use sqlserver::{Authentication, Encryption, Resolver, SqlServerConfig};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;

pub use crate::tables::{Column, Value, table, words};

/// What the server does next.
#[derive(Clone, Debug)]
pub enum Step {
    /// Answers with these tokens.
    Answer(Vec<u8>),
    /// Sends so many bytes of the packet with these tokens, then closes.
    Cut(Vec<u8>, usize),
    /// Sends so many of them, and nothing more.
    Stall(Vec<u8>, usize),
    /// Says nothing, and keeps the connection.
    Silence,
    /// Closes.
    Close,
}

/// A server, until it is dropped.
pub struct Scripted {
    address: SocketAddr,
    seen: Arc<Seen>,
    task: tokio::task::JoinHandle<()>,
}

/// What the server has seen so far.
struct Seen {
    connections: AtomicUsize,
    messages: Mutex<Vec<Vec<u8>>>,
    silences: Semaphore,
}

impl Drop for Scripted {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// The steps of one connection: what it does about each message, in order; then it closes.
pub type Script = Vec<Step>;

impl Scripted {
    /// A server whose n-th connection follows the n-th script, beginning with the first packet.
    pub async fn raw(scripts: Vec<Script>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let seen = Arc::new(Seen { connections: AtomicUsize::new(0), messages: Mutex::default(), silences: Semaphore::new(0) });
        let by_server = seen.clone();
        let task = tokio::spawn(async move {
            let mut scripts = scripts.into_iter();
            while let Ok((stream, _)) = listener.accept().await {
                by_server.connections.fetch_add(1, Ordering::SeqCst);
                tokio::spawn(follow(stream, scripts.next().unwrap_or_default(), by_server.clone()));
            }
        });
        Self { address, seen, task }
    }

    /// A server that lets everyone in; the scripts begin after the login and the session's settings.
    pub async fn open(scripts: Vec<Script>) -> Self {
        let welcome = || [Step::Answer(prelogin()), Step::Answer(done()), Step::Answer(done())];
        Self::raw(scripts.into_iter().map(|script| welcome().into_iter().chain(script).collect()).collect()).await
    }

    /// How many connections came.
    pub fn connections(&self) -> usize {
        self.seen.connections.load(Ordering::SeqCst)
    }

    /// Waits until a message came that is met with silence.
    pub async fn is_silent(&self) {
        self.seen.silences.acquire().await.unwrap().forget();
    }

    /// The numbers of the messages that hold this text.
    pub fn heard(&self, text: &str) -> Vec<usize> {
        let text = utf16(text);
        let messages = self.seen.messages.lock().unwrap();
        let holds = |message: &[u8]| message.windows(text.len()).any(|window| window == text);
        messages.iter().enumerate().filter(|(_, message)| holds(message)).map(|(number, _)| number).collect()
    }

    /// A message, without the heads of its packets.
    pub fn message(&self, number: usize) -> Vec<u8> {
        self.seen.messages.lock().unwrap()[number].clone()
    }

    /// Its port on the loopback.
    pub fn port(&self) -> u16 {
        self.address.port()
    }

    /// How to reach it: without encryption.
    pub fn config(&self) -> SqlServerConfig {
        SqlServerConfig {
            server: self.address.ip().to_string(),
            port: self.address.port(),
            instance: None,
            resolver: Resolver::System,
            user: "sa".to_owned(),
            password: "hunter2".to_owned().into(),
            authentication: Authentication::SqlPassword,
            database: "eventdb".to_owned(),
            encryption: Encryption::Off,
            host_name_in_certificate: None,
            trust_server_certificate: false,
            ca: None,
            application_name: "event-pipeline".to_owned(),
            read_only_intent: false,
            pool_size: 2,
            connect_timeout: Duration::from_secs(20),
            command_timeout: Duration::from_secs(20),
            lock_timeout: Duration::from_millis(1234),
        }
    }
}

async fn follow(mut stream: TcpStream, script: Script, seen: Arc<Seen>) {
    for step in script {
        let Ok(message) = read_message(&mut stream).await else { return };
        seen.messages.lock().unwrap().push(message);
        let written = match step {
            Step::Answer(tokens) => stream.write_all(&packet(&tokens)).await,
            Step::Cut(tokens, length) => {
                let _written = stream.write_all(&packet(&tokens)[..length]).await;
                return;
            }
            Step::Silence => return be_silent(&mut stream, &seen).await,
            Step::Stall(tokens, length) => {
                let _written = stream.write_all(&packet(&tokens)[..length]).await;
                return be_silent(&mut stream, &seen).await;
            }
            Step::Close => return,
        };
        if written.is_err() {
            return;
        }
    }
    // A message that the script does not expect is not answered.
    let _unexpected = read_message(&mut stream).await;
}

/// Keeps the connection until the other side goes.
async fn be_silent(stream: &mut TcpStream, seen: &Seen) {
    seen.silences.add_permits(1);
    while read_message(stream).await.is_ok() {}
}

/// Reads packets up to the one that ends the message.
async fn read_message(stream: &mut TcpStream) -> std::io::Result<Vec<u8>> {
    let mut message = Vec::new();
    loop {
        let mut header = [0; 8];
        stream.read_exact(&mut header).await?;
        let length = usize::from(u16::from_be_bytes([header[2], header[3]]));
        let begin = message.len();
        message.resize(begin + length - header.len(), 0);
        stream.read_exact(&mut message[begin..]).await?;
        if header[1] & 1 == 1 {
            return Ok(message);
        }
    }
}

/// An answer of one packet.
pub fn packet(tokens: &[u8]) -> Vec<u8> {
    let length = u16::try_from(tokens.len() + 8).unwrap().to_be_bytes();
    [&[4, 1, length[0], length[1], 0, 0, 1, 0], tokens].concat()
}

/// A prelogin answer: some version, no encryption.
pub fn prelogin() -> Vec<u8> {
    let options = [0, 0, 11, 0, 6, 1, 0, 17, 0, 1, 0xff];
    [&options[..], &[16, 0, 0, 0, 0, 0], &[2]].concat()
}

/// DONE.
pub fn done() -> Vec<u8> {
    [&[0xfd][..], &[0; 12]].concat()
}

/// An ERROR token and a DONE.
pub fn error(number: u32, severity: u8, message: &str) -> Vec<u8> {
    [error_token(number, severity, message), done()].concat()
}

/// An ERROR token alone.
pub fn error_token(number: u32, severity: u8, message: &str) -> Vec<u8> {
    let body = [&number.to_le_bytes()[..], &[1, severity], &us_varchar(message), &[0, 0], &1_u32.to_le_bytes()].concat();
    [&[0xaa][..], &length(&body), &body].concat()
}

/// A login answer that sends the client on.
pub fn routing(host: &str, port: u16) -> Vec<u8> {
    let value = [&[0][..], &port.to_le_bytes(), &us_varchar(host)].concat();
    let body = [&[20][..], &length(&value), &value, &[0, 0]].concat();
    [&[0xe3][..], &length(&body), &body, &done()].concat()
}

pub fn utf16(text: &str) -> Vec<u8> {
    text.encode_utf16().flat_map(u16::to_le_bytes).collect()
}

/// The text after its length in code units.
fn us_varchar(text: &str) -> Vec<u8> {
    let units = u16::try_from(text.encode_utf16().count()).unwrap();
    [&units.to_le_bytes()[..], &utf16(text)].concat()
}

pub fn length(bytes: &[u8]) -> [u8; 2] {
    u16::try_from(bytes.len()).unwrap().to_le_bytes()
}
