//! Heads as clients send them, and as attackers do.

use super::*;

fn parse(text: &str) -> Result<Head, Refused> {
    match scan(text.as_bytes(), 0)? {
        Scan::End(length) => Head::parse(&text.as_bytes()[..length]),
        Scan::More => panic!("not a whole head: {text:?}"),
    }
}

fn status(text: &str) -> u16 {
    parse(text).map_or_else(|refused| refused.0, |_| 200)
}

/// With the host that each request must have.
fn with(line: &str, headers: &str) -> String {
    format!("{line}\r\nHost: localhost:8080\r\n{headers}\r\n")
}

#[test]
fn a_head() {
    let head =
        parse(&with("GET /api/runs?since=12&y=valid%5Fcost+x&z HTTP/1.1", "X:  a b \r\nCookie: c=1\r\n")).unwrap();
    assert_eq!((head.method, head.path.as_str(), head.is_old, head.length), (Method::Get, "/api/runs", false, 0));
    assert_eq!((head.asked("since"), head.asked("y"), head.asked("z")), (Some("12"), Some("valid_cost x"), Some("")));
    assert_eq!((head.header("x"), head.header("cookie"), head.header("y")), (Some("a b"), Some("c=1"), None));
    assert_eq!(head.host.as_deref(), Some("localhost:8080"));
    assert!(!head.closes());
}

#[test]
fn it_may_come_in_pieces() {
    let text = with("GET / HTTP/1.1", "A: b\r\n");
    for at in 0..text.len() {
        assert_eq!(scan(&text.as_bytes()[..at], at.saturating_sub(1)), Ok(Scan::More), "{at}");
    }
    assert_eq!(scan(text.as_bytes(), text.len() - 1), Ok(Scan::End(text.len())));
    // What comes after it belongs to the next.
    assert_eq!(scan(format!("{text}GET").as_bytes(), 0), Ok(Scan::End(text.len())));
}

#[test]
fn where_to() {
    let path = |target: &str| parse(&with(&format!("GET {target} HTTP/1.1"), "")).map(|head| head.path);
    assert_eq!(path("/%2e%2e/%2e%2e/etc/passwd").unwrap(), "/../../etc/passwd");
    assert_eq!(path("http://localhost:8080/api/about").unwrap(), "/api/about");
    assert_eq!(path("HTTP://evil.example").unwrap(), "/");
    assert_eq!(path("//evil.example/x").unwrap(), "//evil.example/x");
    for bad in
        ["/%", "/%2", "/%zz", "/%00", "/%0a", "/%ff", "api", "*", "ftp://x/", "http://a b/", "/a#b", "http://x@y/"]
    {
        assert_eq!(path(bad).map_err(|refused| refused.0), Err(400), "{bad}");
    }
    let host = |target: &str| parse(&with(&format!("GET {target} HTTP/1.1"), "")).unwrap().host;
    assert_eq!(host("http://evil.example/").as_deref(), Some("evil.example"));
}

#[test]
fn lines_that_are_none() {
    for line in [
        "GET /",
        "GET  / HTTP/1.1",
        "GET / HTTP/1.1 ",
        " GET / HTTP/1.1",
        "GET / http/1.1",
        "G(T / HTTP/1.1",
        "GET /\u{e4} HTTP/1.1",
    ] {
        assert_eq!(status(&with(line, "")), 400, "{line:?}");
    }
    assert_eq!(status(&with("GET / HTTP/2.0", "")), 505);
    assert_eq!(status(&with("PRI * HTTP/2.0", "")), 505);
    assert_eq!(parse(&with("BREW /pot HTTP/1.1", "")).unwrap().method, Method::Other);
    let bytes = |bytes: &[u8]| scan(bytes, 0).map_err(|refused| refused.0);
    assert_eq!(bytes(b"GET / HTTP/1.1\nHost: x\n\n"), Err(400));
    assert_eq!(bytes(b"GET / HTTP/1.1\r\nHost: x\0\r\n\r\n"), Err(400));
    assert_eq!(bytes(b"GET / HTTP/1.1\rHost: x\r\n\r\n"), Err(400));
    assert_eq!(bytes(b"\x16\x03\x01\x02\x00"), Err(400));
}

#[test]
fn headers_that_are_none() {
    for bad in ["A : b\r\n", " A: b\r\n", "A: b\r\n c\r\n", "A: b\r\n\tc\r\n", "A\r\n", ": b\r\n", "A\u{e4}: b\r\n"] {
        assert_eq!(status(&with("GET / HTTP/1.1", bad)), 400, "{bad:?}");
    }
    assert_eq!(status("GET / HTTP/1.1\r\n\r\n"), 400);
    assert_eq!(status(&with("GET / HTTP/1.1", "Host: other\r\n")), 400);
    assert_eq!(status("GET / HTTP/1.0\r\n\r\n"), 200);
    assert_eq!(status("GET / HTTP/1.1\r\nHost: a b\r\n\r\n"), 400);
}

#[test]
fn lengths() {
    let post = |headers: &str| parse(&with("POST / HTTP/1.1", headers)).map(|head| head.length).map_err(|r| r.0);
    assert_eq!(post("Content-Length: 12\r\n"), Ok(12));
    assert_eq!(post(""), Ok(0));
    for bad in ["+1", "-1", "1,1", "0x1", "", "1 1", "1\r\nContent-Length: 1"] {
        assert_eq!(post(&format!("Content-Length: {bad}\r\n")), Err(400), "{bad:?}");
    }
    assert_eq!(post("Content-Length: 99999999999999999999999\r\n"), Err(413));
    assert_eq!(post("Transfer-Encoding: chunked\r\n"), Err(411));
    assert_eq!(post("Transfer-Encoding: gzip, chunked\r\n"), Err(501));
    assert_eq!(post("Transfer-Encoding: chunked\r\nContent-Length: 5\r\n"), Err(400));
    assert_eq!(post("Content-Length: 5\r\nTransfer-Encoding: xchunked\r\n"), Err(400));
}

#[test]
fn limits() {
    let long = |n: usize| with(&format!("GET /{} HTTP/1.1", "a".repeat(n)), "");
    assert_eq!(status(&long(8000)), 200);
    assert_eq!(status(&long(9000)), 414);
    assert_eq!(status(&with("GET / HTTP/1.1", &format!("A: {}\r\n", "b".repeat(17_000)))), 431);
    assert_eq!(status(&with("GET / HTTP/1.1", &"A: b\r\n".repeat(101))), 431);
}

#[test]
fn what_comes_with_the_connection() {
    let head = |line: &str, headers: &str| parse(&with(line, headers)).unwrap();
    assert!(head("GET / HTTP/1.1", "Connection: keep-alive, Close\r\n").closes());
    assert!(head("GET / HTTP/1.0", "").closes());
    assert_eq!(head("POST / HTTP/1.1", "Expect: 100-Continue\r\n").waits(), Ok(true));
    assert_eq!(head("POST / HTTP/1.0", "Expect: 100-continue\r\n").waits(), Ok(false));
    assert_eq!(head("POST / HTTP/1.1", "Expect: more\r\n").waits().map_err(|r| r.0), Err(417));
}
