//! Dialogues with a scripted server: each line of a script is what must come (`C:`) or what is said (`S:`).

use super::*;
use std::io::{BufRead, BufReader};
use std::os::unix::net::UnixStream;

/// Plays the server; returns what came where the script says `C: *body*`.
fn server(stream: UnixStream, script: &'static str) -> String {
    let mut reader = BufReader::new(stream.try_clone().unwrap());
    let mut body = String::new();
    for step in script.lines().map(str::trim).filter(|line| !line.is_empty()) {
        let (side, text) = step.split_at(3);
        if side == "S: " {
            (&stream).write_all(format!("{}\r\n", text.replace('|', "\r\n")).as_bytes()).unwrap();
            continue;
        }
        let mut line = String::new();
        reader.read_line(&mut line).unwrap();
        if text == "*word*" {
            assert!(line.len() > 700, "{line}");
        } else if text == "*body*" {
            while line != ".\r\n" {
                body += &line;
                line.clear();
                assert!(reader.read_line(&mut line).unwrap() > 0);
            }
        } else {
            assert_eq!(line, format!("{text}\r\n"), "{script}");
        }
    }
    body
}

fn limits() -> Limits {
    Limits { reply: Duration::from_secs(20), end: Instant::now() + Duration::from_secs(60) }
}

fn talk<T: Send>(script: &'static str, client: impl FnOnce(Client) -> T + Send) -> (T, String) {
    let (ours, theirs) = UnixStream::pair().unwrap();
    std::thread::scope(|scope| {
        let server = scope.spawn(move || server(theirs, script));
        let done = client(Client::new(Box::new(ours), limits(), None));
        (done, server.join().unwrap())
    })
}

fn send(client: &mut Client, to: &[&str], body: &str) -> Result<Vec<Reply>> {
    let to: Vec<String> = to.iter().map(|to| to.to_string()).collect();
    let size = body.len() as u64;
    client.send(&Envelope { from: "me@x", to: &to, size, eight_bit: false }, &mut body.as_bytes())
}

#[test]
fn a_message_with_pipelining() {
    let script = "S: 220 mx ESMTP
        C: EHLO here
        S: 250-mx greets
        S: 250-PIPELINING
        S: 250-SIZE 1000
        S: 250 8BITMIME
        C: MAIL FROM:<me@x> SIZE=3
        C: RCPT TO:<a@x>
        C: RCPT TO:<b@x>
        C: RCPT TO:<c@x>
        S: 250 ok
        S: 250 ok
        S: 450 4.2.0 greylisted
        S: 550-5.1.1 no
        S: 550 5.1.1 such user
        C: DATA
        S: 354 go
        C: *body*
        S: 250 2.0.0 queued as 1
        C: QUIT
        S: 221 bye";
    let (replies, body) = talk(script, |mut client| {
        client.greeting().unwrap();
        client.hello("here").unwrap();
        let replies = send(&mut client, &["a@x", "b@x", "c@x"], ".a\n");
        client.quit();
        replies.unwrap()
    });
    let codes: Vec<u16> = replies.iter().map(|r| r.code).collect();
    assert_eq!(codes, [250, 450, 550]);
    assert_eq!(replies[2].to_string(), "550 5.1.1 no 5.1.1 such user");
    assert_eq!(body, "..a\r\n");
}

#[test]
fn an_old_server() {
    let script = "S: 220 mx
        C: EHLO here
        S: 502 what
        C: HELO here
        S: 250 mx
        C: MAIL FROM:<me@x>
        S: 250 ok
        C: RCPT TO:<a@x>
        S: 550 no
        C: RSET
        S: 250 ok";
    let (replies, _) = talk(script, |mut client| {
        client.greeting().unwrap();
        client.hello("here").unwrap();
        send(&mut client, &["a@x"], "a").unwrap()
    });
    assert_eq!(replies[0].code, 550);
}

#[test]
fn no_command_is_too_long() {
    let password = "p".repeat(600);
    let script = "C: EHLO x
        S: 250-mx
        S: 250 AUTH PLAIN
        C: AUTH PLAIN
        S: 334
        C: *word*
        S: 235 ok";
    let (done, _) = talk(script, |mut client| {
        client.hello("x").unwrap();
        client.auth("u", &password)
    });
    done.unwrap();
    // The longest addresses there are.
    let to = format!("{}@{}", "l".repeat(64), "d".repeat(255));
    let mut client = Client::new(Box::new(UnixStream::pair().unwrap().0), limits(), None);
    client.offers = Offers { eight_bit: true, utf8: true, size: Some(0), ..Offers::default() };
    let envelope = Envelope {
        from: &to.replace('l', "\u{e9}").replacen('\u{e9}', "", 32),
        to: &[],
        size: u64::MAX,
        eight_bit: true,
    };
    let mail = client.mail_command(&envelope).unwrap();
    assert!(mail.len() <= LONGEST_COMMAND && mail.contains("SMTPUTF8"), "{}", mail.len());
}

#[test]
fn no_answer_after_the_dot() {
    let script = "C: MAIL FROM:<me@x>
        S: 250 ok
        C: RCPT TO:<a@x>
        S: 250 ok
        C: DATA
        S: 354 go
        C: *body*";
    let (replies, _) = talk(script, |mut client| send(&mut client, &["a@x"], "a"));
    assert!(matches!(replies, Err(Fail::Unknown(_))), "{replies:?}");
}

#[test]
fn refusals() {
    let whole = |script: &'static str| talk(script, |mut client| send(&mut client, &["a@x"], "a")).0;
    let mail = whole("C: MAIL FROM:<me@x>\nS: 552 too big\nC: RSET\nS: 250 ok");
    assert!(matches!(mail, Err(Fail::Refused(_))), "{mail:?}");
    let data =
        whole("C: MAIL FROM:<me@x>\nS: 250 ok\nC: RCPT TO:<a@x>\nS: 250 ok\nC: DATA\nS: 451 later\nC: RSET\nS: 250 ok");
    assert!(matches!(data, Err(Fail::Broken(_))), "{data:?}");
    let closing = whole("C: MAIL FROM:<me@x>\nS: 421 going down");
    assert!(matches!(closing, Err(Fail::Broken(_))), "{closing:?}");
    let end = whole(
        "C: MAIL FROM:<me@x>\nS: 250 ok\nC: RCPT TO:<a@x>\nS: 250 ok\nC: DATA\nS: 354 go\nC: *body*\nS: 554 spam",
    );
    assert!(matches!(end, Err(Fail::Refused(_))), "{end:?}");
}

#[test]
fn what_is_not_offered_is_not_used() {
    let (fail, _) = talk("C: EHLO x\nS: 250-mx\nS: 250 SIZE 10", |mut client| {
        client.hello("x").unwrap();
        send(&mut client, &["a@x"], "more than ten").unwrap_err()
    });
    assert!(matches!(fail, Fail::Refused(_)), "{fail}");
    let (fail, _) = talk("", |mut client| send(&mut client, &["ä@x"], "").unwrap_err());
    assert!(matches!(fail, Fail::Refused(_)), "{fail}");
    let (fail, _) = talk("", |client| client.starttls(Ok).unwrap_err());
    assert!(fail.to_string().contains("does not offer STARTTLS"), "{fail}");
    let (fail, _) = talk("C: EHLO x\nS: 250-mx\nS: 250 AUTH GSSAPI", |mut client| {
        client.hello("x").unwrap();
        client.auth("u", "p").unwrap_err()
    });
    assert!(fail.to_string().contains("by GSSAPI only"), "{fail}");
}

#[test]
fn words_before_tls_are_not_trusted() {
    let (fail, _) = talk("C: EHLO x\nS: 250-mx\nS: 250 STARTTLS\nC: STARTTLS\nS: 220 go|250 injected", |mut client| {
        client.hello("x").unwrap();
        client.starttls(Ok).unwrap_err()
    });
    assert!(fail.to_string().contains("before TLS"), "{fail}");
}

#[test]
fn passwords() {
    let plain = "C: EHLO x\nS: 250-mx\nS: 250 AUTH LOGIN PLAIN\nC: AUTH PLAIN AHUAcA==\nS: 235 ok";
    let login = "C: EHLO x\nS: 250-mx\nS: 250 AUTH=LOGIN\nC: AUTH LOGIN\nS: 334 VXNlcm5hbWU6\nC: dQ==\nS: 334 UGFzc3dvcmQ6\nC: cA==\nS: 535 no";
    let go = |script| {
        talk(script, |mut client| {
            client.hello("x").unwrap();
            client.auth("u", "p")
        })
        .0
    };
    assert_eq!(go(plain), Ok(()));
    assert!(matches!(go(login), Err(Fail::Settings(_))));
}

#[test]
fn nothing_said_is_without_bound() {
    let bytes = |bytes: Vec<u8>| {
        let (ours, theirs) = UnixStream::pair().unwrap();
        let writer = std::thread::spawn(move || (&theirs).write_all(&bytes));
        let fail = Client::new(Box::new(ours), limits(), None).greeting().unwrap_err().to_string();
        let _ = writer.join().unwrap();
        fail
    };
    assert!(bytes(vec![b'2'; 1 << 20]).contains("more than 4096 bytes"));
    assert!(bytes(b"220-x\r\n".repeat(10_000)).contains("more than 256 lines"));
    assert!(bytes(vec![0; 100]).contains("closed"));
    assert!(bytes(b"HTTP/1.1 400\r\n".to_vec()).contains("no answer of a mail server"));
    assert!(bytes("22\u{e9} x\r\n".as_bytes().to_vec()).contains("no answer of a mail server"));
    assert!(bytes(b"220-a\r\n221 b\r\n".to_vec()).contains("no answer of a mail server"));
    assert!(bytes(b"554 \x1b[31mgo away\r\n".to_vec()).contains("\\x1b[31mgo away"));
    let (ours, theirs) = UnixStream::pair().unwrap();
    let limits = Limits { reply: Duration::from_millis(50), end: Instant::now() + Duration::from_secs(20) };
    let fail = Client::new(Box::new(ours), limits, None).greeting().unwrap_err().to_string();
    assert!(fail.contains("in time"), "{fail}");
    drop(theirs);
}
