//! Long bodies, which are read as they come.

use super::*;
use crate::base::sys::Signal;
use std::io::Write;
use std::net::SocketAddr;

const MOST: u64 = 1 << 20;

/// Adds up the bytes of bodies.
struct Sums;

impl App for Sums {
    fn admit(&self, head: &Head) -> std::result::Result<Admitted, Response> {
        if head.path == "/sum" { Ok(Admitted::Stream(MOST)) } else { Ok(Admitted::Whole) }
    }

    fn answer(&self, _: &Head, body: &[u8], _: &Caller) -> Answer {
        Answer::Whole(Response::json(format!("whole {}", body.len())))
    }

    fn receive(&self, _: &Head, body: &mut dyn Read) -> Response {
        let (mut buffer, mut n, mut sum) = ([0; 1000], 0, 0u64);
        loop {
            match body.read(&mut buffer) {
                Ok(0) => return Response::json(format!("{n} bytes, {sum}")),
                Ok(more) => {
                    n += more;
                    sum += buffer[..more].iter().map(|byte| u64::from(*byte)).sum::<u64>();
                }
                Err(err) => return Response::error(400, &err.kind().to_string()),
            }
        }
    }
}

fn talk(address: SocketAddr, text: &[u8]) -> TcpStream {
    let mut socket = TcpStream::connect(address).unwrap();
    socket.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
    let _ = socket.write_all(text);
    socket
}

fn reply(mut socket: TcpStream) -> String {
    let mut text = String::new();
    let _ = socket.read_to_string(&mut text);
    text
}

fn post(length: usize, more: &str) -> Vec<u8> {
    format!("POST /sum HTTP/1.1\r\nHost: x\r\nContent-Length: {length}\r\n{more}\r\n").into_bytes()
}

#[test]
fn long_bodies() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        let signals = Signals::catch(&[Signal::CONT]).unwrap();
        serve(&listener, Arc::new(Sums), &signals).unwrap();
    });
    let whole = [post(MOST as usize, ""), vec![3; MOST as usize]].concat();
    assert!(reply(talk(address, &whole)).ends_with("\r\n\r\n1048576 bytes, 3145728"));
    assert!(reply(talk(address, &post(0, ""))).ends_with("\r\n\r\n0 bytes, 0"));
    assert!(reply(talk(address, &post(MOST as usize + 1, ""))).starts_with("HTTP/1.1 413"));
    let torn = talk(address, &[post(100, ""), vec![1; 50]].concat());
    torn.shutdown(std::net::Shutdown::Write).unwrap();
    assert!(reply(torn).contains("unexpected end of file"));
    // Who waits for a word gets it.
    let mut polite = talk(address, &post(3, "Expect: 100-continue\r\n"));
    let mut word = [0; 25];
    polite.read_exact(&mut word).unwrap();
    assert_eq!(&word, b"HTTP/1.1 100 Continue\r\n\r\n");
    polite.write_all(&[1, 2, 3]).unwrap();
    assert!(reply(polite).ends_with("3 bytes, 6"));
    // Only a few at a time, and nobody else waits for them.
    let begun = Instant::now();
    let mut slow = Vec::new();
    while slow.len() < TRANSFERS {
        assert!(begun.elapsed() < Duration::from_secs(30), "those before are not gone");
        let mut one = talk(address, &post(2, "Expect: 100-continue\r\n"));
        one.read_exact(&mut word).unwrap();
        if word.starts_with(b"HTTP/1.1 100") {
            one.write_all(&[1]).unwrap();
            slow.push(one);
        }
    }
    assert!(reply(talk(address, &post(0, ""))).starts_with("HTTP/1.1 503"));
    let other = talk(address, b"POST / HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 2\r\n\r\nab");
    assert!(reply(other).ends_with("\r\n\r\nwhole 2"));
    for mut socket in slow {
        socket.write_all(&[1]).unwrap();
        assert!(reply(socket).ends_with("2 bytes, 2"));
    }
}
