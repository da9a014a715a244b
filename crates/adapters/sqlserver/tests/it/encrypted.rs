//! A server that encrypts as SQL Server does, lets everyone in, and answers every statement with DONE.
//!
//! MS-TDS: sections 2.2.6.5 (what is wanted and offered), 3.3.5.1 (the handshake inside of prelogin packets). TDS 8.0 begins with TLS.

use std::io::{self, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use openssl::ssl::{SslAcceptor, SslMethod, SslVersion};

use crate::certificates::Certified;
use crate::scripted::{done, packet, prelogin};

/// What the server offers, and expects of its clients.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Offer {
    /// Nothing.
    None,
    /// The login is encrypted and nothing else.
    LoginOnly,
    /// Everything is encrypted, from the login on.
    On,
    /// Everything is encrypted, from the first byte on.
    Strict,
}

impl Offer {
    /// In the answer to the prelogin.
    const fn wire(self) -> u8 {
        match self {
            Self::LoginOnly => 0,
            Self::On | Self::Strict => 1,
            Self::None => 2,
        }
    }
}

/// What has come so far.
#[derive(Default)]
struct Seen {
    connections: usize,
    wanted: Vec<u8>,
    logins: usize,
}

/// A server, until the test ends.
pub struct Encrypted {
    port: u16,
    seen: Arc<Mutex<Seen>>,
}

impl Encrypted {
    pub fn start(offer: Offer, certified: &Certified) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let (port, seen) = (listener.local_addr().unwrap().port(), Arc::<Mutex<Seen>>::default());
        let (acceptor, by_server) = (acceptor(offer, certified), Arc::clone(&seen));
        thread::spawn(move || {
            while let Ok((stream, _)) = listener.accept() {
                note(&by_server, |seen| seen.connections += 1);
                // It ends with an error when the client has gone, or will not come in.
                converse(offer, &acceptor, stream, &by_server).ok();
            }
        });
        Self { port, seen }
    }

    pub fn port(&self) -> u16 {
        self.port
    }

    pub fn connections(&self) -> usize {
        note(&self.seen, |seen| seen.connections)
    }

    /// What each client wanted, in the prelogin's own code.
    pub fn wanted(&self) -> Vec<u8> {
        note(&self.seen, |seen| seen.wanted.clone())
    }

    /// How many have come as far as to send a password.
    pub fn logins(&self) -> usize {
        note(&self.seen, |seen| seen.logins)
    }
}

fn note<T>(seen: &Mutex<Seen>, what: impl FnOnce(&mut Seen) -> T) -> T {
    what(&mut seen.lock().unwrap_or_else(PoisonError::into_inner))
}

fn acceptor(offer: Offer, certified: &Certified) -> SslAcceptor {
    let mut builder = SslAcceptor::mozilla_intermediate_v5(SslMethod::tls()).unwrap();
    builder.set_private_key(&certified.key).unwrap();
    builder.set_certificate(&certified.certificate).unwrap();
    if offer != Offer::Strict {
        // TLS 1.3 needs TDS 8.0.
        builder.set_max_proto_version(Some(SslVersion::TLS1_2)).unwrap();
    }
    builder.build()
}

fn converse(offer: Offer, acceptor: &SslAcceptor, mut stream: TcpStream, seen: &Mutex<Seen>) -> io::Result<()> {
    if offer == Offer::Strict {
        let mut stream = acceptor.accept(stream).map_err(io::Error::other)?;
        greet(offer, &mut stream, seen)?;
        log_in(&mut stream, seen)?;
        return answer_all(&mut stream);
    }
    greet(offer, &mut stream, seen)?;
    if offer == Offer::None {
        log_in(&mut stream, seen)?;
        return answer_all(&mut stream);
    }
    let mut encrypted = acceptor.accept(Wrapped { stream, wraps: true, left: 0 }).map_err(io::Error::other)?;
    encrypted.get_mut().wraps = false;
    if offer == Offer::On {
        log_in(&mut encrypted, seen)?;
        return answer_all(&mut encrypted);
    }
    read_message(&mut encrypted)?;
    note(seen, |seen| seen.logins += 1);
    let stream = &mut encrypted.get_mut().stream;
    stream.write_all(&packet(&done()))?;
    answer_all(stream)
}

fn greet(offer: Offer, stream: &mut (impl Read + Write), seen: &Mutex<Seen>) -> io::Result<()> {
    let wanted = option(&read_message(stream)?, 1).ok_or(io::ErrorKind::InvalidData)?;
    note(seen, |seen| seen.wanted.push(wanted));
    let mut answer = prelogin();
    if let Some(encryption) = answer.last_mut() {
        *encryption = offer.wire();
    }
    stream.write_all(&packet(&answer))
}

fn log_in(stream: &mut (impl Read + Write), seen: &Mutex<Seen>) -> io::Result<()> {
    read_message(stream)?;
    note(seen, |seen| seen.logins += 1);
    stream.write_all(&packet(&done()))
}

fn answer_all(stream: &mut (impl Read + Write)) -> io::Result<()> {
    loop {
        read_message(stream)?;
        stream.write_all(&packet(&done()))?;
    }
}

/// One byte of a prelogin option: a list of token, offset and length comes first.
fn option(message: &[u8], token: u8) -> Option<u8> {
    let entry = message.chunks(5).take_while(|entry| entry[0] != 0xff).find(|entry| entry[0] == token)?;
    message.get(usize::from(u16::from_be_bytes([entry[1], entry[2]]))).copied()
}

fn read_message(stream: &mut impl Read) -> io::Result<Vec<u8>> {
    let mut message = Vec::new();
    loop {
        let mut header = [0; 8];
        stream.read_exact(&mut header)?;
        let begin = message.len();
        message.resize(begin + usize::from(u16::from_be_bytes([header[2], header[3]])) - header.len(), 0);
        stream.read_exact(&mut message[begin..])?;
        if header[1] & 1 == 1 {
            return Ok(message);
        }
    }
}

/// A line on which the handshake travels inside of prelogin packets.
#[derive(Debug)]
struct Wrapped {
    stream: TcpStream,
    wraps: bool,
    /// Bytes of the current packet that are still to be read.
    left: usize,
}

impl Read for Wrapped {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if !self.wraps {
            return self.stream.read(buffer);
        }
        while self.left == 0 {
            let mut header = [0; 8];
            self.stream.read_exact(&mut header)?;
            self.left = usize::from(u16::from_be_bytes([header[2], header[3]])) - header.len();
        }
        let most = buffer.len().min(self.left);
        let read = self.stream.read(&mut buffer[..most])?;
        self.left -= read;
        Ok(read)
    }
}

impl Write for Wrapped {
    fn write(&mut self, buffer: &[u8]) -> io::Result<usize> {
        if self.wraps {
            const PRELOGIN: u8 = 0x12;
            let mut whole = packet(buffer);
            whole[0] = PRELOGIN;
            self.stream.write_all(&whole)?;
        } else {
            self.stream.write_all(buffer)?;
        }
        Ok(buffer.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.stream.flush()
    }
}
