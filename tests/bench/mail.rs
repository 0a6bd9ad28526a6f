//! What one mail with a picture of 40 KB costs through SMTP on loopback, beside msmtp(1), which is given the same message
//! made beforehand: nn-mail makes it, keeps it durably, and sends it.

use super::{Bench, in_turns, ms, ratio};
use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};

const MAIL: &str = env!("CARGO_BIN_EXE_nn-mail");

/// A server that takes whatever comes and keeps nothing: its port.
fn sink() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            std::thread::spawn(move || talk(stream));
        }
    });
    port
}

fn talk(stream: TcpStream) -> Option<()> {
    let mut reader = BufReader::new(stream.try_clone().ok()?);
    let say = |text: &str| (&stream).write_all(text.as_bytes()).ok();
    let _ = stream.set_nodelay(true);
    say("220 sink\r\n")?;
    let mut line = Vec::new();
    loop {
        line.clear();
        reader.read_until(b'\n', &mut line).ok().filter(|n| *n > 0)?;
        match line.get(..4)? {
            b"EHLO" => say("250-sink\r\n250-PIPELINING\r\n250-SIZE 0\r\n250 8BITMIME\r\n")?,
            b"DATA" => {
                say("354 go on\r\n")?;
                while line != b".\r\n" {
                    line.clear();
                    reader.read_until(b'\n', &mut line).ok().filter(|n| *n > 0)?;
                }
                say("250 taken\r\n")?;
            }
            b"QUIT" => return say("221 bye\r\n"),
            _ => say("250 ok\r\n")?,
        }
    }
}

/// The row.
pub fn measure(b: &mut Bench) {
    let port = sink();
    // No picture is as random: it does not get smaller on the way.
    let mut state = 1u64;
    let mut byte = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) as u8
    };
    let picture: Vec<u8> = (0..40_000).map(|_| byte()).collect();
    fs::write(b.dir.join("curve.png"), picture).unwrap();
    fs::write(b.dir.join("text"), "all is well\n").unwrap();
    let text = || fs::File::open(b.dir.join("text")).unwrap();
    let mut make = b.command(MAIL, "s-mail");
    make.env("NN_MAIL_VIA", "cat >message #").args(["-s", "a curve", "-a", "curve.png", "you@example.org"]);
    assert!(make.env("NN_MAIL_FROM", "me@example.org").stdin(text()).status().unwrap().success());
    let shell = |line: &str| {
        let mut sh = b.command("sh", "s-mail");
        sh.args(["-c", line]).env("NN_MAIL_SERVER", format!("127.0.0.1:{port}")).env("NN_MAIL_FROM", "me@example.org");
        sh
    };
    if !shell("command -v msmtp").status().unwrap().success() {
        return println!("a mail, over msmtp: not measured, no msmtp(1)");
    }
    let ours = shell(&format!("exec {MAIL} -s 'a curve' -a curve.png you@example.org <text"));
    let line = format!(
        "exec msmtp --host=127.0.0.1 --port={port} --tls=off --auth=off --from=me@example.org you@example.org <message"
    );
    let (ours, theirs) = in_turns(51, ours, shell(&line));
    let r = ratio(ours, theirs);
    b.row(
        "a mail with a picture of 40 KB, over msmtp",
        format!("{r:.2}x ({:.1} ms, {:.1} ms)", ms(ours), ms(theirs)),
        "<= 1x",
        r <= 1.0,
    );
}
