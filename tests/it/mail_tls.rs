//! nn-mail against servers that misbehave inside TLS, on the way there, and while a password is given: as in mail.rs it
//! ends by itself, says what was wrong, and the message is still in mail/new. The server's TLS is done by `openssl
//! s_server`, one for each connection, in front of a scripted server. Skipped, by name, where there is no openssl.
//! Not tested here: real servers (mail_servers.rs).

use crate::mail::{Act, Server, Talk, files, mail_with, place};
use crate::place::{Place, say};
use std::fs;
use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

const PAUSE: Duration = Duration::from_millis(20);

/// A key, and a certificate for 127.0.0.1 that is its own authority. False, and said: there is no openssl.
pub fn certificate(place: &Place) -> bool {
    let mut openssl = place.command("openssl");
    openssl.args(["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2"]);
    openssl.args(["-keyout", "key.pem", "-out", "cert.pem", "-subj", "/CN=here"]);
    openssl.args(["-addext", "subjectAltName=IP:127.0.0.1"]).stderr(Stdio::null());
    let made = openssl.status().is_ok_and(|status| status.success());
    if !made {
        say("skipped: talk in TLS: no openssl");
    }
    made
}

/// Speaks TLS with whoever comes, and plainly with a server: the port.
fn before(server: &Server, dir: &Path) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let (port, dir, behind) = (listener.local_addr().unwrap().port(), dir.to_path_buf(), server.port);
    std::thread::spawn(move || {
        for (i, client) in listener.incoming().flatten().enumerate() {
            relay(client, TcpStream::connect(("127.0.0.1", behind)).unwrap(), &dir, i);
        }
    });
    port
}

fn relay(client: TcpStream, server: TcpStream, dir: &Path, i: usize) {
    let path = dir.join(format!("tls{i}"));
    let mut openssl = Command::new("openssl");
    openssl.args(["s_server", "-quiet", "-naccept", "1", "-cert", "cert.pem", "-key", "key.pem", "-unix"]).arg(&path);
    openssl.current_dir(dir).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
    let mut child = openssl.spawn().unwrap();
    let (input, output) = (child.stdin.take().unwrap(), child.stdout.take().unwrap());
    let socket = loop {
        match UnixStream::connect(&path) {
            Ok(socket) => break socket,
            Err(_) => std::thread::sleep(Duration::from_millis(1)),
        }
    };
    let (client_too, socket_too) = (client.try_clone().unwrap(), socket.try_clone().unwrap());
    let (server_too, client_end) = (server.try_clone().unwrap(), client.try_clone().unwrap());
    let (socket_end, server_end) = (socket.try_clone().unwrap(), server.try_clone().unwrap());
    pump(client, socket, move || drop(socket_end.shutdown(Shutdown::Write)));
    pump(socket_too, client_too, move || drop(client_end.shutdown(Shutdown::Write)));
    pump(output, server, move || drop(server_end.shutdown(Shutdown::Write)));
    pump(server_too, input, move || {
        // s_server does not end with its input; what it was given before is on its way.
        std::thread::sleep(Duration::from_millis(200));
        let _ = child.kill();
        let _ = child.wait();
    });
}

/// Carries bytes until one side ends.
fn pump(
    mut from: impl Read + Send + 'static,
    mut to: impl Write + Send + 'static,
    end: impl FnOnce() + Send + 'static,
) {
    std::thread::spawn(move || {
        // Not io::copy: its splice(2) from a socket into a pipe locks the pipe while it waits.
        let mut piece = [0; 1 << 14];
        while let Ok(n @ 1..) = from.read(&mut piece) {
            if to.write_all(&piece[..n]).is_err() {
                break;
            }
        }
        drop(to);
        end();
    });
}

/// The message is kept, and one of these words is said.
fn kept(place: &Place, port: u16, name: &str, variables: &[(&str, &str)], words: &[&str]) {
    let _ = fs::remove_dir_all(place.dir.join("spool/mail"));
    let output = mail_with(place, port, "-s x you@example.org", variables);
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success() && words.iter().any(|w| said.contains(w)), "{name}: {}: {said}", output.status);
    assert!(!said.contains("canary"), "{name}: {said}");
    let new = files(place, "new");
    assert!(new.len() == 1 && !new[0].contains('~'), "{name}: {new:?}");
    assert!(files(place, "sent").is_empty() && files(place, "failed").is_empty(), "{name}");
}

/// What a server without measure or manners does in the place of an answer.
const ILL: [(&str, Act, &[&str]); 7] = [
    (
        "drip",
        |t| {
            while t.say("2") {
                std::thread::sleep(PAUSE);
            }
        },
        &["in time", "too long"],
    ),
    (
        "drip of lines",
        |t| {
            while t.say("250-x\n") {
                std::thread::sleep(PAUSE);
            }
        },
        &["in time", "too long"],
    ),
    (
        "a line without end",
        |t| {
            let mb = "x".repeat(1 << 20);
            while t.say(&mb) {}
        },
        &["more than 4096 bytes"],
    ),
    (
        "lines without end",
        |t| {
            let lines = "250-x\n".repeat(10_000);
            while t.say(&lines) {}
        },
        &["more than 256 lines"],
    ),
    (
        "NULs",
        |t| {
            t.say("\0\0\0\n");
            t.hear();
        },
        &["no answer of a mail server"],
    ),
    (
        "silence",
        |t| {
            let _ = t.stream.set_read_timeout(Some(Duration::from_secs(3)));
            let _ = t.stream.read(&mut [0; 1 << 16]);
            std::thread::sleep(Duration::from_secs(2));
        },
        &["in time", "too long"],
    ),
    ("the end", |_| {}, &["closed"]),
];

#[test]
fn inside_tls() {
    let place = place("tls");
    if !certificate(&place) {
        return;
    }
    // Two programs are started for each connection: more time than elsewhere.
    let variables = [("NN_MAIL_TLS", "tls"), ("NN_MAIL_CA_FILE", "cert.pem"), ("NN_MAIL_TIMEOUT", "4s")];
    // That it works at all.
    let good = Server::new(|t| {
        t.until_data();
        t.body();
        t.say("250 taken\n");
        t.answer("221 bye\n");
    });
    let output = mail_with(&place, before(&good, &place.dir), "-s x you@example.org", &variables);
    assert!(output.status.success() && files(&place, "sent").len() == 1, "{output:?}");
    for (name, act, words) in ILL {
        let port = before(&Server::new(act), &place.dir);
        kept(&place, port, name, &variables, words);
    }
    let later: [(&str, Act, &[&str]); 3] = [
        ("after EHLO", |t| t.greet(""), &["closed", "broke"]),
        (
            "after DATA",
            |t| {
                t.until_data();
                // What is left to be heard would make the end a reset.
                t.body();
            },
            &["was handed over, but"],
        ),
        (
            "busy",
            |t| {
                t.greet("");
                t.answer("451 later\n");
                t.answer("250 ok\n");
                t.hear();
            },
            &["451 later"],
        ),
    ];
    for (name, act, words) in later {
        let port = before(&Server::new(act), &place.dir);
        kept(&place, port, name, &variables, words);
    }
}

#[test]
fn on_the_way_to_tls() {
    let place = place("handshake");
    if !certificate(&place) {
        return;
    }
    fn begun(t: &mut Talk) {
        t.greet("250-STARTTLS\n");
        t.answer("220 go\n");
    }
    let acts: [(&str, Act, &[&str]); 4] = [
        (
            "silence",
            |t| {
                begun(t);
                std::thread::sleep(Duration::from_secs(3));
            },
            &["in time", "too long"],
        ),
        (
            "drip of a record",
            |t| {
                begun(t);
                // The head of a record that promises 16 KB, and then a byte at a time.
                let _ = t.stream.write_all(&[0x16, 3, 3, 0x40, 0]);
                while t.stream.write_all(&[2]).is_ok() {
                    std::thread::sleep(PAUSE);
                }
            },
            &["in time", "too long", "TLS"],
        ),
        (
            "rubbish without end",
            |t| {
                begun(t);
                while t.stream.write_all(&[0; 1 << 16]).is_ok() {}
            },
            &["TLS"],
        ),
        (
            "text",
            |t| {
                begun(t);
                t.say(&"250-x\n".repeat(1000));
            },
            &["TLS"],
        ),
    ];
    for (name, act, words) in acts {
        let server = Server::new(act);
        kept(&place, server.port, name, &[("NN_MAIL_TLS", "starttls"), ("NN_MAIL_CA_FILE", "cert.pem")], words);
    }
}

#[test]
fn an_openssl_that_cannot_verify() {
    let place = place("old");
    let server = Server::new(|t| t.greet(""));
    fs::create_dir(place.dir.join("bin")).unwrap();
    std::os::unix::fs::symlink("/bin/sh", place.dir.join("bin/sh")).unwrap();
    let path = format!("{}:{}", crate::place::bins().display(), place.dir.join("bin").display());
    // As 1.0.1 and LibreSSL put it; and there is none at all.
    for (text, words) in [
        (
            "#!/bin/sh\necho 'unknown option -verify_hostname' >&2\necho 'usage: s_client args' >&2\nexit 1\n",
            "too old to verify",
        ),
        ("#!/bin/sh\necho \"s_client: unknown option '-nocommands'\" >&2\nexit 1\n", "too old to verify"),
        ("#!/nowhere\n", "cannot run openssl"),
    ] {
        let openssl = place.dir.join("bin/openssl");
        fs::write(&openssl, text).unwrap();
        assert!(place.command("chmod").args(["755"]).arg(&openssl).status().unwrap().success());
        kept(&place, server.port, words, &[("NN_MAIL_TLS", "tls"), ("PATH", &path)], &[words]);
        assert!(server.bodies.lock().unwrap().is_empty());
    }
}

#[test]
fn while_a_password_is_given() {
    let place = place("auth");
    let variables = [("NN_MAIL_TLS", "none"), ("NN_MAIL_USER", "me"), ("NN_MAIL_PASSWORD_COMMAND", "echo canary-7351")];
    for way in ["PLAIN", "LOGIN"] {
        for (name, act, words) in ILL {
            let server = Server::with(move |t| {
                t.greet(&format!("250-AUTH {way}\n"));
                assert!(t.hear().starts_with("AUTH "));
                act(t);
            });
            kept(&place, server.port, &format!("{way}: {name}"), &variables, words);
        }
    }
    let acts: [(&str, Act, &[&str]); 5] = [
        (
            "challenges without end",
            |t| {
                t.greet("250-AUTH LOGIN\n");
                while t.say("334 VXNlcm5hbWU6\n") && !t.hear().is_empty() {}
            },
            &["does not take user 'me' and the password: 334"],
        ),
        (
            "not now",
            |t| {
                t.greet("250-AUTH PLAIN\n");
                t.answer("454 4.7.0 Temporary authentication failure\n");
            },
            &["cannot check the password now: 454"],
        ),
        (
            "no",
            |t| {
                t.greet("250-AUTH PLAIN\n");
                t.answer("535 5.7.8 \x1b[31mno\x07\r\x1b]0;title\x07\u{202e} more\n");
            },
            &["535 5.7.8 \\x1b[31mno\\x07\\r\\x1b]0;title\\x07\\u{202e} more"],
        ),
        ("none of ours", |t| t.greet("250-AUTH GSSAPI XOAUTH2\n"), &["by GSSAPI, XOAUTH2 only"]),
        ("none", |t| t.greet(""), &["takes no password here"]),
    ];
    for (name, act, words) in acts {
        let server = Server::new(act);
        kept(&place, server.port, name, &variables, words);
    }
}
