//! Asking a server of ours whether it is alive: what a container runs as its health check.

use std::io::{self, Read as _, Write as _};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpStream};
use std::time::Duration;

/// Whether `GET /health/live` is answered with 200. `address` is where the server listens; for "every address" the loopback one is asked.
///
/// Waits up to `patience` for each of connection, request and answer.
///
/// # Errors
/// Nothing answers, or not in time.
pub fn is_live(address: SocketAddr, patience: Duration) -> io::Result<bool> {
    let mut stream = TcpStream::connect_timeout(&reachable(address), patience)?;
    stream.set_read_timeout(Some(patience))?;
    stream.set_write_timeout(Some(patience))?;
    stream.write_all(b"GET /health/live HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")?;
    let mut status_line = [0; "HTTP/1.1 200".len()];
    stream.read_exact(&mut status_line)?;
    Ok(&status_line == b"HTTP/1.1 200")
}

/// Why the server that listens there is not alive, as a sentence; `None` where it is. As [`is_live`] asks.
pub fn why_not_live(address: SocketAddr, patience: Duration) -> Option<String> {
    let place = format!("http://{}/health/live", reachable(address));
    match is_live(address, patience) {
        Ok(true) => None,
        Ok(false) => Some(format!("{place} answers that it is not alive: its loop stands still, and its log says since when")),
        Err(error) => {
            let why = match error.kind() {
                io::ErrorKind::ConnectionRefused => "nothing listens there",
                io::ErrorKind::TimedOut | io::ErrorKind::WouldBlock => "no answer in time",
                _ => "no answer that could be read",
            };
            Some(format!("{place} cannot be asked: {why}"))
        }
    }
}

/// The body of the answer to `GET` of this path, whatever its status. Waits up to `patience` for each of connection, request and parts of the
/// answer, of which it takes one mebibyte at most.
///
/// # Errors
/// Nothing answers, not in time, or not in HTTP.
pub fn ask(address: SocketAddr, path: &str, patience: Duration) -> io::Result<String> {
    const LONGEST: u64 = 1 << 20;
    let mut stream = TcpStream::connect_timeout(&reachable(address), patience)?;
    stream.set_read_timeout(Some(patience))?;
    stream.set_write_timeout(Some(patience))?;
    // 1.0, so that the body comes as it is, and ends with the connection.
    write!(stream, "GET {path} HTTP/1.0\r\nHost: localhost\r\n\r\n")?;
    let mut answer = String::new();
    stream.take(LONGEST).read_to_string(&mut answer)?;
    let body = answer.strip_prefix("HTTP/1.").and_then(|answer| answer.split_once("\r\n\r\n"));
    body.map(|(_, body)| body.to_owned()).ok_or_else(|| io::Error::from(io::ErrorKind::InvalidData))
}

/// Where a server that listens there can be reached from this machine: for "every address", on loopback.
pub const fn reachable(address: SocketAddr) -> SocketAddr {
    let ip = match address.ip() {
        ip if !ip.is_unspecified() => ip,
        IpAddr::V4(_) => IpAddr::V4(Ipv4Addr::LOCALHOST),
        IpAddr::V6(_) => IpAddr::V6(Ipv6Addr::LOCALHOST),
    };
    SocketAddr::new(ip, address.port())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_that_is_not_there_is_told_with_its_place() {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        // It takes connections and says nothing.
        let silent = why_not_live(address, Duration::from_millis(50)).unwrap();
        assert_eq!(silent, format!("http://{address}/health/live cannot be asked: no answer in time"));
        drop(listener);
        let gone = why_not_live(address, Duration::from_secs(5)).unwrap();
        assert_eq!(gone, format!("http://{address}/health/live cannot be asked: nothing listens there"));
    }

    #[test]
    fn every_address_is_asked_over_loopback_and_any_other_as_it_is() {
        for (listens, asked) in
            [("0.0.0.0:1", "127.0.0.1:1"), ("[::]:2", "[::1]:2"), ("192.0.2.1:3", "192.0.2.1:3"), ("127.0.0.1:4", "127.0.0.1:4")]
        {
            assert_eq!(reachable(listens.parse().unwrap()), asked.parse().unwrap());
        }
    }
}
