//! Servers that misbehave, and TLS: the lines of a script end in time, with status 0 and a clear word, and what they did
//! not tell is told later. TLS is done by python in front of the server (tests/servers/tls.py).

use super::Peers;
use crate::mail_tls::certificate;
use crate::place::tests;
use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

type Act = fn(&mut TcpStream);

fn say(socket: &mut TcpStream, bytes: &[u8]) -> bool {
    socket.write_all(bytes).is_ok()
}

const ILL: [(&str, Act, &str); 11] = [
    ("silence", |_| std::thread::sleep(Duration::from_secs(4)), "does not answer in time"),
    ("end", |_| (), "closed the connection without an answer"),
    (
        "drip",
        |s| {
            for byte in b"HTTP/1.1 200 OK\r\n" {
                let _ = say(s, &[*byte]);
                std::thread::sleep(Duration::from_millis(200));
            }
        },
        "does not answer in time",
    ),
    ("endless words", |s| while say(s, b"HTTP/1.1 100 Continue\r\n\r\n") {}, ""),
    (
        "endless answer",
        |s| {
            say(s, b"HTTP/1.1 200 OK\r\n\r\n");
            while say(s, &[b'x'; 4096]) {}
        },
        "its answer is too long",
    ),
    ("long line", |s| while say(s, b"HTTP/1.1 200 OKOKOKOKOK") {}, "the head of its answer is too long"),
    (
        "long answer",
        |s| _ = say(s, b"HTTP/1.1 200 OK\r\nContent-Length: 999999999999\r\n\r\nx"),
        "its answer is too long",
    ),
    (
        "redirect",
        |s| _ = say(s, b"HTTP/1.1 302 Found\r\nLocation: http://evil.example/\x1b[2J\r\n\r\n"),
        "it redirects to 'http://evil.example/",
    ),
    ("no HTTP", |s| _ = say(s, b"220 mx.example.org ESMTP\r\n"), "speaks no HTTP: '220 mx.example.org ESMTP'"),
    (
        "chunks",
        |s| _ = say(s, b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
        "an encoding that is not known here",
    ),
    ("another server", |s| _ = say(s, b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n{}\n"), "is no nn-web"),
];

/// Does this to each client after it has read its head.
fn ill(act: Act) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        for mut socket in listener.incoming().flatten() {
            std::thread::spawn(move || {
                let mut head = Vec::new();
                let mut piece = [0; 1024];
                while !head.windows(4).any(|end| end == b"\r\n\r\n") {
                    match socket.read(&mut piece) {
                        Ok(n @ 1..) => head.extend_from_slice(&piece[..n]),
                        _ => return,
                    }
                }
                act(&mut socket);
            });
        }
    });
    url
}

#[test]
fn servers_that_misbehave() {
    let peers = Peers::new("report-ill");
    for (i, (name, act, words)) in ILL.into_iter().enumerate() {
        let script = "sh -c 'nn-log start --server $ILL && nn-log finish' >/dev/null; echo $?";
        let begun = Instant::now();
        let output = peers.sh_with(script, &[("ILL", &ill(act)), ("NN_REPORT_TIMEOUT", "1s")]);
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(String::from_utf8_lossy(&output.stdout), "0\n", "{name}: {said}");
        assert!(said.contains(words) && said.contains("is not reported now"), "{name}: {said}");
        assert!(!said.contains('\x1b') && !said.contains("a-token"), "{name}: {said}");
        assert!(said.len() < 2000 && begun.elapsed() < Duration::from_secs(20), "{name}: {:?}", begun.elapsed());
        let run = (i + 1).to_string();
        assert!(peers.sh_with("nn-log report --server $URL $RUN", &[("RUN", &run)]).status.success(), "{name}");
    }
    assert_eq!(peers.tokens().len(), ILL.len());
    assert!(peers.tokens().iter().all(|token| token.starts_with("done/")));
}

/// Speaks TLS with whoever comes, and plainly with the server: itself, and its port.
fn before(peers: &Peers) -> (Child, u16) {
    let mut python = peers.place.command("python3");
    python.arg(tests().join("servers/tls.py")).arg(peers.port.to_string());
    let mut child = python.stdout(Stdio::piped()).spawn().unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
    (child, line.trim().parse().unwrap())
}

#[test]
fn over_tls_and_never_in_the_clear() {
    let mut peers = Peers::new("report-tls");
    let script = "sh -c 'nn-log start --server $TO && nn-log finish' >/dev/null";
    let said = |peers: &Peers, to: &str, variables: &[(&str, &str)]| {
        let variables = [&[("TO", to)], variables].concat();
        let output = peers.sh_with(script, &variables);
        assert!(output.status.success(), "{output:?}");
        String::from_utf8_lossy(&output.stderr).into_owned()
    };
    // An address of a network for documentation: nothing is sent there in any case.
    let words = said(&peers, "http://192.0.2.1:80", &[]);
    assert!(words.contains("cross the network in the clear") && words.contains("report.plain"), "{words}");
    fs::write(peers.place.dir.join("open"), "a-token-that-nobody-guesses\n").unwrap();
    let words = said(&peers, &peers.url(), &[("NN_REPORT_TOKEN_FILE", "open")]);
    assert!(words.contains("others can read it"), "{words}");
    if !certificate(&peers.place) {
        return;
    }
    let (mut before, port) = before(&peers);
    peers.kill();
    let (address, name) = (format!("127.0.0.1:{port}"), format!("localhost:{port}"));
    peers.start_with(&["--host", &address, "--host", &name], &[]);
    let ca = [("NN_REPORT_CA_FILE", "cert.pem")];
    assert_eq!(said(&peers, &format!("https://{address}"), &ca), "");
    assert_eq!(peers.tokens(), ["done/0000001.1"]);
    let words = said(&peers, &format!("https://{name}"), &ca);
    assert!(
        words.contains("the certificate is not that of localhost: hostname mismatch (report.server must be"),
        "{words}"
    );
    let words = said(&peers, &format!("https://{address}"), &[]);
    assert!(words.contains("report.ca-file names whom to trust"), "{words}");
    let words = said(&peers, &format!("https://127.0.0.1:{}", peers.port), &ca);
    assert!(words.contains("does not speak TLS"), "{words}");
    assert_eq!(peers.tokens().len(), 1);
    before.kill().and_then(|()| before.wait()).unwrap();
}
