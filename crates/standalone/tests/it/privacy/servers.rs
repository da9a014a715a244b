//! Servers that refuse every login, in words that quote what must not be shown.

use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};

use testkit::canary::CANARY;

fn serve(answer: fn(TcpStream) -> std::io::Result<()>) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            // A client that goes is no failure.
            std::thread::spawn(move || answer(stream).ok());
        }
    });
    port
}

/// Answers each command of Redis with `WRONGPASS`; its port.
pub fn refusing_redis() -> u16 {
    serve(|mut stream| {
        let mut commands = [0; 4096];
        loop {
            let length = stream.read(&mut commands)?;
            let count = commands[..length].iter().filter(|byte| **byte == b'*').count();
            if length == 0 {
                return Ok(());
            }
            stream.write_all(format!("-WRONGPASS invalid password redis-{CANARY}\r\n").repeat(count).as_bytes())?;
        }
    })
}

/// A server that speaks just enough TDS to refuse the login with 18456; its port. Packets and tokens: MS-TDS, sections 2.2.3 to 2.2.7.
pub fn refusing_sql_server() -> u16 {
    serve(|mut stream| {
        read_message(&mut stream)?;
        stream.write_all(&packet(&[0, 0, 11, 0, 6, 1, 0, 17, 0, 1, 0xff, 16, 0, 0, 0, 0, 0, 2]))?;
        read_message(&mut stream)?;
        stream.write_all(&packet(&login_failed()))?;
        read_message(&mut stream)
    })
}

fn read_message(stream: &mut TcpStream) -> std::io::Result<()> {
    loop {
        let mut header = [0; 8];
        stream.read_exact(&mut header)?;
        let length = usize::from(u16::from_be_bytes([header[2], header[3]]));
        stream.read_exact(&mut vec![0; length - header.len()])?;
        if header[1] & 1 == 1 {
            return Ok(());
        }
    }
}

fn packet(tokens: &[u8]) -> Vec<u8> {
    let length = u16::try_from(tokens.len() + 8).unwrap().to_be_bytes();
    [&[4, 1, length[0], length[1], 0, 0, 1, 0], tokens].concat()
}

/// An ERROR token and a DONE.
fn login_failed() -> Vec<u8> {
    let message: Vec<u8> = format!("Login failed for user '{CANARY}'.").encode_utf16().flat_map(u16::to_le_bytes).collect();
    let units = u16::try_from(message.len() / 2).unwrap().to_le_bytes();
    let body = [&18456_u32.to_le_bytes()[..], &[1, 14], &units, &message, &[0, 0], &1_u32.to_le_bytes()].concat();
    let length = u16::try_from(body.len()).unwrap().to_le_bytes();
    [&[0xaa][..], &length, &body, &[0xfd], &[0; 12]].concat()
}
