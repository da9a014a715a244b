//! A network that loses replies.

use std::net::Ipv4Addr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

/// What becomes of a reply.
#[derive(Clone, Copy, Debug)]
#[repr(u8)]
pub enum Replies {
    /// It arrives.
    Arrive,
    /// The connection breaks instead.
    Break,
    /// Nothing arrives on this connection any more, and it stays open.
    Vanish,
}

/// Stands between the queue and its Redis.
pub struct Proxy {
    pub port: u16,
    replies: Arc<AtomicU8>,
}

impl Proxy {
    /// In front of this port of loopback.
    pub async fn before(server: u16) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let replies = Arc::new(AtomicU8::new(Replies::Arrive as u8));
        let mode = Arc::clone(&replies);
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                tokio::spawn(carry(client, server, Arc::clone(&mode)));
            }
        });
        Self { port, replies }
    }

    /// From the next reply on.
    pub fn set(&self, replies: Replies) {
        self.replies.store(replies as u8, Ordering::SeqCst);
    }
}

async fn carry(client: TcpStream, server: u16, mode: Arc<AtomicU8>) {
    let (mut requests, mut to_client) = client.into_split();
    let (mut replies, mut to_server) = TcpStream::connect((Ipv4Addr::LOCALHOST, server)).await.unwrap().into_split();
    let there = tokio::spawn(async move { tokio::io::copy(&mut requests, &mut to_server).await });
    let mut buffer = vec![0; 1 << 16];
    let (mut lost, vanish, broken) = (false, Replies::Vanish as u8, Replies::Break as u8);
    while let Ok(count @ 1..) = replies.read(&mut buffer).await {
        let now = mode.load(Ordering::SeqCst);
        lost |= now == vanish;
        if now == broken || (!lost && to_client.write_all(&buffer[..count]).await.is_err()) {
            break;
        }
    }
    there.abort();
}
