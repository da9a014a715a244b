//! A network between a client and its server that a test breaks and mends.

use std::net::Ipv4Addr;
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

/// What the network does, to every connection and from now on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Network {
    /// Everything arrives.
    Works,
    /// Connections break, and new ones are closed as soon as they are made.
    Cut,
    /// Connections are made and stay open; nothing passes, either way, until the network does something else.
    Holds,
    /// Requests arrive; in the place of the next reply the connection breaks.
    BreaksReplies,
    /// Requests arrive, replies do not. A connection that lost one stays open and mute for good.
    LosesReplies,
    /// Everything arrives, each piece so much later.
    Delays(Duration),
    /// So many bytes of replies pass on a connection, counted from its beginning; then it breaks.
    Breaks {
        /// The bytes.
        after: u64,
    },
}

/// Stands before a server on loopback.
#[derive(Debug)]
pub struct Proxy {
    /// Where clients connect, on loopback.
    pub port: u16,
    network: watch::Sender<Network>,
}

impl Proxy {
    /// Before the server on this port of loopback, which need not be there yet. Lasts as long as the runtime.
    pub async fn before(server: u16) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let (network, state) = watch::channel(Network::Works);
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                tokio::spawn(connection(client, server, state.clone()));
            }
        });
        Self { port, network }
    }

    /// From now on.
    pub fn set(&self, network: Network) {
        self.network.send_replace(network);
    }
}

/// Carries one connection until either end, or the network, ends it.
async fn connection(client: TcpStream, server: u16, network: watch::Receiver<Network>) {
    let mut state = network.clone();
    let carry = async {
        let Ok(server) = TcpStream::connect((Ipv4Addr::LOCALHOST, server)).await else { return };
        let (from_client, to_client) = client.into_split();
        let (from_server, to_server) = server.into_split();
        tokio::select! {
            () = requests(from_client, to_server, network.clone()) => {}
            () = replies(from_server, to_client, network) => {}
        }
    };
    tokio::select! {
        biased;
        _ = state.wait_for(|network| *network == Network::Cut) => {}
        () = carry => {}
    }
}

async fn requests(mut from: OwnedReadHalf, mut to: OwnedWriteHalf, mut network: watch::Receiver<Network>) {
    let mut buffer = vec![0; 1 << 16];
    while let Ok(count @ 1..) = from.read(&mut buffer).await {
        wait(&mut network).await;
        if to.write_all(&buffer[..count]).await.is_err() {
            return;
        }
    }
}

async fn replies(mut from: OwnedReadHalf, mut to: OwnedWriteHalf, mut network: watch::Receiver<Network>) {
    let mut buffer = vec![0; 1 << 16];
    let (mut lost, mut passed) = (false, 0);
    while let Ok(count @ 1..) = from.read(&mut buffer).await {
        wait(&mut network).await;
        let now = *network.borrow();
        let mut passing = count;
        match now {
            Network::BreaksReplies => return,
            Network::LosesReplies => lost = true,
            Network::Breaks { after } => passing = count.min(usize::try_from(after.saturating_sub(passed)).unwrap_or(count)),
            Network::Works | Network::Cut | Network::Holds | Network::Delays(_) => {}
        }
        passed += passing as u64;
        if !lost && to.write_all(&buffer[..passing]).await.is_err() || passing < count {
            return;
        }
    }
}

/// Waits as the network makes a piece wait.
async fn wait(network: &mut watch::Receiver<Network>) {
    // A proxy that is gone holds nothing up.
    let now = network.wait_for(|network| *network != Network::Holds).await.map_or(Network::Works, |network| *network);
    if let Network::Delays(by) = now {
        tokio::time::sleep(by).await;
    }
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use tokio::time::timeout;

    use super::*;

    const SOON: Duration = Duration::from_secs(10);
    const BRIEFLY: Duration = Duration::from_millis(100);

    /// A proxy before a server that sends back what it gets.
    async fn echo() -> Proxy {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let port = listener.local_addr().unwrap().port();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (mut from, mut to) = stream.into_split();
                tokio::spawn(async move { tokio::io::copy(&mut from, &mut to).await });
            }
        });
        Proxy::before(port).await
    }

    async fn client(proxy: &Proxy) -> TcpStream {
        TcpStream::connect((Ipv4Addr::LOCALHOST, proxy.port)).await.unwrap()
    }

    /// Sends `ping` and reads up to four bytes of what comes back.
    async fn ping(client: &mut TcpStream) -> Vec<u8> {
        client.write_all(b"ping").await.unwrap();
        read(client).await
    }

    async fn read(client: &mut TcpStream) -> Vec<u8> {
        let mut answer = Vec::new();
        // A connection that breaks ends the answer.
        drop(timeout(SOON, client.take(4).read_to_end(&mut answer)).await.unwrap());
        answer
    }

    async fn is_mute(client: &mut TcpStream) -> bool {
        timeout(BRIEFLY, client.read_u8()).await.is_err()
    }

    #[tokio::test]
    async fn a_cut_breaks_old_and_new_connections_until_the_network_works_again() {
        let proxy = echo().await;
        let mut old = client(&proxy).await;
        assert_eq!(ping(&mut old).await, b"ping");
        proxy.set(Network::Cut);
        assert_eq!(read(&mut old).await, b"");
        assert_eq!(read(&mut client(&proxy).await).await, b"");
        proxy.set(Network::Works);
        assert_eq!(ping(&mut client(&proxy).await).await, b"ping");
    }

    #[tokio::test]
    async fn what_is_held_arrives_later() {
        let proxy = echo().await;
        proxy.set(Network::Holds);
        let mut held = client(&proxy).await;
        held.write_all(b"ping").await.unwrap();
        assert!(is_mute(&mut held).await);
        proxy.set(Network::Works);
        assert_eq!(read(&mut held).await, b"ping");
    }

    #[tokio::test]
    async fn a_lost_reply_leaves_its_connection_mute_and_a_broken_one_ends_it() {
        let proxy = echo().await;
        let (mut mute, mut broken) = (client(&proxy).await, client(&proxy).await);
        proxy.set(Network::LosesReplies);
        mute.write_all(b"ping").await.unwrap();
        assert!(is_mute(&mut mute).await);
        proxy.set(Network::BreaksReplies);
        assert_eq!(ping(&mut broken).await, b"");
        proxy.set(Network::Works);
        mute.write_all(b"ping").await.unwrap();
        assert!(is_mute(&mut mute).await);
        assert_eq!(ping(&mut client(&proxy).await).await, b"ping");
    }

    #[tokio::test]
    async fn replies_are_cut_at_the_byte_and_come_late_by_the_delay() {
        let proxy = echo().await;
        proxy.set(Network::Breaks { after: 3 });
        assert_eq!(ping(&mut client(&proxy).await).await, b"pin");
        proxy.set(Network::Delays(BRIEFLY));
        let asked = Instant::now();
        assert_eq!(ping(&mut client(&proxy).await).await, b"ping");
        assert!(asked.elapsed() >= 2 * BRIEFLY, "each way");
    }
}
