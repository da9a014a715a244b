//! SQL Server Browser: which port a named instance has.
//!
//! [MC-SQLR](https://learn.microsoft.com/openspecs/windows_protocols/mc-sqlr/): a datagram with the instance's name to UDP 1434, section 2.2.3; the
//! answer is a list of keys and values, section 2.2.5. Whoever can send us a datagram can answer, so only one from the address that was asked is
//! read, and nothing of it but a number is believed. The driver has such a client too: it takes an answer from any address, sends the name without
//! its final null, and tells a silence as an error of conversion.

use std::io::{self, ErrorKind};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

use tokio::net::UdpSocket;
use tokio::time::timeout;

/// Where SQL Server Browser listens.
pub(crate) const PORT: u16 = 1434;

/// How long one answer is waited for: as long as Microsoft's drivers do.
const ANSWER: Duration = Duration::from_secs(1);
/// How often it is asked: a datagram may be lost.
const TRIES: usize = 3;

const ASK_FOR_INSTANCE: u8 = 0x04;
const ANSWERS: u8 = 0x05;

/// What it has, or how it failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unknown {
    /// Nothing came back. It does not answer for a name that it does not know, either.
    Silent,
    /// Nothing listens there.
    Refused,
    /// The instance is there and has no TCP port.
    NoTcp,
}

/// Asks for an instance's port, for three seconds at most.
///
/// # Errors
/// Why it is not known.
pub(crate) async fn port_of(instance: &str, browser: SocketAddr) -> Result<u16, Unknown> {
    ask(instance, browser).await.unwrap_or_else(|error| match error.kind() {
        ErrorKind::ConnectionRefused => Err(Unknown::Refused),
        _ => Err(Unknown::Silent),
    })
}

async fn ask(instance: &str, browser: SocketAddr) -> io::Result<Result<u16, Unknown>> {
    let any: IpAddr = if browser.is_ipv4() { Ipv4Addr::UNSPECIFIED.into() } else { Ipv6Addr::UNSPECIFIED.into() };
    let socket = UdpSocket::bind((any, 0)).await?;
    // From now on the system hands over no datagram of another address, and tells that nothing listens.
    socket.connect(browser).await?;
    let question = [&[ASK_FOR_INSTANCE], instance.as_bytes(), &[0]].concat();
    for _ in 0..TRIES {
        socket.send(&question).await?;
        if let Ok(answer) = timeout(ANSWER, answer(&socket, instance)).await {
            return Ok(answer?.ok_or(Unknown::NoTcp));
        }
    }
    Ok(Err(Unknown::Silent))
}

/// The first answer about this instance.
async fn answer(socket: &UdpSocket, instance: &str) -> io::Result<Option<u16>> {
    let mut datagram = [0; 2048];
    loop {
        let length = socket.recv(&mut datagram).await?;
        if let Some(port) = read(&datagram[..length], instance) {
            return Ok(port);
        }
    }
}

/// The port in an answer about this instance, if it has one; `None` for what is no such answer.
fn read(answer: &[u8], instance: &str) -> Option<Option<u16>> {
    let (head, data) = answer.split_at_checked(3)?;
    let said = usize::from(u16::from_le_bytes([head[1], head[2]]));
    if head[0] != ANSWERS || data.len() < said {
        return None;
    }
    let text = String::from_utf8_lossy(&data[..said]);
    let words: Vec<_> = text.split(';').collect();
    let value = |key: &str| words.chunks_exact(2).find(|pair| pair[0].eq_ignore_ascii_case(key)).map(|pair| pair[1]);
    value("InstanceName").filter(|name| name.eq_ignore_ascii_case(instance))?;
    Some(value("tcp").and_then(|port| port.parse().ok()).filter(|port| *port != 0))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What a server says of an instance.
    fn told(text: &str) -> Vec<u8> {
        [&[ANSWERS][..], &u16::try_from(text.len()).unwrap().to_le_bytes(), text.as_bytes()].concat()
    }

    const EVENTS: &str =
        "ServerName;SQL1;InstanceName;EVENTS;IsClustered;No;Version;16.0.1000.6;tcp;50123;np;\\\\SQL1\\pipe\\MSSQL$EVENTS\\sql\\query;;";

    #[test]
    fn the_port_is_read_and_nothing_else_is_taken_for_an_answer() {
        assert_eq!(read(&told(EVENTS), "events"), Some(Some(50123)));
        assert_eq!(read(&told(&EVENTS.replace("tcp;50123;", "")), "EVENTS"), Some(None));
        assert_eq!(read(&told(&EVENTS.replace("50123", "0")), "EVENTS"), Some(None));
        assert_eq!(read(&told(EVENTS), "OTHER"), None, "the answer to another question");
        // A value that is a key's name is no key.
        assert_eq!(read(&told("ServerName;tcp;InstanceName;EVENTS;IsClustered;No;tcp;7;;"), "EVENTS"), Some(Some(7)));
        let whole = told(EVENTS);
        for length in 0..whole.len() {
            assert_eq!(read(&whole[..length], "EVENTS"), None, "cut after {length} bytes");
        }
        assert_eq!(read(&[&[6], &whole[1..]].concat(), "EVENTS"), None);
    }

    #[tokio::test]
    async fn it_is_asked_with_a_null_at_the_end_and_once_more_when_a_datagram_is_lost() {
        let browser = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        let address = browser.local_addr().unwrap();
        let served = tokio::spawn(async move {
            let mut question = [0; 64];
            // The first one is lost; what is no answer is passed over.
            browser.recv_from(&mut question).await.unwrap();
            let (length, client) = browser.recv_from(&mut question).await.unwrap();
            browser.send_to(b"nonsense", client).await.unwrap();
            browser.send_to(&told(EVENTS), client).await.unwrap();
            question[..length].to_vec()
        });
        assert_eq!(port_of("EVENTS", address).await, Ok(50123));
        assert_eq!(served.await.unwrap(), b"\x04EVENTS\0");
    }

    #[tokio::test(start_paused = true)]
    async fn silence_ends_within_three_seconds() {
        let silent = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        let begun = tokio::time::Instant::now();
        assert_eq!(port_of("EVENTS", silent.local_addr().unwrap()).await, Err(Unknown::Silent));
        assert!(begun.elapsed() <= Duration::from_millis(3100), "{:?}", begun.elapsed());
    }

    #[tokio::test]
    async fn a_port_at_which_nothing_listens_is_told_at_once() {
        let address = UdpSocket::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
        assert_eq!(port_of("EVENTS", address).await, Err(Unknown::Refused));
    }
}
