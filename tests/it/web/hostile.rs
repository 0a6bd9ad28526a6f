//! Clients that mean harm, or are merely broken.

use super::{LIMIT, Reply, Server, with_runs};
use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

/// Time in which a quick client is served, whatever others do; a debug build on a busy machine needs a fraction.
const QUICK: Duration = Duration::from_secs(5);

fn quick(server: &Server) {
    let since = Instant::now();
    assert!(server.get("/api/runs").list("runs").is_some());
    assert!(since.elapsed() < QUICK, "served after {:?}", since.elapsed());
}

#[test]
fn what_is_no_request() {
    let place = with_runs("web-no-request");
    let server = Server::start(&place, &["--listen", "127.0.0.1:0"]);
    let host = format!("Host: {}\r\n", server.address);
    let get = |line: &str, headers: &str| format!("{line}\r\n{host}{headers}\r\n");
    let long = "a".repeat(20_000);
    let cases: Vec<(String, u16)> = vec![
        (get(&format!("GET /{long} HTTP/1.1"), ""), 414),
        (get("GET / HTTP/1.1", &format!("A: {long}\r\n")), 431),
        (get("GET / HTTP/1.1", &"A: b\r\n".repeat(200)), 431),
        (get("BREW / HTTP/1.1", ""), 405),
        (get("POST / HTTP/1.1", ""), 405),
        (get("DELETE /api/runs/1 HTTP/1.1", ""), 405),
        (get("OPTIONS /api/runs HTTP/1.1", "Origin: http://evil.example\r\n"), 403),
        (get("GET /api/runs/1/cancel HTTP/1.1", ""), 405),
        (get("GET / HTTP/3.0", ""), 505),
        (get("GET / FTP/1.1", ""), 400),
        (get("GET /\0 HTTP/1.1", ""), 400),
        (get("GET /%00 HTTP/1.1", ""), 400),
        (get("GET / HTTP/1.1", "A: b\r\n folded\r\n"), 400),
        (get("GET / HTTP/1.1", "A : b\r\n"), 400),
        (get("GET / HTTP/1.1", &host), 400),
        (get("GET / HTTP/1.1", "Expect: wonders\r\n"), 417),
        (get("GET / HTTP/1.1", "\nA: b\r\n"), 400),
        ("GET / HTTP/1.1\nHost: localhost\n\n".into(), 400),
        ("GET / HTTP/1.1\r\n\r\n".into(), 400),
        (get("POST /api/login HTTP/1.1", "Content-Length: 5\r\nContent-Length: 5\r\n"), 400),
        (get("POST /api/login HTTP/1.1", "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n"), 400),
        (get("POST /api/login HTTP/1.1", "Transfer-Encoding: chunked\r\n"), 411),
        (get("POST /api/login HTTP/1.1", "Transfer-Encoding: x\r\n"), 501),
        (get("POST /api/login HTTP/1.1", "Content-Type: application/json\r\nContent-Length: 1000000000\r\n"), 413),
        (get("GET http://evil.example/ HTTP/1.1", ""), 421),
        ("GET / HTTP/1.1\r\nHost: evil.example\r\n\r\n".into(), 421),
        ("GET / HTTP/1.1\r\nHost: localhost:1\r\n\r\n".into(), 421),
        ("\x16\x03\x01\x02\x00\x01\x00".into(), 400),
    ];
    for (request, status) in cases {
        // A connection that stays open after such a request is ended by the next.
        let text = server.raw(format!("{request}GET / HTTP/1.0\r\n{host}\r\n"));
        let reply = Reply::read(&text);
        assert_eq!(reply.status, status, "{request:?}: {text}");
        assert!(reply.body.contains("{\"error\":\""), "{text}");
    }
    for path in [
        "/..%2f..%2fetc/passwd",
        "/%2e%2e/version",
        "//etc/passwd",
        "/api/runs/../../version",
        "/api/runs/..%2f1",
        "/api/runs/01",
        "/api/runs/+1",
        "/api/runs/1e0",
        "/api/runs/99",
        "/api/runs/18446744073709551616",
        "/api/runs/1/job.json",
    ] {
        assert_eq!(server.ask(&format!("GET {path}"), "", "").status, 404, "{path}");
    }
    for path in [
        "/api/curves",
        "/api/curves?y=cost&runs=../1",
        "/api/curves?y=a&x=b",
        "/api/runs/1/log?from=x",
        "/api/runs?since=-1",
        "/api/diff?a=1",
        "/api/columns?names=,",
        "/api/columns?names=a=b",
        "/api/columns?names=a%00",
        "/api/runs/1/history?points=many",
        "/api/live?run=x",
    ] {
        assert_eq!(server.ask(&format!("GET {path}"), "", "").status, 400, "{path}");
    }
    quick(&server);
}

#[test]
fn what_is_one_all_the_same() {
    let place = with_runs("web-odd");
    let server = Server::start(&place, &["--listen", "127.0.0.1:0"]);
    let host = format!("Host: {}\r\n", server.address);
    let status = |text: &str| Reply::read(&server.raw(text)).status;
    assert_eq!(status("GET / HTTP/1.0\r\n\r\n"), 200);
    assert_eq!(status(&format!("\r\n\r\nGET / HTTP/1.0\r\n{host}\r\n")), 200);
    assert_eq!(status(&format!("GET http://{}/api/about HTTP/1.0\r\n{host}\r\n", server.address)), 200);
    let head = server.raw(format!("HEAD /api/about HTTP/1.1\r\n{host}Connection: close\r\n\r\n"));
    let reply = Reply::read(&head);
    assert!(reply.status == 200 && reply.body.is_empty() && !reply.head.contains("Content-Length: 0"), "{head}");
    // A file that the browser has already is not sent again.
    let file = server.raw(format!("GET /style.css HTTP/1.1\r\n{host}Connection: close\r\n\r\n"));
    let tag = file.lines().find_map(|line| line.strip_prefix("ETag: ")).unwrap();
    let again = format!("GET /style.css HTTP/1.1\r\n{host}If-None-Match: {tag}\r\n\r\n");
    let text = server.raw(format!("{again}{again}GET /nothing HTTP/1.0\r\n\r\n"));
    assert!(text.matches("HTTP/1.1 304 ").count() == 2 && text.contains("HTTP/1.1 404 "), "{text}");
    // One after the other on one connection, sent all at once.
    let three = format!("GET /api/about HTTP/1.1\r\n{host}\r\n").repeat(3);
    let text = server.raw(format!("{three}GET /nothing HTTP/1.1\r\n{host}Connection: close\r\n\r\n"));
    assert_eq!((text.matches("HTTP/1.1 200 OK").count(), text.matches("HTTP/1.1 404").count()), (3, 1), "{text}");
    // A body of a GET belongs to it, and is no request of its own.
    let hidden = format!("GET /nothing HTTP/1.1\r\n{host}\r\n");
    let text = server.raw(format!(
        "GET /api/about HTTP/1.1\r\n{host}Connection: close\r\nContent-Length: {}\r\n\r\n{hidden}",
        hidden.len()
    ));
    assert!(text.contains("200 OK") && !text.contains("404"), "{text}");
    let text = server.raw(format!(
        "POST /api/login HTTP/1.1\r\n{host}Connection: close\r\nContent-Type: application/json\r\n\
         Expect: 100-continue\r\nContent-Length: 2\r\n\r\n{{}}"
    ));
    assert!(text.starts_with("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 403"), "{text}");
    for header in [
        "Content-Security-Policy: default-src 'none'; script-src 'self'",
        "X-Content-Type-Options: nosniff",
        "Referrer-Policy: no-referrer",
        "Cache-Control: no-store",
    ] {
        assert!(reply.head.contains(header), "{header}: {}", reply.head);
    }
}

/// Whether the server has ended a connection.
fn is_over(mut socket: &TcpStream) -> bool {
    let mut reply = Vec::new();
    socket.set_read_timeout(Some(LIMIT)).unwrap();
    socket.read_to_end(&mut reply).is_ok()
}

#[test]
fn slow_clients_are_nobodys_trouble() {
    let place = with_runs("web-slow");
    let server = Server::start(&place, &["--listen", "127.0.0.1:0"]);
    let began = Instant::now();
    let silent: Vec<TcpStream> = (0..100).map(|_| server.connect()).collect();
    let mut dripping: Vec<TcpStream> = (0..100).map(|_| server.connect()).collect();
    let request = format!("GET /api/runs HTTP/1.1\r\nHost: {}\r\n\r\n", server.address);
    let mut drip = |at: usize| {
        let byte = &request.as_bytes()[at..=at];
        dripping.iter_mut().filter_map(|socket| socket.write_all(byte).err()).count()
    };
    // Readers who ask for much and take nothing.
    let greedy: Vec<TcpStream> = (0..20)
        .map(|_| {
            let mut socket = server.connect();
            let _ = socket.write_all(request.repeat(200).as_bytes());
            socket
        })
        .collect();
    std::thread::scope(|scope| {
        let clients: Vec<_> = (0..50).map(|_| scope.spawn(|| quick(&server))).collect();
        drip(0);
        clients.into_iter().for_each(|client| client.join().unwrap());
    });
    // Who drips is ended before the request is whole, however regularly the bytes come.
    let mut at = 1;
    while drip(at) < 100 {
        assert!(began.elapsed() < LIMIT && at + 1 < request.len(), "they drip on");
        at += 1;
        std::thread::sleep(Duration::from_secs(1));
    }
    assert!(silent.iter().all(is_over), "and who says nothing");
    quick(&server);
    drop(greedy);
}

#[test]
fn more_connections_than_there_may_be() {
    let place = with_runs("web-many");
    let server = Server::start(&place, &["--listen", "127.0.0.1:0"]);
    let mut held: Vec<TcpStream> = (0..700).map(|_| server.connect()).collect();
    quick(&server);
    for socket in held.iter_mut().take(100) {
        let _ = socket.write_all(b"G");
    }
    quick(&server);
    // Streams are limited too, and who comes too late is told.
    let mut streams: Vec<TcpStream> = Vec::new();
    let status = loop {
        let mut socket = server.connect();
        write!(socket, "GET /api/live HTTP/1.1\r\nHost: {}\r\n\r\n", server.address).unwrap();
        let mut line = [0; 12];
        socket.read_exact(&mut line).unwrap();
        if !line.ends_with(b"200") || streams.len() > 100 {
            break String::from_utf8_lossy(&line).into_owned();
        }
        streams.push(socket);
    };
    assert_eq!((status.as_str(), streams.len()), ("HTTP/1.1 503", 64));
    quick(&server);
    drop(streams);
    quick(&server);
}
